import type { ServerEvent } from './event.ts'

/** How a program on the server ended. */
export interface ProgramEnd {
  /** `done`: it said so; `failed`: it said why; `lost`: nobody knows (the connection broke, or the program was killed). */
  readonly end: 'done' | 'failed' | 'lost'
  readonly failure: { readonly code: string; readonly detail: string } | undefined
  /** The release that visitors get: '' where none, `unknown` where the server did not say. */
  readonly serving: string
  /** Why the connection was lost, or why the run gave up on the server. */
  readonly lost: unknown
}

/** What a program's events say about how it ends: the first failure, the last word on what serves. */
export class Outcome {
  #failure: ProgramEnd['failure']
  #serving = 'unknown'

  /** Takes the next event. @returns how the program ended with it; undefined as long as it goes on */
  take(event: ServerEvent): ProgramEnd['end'] | undefined {
    switch (event.kind) {
      case 'fail':
        this.#failure ??= { code: event.code, detail: event.detail }
        return undefined
      case 'serving':
        this.#serving = event.release
        return undefined
      case 'end':
        return event.status === 0 && this.#failure === undefined ? 'done' : 'failed'
      case 'gone':
        this.#failure ??= { code: 'program-killed', detail: String(event.status) }
        return 'lost'
      default:
        return undefined
    }
  }

  /** What it said of the server is not to be believed. */
  distrust(): void {
    this.#serving = 'unknown'
  }

  /** @param lost why the connection was lost, or why the run gave up */
  end(how: ProgramEnd['end'], lost?: unknown): ProgramEnd {
    return { end: how, failure: this.#failure, serving: this.#serving, lost }
  }
}
