import { once } from 'node:events'
import { type AddressInfo, createServer, Server as NetServer, type Socket } from 'node:net'
import { gunzipSync } from 'node:zlib'
import ssh2, { type Connection, type ServerChannel, type ServerConfig } from 'ssh2'
import { keyPair } from '../../server-side/ssh-server.ts'
import { Frames } from './frames.ts'

/** The key that the runner has pinned, and that every liar owns: all of them are the user's own server, gone bad. */
export const hostKey = keyPair('ed25519')

/** A server that lies, on the loopback. */
export interface Liar {
  readonly port: number
  /** What the client was heard to do, in ssh2's words. */
  readonly heard: readonly string[]
  /** TCP connections so far. */
  readonly connections: () => number
  close(): Promise<void>
}

/** The liar's end of the one exec. */
export interface Talk {
  readonly channel: ServerChannel
  readonly client: Connection
  /** The connection below; ssh2 gives no other way to what RFC 4253 calls the transport. */
  readonly socket: Socket
  readonly nonce: string
  readonly run: string
  readonly frames: Frames
  /** A line of the helper's or the program's, or any bytes. */
  say(text: string | Buffer): Promise<void>
  /** `ready` and facts, as an honest server says them. */
  facts(more?: readonly string[]): Promise<void>
  /** An event of the program's. */
  event(text: string): Promise<void>
  /** Waits for the program and plays it honestly up to (and without) the phase `until`. @returns the new release's ID */
  until(phase: string): Promise<string>
  /** From the flip to the end, honestly. */
  finish(release: string): Promise<void>
}

/** How a liar lies: the rest it does as our server does. */
export interface Lies {
  /** Before SSH, on the bare connection; true: SSH never begins. */
  readonly bare?: (socket: Socket) => boolean
  readonly config?: Partial<ServerConfig>
  /** The host key of every connection but the first. */
  readonly laterKey?: string
  readonly authentication?: (context: ssh2.AuthContext, client: Connection) => void
  /** Once the client is in. */
  readonly ready?: (client: Connection, socket: Socket) => void
  /** Answers the request for a channel; false: it is left open. */
  readonly session?: (client: Connection) => boolean
  /** true: the exec is not answered. */
  readonly exec?: (client: Connection) => boolean
  readonly talk?: (talk: Talk) => Promise<void>
}

/** Facts of a server with everything installed and no release. */
export const honestFacts: readonly string[] = [
  'os debian 12 bookworm',
  'systemd 252',
  'arch x86_64',
  'python /usr/bin/python3.11',
  'ipv6 yes',
  'cpus 2',
  'memory 2000000',
  'disk 20000000',
]

/** The phases in which an honest program works, in order. */
export const programPhases = [
  'packages',
  'upload',
  'dependencies',
  'configure',
  'start',
  'health',
  'cutover',
] as const

export async function liar(lies: Lies): Promise<Liar> {
  const heard: string[] = []
  const sockets: Socket[] = []
  const inner = new ssh2.Server(
    { hostKeys: [hostKey.secret], debug: (text: string) => heard.push(text), ...lies.config },
    (client) => serve(client, lies, sockets),
  )
  const later =
    lies.laterKey === undefined
      ? undefined
      : new ssh2.Server({ hostKeys: [lies.laterKey] }, (client) => serve(client, lies, sockets))
  // ssh2's Server listens by itself; a bare one in front may lie before SSH begins.
  const front = createServer((socket) => {
    socket.on('error', () => {})
    socket.setNoDelay(true)
    sockets.push(socket)
    if (lies.bare?.(socket) === true) return
    const server: unknown = Reflect.get(sockets.length > 1 ? (later ?? inner) : inner, '_srv')
    if (server instanceof NetServer) server.emit('connection', socket)
  })
  front.listen(0, '127.0.0.1')
  await once(front, 'listening')
  return {
    port: (front.address() as AddressInfo).port,
    heard,
    connections: () => sockets.length,
    close: () => {
      for (const socket of sockets) socket.destroy()
      return new Promise((resolve) => front.close(() => resolve()))
    },
  }
}

function serve(client: Connection, lies: Lies, sockets: readonly Socket[]): void {
  const socket = sockets.at(-1)
  if (socket === undefined) throw new Error('a client without a connection')
  client.on('error', () => {})
  client.on('authentication', (context) => {
    if (lies.authentication === undefined) context.accept()
    else lies.authentication(context, client)
  })
  client.on('ready', () => lies.ready?.(client, socket))
  client.on('session', (accept) => {
    if (lies.session?.(client) === false) return
    accept().on('exec', (acceptExec, _reject, { command }) => {
      if (lies.exec?.(client) === true) return
      const channel = acceptExec()
      channel.on('error', () => {})
      const talk = talkOf(client, socket, channel, command)
      void (lies.talk ?? honest)(talk).catch(() => undefined)
    })
  })
}

/** A server that does not lie. */
export async function honest(talk: Talk): Promise<void> {
  await talk.facts()
  await talk.finish(await talk.until('cutover'))
}

function talkOf(client: Connection, socket: Socket, channel: ServerChannel, command: string): Talk {
  const program = gunzipSync(
    Buffer.from(/echo ([A-Za-z0-9+/=]+) \|/.exec(command)?.[1] ?? '', 'base64'),
  ).toString()
  const word = (name: string) => new RegExp(`^${name}='([^']*)'`, 'm').exec(program)?.[1] ?? ''
  const nonce = word('nonce')
  const frames = new Frames(channel)
  const say = (text: string | Buffer) =>
    new Promise<void>((resolve, reject) => {
      channel.write(typeof text === 'string' ? `${text}\n` : text, (error) =>
        error ? reject(error) : resolve(),
      )
    })
  const event = (text: string) => say(`1.00 ${text}`)
  return {
    channel,
    client,
    socket,
    nonce,
    run: word('run'),
    frames,
    say,
    event,
    async facts(more = []) {
      await say(['', `ready ${nonce}`, ...honestFacts, ...more, 'facts-end'].join('\n'))
    },
    async until(phase) {
      await frames.until('start')
      for (const one of programPhases.slice(0, programPhases.indexOf(phase as never))) {
        if (one === 'upload') await frames.until('whole')
        await event(`phase ${one}`)
      }
      return frames.program('release')
    },
    async finish(release) {
      await event('phase cutover')
      await event(`flipped ${release}`)
      await event(`answered ok 200 5 ${release}`)
      await event('phase smoke')
      await frames.until('say verdict-1')
      await event('phase report')
      await event(`kept ${release}`)
      await event(`serving ${release}`)
      await event('end 0')
    },
  }
}
