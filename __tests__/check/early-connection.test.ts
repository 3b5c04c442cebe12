import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { EarlyConnection } from '../../src/check/early-connection.ts'

let site: Server
let visits: Socket[]

beforeEach(async () => {
  visits = []
  site = createServer((socket) => {
    visits.push(socket)
    socket.on('error', () => {})
  })
  site.listen(0, '127.0.0.1')
  await once(site, 'listening')
})
afterEach(() => {
  vi.useRealTimers()
  for (const visit of visits) visit.destroy()
  site.close()
})

function open(): EarlyConnection {
  return new EarlyConnection('127.0.0.1', (site.address() as AddressInfo).port)
}

test('it is handed over once, open or still on its way', async () => {
  const early = open()
  const socket = early.take()
  expect(socket?.writable).toBe(true)
  expect(early.take()).toBeUndefined()
  early.close()
  expect(socket?.destroyed).toBe(false)
  socket?.destroy()
})

test('one that nobody took is closed', async () => {
  const early = open()
  await expect.poll(() => visits.length).toBe(1)
  const [visit] = visits
  early.close()
  await expect.poll(() => visit?.readyState).toBe('closed')
  expect(early.take()).toBeUndefined()
})

test('one that was closed meanwhile, is too old, or failed is not handed over', async () => {
  const closed = open()
  await expect.poll(() => visits.length).toBe(1)
  visits[0]?.resume().end()
  await expect.poll(() => visits[0]?.readyState).toBe('closed')
  expect(closed.take()).toBeUndefined()

  vi.useFakeTimers({ toFake: ['performance'] })
  const old = open()
  vi.advanceTimersByTime(30_000)
  expect(old.take()).toBeUndefined()
  old.close()
  vi.useRealTimers()

  const { port } = site.address() as AddressInfo
  for (const visit of visits) visit.destroy()
  await new Promise((resolve) => site.close(resolve))
  const failed = new EarlyConnection('127.0.0.1', port)
  await new Promise((resolve) => connect({ host: '127.0.0.1', port }).once('error', resolve))
  expect(failed.take()).toBeUndefined()
})
