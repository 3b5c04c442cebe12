import { createHash, randomBytes } from 'node:crypto'
import type { ServerChannel } from 'ssh2'
import { describe, expect, test } from 'vitest'
import type { Channel } from '../../src/server/connection.ts'
import { type Extra, failing, serve, to } from './connecting.ts'

function collect(channel: Channel): { out: () => Buffer; err: () => Buffer } {
  const out: Buffer[] = []
  const err: Buffer[] = []
  channel.onData((chunk) => out.push(chunk))
  channel.onError((chunk) => err.push(chunk))
  return { out: () => Buffer.concat(out), err: () => Buffer.concat(err) }
}

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

  test('endless output does not stay in memory, and is ended', async () => {
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
    channel.onError(() => {})
    channel.onData((chunk) => {
      bytes += chunk.length
      peak = Math.max(peak, process.memoryUsage.rss())
    })
    expect(await channel.closed).toEqual({ status: undefined, signal: undefined })
    expect(connection.lost()?.code).toBe('server-floods')
    expect(bytes).toBeLessThanOrEqual(64 * 1024 * 1024)
    expect(peak - start).toBeLessThan(120 * 1024 * 1024)
  }, 30_000)

  test('a server that begins to exchange keys and never ends makes the writer wait', async () => {
    const server = await serve({
      exec: (_command, remote) => {
        const protocol = Object(Reflect.get(Object(Reflect.get(remote, '_client')), '_protocol'))
        // A window without end, the offer of keys, and never a word to the answer.
        Reflect.get(protocol, 'channelWindowAdjust').call(protocol, 0, 0x7fff_ffff)
        Reflect.get(protocol, 'rekey').call(protocol)
        Reflect.set(protocol, 'parse', () => {})
      },
    })
    const connection = await to(server.port)
    const channel = await connection.exec('anything')
    collect(channel)
    await new Promise((resolve) => setTimeout(resolve, 100))
    let accepted = 0
    const pump = (async () => {
      for (;;) {
        await channel.write(Buffer.alloc(256 * 1024))
        accepted += 1
      }
    })()
    pump.catch(() => {})
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(accepted).toBeLessThan(32)
    connection.close()
  })
})
