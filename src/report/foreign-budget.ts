/** Lines and bytes of other programs' output that one phase shows: more than that nobody reads, and GitHub shows it badly. */
const mostLines = 10_000
const mostBytes = 1024 * 1024
/** Of what is left out the last lines are shown all the same: they say why something failed. */
const lastLines = 100

/** How much of other programs' output the log shows in one phase. */
export class ForeignBudget {
  #lines = 0
  #bytes = 0
  #left = 0
  #last: string[] = []

  /** Says whether a line is to be shown; else it is counted, and kept for a while. */
  takes(line: string): boolean {
    const bytes = Buffer.byteLength(line)
    if (this.#left === 0 && this.#lines < mostLines && this.#bytes + bytes <= mostBytes) {
      this.#lines += 1
      this.#bytes += bytes
      return true
    }
    this.#left += 1
    this.#last.push(line)
    if (this.#last.length >= 2 * lastLines) this.#last = this.#last.slice(-lastLines)
    return false
  }

  /** Begins anew. @returns how many lines were never shown, and the last ones of them that are to be shown now */
  end(): { readonly left: number; readonly last: readonly string[] } {
    const last = this.#last.slice(-lastLines)
    const left = this.#left - last.length
    this.#lines = 0
    this.#bytes = 0
    this.#left = 0
    this.#last = []
    return { left, last }
  }
}
