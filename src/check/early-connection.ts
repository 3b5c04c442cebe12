import { connect, type Socket } from 'node:net'
import { secured } from './http-answer.ts'

/** ms after which a network on the way may have forgotten a silent connection. */
const LIFE_MS = 30_000

/** A connection that is opened before it is needed: it saves the smoke test a round trip, and over HTTPS another one. */
export class EarlyConnection {
  readonly #socket: Socket
  readonly #address: string
  readonly #port: number
  readonly #opened = performance.now()
  #taken = false

  /**
   * @param address an IP address or a name
   * @param port the site's
   * @param url what will be asked: for `https:` the handshake is made as well
   */
  constructor(address: string, port: number, url: URL) {
    this.#address = address
    this.#port = port
    const raw = connect({ host: address, port, noDelay: true })
    this.#socket = url.protocol === 'https:' ? secured(raw, url) : raw
    // Who takes it sees by its state what became of it.
    for (const socket of [raw, this.#socket]) socket.on('error', () => {}).unref()
  }

  /** The connection, open or on its way; undefined where it leads elsewhere, failed, is too old, or was taken before. */
  take(address: string, port: number): Socket | undefined {
    const wanted = address === this.#address && port === this.#port
    const fresh = wanted && !this.#taken && performance.now() - this.#opened < LIFE_MS
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
