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

const port = () => (site.address() as AddressInfo).port

const page = new URL('http://site.example/')

function take(early: EarlyConnection) {
  return early.take('127.0.0.1', port())
}

function open(): EarlyConnection {
  return new EarlyConnection('127.0.0.1', port(), page)
}

test('it is handed over once, open or still on its way', async () => {
  const early = open()
  const socket = take(early)
  expect(socket?.writable).toBe(true)
  expect(take(early)).toBeUndefined()
  early.close()
  expect(socket?.destroyed).toBe(false)
  socket?.destroy()
})

test('where something else is asked it is not handed over', () => {
  const early = open()
  expect(early.take('127.0.0.2', port())).toBeUndefined()
  expect(early.take('127.0.0.1', port() + 1)).toBeUndefined()
  early.close()
})

test('one that nobody took is closed', async () => {
  const early = open()
  await expect.poll(() => visits.length).toBe(1)
  const [visit] = visits
  early.close()
  await expect.poll(() => visit?.readyState).toBe('closed')
  expect(take(early)).toBeUndefined()
})

test('one that was closed meanwhile, is too old, or failed is not handed over', async () => {
  const closed = open()
  await expect.poll(() => visits.length).toBe(1)
  visits[0]?.resume().end()
  await expect.poll(() => visits[0]?.readyState).toBe('closed')
  expect(take(closed)).toBeUndefined()

  vi.useFakeTimers({ toFake: ['performance'] })
  const old = open()
  vi.advanceTimersByTime(30_000)
  expect(take(old)).toBeUndefined()
  old.close()
  vi.useRealTimers()

  const gone = port()
  for (const visit of visits) visit.destroy()
  await new Promise((resolve) => site.close(resolve))
  const failed = new EarlyConnection('127.0.0.1', gone, page)
  await new Promise((resolve) => connect({ host: '127.0.0.1', port: gone }).once('error', resolve))
  expect(failed.take('127.0.0.1', gone)).toBeUndefined()
})
