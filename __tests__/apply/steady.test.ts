import { describe, expect, test } from 'vitest'
import { parseEvent, type ServerEvent } from '../../src/apply/event.ts'
import type { Held } from '../../src/apply/held.ts'
import type { Line, Spoken } from '../../src/apply/line.ts'
import { SteadyTalk } from '../../src/apply/steady.ts'
import { DeployError } from '../../src/errors.ts'
import type { Facts } from '../../src/server/facts.ts'
import { bareLines, facts } from '../plan/sample.ts'

/** A server whose events and frames outlive its connections. */
class FakeServer {
  readonly heard: string[] = []
  events: string[] = []
  starts = 0
  bundle: Held['bundle'] = 0
  connections = 0
  state: readonly string[] = []
  /** What a new connection fails with. */
  refuses: unknown
  #cut: (error: unknown) => void = () => undefined
  #event: (text: string) => void = () => undefined

  readonly connect = async (): Promise<Line> => {
    this.connections += 1
    if (this.refuses !== undefined) throw this.refuses
    return this.line()
  }

  line(): Line {
    let dead = false
    let onEvent: (event: ServerEvent) => void = () => undefined
    let onLost: (error: unknown) => void = () => undefined
    const conversation = { offset: 0 }
    const tell = (text: string) => {
      const event = parseEvent(`1.00 ${text}`)
      conversation.offset += 1
      if (event !== undefined && !dead) onEvent(event)
    }
    this.#event = tell
    this.#cut = (error) => {
      dead = true
      onLost(error)
    }
    const take = async (frame: string) => {
      if (dead) throw new DeployError('channel-closed', { cause: 'Closed.', cure: 'None.' })
      this.heard.push(frame)
    }
    const spoken: Spoken = Object.assign(conversation, {
      attach: async (run: string, offset: number) => {
        this.heard.push(`attach ${run} ${offset}`)
        conversation.offset = this.starts === 0 ? 0 : offset
        for (const text of this.events.slice(offset)) tell(text)
        return { starts: this.starts, bundle: this.bundle, wheels: new Map() }
      },
      cancel: async (run: string) => take(`cancel ${run}`),
      end: () => undefined,
      facts: async () => this.facts(),
      listen: (event: (event: ServerEvent) => void, lost: (error: unknown) => void) => {
        onEvent = event
        onLost = lost
      },
      say: async (frame: string, word: string) => take(`${frame} ${word}`),
      sendBundle: async (_bundle: unknown, _told: unknown, _signal: unknown, held?: Held) =>
        take(`bundle ${held?.bundle ?? 'all'}`),
      sendFiles: async (files: ReadonlyMap<string, string>) => take(`files ${[...files.keys()].join()}`),
      sendWheels: async () => take('wheels'),
      startProgram: async () => {
        await take('start')
        this.starts += 1
      },
    })
    return { conversation: spoken, facts: this.facts(), close: () => undefined }
  }

  facts(): Facts {
    return facts([...bareLines, ...this.state])
  }

  say(text: string): void {
    this.events.push(text)
    this.#event(text)
  }

  cut(code = 'connection-lost'): void {
    this.#cut(new DeployError(code, { cause: `It is ${code}.`, cure: 'Run it again.' }))
  }
}

function begun(server: FakeServer, limits = { reconnectMs: 200, reconnects: 3 }) {
  const said: string[] = []
  const told: string[] = []
  const talk = new SteadyTalk(server.line(), {
    run: 'ab',
    again: server.connect,
    limits,
    say: (text) => said.push(text),
  })
  talk.listen({
    event: (event) => told.push(event.kind),
    lost: (error) => told.push(`lost ${error instanceof DeployError ? error.code : String(error)}`),
    vanished: ({ link }) => told.push(`vanished ${link}`),
    standing: (yes) => told.push(yes ? 'up' : 'down'),
  })
  return { talk, said, told }
}

const bundle = { path: '/none', bytes: 9, sha256: '', contentSha256: '', contentBytes: 9, files: 1 }
const files = new Map([['program', 'x']])
const turn = (ms = 20) => new Promise((resolve) => setTimeout(resolve, ms))

test('a program goes on over the next connection, from the event that was heard last, and hears what was said again', async () => {
  const server = new FakeServer()
  const { talk, said, told } = begun(server)
  await talk.sendFiles(files)
  await talk.startProgram()
  await talk.say('cutover', 'go')
  server.say('phase health')
  server.events.push('phase cutover')
  server.cut()
  await turn()
  expect(told).toEqual(['phase', 'down', 'phase', 'up'])
  expect(server.heard.slice(3)).toEqual(['attach ab 1', 'cutover go'])
  expect(said).toEqual([
    expect.stringMatching(/^It is connection-lost\. Connecting again, for up to/),
    expect.stringMatching(/^Connected again after \d+ s\.$/),
  ])
  talk.end()
})

test('a program that did not arrive is sent again, one that did is not', async () => {
  const server = new FakeServer()
  const { talk } = begun(server)
  server.cut()
  await talk.sendFiles(files)
  await talk.startProgram()
  await turn()
  expect(server.heard).toEqual(['attach ab 0', 'files program', 'start'])
  server.cut()
  await turn()
  expect(server.heard.slice(3)).toEqual(['attach ab 0'])
  talk.end()
})

test('of the bundle the rest is sent', async () => {
  const server = new FakeServer()
  const { talk } = begun(server)
  server.cut()
  server.bundle = 5
  let handed = false
  const sending = talk
    .sendBundle(bundle, () => undefined, new AbortController().signal)
    .then(() => {
      handed = true
    })
  expect(handed).toBe(false)
  await sending
  expect(server.heard).toEqual(['attach ab 0', 'bundle 5'])
  talk.end()
})

test('a cancel while the connection is made again is heard by the next one', async () => {
  const server = new FakeServer()
  const { talk } = begun(server, { reconnectMs: 5_000, reconnects: 3 })
  server.refuses = new DeployError('connection-refused', { cause: 'No.', cure: 'Start it.' })
  server.cut()
  await turn()
  server.refuses = undefined
  await talk.cancel('ab')
  await turn()
  expect(server.heard).toEqual(['attach ab 0', 'cancel ab'])
  talk.end()
})

describe('it comes to an end', () => {
  test('where the server is not reached in time', async () => {
    const server = new FakeServer()
    const { talk, told } = begun(server)
    server.refuses = new DeployError('connection-refused', { cause: 'No.', cure: 'Start it.' })
    const sending = talk.sendBundle(bundle, () => undefined, new AbortController().signal)
    server.cut()
    const asking = talk.facts(new AbortController().signal)
    await expect(asking).rejects.toMatchObject({ code: 'connection-lost' })
    await sending.catch(() => undefined)
    expect(told).toEqual(['down', 'lost connection-lost'])
    await expect(talk.say('cutover', 'go')).rejects.toThrow(/could not be made again.*: No\./)
  })

  test('where the line breaks again and again', async () => {
    const server = new FakeServer()
    const { talk, told } = begun(server)
    for (let times = 0; times < 4; times += 1) {
      server.cut()
      await turn()
    }
    expect(told).toEqual(['down', 'up', 'down', 'up', 'down', 'up', 'lost connection-lost'])
    expect(server.connections).toBe(3)
    talk.end()
  })

  test.each(['other-server', 'host-key-changed', 'login-key-refused', 'server-floods'])(
    'at once where what answers then is refused: %s',
    async (code) => {
      const server = new FakeServer()
      const { told } = begun(server, { reconnectMs: 60_000, reconnects: 3 })
      server.refuses = new DeployError(code, { cause: 'No.', cure: 'Look.' })
      server.cut()
      await turn()
      expect(told).toEqual(['down', `lost ${code}`])
      expect(server.connections).toBe(1)
    },
  )

  test('at once where the server sent too much: that is no loss', async () => {
    const server = new FakeServer()
    const { told } = begun(server)
    server.cut('server-floods')
    await turn()
    expect(told).toEqual(['lost server-floods'])
    expect(server.connections).toBe(0)
  })

  test('and with the run, whatever is still tried', async () => {
    const server = new FakeServer()
    const { talk, told } = begun(server, { reconnectMs: 60_000, reconnects: 3 })
    server.refuses = new DeployError('connection-refused', { cause: 'No.', cure: 'Start it.' })
    server.cut()
    await turn()
    talk.end()
    const { connections } = server
    await turn(1_200)
    expect([told, server.connections]).toEqual([['down'], connections])
  })
})

test('a server that was restarted is asked for its facts, once its link is what its state says', async () => {
  const server = new FakeServer()
  const { talk, told } = begun(server)
  await talk.sendFiles(files)
  await talk.startProgram()
  server.say('phase health')
  server.starts = 0
  server.events = []
  const current = '20261101000000-0000001'
  server.state = ['state generation 2', `state current ${current}`, 'link 20261102000000-0000002']
  server.cut()
  await turn()
  expect(told).toEqual(['phase', 'down', 'up'])
  server.state = ['state generation 2', `state current ${current}`, `link ${current}`]
  await turn(1_200)
  expect(told.slice(3)).toEqual([`vanished ${current}`])
  expect(server.heard.slice(2)).toEqual(['attach ab 1'])
  talk.end()
})
