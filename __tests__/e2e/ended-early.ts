import { connect, createServer, type Server as TcpServer } from 'node:net'
import { Transform } from 'node:stream'
import { expect } from 'vitest'
import type { Server } from '../server/boot.ts'
import { type ActionOptions, act, type Ran, reach, start } from './action.ts'
import { untilQuiet } from './look.ts'
import { type Checkout, tinyApp, tinyProject } from './projects.ts'
import { page } from './traces.ts'

/** GitHub kills a cancelled step 7.5 s after its first signal. */
export const CANCEL_MS = 7_000

/** The tiny app with another text on its page. */
export const saying = (text: string) => tinyApp.replace('version 1', text)

/** A page that takes longer than anybody waits who cancels. */
export const slowPage =
  '\n@app.route("/slow")\ndef slow():\n    import time\n    time.sleep(8)\n    return "at last"\n'

/** A server's first deploy, which went well, and how to go on. */
export interface First {
  readonly project: Checkout
  readonly options: ActionOptions
  readonly good: Ran
}

/** Deploys the tiny project, `version 1`. */
export async function firstDeploy(server: Server): Promise<First> {
  const project = tinyProject()
  const options: ActionOptions = { workspace: project.folder, inputs: reach(server) }
  const good = await act(options)
  expect(good.status, good.log).toBe(0)
  // What it writes down after its end is there too.
  await untilQuiet(server, 'hello')
  return { project, options, good }
}

/** Starts a deploy, sends SIGINT once when its log says something, and waits for its end. */
export async function cancelled(
  options: ActionOptions,
  said: string | RegExp,
): Promise<{ ran: Ran; ms: number }> {
  const running = start(options)
  await running.said(said)
  const at = performance.now()
  running.process.kill('SIGINT')
  const ran = await running.ended
  return { ran, ms: performance.now() - at }
}

/** Expects a run that was cancelled in time, and that says so, with the release that visitors get. */
export function expectCancelled(ran: Ran, ms: number, serving: string): void {
  expect(ran.outputs, ran.log).toMatchObject({ result: 'cancelled', serving })
  expect(ran.status).toBe(1)
  expect(ms).toBeLessThan(CANCEL_MS)
  expect(ran.summary).toContain('cancelled')
}

/** Starts a deploy, kills it when its log says something; what it left for `post`. */
export async function killed(options: ActionOptions, said: string | RegExp): Promise<Ran['state']> {
  const running = start(options)
  await running.said(said)
  running.process.kill('SIGKILL')
  return (await running.ended).state
}

/** The environment by which the runner hands main's state to post. */
export function stateOf(state: Ran['state']): Readonly<Record<string, string>> {
  return Object.fromEntries([...state].map(([name, value]) => [`STATE_${name}`, value]))
}

/** Expects the next deploy to work at once: nobody holds the lock, nothing is in its way. */
export async function works(server: Server, options: ActionOptions, text: string): Promise<void> {
  const next = await act({ ...options, inputs: { ...options.inputs, 'lock-timeout': '5' } })
  expect(next.status, next.log).toBe(0)
  expect(next.outputs).toMatchObject({ result: 'deployed', serving: next.outputs.release })
  expect(await page(server)).toBe(text)
}

/** A line to the server's sshd that takes so many bytes a second from the client. */
export async function slowLine(
  server: Server,
  bytesPerSecond: number,
): Promise<{ port: number; close: () => void }> {
  const line: TcpServer = createServer((client) => {
    const far = connect({ host: server.address, port: 22 })
    const slow = new Transform({
      highWaterMark: 16_384,
      transform(chunk: Buffer, _encoding, done) {
        setTimeout(() => done(null, chunk), chunk.length < 4096 ? 0 : (chunk.length / bytesPerSecond) * 1000)
      },
    })
    client.pipe(slow).pipe(far)
    far.pipe(client)
    const end = () => {
      client.destroy()
      far.destroy()
    }
    for (const socket of [client, far]) socket.on('error', end).on('close', end)
  })
  await new Promise<void>((resolve) => {
    line.listen(0, '127.0.0.1', resolve)
  })
  const address = line.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return { port: address.port, close: () => line.close() }
}
