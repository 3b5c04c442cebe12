import { StringDecoder } from 'node:string_decoder'

/** The longest line that is kept, in characters; the rest of a longer one is dropped. */
const LONGEST = 65_536

const NEWLINE = 0x0a

/** Bytes -> whole lines, in bounded memory whatever the other side sends. */
export class Lines {
  readonly #decoder = new StringDecoder('utf8')
  readonly #listener: (line: string, bytes: number) => void
  #rest = ''
  /** Bytes of the line that is not whole yet. */
  #pending = 0

  /** @param listener told each whole line, and how many bytes it was, with the newline: all of them, also what was dropped */
  constructor(listener: (line: string, bytes: number) => void) {
    this.#listener = listener
  }

  push(chunk: Buffer): void {
    const parts = (this.#rest + this.#decoder.write(chunk)).split('\n')
    this.#rest = (parts.pop() ?? '').slice(0, LONGEST)
    let from = 0
    // No byte of a longer character is a newline (RFC 3629, section 3), so there are as many in the text.
    for (const line of parts) {
      const end = chunk.indexOf(NEWLINE, from) + 1
      const bytes = this.#pending + end - from
      this.#pending = 0
      from = end
      this.#listener(line.slice(0, LONGEST), bytes)
    }
    this.#pending += chunk.length - from
  }
}
