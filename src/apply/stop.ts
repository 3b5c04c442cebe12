import type { SteadyTalk } from './steady.ts'

/** The one way of having the server stop a program: it takes back what it did, and says what serves then. */
export interface Stop {
  /** Has it stopped; said again, it changes nothing. @param reason what is told where the server says no more */
  readonly now: (reason: unknown) => void
  /** The program is over: nothing is to be stopped any more. */
  readonly over: () => void
}

/**
 * Has a program stopped when the run is cancelled, and whenever else that is asked for.
 * @param cancelMs how long its last words are waited for, in ms
 * @param lost told when they did not come, or could not be asked for
 */
export function stopOn(
  signal: AbortSignal,
  conversation: Pick<SteadyTalk, 'cancel'>,
  run: string,
  cancelMs: number,
  lost: { readonly silent: (reason: unknown) => void; readonly unsaid: (error: unknown) => void },
): Stop {
  const now = (reason: unknown) => {
    setTimeout(() => lost.silent(reason), cancelMs).unref()
    conversation.cancel(run).catch(lost.unsaid)
  }
  const onAbort = () => now(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()
  return { now, over: () => signal.removeEventListener('abort', onAbort) }
}
