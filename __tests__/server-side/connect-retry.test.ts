import { createServer, connect as dial, type Socket, type Server as TcpServer } from 'node:net'
import { describe, expect, test } from 'vitest'
import type { Retry } from '../../src/server/connection.ts'
import { cleanups, failing, host, serve, to } from './connecting.ts'

describe('trying again', () => {
  /** A TCP server that answers each connection in its own way. */
  async function tcp(answer: (socket: Socket, count: number) => void) {
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
