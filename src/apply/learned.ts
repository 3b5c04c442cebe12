import type { Plan } from '../plan/operation.ts'
import type { Facts } from '../server/facts.ts'

/** What became of a run, as far as the server's facts tell. */
export interface Learned {
  readonly end: 'done' | 'failed'
  /** `server-restarted` with a {@link Standing} and, where it is known, a release. */
  readonly failure: { readonly code: string; readonly detail: string } | undefined
  /** The release that visitors get; `unknown` where link and state do not agree. */
  readonly serving: string
  /** Visitors had the new release. */
  readonly flipped: boolean
}

/**
 * How things stand after a restart that came before the new release was kept: visitors had been switched to it, and are
 * back on the old release (`back`); they never were (`before`), also where there is none (`none`); another run has
 * deployed since (`other`); the new one serves though nobody judged it (`unjudged`).
 */
export type Standing = 'back' | 'before' | 'none' | 'other' | 'unjudged' | 'unknown'

/**
 * What became of a run that the server knows nothing of any more, because it was restarted. The state file outlives that: it
 * names the release that was kept last. So does what the recovery at boot has written down.
 * @param saidKeep the runner has said that the release may stay: without, no honest server can have kept it
 * @param flipped the runner has heard of the switch
 */
export function learn(
  { state, link, recovered }: Facts,
  plan: Plan,
  { saidKeep, flipped }: { readonly saidKeep: boolean; readonly flipped: boolean },
): Learned {
  const serving = link === state?.current ? (link ?? '') : 'unknown'
  const had = flipped || recovered === plan.release
  const keeps = plan.operations.some(({ kind }) => kind === 'settle')
  if (keeps && saidKeep && serving === plan.release)
    return { end: 'done', failure: undefined, serving, flipped: had }
  const standing = standingOf(serving, plan, had)
  const detail = serving === '' || serving === 'unknown' ? standing : `${standing} ${serving}`
  return { end: 'failed', failure: { code: 'server-restarted', detail }, serving, flipped: had }
}

function standingOf(serving: string, { from, release }: Plan, flipped: boolean): Standing {
  if (serving === 'unknown') return 'unknown'
  // Of a plan that goes on with the release that serves, nothing was to be switched.
  if (serving === (from ?? ''))
    return serving === '' ? 'none' : flipped && from !== release ? 'back' : 'before'
  return serving === release ? 'unjudged' : 'other'
}
