import type { Facts } from '../server/facts.ts'

/** What the program of a run that was cut off said. */
export interface CutOff {
  /** The release that it kept by a verdict. */
  readonly kept: string | undefined
  /** The code of what it failed with; '' where it did not. */
  readonly failure: string
  /** The release that visitors get; '' where none, `unknown` where it did not say. */
  readonly serving: string
}

/** What became of it: one sentence for the log. */
export function cutOff({ kept, failure, serving }: CutOff): string {
  const visitors = `visitors get release ${serving || 'none'}.`
  if (kept !== undefined && kept === serving)
    return `The deploy that was cut off had its verdict, and came to its end; ${visitors}`
  if (failure === 'no-verdict')
    return `The deploy that was cut off got no verdict, so the server had gone back by itself; ${visitors}`
  if (failure === '' || failure === 'stopped')
    return `The deploy that was cut off has been stopped; ${visitors}`
  return `The deploy that was cut off had failed on the server (${failure}); ${visitors}`
}

/** The same where the server has no traces of the run: it never began there, or the server was restarted since. */
export function restarted({ state, link }: Facts): string {
  const serving = link === state?.current ? (link ?? 'none') : 'unknown'
  return `The server knows nothing of the deploy that was cut off: nothing of it had begun, or the server was restarted since; visitors get release ${serving}.`
}
