import { Worker } from 'node:worker_threads'

export type RelayOptions = {
  to: { host: string; port: number }
  /** Round-trip time in milliseconds that the relay adds. */
  rttMs: number
  /** Where it listens: 127.0.0.1 and a free port unless told. Any address of 127.0.0.0/8 is this machine's own. */
  listen?: { host?: string; port?: number }
}

/** A wire of a given length to a server: connect to `host`:`port`. */
export type Relay = {
  host: string
  port: number
  /** Bytes passed on so far, from client to server. */
  readonly bytesUp: number
  /** Bytes passed on so far, from server to client. */
  readonly bytesDown: number
  /** Connections accepted so far. */
  readonly connections: number
  /** Holds everything back, both ways, and closes nothing: a cable that was pulled out. */
  unplug(): void
  /** What was held back goes on, in order. */
  plug(): void
  /** Resets every open connection, both ends; new ones are accepted as before. */
  cut(): void
  /** Ends the relay; open connections are reset. */
  close(): Promise<void>
}

/** Messages to the relay's thread, and its answers. */
export type ToThread = 'unplug' | 'plug' | 'cut' | 'close'
export type FromThread = { host: string; port: number } | { error: string }
/** Places of the counters in the shared array. */
export const counter = { up: 0, down: 1, connections: 2 } as const

/**
 * Starts a TCP relay that behaves as a wire of `rttMs`: the handshake costs one round trip, every byte half of one each
 * way; order, half-close and resets are kept, buffers have no limit, Nagle is off on both sides.
 * It runs in a thread of its own, so that neither it nor the caller's work disturbs the other's clock.
 * Where it differs from a wire: a client's connect() succeeds at once (its first bytes wait instead), and a
 * refused connection shows as a reset.
 * @throws Error when it cannot listen
 */
export function startRelay(options: RelayOptions): Promise<Relay> {
  const shared = new SharedArrayBuffer(8 * 3)
  const counters = new BigInt64Array(shared)
  const worker = new Worker(new URL('./relay-thread.ts', import.meta.url), {
    workerData: { ...options, shared },
  })
  // It does not keep a program alive that forgot to close it.
  const tell = (message: ToThread) => worker.postMessage(message)
  const count = (place: number) => Number(Atomics.load(counters, place))
  return new Promise((resolve, reject) => {
    worker.once('error', reject)
    worker.once('message', (message: FromThread) => {
      if ('error' in message) {
        reject(new Error(`the relay: ${message.error}`))
        return
      }
      worker.unref()
      resolve({
        host: message.host,
        port: message.port,
        get bytesUp() {
          return count(counter.up)
        },
        get bytesDown() {
          return count(counter.down)
        },
        get connections() {
          return count(counter.connections)
        },
        unplug: () => tell('unplug'),
        plug: () => tell('plug'),
        cut: () => tell('cut'),
        async close() {
          worker.ref()
          const gone = new Promise<void>((done) => worker.once('exit', () => done()))
          tell('close')
          await gone
        },
      })
    })
  })
}
