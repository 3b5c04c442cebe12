/** The thread behind `startRelay`: sockets and clocks only. */
import { connect, createServer, type Socket } from 'node:net'
import { parentPort, workerData } from 'node:worker_threads'
import { counter, type FromThread, type RelayOptions, type ToThread } from './relay.ts'

const { to, rttMs, listen = {}, shared } = workerData as RelayOptions & { shared: SharedArrayBuffer }
const counters = new BigInt64Array(shared)
const open = new Set<Socket>()

/** What is under way in one direction of one connection, in order. */
type Lane = { items: { due: number; act: () => void }[]; first: number; last: number; ended: boolean }
const lanes = new Set<Lane>()
let plugged = true
let timer: NodeJS.Timeout | undefined
let turning = false

/** Timers count whole milliseconds and come late: the rest of a wait is spent in turns of the event loop. */
const spareMs = 1.5

function put(lane: Lane, due: number, act: () => void): void {
  lane.last = Math.max(lane.last, due)
  lane.items.push({ due: lane.last, act })
  schedule()
}

function schedule(): void {
  if (!plugged || turning) return
  let next = Number.POSITIVE_INFINITY
  for (const { items, first } of lanes) next = Math.min(next, items[first]?.due ?? next)
  clearTimeout(timer)
  if (next === Number.POSITIVE_INFINITY) return
  const wait = next - performance.now() - spareMs
  if (wait >= 1) {
    timer = setTimeout(schedule, Math.floor(wait))
    return
  }
  turning = true
  setImmediate(turn)
}

function turn(): void {
  turning = false
  if (plugged) {
    const now = performance.now()
    for (const lane of lanes) deliver(lane, now)
  }
  schedule()
}

function deliver(lane: Lane, now: number): void {
  for (;;) {
    const item = lane.items[lane.first]
    if (item === undefined || item.due > now) break
    lane.first++
    item.act()
  }
  if (lane.first > 1024 || lane.first === lane.items.length) {
    lane.items.splice(0, lane.first)
    lane.first = 0
  }
  if (lane.ended && lane.items.length === 0) lanes.delete(lane)
}

function accept(client: Socket): void {
  Atomics.add(counters, counter.connections, 1n)
  const accepted = performance.now()
  // On a wire the client could not send before the answer to its SYN (one trip there and back), and the server has
  // the connection half a trip after that.
  const up = newLane()
  const down = newLane()
  let server: Socket | undefined
  watch(client, up, accepted + rttMs, counter.up, () => server)
  put(up, accepted + 1.5 * rttMs, () => {
    server = connect({ host: to.host, port: to.port, noDelay: true, allowHalfOpen: true })
    watch(server, down, 0, counter.down, () => client)
  })
}

function newLane(): Lane {
  const lane: Lane = { items: [], first: 0, last: 0, ended: false }
  lanes.add(lane)
  return lane
}

/** Passes on what comes out of `from`, as if nothing had been sent before the time `earliest`. */
function watch(
  from: Socket,
  lane: Lane,
  earliest: number,
  place: number,
  peer: () => Socket | undefined,
): void {
  const later = (act: (target: Socket) => void) =>
    put(lane, Math.max(performance.now(), earliest) + rttMs / 2, () => {
      const target = peer()
      if (target !== undefined && !target.destroyed) act(target)
    })
  open.add(from)
  from.on('data', (bytes: Buffer) =>
    later((target) => {
      target.write(bytes)
      Atomics.add(counters, place, BigInt(bytes.length))
    }),
  )
  from.on('end', () => later((target) => target.end()))
  // A reset, or a connection that was refused.
  from.on('error', () => later((target) => target.resetAndDestroy()))
  from.on('close', () => {
    open.delete(from)
    later(() => {})
    lane.ended = true
  })
}

function perform(message: ToThread): void {
  switch (message) {
    case 'unplug':
      plugged = false
      clearTimeout(timer)
      break
    case 'plug':
      plugged = true
      schedule()
      break
    case 'cut':
      cut()
      break
    case 'close':
      listener.close()
      cut()
      parentPort?.close()
      break
  }
}

function cut(): void {
  // What is under way is lost.
  lanes.clear()
  clearTimeout(timer)
  for (const socket of open) socket.resetAndDestroy()
}

const answer = (message: FromThread) => parentPort?.postMessage(message)
const listener = createServer({ noDelay: true, allowHalfOpen: true }, accept)
listener.on('error', (error) => answer({ error: error.message }))
listener.listen(listen.port ?? 0, listen.host ?? '127.0.0.1', () => {
  const address = listener.address()
  if (address !== null && typeof address === 'object') answer({ host: address.address, port: address.port })
})
parentPort?.on('message', perform)
