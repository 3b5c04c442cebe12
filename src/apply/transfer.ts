import type { Held } from './held.ts'
import type { Spoken } from './line.ts'
import { isLoss } from './lost.ts'

/** Something large on its way, over as many connections as it takes. */
export class Transfer {
  readonly #send: (to: Spoken, held: Held | undefined) => Promise<void>
  readonly #handed = Promise.withResolvers<void>()
  /** The attempt that goes on; two at once would send twice. */
  #attempts: Promise<void> = Promise.resolve()

  /** @param send sends what the server has not got; `held` is undefined where nothing was sent yet */
  constructor(send: (to: Spoken, held: Held | undefined) => Promise<void>) {
    this.#send = send
    this.#handed.promise.catch(() => undefined)
  }

  /** Settles when all of it was handed to a connection. */
  get done(): Promise<void> {
    return this.#handed.promise
  }

  /** Sends it, or the rest of it. Throws nothing: what another connection may do better is left to it. */
  attempt(to: Spoken, held: Held | undefined): Promise<void> {
    this.#attempts = this.#attempts.then(async () => {
      try {
        await this.#send(to, held)
        this.#handed.resolve()
      } catch (error) {
        if (!isLoss(error)) this.#handed.reject(error)
      }
    })
    return this.#attempts
  }

  fail(error: unknown): void {
    this.#handed.reject(error)
  }
}
