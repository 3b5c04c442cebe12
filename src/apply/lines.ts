import { StringDecoder } from 'node:string_decoder'

/** The longest line that is kept, in characters; the rest of a longer one is dropped. */
const LONGEST = 65_536

/** Bytes -> whole lines, in bounded memory whatever the other side sends. */
export class Lines {
  readonly #decoder = new StringDecoder('utf8')
  readonly #listener: (line: string) => void
  #rest = ''

  constructor(listener: (line: string) => void) {
    this.#listener = listener
  }

  push(chunk: Buffer): void {
    const parts = (this.#rest + this.#decoder.write(chunk)).split('\n')
    this.#rest = (parts.pop() ?? '').slice(0, LONGEST)
    for (const line of parts) this.#listener(line.slice(0, LONGEST))
  }
}
