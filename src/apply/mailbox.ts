/** Messages between a callback and a loop: what comes before it is asked for waits, in order. */
export class Mailbox<Message> {
  readonly #waiting: Message[] = []
  #taker: ((message: Message) => void) | undefined

  put(message: Message): void {
    const taker = this.#taker
    this.#taker = undefined
    if (taker === undefined) this.#waiting.push(message)
    else taker(message)
  }

  /** The next message; one taker at a time. */
  take(): Promise<Message> {
    const message = this.#waiting.shift()
    if (message !== undefined) return Promise.resolve(message)
    return new Promise((resolve) => {
      this.#taker = resolve
    })
  }
}
