import { createHash, randomBytes } from 'node:crypto'
import { createServer, type Server as TcpServer } from 'node:net'
import type { ServerChannel } from 'ssh2'
import { afterEach, describe, expect, test } from 'vitest'
import { DeployError } from '../../src/errors.ts'
import { type Channel, type ConnectOptions, connect, type Retry } from '../../src/server/connection.ts'
import { type HostPins, hostIdentity } from '../../src/server/host-identity.ts'
import { fingerprintOf } from '../../src/server/public-key.ts'
import { keyPair, type SshServer, type SshServerOptions, sshServer, userKey } from './ssh-server.ts'

const host = '127.0.0.1'
const hostKey = keyPair('ed25519')
const rsaHostKey = keyPair('rsa')
const user = userKey()
const never = new AbortController().signal

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
})

async function serve(options: Partial<SshServerOptions> = {}): Promise<SshServer> {
  const server = await sshServer({ hostKeys: [hostKey.secret], authorized: user.blob, ...options })
  cleanups.push(() => server.close())
  return server
}

type Extra = Partial<Omit<ConnectOptions, 'identity'>> & { pins?: HostPins }

async function to(port: number, { pins, ...extra }: Extra = {}, signal = never) {
  const connection = await connect(
    {
      host,
      port,
      user: 'deploy',
      key: user.key,
      password: undefined,
      identity: hostIdentity(pins ?? { fingerprints: [fingerprintOf(hostKey.blob)] }),
      connectTimeoutMs: 10_000,
      sleep: async () => {},
      ...extra,
    },
    signal,
  )
  cleanups.push(() => connection.close())
  return connection
}

async function failing(connecting: Promise<unknown>): Promise<DeployError> {
  const error = await connecting.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof DeployError) return error
  throw new Error(`no DeployError but ${String(error)}`)
}

function collect(channel: Channel): { out: () => Buffer; err: () => Buffer } {
  const out: Buffer[] = []
  const err: Buffer[] = []
  channel.onData((chunk) => out.push(chunk))
  channel.onError((chunk) => err.push(chunk))
  return { out: () => Buffer.concat(out), err: () => Buffer.concat(err) }
}

describe('the login', () => {
  test('offers the key at once and tells what it met', async () => {
    const server = await serve({ banner: 'be nice' })
    const connection = await to(server.port)
    // Once to ask whether the key will do, once to prove it; never `none` before it.
    expect(server.tried).toEqual(['publickey', 'publickey'])
    expect(connection.serverIdent).toMatch(/^SSH-2\.0-ssh2js/)
    expect(connection.hostKeyFingerprint).toBe(fingerprintOf(hostKey.blob))
    expect(connection.hostKeyType).toBe('ssh-ed25519')
    expect(connection.remoteAddress).toBe(host)
    expect(connection.banner).toContain('be nice')
    expect(connection.timings.readyMs).toBeGreaterThan(connection.timings.tcpMs)
    expect(connection.lost()).toBeUndefined()
  })

  test('with a password only', async () => {
    const server = await serve({ authorized: undefined, password: 'hunter22' })
    await to(server.port, { key: undefined, password: 'hunter22' })
    expect(server.tried).toEqual(['password'])
  })

  test('with a password where the key is not taken', async () => {
    const server = await serve({ authorized: randomBytes(51), password: 'hunter22' })
    await to(server.port, { password: 'hunter22' })
    expect(server.tried).toEqual(['publickey', 'password'])
  })

  test('with a password that is asked for', async () => {
    const server = await serve({ authorized: randomBytes(51), password: 'hunter22', interactive: true })
    server.tried.length = 0
    await to(server.port, { password: 'hunter22' })
    const onlyAsked = await sshServer({ hostKeys: [hostKey.secret], interactive: true })
    cleanups.push(() => onlyAsked.close())
    const error = await failing(to(onlyAsked.port, { key: undefined, password: 'hunter22' }))
    expect(onlyAsked.tried).toEqual(['password', 'keyboard-interactive'])
    expect(error.code).toBe('login-password-refused')
  })

  test('with a wrong key: says whom and which key, once', async () => {
    const server = await serve({ authorized: randomBytes(51) })
    const error = await failing(to(server.port))
    expect(error.code).toBe('login-key-refused')
    expect(error.message).toContain(user.key.fingerprint)
    expect(error.message).toContain('user deploy')
    expect(error.message).toContain(user.key.publicLine)
    expect(server.connections()).toBe(1)
  })

  test('with a wrong password: the password is in no message', async () => {
    const server = await serve({ authorized: undefined, password: 'right' })
    const error = await failing(to(server.port, { key: undefined, password: 'wrong-marker' }))
    expect(error.code).toBe('login-password-refused')
    expect(error.message).not.toContain('wrong-marker')
  })

  test('with a password where only keys are allowed', async () => {
    const server = await serve()
    const error = await failing(to(server.port, { key: undefined, password: 'any' }))
    expect(error.code).toBe('login-password-off')
  })

  test('with a key where only passwords are allowed', async () => {
    const server = await serve({ authorized: undefined, password: 'right' })
    expect((await failing(to(server.port))).code).toBe('login-keys-off')
  })
})

describe('the host key', () => {
  const hashless = (port: number, line: string) => `[${host}]:${port} ${line}`

  test.each([
    ['[host]:port', (port: number) => hashless(port, hostKey.line)],
    ['the plain name', () => `${host} ${hostKey.line}`],
    ['a pattern', () => `127.0.0.* ${hostKey.line}`],
    [
      'old and new',
      (port: number) => `${hashless(port, keyPair('ed25519').line)}\n${hashless(port, hostKey.line)}`,
    ],
  ])('matches a known_hosts line with %s', async (_name, line) => {
    const server = await serve()
    await to(server.port, { pins: { knownHosts: line(server.port) } })
  })

  test.each([
    ['nothing is pinned', {}, 'host-key-unpinned'],
    ['another host is pinned', { knownHosts: `example.org ${rsaHostKey.line}` }, 'host-key-unknown'],
    ['another key is pinned', { knownHosts: `${host} ${keyPair('ed25519').line}` }, 'host-key-changed'],
    ['a key of another type is pinned', { knownHosts: `${host} ${rsaHostKey.line}` }, 'host-key-changed'],
    ['another fingerprint is pinned', { fingerprints: [fingerprintOf(rsaHostKey.blob)] }, 'host-key-changed'],
    ['it is revoked', { knownHosts: `@revoked * ${hostKey.line}` }, 'host-key-revoked'],
    [
      'only an authority is pinned',
      { knownHosts: `@cert-authority * ${rsaHostKey.line}` },
      'host-key-authority',
    ],
  ])('%s: refused, shown, and nobody is logged in', async (_name, pins, code) => {
    const server = await serve()
    const retries: Retry[] = []
    const error = await failing(to(server.port, { pins, onRetry: (retry) => retries.push(retry) }))
    expect(error.code).toBe(code)
    expect(error.message).toContain(fingerprintOf(hostKey.blob))
    expect(server.tried).toEqual([])
    expect(retries).toEqual([])
  })

  test('a server with both keys shows the pinned one', async () => {
    const server = await serve({ hostKeys: [hostKey.secret, rsaHostKey.secret] })
    const connection = await to(server.port, { pins: { knownHosts: `${host} ${rsaHostKey.line}` } })
    expect(connection.hostKeyType).toBe('ssh-rsa')
    expect(server.connections()).toBe(1)
  })

  test('a fingerprint of the key that is not shown first is found too', async () => {
    const server = await serve({ hostKeys: [hostKey.secret, rsaHostKey.secret] })
    const pins = { fingerprints: [fingerprintOf(rsaHostKey.blob)] }
    const connection = await to(server.port, { pins })
    expect(connection.hostKeyType).toBe('ssh-rsa')
    expect(server.connections()).toBe(2)
  })

  test('a fingerprint of none of its keys: all of them are named', async () => {
    const server = await serve({ hostKeys: [hostKey.secret, rsaHostKey.secret] })
    const pins = { fingerprints: [fingerprintOf(keyPair('ecdsa').blob)] }
    const error = await failing(to(server.port, { pins }))
    expect(error.code).toBe('host-key-changed')
    expect(error.message).toContain(fingerprintOf(hostKey.blob))
    expect(error.message).toContain(fingerprintOf(rsaHostKey.blob))
  })
})

describe('trying again', () => {
  /** A TCP server that answers each connection in its own way. */
  async function tcp(answer: (socket: import('node:net').Socket, count: number) => void) {
    let count = 0
    const server: TcpServer = createServer((socket) => {
      socket.on('error', () => {})
      answer(socket, ++count)
    })
    await new Promise<void>((resolve) => server.listen(0, host, resolve))
    cleanups.push(() => server.close())
    const address = server.address()
    return { port: typeof address === 'object' ? (address?.port ?? 0) : 0, count: () => count }
  }

  test('three times where the connection is cut before the greeting, each told', async () => {
    const server = await tcp((socket) => socket.end())
    const retries: Retry[] = []
    const waits: number[] = []
    const error = await failing(
      to(server.port, {
        onRetry: (retry) => retries.push(retry),
        sleep: async (ms) => void waits.push(ms),
        random: () => 0.5,
      }),
    )
    expect(error.code).toBe('connection-closed')
    expect(server.count()).toBe(3)
    expect(retries.map(({ attempt, of, error: { code } }) => [attempt, of, code])).toEqual([
      [1, 3, 'connection-closed'],
      [2, 3, 'connection-closed'],
    ])
    expect(waits).toEqual([500, 1000])
  })

  test('a reset before the greeting that passes', async () => {
    const ssh = await serve()
    const { connect: dial } = await import('node:net')
    const relay = await tcp((socket, count) => {
      if (count < 3) socket.resetAndDestroy()
      else {
        const onward = dial(ssh.port, host).on('error', () => {})
        socket.pipe(onward).pipe(socket)
      }
    })
    await to(relay.port)
    expect(relay.count()).toBe(3)
  })

  test('never where the port is closed', async () => {
    const server = await serve()
    await server.close()
    const retries: Retry[] = []
    const error = await failing(to(server.port, { onRetry: (retry) => retries.push(retry) }))
    expect(error.code).toBe('connection-refused')
    expect(retries).toEqual([])
  })

  test('never where something else answers', async () => {
    const web = await tcp((socket) => {
      socket.once('data', () => void socket.end('HTTP/1.1 400 Bad Request\r\nServer: nginx\r\n\r\n'))
    })
    const error = await failing(to(web.port))
    expect(error.code).toBe('not-ssh')
    expect(error.message).toContain('a web server')
    expect(web.count()).toBe(1)
  })

  test('not past the time limit where nothing is said', async () => {
    const silent = await tcp(() => {})
    const started = performance.now()
    const error = await failing(to(silent.port, { connectTimeoutMs: 300 }))
    expect(error.code).toBe('greeting-timeout')
    expect(performance.now() - started).toBeLessThan(2_000)
    expect(silent.count()).toBe(1)
  })

  test('a handshake that is never finished ends in time', async () => {
    const slow = await tcp((socket) => socket.write('SSH-2.0-slow\r\n'))
    const error = await failing(to(slow.port, { connectTimeoutMs: 300 }))
    expect(error.code).toBe('handshake-timeout')
    expect(error.message).toContain('SSH-2.0-slow')
  })

  test('a stranger that talks for ever is cut', async () => {
    const chatty = await tcp((socket) => {
      const line = `${'x'.repeat(100)}\r\n`.repeat(100)
      const pour = () => {
        while (!socket.destroyed && socket.write(line));
      }
      socket.on('drain', pour)
      pour()
    })
    const error = await failing(to(chatty.port, { connectTimeoutMs: 3_000 }))
    expect(error.code).toBe('not-ssh')
    expect(error.message.length).toBeLessThan(1_000)
  })

  test('an abort ends it at once, with its reason', async () => {
    const silent = await tcp(() => {})
    const abort = new AbortController()
    const connecting = to(silent.port, {}, abort.signal)
    setTimeout(() => abort.abort(new Error('cancelled')), 50)
    await expect(connecting).rejects.toThrow('cancelled')
    await expect(to(silent.port, {}, AbortSignal.abort(new Error('before')))).rejects.toThrow('before')
  })

  test('an unknown name', async () => {
    const error = await failing(to(22, { host: 'name.invalid' }))
    expect(['host-unknown', 'host-lookup-failed']).toContain(error.code)
  })
})

describe('the exec', () => {
  async function run(exec: (channel: ServerChannel) => void, extra: Extra = {}) {
    const server = await serve({ exec: (_command, channel) => exec(channel) })
    const connection = await to(server.port, extra)
    return { server, connection, channel: await connection.exec('anything') }
  }

  test('hears stdout, stderr and the status, every byte as it is', async () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_one, index) => index))
    const { channel } = await run((remote) => {
      remote.write(bytes)
      remote.stderr.write('on stderr')
      remote.exit(3)
      remote.end()
    })
    const { out, err } = collect(channel)
    expect(await channel.closed).toEqual({ status: 3, signal: undefined })
    expect(out().equals(bytes)).toBe(true)
    expect(err().toString()).toBe('on stderr')
  })

  test('hears the signal that ended it: no status', async () => {
    const { channel } = await run((remote) => {
      Reflect.apply(Reflect.get(remote, 'exit'), remote, ['TERM', false, 'ended'])
      remote.end()
    })
    collect(channel)
    expect(await channel.closed).toEqual({ status: undefined, signal: 'SIGTERM' })
  })

  test('50 MB on stdin arrive whole, with backpressure', async () => {
    const { channel } = await run((remote) => {
      const hash = createHash('sha256')
      remote.on('data', (chunk: Buffer) => hash.update(chunk))
      remote.on('end', () => {
        remote.write(hash.digest('hex'))
        remote.exit(0)
        remote.end()
      })
    })
    const { out } = collect(channel)
    const sent = createHash('sha256')
    const chunk = randomBytes(1024 * 1024)
    for (let count = 0; count < 50; count++) {
      chunk.writeUInt32BE(count)
      sent.update(chunk)
      await channel.write(Buffer.from(chunk))
    }
    channel.end()
    expect(await channel.closed).toEqual({ status: 0, signal: undefined })
    expect(out().toString()).toBe(sent.digest('hex'))
  }, 30_000)

  test('a program that does not read makes the writer wait', async () => {
    const { channel, connection } = await run((remote) => remote.pause())
    collect(channel)
    let accepted = 0
    const pump = (async () => {
      for (;;) {
        await channel.write(Buffer.alloc(1024 * 1024))
        accepted += 1
      }
    })()
    await new Promise((resolve) => setTimeout(resolve, 300))
    const before = accepted
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(accepted).toBe(before)
    // The server's window, its stream's buffer and ours, 2 MB each.
    expect(accepted).toBeLessThan(10)
    connection.close()
    expect((await failing(pump)).code).toBe('channel-closed')
  })

  test('a program that ends without reading does not hang the writer', async () => {
    const { channel } = await run((remote) => {
      remote.exit(7)
      remote.close()
    })
    collect(channel)
    const error = await failing(
      (async () => {
        for (;;) await channel.write(Buffer.alloc(1024 * 1024))
      })(),
    )
    expect(error.code).toBe('channel-closed')
    expect((await channel.closed).status).toBe(7)
  })

  test.each(['fin', 'rst'] as const)('a connection cut by %s: no status, and why', async (how) => {
    const { server, connection, channel } = await run((remote) => remote.write('half'))
    const { out } = collect(channel)
    await new Promise((resolve) => setTimeout(resolve, 50))
    server.cut(how)
    expect(await channel.closed).toEqual({ status: undefined, signal: undefined })
    expect(out().toString()).toBe('half')
    expect(connection.lost()?.code).toBe('connection-lost')
    expect((await failing(channel.write('more'))).code).toBe('channel-closed')
  })

  test('a connection cut between the status and the end of the output: no status', async () => {
    const { server, channel } = await run((remote) => {
      remote.write('half')
      remote.exit(0)
    })
    collect(channel)
    await new Promise((resolve) => setTimeout(resolve, 50))
    server.cut('fin')
    expect(await channel.closed).toEqual({ status: undefined, signal: undefined })
  })

  test('a cut connection settles even where nobody listens to the output', async () => {
    const { server, channel } = await run((remote) => remote.write('unheard'))
    server.cut('rst')
    expect((await channel.closed).status).toBeUndefined()
  })

  test('a link that goes silent is given up', async () => {
    const { server, connection, channel } = await run(() => {}, { silenceMs: 250 })
    collect(channel)
    await new Promise((resolve) => setTimeout(resolve, 600))
    // Keepalives are answered: nothing happened although no program said anything.
    expect(connection.lost()).toBeUndefined()
    server.freeze()
    expect((await channel.closed).status).toBeUndefined()
    expect(connection.lost()?.message).toContain('nothing was heard')
  })

  test('a command that is refused', async () => {
    const server = await serve()
    const connection = await to(server.port)
    server.cut('fin')
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect((await failing(connection.exec('true'))).code).toBe('exec-refused')
  })

  test('closing is no loss', async () => {
    const { connection, channel } = await run(() => {})
    collect(channel)
    connection.close()
    expect((await channel.closed).status).toBeUndefined()
    expect(connection.lost()).toBeUndefined()
  })

  test('endless output that nobody keeps does not stay in memory', async () => {
    const block = Buffer.alloc(256 * 1024, 'x')
    const { channel, connection } = await run((remote) => {
      const pour = () => {
        while (remote.writable && remote.write(block));
      }
      remote.on('drain', pour)
      pour()
    })
    let bytes = 0
    let peak = 0
    const start = process.memoryUsage().rss
    await new Promise<void>((resolve) => {
      channel.onData((chunk) => {
        bytes += chunk.length
        peak = Math.max(peak, process.memoryUsage.rss())
        if (bytes > 200 * 1024 * 1024) resolve()
      })
    })
    connection.close()
    expect(peak - start).toBeLessThan(120 * 1024 * 1024)
  }, 30_000)
})
