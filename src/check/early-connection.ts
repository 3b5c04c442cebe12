import { connect, type Socket } from 'node:net'

/** ms after which a network on the way may have forgotten a silent connection. */
const LIFE_MS = 30_000

/** A TCP connection that is opened before it is needed: it saves the smoke test one round trip. */
export class EarlyConnection {
  readonly #socket: Socket
  readonly #opened = performance.now()
  #taken = false

  /**
   * @param address an IP address or a name
   * @param port the site's
   */
  constructor(address: string, port: number) {
    this.#socket = connect({ host: address, port, noDelay: true })
    // Who takes it sees by its state what became of it.
    this.#socket.on('error', () => {})
    this.#socket.unref()
  }

  /** The connection, open or on its way; undefined where it failed, was closed, is too old, or was taken before. */
  take(): Socket | undefined {
    const fresh = !this.#taken && performance.now() - this.#opened < LIFE_MS
    if (!fresh || !this.#socket.writable) return undefined
    this.#taken = true
    this.#socket.ref()
    return this.#socket
  }

  /** Ends it, where nobody took it. */
  close(): void {
    if (!this.#taken) this.#socket.destroy()
  }
}
