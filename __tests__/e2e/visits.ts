import { setTimeout as sleep } from 'node:timers/promises'

/** What a visitor gets: the page's text, or what is wrong. */
export type Look = () => Promise<string>

/** A visitor who comes every 100 ms, and gets one of certain pages or has found an outage. */
export class Visits {
  readonly #look: Look
  readonly #pages: Set<string>
  readonly #mayBeNothing: boolean
  readonly #faults: string[] = []
  #paused = false
  #pauses = 0
  #over = false
  readonly #visits: Promise<void>

  /** @param mayBeNothing there was no site before: only a page of somebody else's would be wrong */
  constructor(look: Look, pages: readonly string[], mayBeNothing = false) {
    this.#look = look
    this.#pages = new Set(pages)
    this.#mayBeNothing = mayBeNothing
    this.#visits = this.#visit()
  }

  allow(text: string): void {
    this.#pages.add(text)
  }

  /** The server is off, or out of reach. */
  pause(): void {
    this.#paused = true
    this.#pauses += 1
  }

  /** Waits until the site is back, at most so many ms; from then on it is watched again. @param pages which ones count */
  async back(withinMs: number, pages: ReadonlySet<string> = this.#pages): Promise<void> {
    const deadline = performance.now() + withinMs
    let got = await this.#look()
    while (!pages.has(got) && performance.now() < deadline) {
      await sleep(50)
      got = await this.#look()
    }
    if (!pages.has(got)) this.#faults.push(`not back within ${withinMs / 1000} s: ${got}`)
    this.#paused = false
  }

  /** @returns every different page that nobody should have got */
  async end(): Promise<readonly string[]> {
    this.#over = true
    await this.#visits
    return this.#faults
  }

  async #visit(): Promise<void> {
    const bad = new Map<string, number>()
    while (!this.#over) {
      await sleep(100)
      if (this.#paused) continue
      const before = this.#pauses
      const got = await this.#look()
      // Who asked just before the power went off waits for long.
      if (this.#pauses !== before || this.#pages.has(got)) continue
      if (this.#mayBeNothing && !isPage(got)) continue
      bad.set(got, (bad.get(got) ?? 0) + 1)
    }
    for (const [got, times] of bad) this.#faults.push(`an outage: ${times} of the visits got: ${got}`)
  }
}

/** Whether it is a page of the app at all. */
export function isPage(got: string): boolean {
  return got.startsWith('version ')
}
