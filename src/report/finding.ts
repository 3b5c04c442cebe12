import type { Warning } from '../project/project.ts'
import type { Facts } from '../server/facts.ts'
import type { Seen } from '../server/seen.ts'

/** What the judge of `doctor` knows besides. */
export interface Around {
  /** NAME */
  readonly name: string
  /** The repository's ID. */
  readonly repository: string
  /** The runner's clock, in ms since 1970. */
  readonly now: number
}

/** One thing that is judged: nothing where it is well. */
export type Judge = (facts: Facts, seen: Seen, around: Around) => readonly Warning[]

/** A finding: one sentence for the cause, one for the cure. */
export function finding(code: string, cause: string, cure: string): readonly Warning[] {
  return [{ code, text: `${cause} ${cure}` }]
}
