import type { Socket } from 'node:net'
import { expect } from 'vitest'
import { fingerprintOf } from '../../../src/server/public-key.ts'
import { keyPair } from '../../server-side/ssh-server.ts'
import { type Attack, flood, MARK, message, nasty, type Part, uint32, wire } from './attack.ts'
import { groupExchange } from './group-exchange.ts'
import { honest } from './liar.ts'

/** Writes as fast as the other side reads, at most so many bytes. */
function pour(socket: Socket, piece: Buffer, bytes: number): void {
  let left = bytes
  const more = () => {
    while (left > 0 && !socket.destroyed) {
      left -= piece.length
      if (!socket.write(piece)) return
    }
  }
  socket.on('drain', more)
  more()
}

const MB = 1024 * 1024
const connect = 'connect'
const other = keyPair('ed25519')
const login = { inputs: { 'connect-timeout': '3s' } } as const

/** Lies below and before the conversation. */
export const transport: readonly Attack[] = [
  {
    name: 'takes the connection and says nothing',
    ...login,
    lies: { bare: () => true },
    end: { code: 'greeting-timeout', phase: connect },
  },
  {
    name: 'endless lines before the version',
    ...login,
    lies: {
      bare: (socket) => {
        pour(socket, Buffer.from(`::error::${MARK}\r\n`.repeat(1000)), 200 * MB)
        return true
      },
    },
    end: { code: 'not-ssh', phase: connect },
  },
  {
    name: 'an endless line before the version',
    ...login,
    lies: {
      bare: (socket) => {
        pour(socket, Buffer.alloc(65_536, 'x'), 200 * MB)
        return true
      },
    },
    end: { code: 'not-ssh', phase: connect },
  },
  {
    name: 'one byte of the version at a time, for ever',
    ...login,
    lies: {
      bare: (socket) => {
        const timer = setInterval(() => socket.write('S'), 50)
        socket.on('close', () => clearInterval(timer))
        return true
      },
    },
    end: { code: 'greeting-timeout', phase: connect },
  },
  {
    name: 'nothing after the version, which is a workflow command',
    ...login,
    lies: {
      bare: (socket) => {
        socket.write(`SSH-2.0-x ::error::${MARK} ##[error]${MARK}\r\n`)
        return true
      },
    },
    end: { code: 'handshake-timeout', phase: connect },
  },
  {
    name: 'a version with control characters',
    ...login,
    lies: {
      bare: (socket) => {
        socket.write(`SSH-2.0-\x1b]0;${MARK}\x07\r::error::${MARK}\n`)
        return true
      },
    },
    end: { code: 'not-ssh', phase: connect },
  },
  {
    name: 'a packet of 4 GB announced',
    ...login,
    lies: {
      bare: (socket) => {
        socket.write('SSH-2.0-x\r\n')
        pour(socket, Buffer.alloc(65_536, 0xff), 200 * MB)
        return true
      },
    },
    end: { code: 'handshake-failed', phase: connect },
  },
  {
    name: 'nothing more in the middle of the key exchange',
    ...login,
    lies: { bare: swallowAfter(2) },
    end: { code: 'handshake-timeout', phase: connect },
  },
  {
    name: 'a group of 9941 bits, unproven, to keep the runner computing',
    ...login,
    lies: { bare: groupExchange },
    end: { code: 'no-common-algorithm', phase: connect },
  },
  {
    name: 'compression only, to send a bomb',
    ...login,
    lies: {
      config: { algorithms: { compress: ['zlib'] } },
    },
    end: { code: 'no-common-algorithm', phase: connect },
  },
  {
    name: 'in the middle, with another key than the pinned one',
    ...login,
    inputs: { 'host-fingerprint': fingerprintOf(other.blob), user: 'someone-secret' },
    lies: {},
    end: { code: 'host-key-changed', phase: connect },
    also: (_met, { heard }) => {
      expect(heard.join('\n')).toContain('Received DH Init')
      expect(heard.filter((line) => /SERVICE_REQUEST|USERAUTH|someone-secret/.test(line))).toEqual([])
    },
  },
  {
    name: 'no answer to the login',
    ...login,
    lies: { authentication: () => {} },
    end: { code: 'login-timeout', phase: connect },
  },
  {
    name: 'a banner of workflow commands, and a refusal',
    lies: {
      config: { banner: nasty.join('\r\n') },
      authentication: (context) => context.reject(['publickey']),
    },
    end: { code: 'login-key-refused', phase: connect },
  },
  {
    name: 'a banner of workflow commands, and an honest rest',
    lies: { config: { banner: nasty.join('\r\n') } },
    end: { code: undefined },
  },
  {
    name: 'banners without end',
    ...login,
    lies: {
      authentication: (_context, client) =>
        flood(client, 1_000_000, () => message(client, 53, `::error::${MARK}\n`.repeat(500), '')),
    },
    end: { code: 'server-floods', phase: connect },
  },
  {
    name: 'questions for a password without end',
    ...login,
    inputs: { 'ssh-key': '', password: 'correct horse', 'connect-timeout': '3s' },
    lies: {
      authentication: (context) => {
        if (context.method !== 'keyboard-interactive') return context.reject(['keyboard-interactive'])
        // Slowly: those that come fast are a flood.
        const ask = () => {
          context.prompt([{ prompt: `::error::${MARK}`, echo: true }], () => setTimeout(ask, 20))
        }
        ask()
      },
    },
    end: { code: 'login-timeout', phase: connect },
  },
  {
    name: 'half a login, again and again',
    ...login,
    lies: { authentication: (context) => context.reject(['publickey', 'password'], true) },
    end: { code: 'login-second-factor', phase: connect },
  },
  {
    name: 'a disconnect whose reason is a workflow command',
    ...login,
    lies: {
      authentication: (_context, client) =>
        message(client, 1, 2, `x\n::error::${MARK}\r##[error]${MARK}`, ''),
    },
    end: { code: 'login-too-many-tries', phase: connect },
  },
  ...floods(),
  {
    name: 'key exchanges without end',
    lies: {
      ready: (client) => {
        const again = () => client.rekey(() => setImmediate(again))
        again()
      },
      talk: async () => {},
    },
    end: { code: 'server-floods', phase: 'facts' },
  },
  {
    name: 'opens channels of its own: forwarded ports, agent, X11',
    lies: {
      ready: (client) => {
        const open = (type: string, ...more: readonly (string | number)[]) =>
          message(client, 90, type, 7, 65_536, 32_768, ...more)
        open('forwarded-tcpip', '127.0.0.1', 80, '127.0.0.1', 1)
        open('forwarded-streamlocal@openssh.com', '/run/x', '')
        open('auth-agent@openssh.com')
        open('x11', '127.0.0.1', 6000)
        open('session')
        open(`::error::${MARK}`)
        message(client, 80, 'tcpip-forward', true, '0.0.0.0', 22)
        message(client, 80, `::error::${MARK}`, true)
      },
    },
    end: { code: undefined },
    also: (_met, { heard }) => {
      const text = heard.join('\n')
      expect(text.match(/Inbound: CHANNEL_OPEN_FAILURE \(r:7\)/g)?.length).toBeGreaterThanOrEqual(5)
      expect(text.match(/Received REQUEST_FAILURE/g)).toHaveLength(2)
      expect(text).not.toContain('Inbound: CHANNEL_OPEN_CONFIRMATION')
    },
  },
  {
    name: 'no answer to the request for a channel',
    inputs: { 'connect-timeout': '4s' },
    lies: { session: () => false },
    end: { code: 'exec-refused', phase: 'facts' },
  },
  {
    name: 'no answer to the exec',
    inputs: { 'connect-timeout': '4s' },
    lies: { exec: () => true },
    end: { code: 'exec-refused', phase: 'facts' },
  },
  ...[0, 1].map(
    (size): Attack => ({
      name: `takes packets of ${size} bytes`,
      lies: {
        session: (client) => {
          const { channelOpenConfirm } = wire(client)
          wire(client).channelOpenConfirm = function confirm(remote, local) {
            channelOpenConfirm.call(this, remote, local, 0xffff_ffff, size)
          }
          return true
        },
      },
      end: { code: 'exec-refused', phase: 'facts' },
    }),
  ),
  ...[0, 8_000_000].map(
    (bundle): Attack => ({
      name: `takes nothing of a bundle of ${bundle} bytes: its window never opens`,
      pace: 'short',
      bundle,
      lies: {
        session: (client) => {
          const { channelOpenConfirm } = wire(client)
          wire(client).channelOpenConfirm = function confirm(remote, local) {
            channelOpenConfirm.call(this, remote, local, 0, 32_768)
          }
          return true
        },
      },
      // What waits in ssh2's own buffer has not stalled yet; then the phase runs out.
      end: { code: bundle === 0 ? 'phase-timeout' : 'upload-stalled', phase: 'facts' },
    }),
  ),
  {
    name: 'opens its window by 4 GB, a hundred thousand times',
    lies: {
      talk: async (talk) => {
        flood(talk.client, 100_000, () => message(talk.client, 93, 0, 0xffff_ffff))
        await honest(talk)
      },
    },
    end: { code: 'server-floods' },
  },
  {
    name: 'bytes that are no SSH after the login, and an open line',
    lies: {
      talk: async ({ facts, socket }) => {
        await facts()
        socket.write(Buffer.alloc(4096, 0xff))
        const timer = setInterval(() => socket.write('x'), 50)
        socket.on('close', () => clearInterval(timer))
      },
    },
    end: { code: 'connection-lost' },
  },
  {
    name: 'a line that goes dead: not even keepalives are answered',
    lies: {
      talk: async (talk) => {
        await talk.facts()
        await talk.until('dependencies')
        await talk.event('phase dependencies')
        talk.socket.pause()
        Reflect.set(talk.socket, 'write', () => true)
      },
    },
    end: { code: 'connection-lost', phase: 'dependencies' },
  },
  {
    name: 'an exit status before anything else, and then silence',
    pace: 'short',
    lies: {
      talk: async ({ channel }) => {
        channel.exit(0)
      },
    },
    end: { code: 'server-silent', phase: 'facts' },
  },
  {
    name: 'an end before anything else',
    lies: {
      talk: async ({ channel }) => {
        channel.exit(4_294_967_295)
        channel.end()
      },
    },
    end: { code: 'no-shell', phase: 'facts' },
  },
]

/** A connection whose answers are lost from one of them on. */
function swallowAfter(writes: number): (socket: Socket) => boolean {
  return (socket) => {
    const write = socket.write.bind(socket)
    let count = 0
    Reflect.set(socket, 'write', (data: Buffer) => {
      count += 1
      return count > writes || write(data)
    })
    return false
  }
}

/** Messages that mean nothing, before and after the login. */
function floods(): readonly Attack[] {
  const kinds: readonly (readonly [string, readonly Part[]])[] = [
    ['ignored messages', [2, 'x'.repeat(1000)]],
    ['debug messages', [4, true, `::error::${MARK}`.repeat(50), '']],
    ['requests that want an answer', [80, 'keepalive@openssh.com', true]],
    ['requests for channels', [90, 'forwarded-tcpip', 7, 65_536, 32_768, '127.0.0.1', 80, '127.0.0.1', 1]],
    ['host keys to be proven', [80, 'hostkeys-00@openssh.com', false, { raw: hostKeys() }]],
  ]
  return kinds.map(
    ([what, words]): Attack => ({
      name: `${what} without end, and reads no answer`,
      lies: {
        config: { ident: 'OpenSSH_9.2p1' },
        ready: (client, socket) => {
          socket.pause()
          flood(client, 2_000_000, () => message(client, ...words))
        },
        talk: () => new Promise(() => {}),
      },
      end: { code: 'server-floods', phase: 'facts' },
    }),
  )
}

/** As many host keys as one packet holds. */
function hostKeys(): Buffer {
  const key = Buffer.concat([uint32(other.blob.length), other.blob])
  return Buffer.concat(Array.from({ length: 550 }, () => key))
}
