import type { Plan } from '../../src/plan/operation.ts'
import type { World } from './world.ts'

/** One change that is there as a whole or not at all; a cut may come before and after it. */
export interface Effect {
  readonly name: string
  readonly change: (world: World) => World
}

/** Wrong orders, to see that they are caught. */
export type Mutation =
  | 'none'
  /** The link is switched before the new release is begun at boots. */
  | 'flip-before-enable'
  | 'no-sync-before-flip'
  | 'nginx-not-journaled'
  /** nginx's old bytes are not on the disk when its file is written. */
  | 'journal-not-synced'
  | 'state-not-synced'
  | 'no-recovery-at-boot'
  /** What watches the release is not on the disk when the state file says that it settles. */
  | 'watch-not-synced'
  /** The watch acts before it takes back what a killed program had begun. */
  | 'hasty-watch'

export interface Attempt {
  readonly plan: Plan
  /** What nginx's site file shall hold. */
  readonly site: string
  readonly mutation: Mutation
  /** The release that waits behind the one that settles when the program begins; ''. */
  readonly behind: string
}

export const effect = (name: string, change: Effect['change']): Effect => ({ name, change })
