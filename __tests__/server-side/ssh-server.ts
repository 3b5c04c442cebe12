import type { AddressInfo, Socket } from 'node:net'
import ssh2, { type AuthContext, type ServerChannel } from 'ssh2'
import { type PrivateKey, readKey } from '../../src/server/key.ts'
import { freshKey } from './fresh-key.ts'

const { Server, utils } = ssh2

/** An SSH server in this process, for one test. */
export interface SshServer {
  readonly port: number
  /** Methods that clients tried, in order. */
  readonly tried: string[]
  /** TCP connections so far. */
  readonly connections: () => number
  /** Cuts every connection: `fin` in good order, `rst` like a dead router. */
  cut(how: 'fin' | 'rst'): void
  /** Stops reading from and writing to every connection: a link that went silent. */
  freeze(): void
  close(): Promise<void>
}

export interface SshServerOptions {
  /** Private keys in OpenSSH's format. */
  readonly hostKeys: readonly string[]
  /** Public key (wire format) that may log in; undefined: none. */
  readonly authorized?: Buffer | undefined
  readonly password?: string
  /** The password is taken only where it was asked for (`keyboard-interactive`). */
  readonly interactive?: boolean
  readonly banner?: string
  readonly exec?: (command: string, channel: ServerChannel) => void
}

export function keyPair(type: 'ed25519' | 'rsa' | 'ecdsa') {
  const pair = freshKey(type)
  const [name = '', base64 = ''] = pair.public.split(' ')
  return { secret: pair.private, line: `${name} ${base64}`, blob: Buffer.from(base64, 'base64') }
}

export function userKey(): { key: PrivateKey; blob: Buffer } {
  const pair = keyPair('ed25519')
  return { key: readKey(pair.secret, undefined), blob: pair.blob }
}

export async function sshServer(options: SshServerOptions): Promise<SshServer> {
  const tried: string[] = []
  const sockets: Socket[] = []
  const server = new Server(
    { hostKeys: [...options.hostKeys], ...(options.banner === undefined ? {} : { banner: options.banner }) },
    (client) => {
      client.on('error', () => {})
      client.on('authentication', (context) => {
        tried.push(context.method)
        judge(context, options)
      })
      client.on('session', (accept) => {
        accept().on('exec', (acceptExec, _reject, { command }) => {
          const channel = acceptExec()
          if (options.exec === undefined) {
            channel.exit(0)
            channel.end()
          } else options.exec(command, channel)
        })
      })
    },
  )
  // ssh2's Server hands its sockets to nobody, and its net.Server is not part of its type.
  const inner: unknown = Reflect.get(server, '_srv')
  if (inner instanceof (await import('node:net')).Server) {
    inner.on('connection', (socket: Socket) => {
      socket.on('error', () => {})
      socket.setNoDelay(true)
      sockets.push(socket)
    })
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    tried,
    connections: () => sockets.length,
    cut(how) {
      for (const socket of sockets) {
        if (how === 'fin') socket.end()
        else socket.resetAndDestroy()
      }
    },
    freeze() {
      for (const socket of sockets) {
        socket.pause()
        socket.write = () => true
      }
    },
    close() {
      for (const socket of sockets) socket.destroy()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

function judge(context: AuthContext, options: SshServerOptions): void {
  const methods = [
    ...(options.authorized === undefined ? [] : ['publickey' as const]),
    ...(options.password === undefined || options.interactive === true ? [] : ['password' as const]),
    ...(options.interactive === true ? ['keyboard-interactive' as const] : []),
  ]
  if (context.method === 'keyboard-interactive' && options.interactive === true) {
    context.prompt([{ prompt: 'Password: ', echo: false }], ([answer]) => {
      if (answer === options.password) context.accept()
      else context.reject(methods)
    })
  } else if (proves(context, options)) context.accept()
  else context.reject(methods)
}

function proves(context: AuthContext, { authorized, password, interactive }: SshServerOptions): boolean {
  if (context.method === 'password') return interactive !== true && context.password === password
  if (context.method !== 'publickey' || authorized?.equals(context.key.data) !== true) return false
  const { signature, blob } = context
  if (signature === undefined || blob === undefined) return true
  const key = utils.parseKey(`${context.key.algo} ${context.key.data.toString('base64')}`)
  return !(key instanceof Error) && key.verify(blob, signature)
}
