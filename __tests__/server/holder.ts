import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { identity, scripts } from './places.ts'
import { release, type Slot } from './slots.ts'

/** The process that holds one server (`server.sh`), as commands. */
export type Holder = {
  pid: number
  /** Sends a word of `server.sh` and waits until it is done. */
  order(word: string): Promise<void>
  /** Takes the server down and waits until nothing is left. */
  end(): Promise<void>
  /** The last lines of the server's console and of the holder's own complaints. */
  console(): string
}

/**
 * Starts the holder and waits until the server's disk and network are there (it is not switched on yet).
 * The holder does not keep this process alive, and ends with it, even if it is killed.
 * @throws Error with what the holder wrote
 */
export async function startHolder(slot: Slot, env: Record<string, string>): Promise<Holder> {
  const log = `${slot.folder}/console.log`
  const descriptor = openSync(log, 'a')
  const child = spawn('unshare', ['--mount', 'sh', join(scripts, 'server.sh')], {
    detached: true,
    stdio: ['pipe', 'pipe', descriptor],
    env: { ...process.env, ...env, SLOT: slot.folder, TOKEN: slot.token, STORE: slot.store },
  })
  closeSync(descriptor)
  const pid = child.pid
  if (pid === undefined) throw new Error('unshare (util-linux) could not be started')
  writeFileSync(`${slot.folder}/holder`, `${identity(pid) ?? pid}\n`)
  const answers = conversation(child, () => tail(log))
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const holder: Holder = {
    pid,
    async order(word) {
      hold(child, true)
      try {
        child.stdin?.write(`${word}\n`)
        await answers(word)
      } finally {
        hold(child, false)
      }
    },
    async end() {
      hold(child, true)
      child.stdin?.end()
      await ended
      // Does nothing where the holder did its work.
      await release(slot.folder, slot.token)
    },
    console: () => tail(log),
  }
  try {
    hold(child, true)
    await answers('ready')
    hold(child, false)
  } catch (error) {
    await holder.end()
    throw error
  }
  return holder
}

/** Waits for `done WORD` lines; the holder's end fails every wait, with the log as it was then. */
function conversation(child: ChildProcess, log: () => string): (word: string) => Promise<void> {
  const waiting = new Map<string, { resolve: () => void; reject: (error: Error) => void }>()
  let text = ''
  let failure: Error | undefined
  const fail = (why: string) => {
    failure ??= new Error(`${why}\n${log()}`)
    for (const { reject } of waiting.values()) reject(failure)
    waiting.clear()
  }
  child.stdout?.on('data', (chunk: Buffer) => {
    text += chunk.toString()
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
      const word = text.slice(0, end).replace(/^done /, '')
      text = text.slice(end + 1)
      waiting.get(word)?.resolve()
      waiting.delete(word)
    }
  })
  child.stdin?.on('error', () => {})
  child.on('error', (error) => fail(`the test server's holder: ${error.message}`))
  child.on('exit', (code) => fail(`the test server's holder ended with status ${code}`))
  return (word) =>
    new Promise((resolve, reject) => {
      if (failure === undefined) waiting.set(word, { resolve, reject })
      else reject(failure)
    })
}

/** Whether the child keeps this process's event loop alive. */
function hold(child: ChildProcess, alive: boolean): void {
  for (const handle of [child, child.stdin, child.stdout]) {
    if (handle === child || handle instanceof Socket)
      (handle as ChildProcess | Socket)[alive ? 'ref' : 'unref']()
  }
}

function tail(file: string): string {
  try {
    return readFileSync(file, 'utf8').split('\n').slice(-40).join('\n')
  } catch {
    return '(its console log is gone)'
  }
}
