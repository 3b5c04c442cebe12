import type { Inputs } from '../inputs.ts'
import type { Project } from '../project/project.ts'
import type { Wheels } from './wheels.ts'

/** What the user wants on the server, with what one run adds to it. */
export interface Wish {
  readonly inputs: Inputs
  readonly project: Project
  /** The ID of the release that this run would make. */
  readonly release: string
  /** The nonce of that release: 32 hex digits. */
  readonly nonce: string
  /** Somebody started this run by hand (the event workflow_dispatch), so its commit is what they want. */
  readonly byHand: boolean
  /** `dependencies: wheels`: what the environment is built of; undefined where none has to be, or it is not known yet. */
  readonly wheels?: Wheels
}

/**
 * The ID of a new release: when it was made (UTC, to the second) and what it was made of. It tells people something;
 * nothing is ordered by it, because clocks are wrong now and then.
 * @param hash the commit's hash, or that of the bundle's content where there is no commit
 */
export function releaseId(now: Date, hash: string): string {
  return `${now.toISOString().replace(/[-:T]/g, '').slice(0, 14)}-${hash.slice(0, 7)}`
}
