import type { Warning } from '../project/project.ts'
import type { Facts } from '../server/facts.ts'
import type { Seen } from '../server/seen.ts'

/** What the judge knows besides. */
export interface Around {
  /** NAME */
  readonly name: string
  /** The runner's clock, in ms since 1970. */
  readonly now: number
}

/** What `doctor` finds: each one sentence for the cause and one for the cure. Pure. */
export function findings(_facts: Facts, _seen: Seen, _around: Around): readonly Warning[] {
  return []
}
