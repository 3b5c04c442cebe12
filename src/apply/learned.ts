import type { Plan } from '../plan/operation.ts'
import type { Facts } from '../server/facts.ts'

/** What became of a run, as far as the server's facts tell. */
export interface Learned {
  readonly end: 'done' | 'failed'
  readonly failure: { readonly code: string; readonly detail: string } | undefined
  /** The release that visitors get; `unknown` where link and state do not agree. */
  readonly serving: string
}

/**
 * What became of a run that the server knows nothing of any more, because it was restarted. The state file outlives that: it
 * names the release that was kept last.
 * @param saidKeep the runner has said that the release may stay: without, no honest server can have kept it
 */
export function learn({ state, link }: Facts, plan: Plan, saidKeep: boolean): Learned {
  const serving = link === state?.current ? (link ?? '') : 'unknown'
  const keeps = plan.operations.some(({ kind }) => kind === 'settle')
  if (keeps && saidKeep && serving === plan.release) return { end: 'done', failure: undefined, serving }
  return { end: 'failed', failure: { code: 'server-restarted', detail: '' }, serving }
}
