import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Relay, startRelay } from './relay.ts'

const rttMs = 40
let far: Server
let relay: Relay

beforeEach(async () => {
  // Greets, repeats, and has a last word after the other side's end.
  far = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    socket.write('hello ')
    socket.on('data', (bytes) => socket.write(bytes))
    socket.on('end', () => socket.end(' bye'))
    socket.on('error', () => {})
  })
  far.listen(0, '127.0.0.1')
  await once(far, 'listening')
  relay = await startRelay({ to: { host: '127.0.0.1', port: (far.address() as AddressInfo).port }, rttMs })
})
afterEach(async () => {
  await relay.close()
  far.close()
})

function dial(): Socket {
  const socket = connect({ host: '127.0.0.1', port: relay.port, noDelay: true, allowHalfOpen: true })
  // The relay's end resets what a test has left open.
  socket.on('error', () => {})
  return socket
}

test('a greeting takes two round trips, an answer one', async () => {
  const begin = performance.now()
  const socket = dial()
  await once(socket, 'data')
  expect(performance.now() - begin).toBeGreaterThanOrEqual(2 * rttMs - 1)
  const trips: number[] = []
  for (let n = 0; n < 9; n++) {
    const sent = performance.now()
    socket.write('x')
    await once(socket, 'data')
    trips.push(performance.now() - sent)
  }
  expect(Math.min(...trips)).toBeGreaterThanOrEqual(rttMs - 1)
  expect(Math.min(...trips)).toBeLessThan(rttMs + 5)
})

test('bytes keep their order and are counted; one side may end before the other', async () => {
  const socket = dial()
  const sent = Buffer.from(Array.from({ length: 300_000 }, (_, n) => n % 251))
  const got: Buffer[] = []
  socket.on('data', (bytes) => got.push(bytes))
  socket.write(sent.subarray(0, 100_000))
  socket.end(sent.subarray(100_000))
  await once(socket, 'end')
  expect(Buffer.concat(got).equals(Buffer.concat([Buffer.from('hello '), sent, Buffer.from(' bye')]))).toBe(
    true,
  )
  expect([relay.bytesUp, relay.bytesDown, relay.connections]).toEqual([300_000, 300_010, 1])
})

test('unplugged, nothing arrives and nothing closes; plugged in again, all of it does', async () => {
  const socket = dial()
  await once(socket, 'data')
  relay.unplug()
  let arrived = ''
  socket.on('data', (bytes) => {
    arrived += bytes.toString()
  })
  socket.write('a')
  await sleep(3 * rttMs)
  expect(arrived).toBe('')
  relay.plug()
  await expect.poll(() => arrived).toBe('a')
})

test('a cut resets both ends, and a refused connection is a reset', async () => {
  const socket = dial()
  await once(socket, 'data')
  const reset = once(socket, 'error')
  relay.cut()
  expect(String((await reset.catch((error: unknown) => [error]))[0])).toContain('ECONNRESET')
  far.close()
  const refused = dial()
  expect(String((await once(refused, 'error').catch((error: unknown) => [error]))[0])).toContain('ECONNRESET')
})

test('it listens where it is told to, and says so when it cannot', async () => {
  const to = { host: '127.0.0.1', port: (far.address() as AddressInfo).port }
  const other = await startRelay({ to, rttMs: 0, listen: { host: '127.9.8.7' } })
  const { host, port } = other
  expect(host).toBe('127.9.8.7')
  const socket = connect({ host, port }).on('error', () => {})
  expect(String((await once(socket, 'data'))[0])).toBe('hello ')
  await expect(startRelay({ to, rttMs: 0, listen: { host, port } })).rejects.toThrow('EADDRINUSE')
  await other.close()
})
