import { DeployError } from '../errors.ts'

/** The ends of a connection that say nothing against the server: the program there goes on, and may be spoken to again. */
const LOSSES: ReadonlySet<string> = new Set(['connection-lost', 'helper-ended', 'channel-closed'])

/** What no further try would change, or what must not be tried again: another host key, a refused login, a flood. */
const LASTING = /^(?:host-|other-server$|login-(?:key|keys|password|second|too-many)\b|server-floods$)/

/** Whether a connection may be made again after this. */
export function isLoss(error: unknown): boolean {
  return error instanceof DeployError && LOSSES.has(error.code)
}

/** Whether a connection that could not be made again may be tried once more. */
export function isPassing(error: unknown): boolean {
  return !(error instanceof DeployError && LASTING.test(error.code))
}

/** ms of pause after a try; the first is made at once. @param tries how many there were */
export function pauseAfter(tries: number): number {
  return Math.min(5_000, 500 * 2 ** (tries - 1))
}

/** What the server does by itself, and what to do then. */
const ALONE =
  'Run the job again when the server can be reached. By itself it finishes what was decided, or goes back to the release before, within `confirm-timeout`; the next run starts from there.'

/**
 * The connection could not be made again.
 * @param why what ended it, @param last why the last try failed, @param ms how long it was tried
 */
export function lostForGood(why: unknown, last: unknown, ms: number): DeployError {
  return new DeployError('connection-lost', {
    cause: `${firstCause(why)} It could not be made again within ${Math.round(ms / 1000)} s: ${firstCause(last)}`,
    cure: ALONE,
    input: 'host',
  })
}

/** @param times so often it was made again */
export function lostTooOften(why: unknown, times: number): DeployError {
  return new DeployError('connection-lost', {
    cause: `${firstCause(why)} It had been made again ${times} times, which is the most for one run.`,
    cure: ALONE,
    input: 'host',
  })
}

/** The first sentence of an error. */
export function firstCause(error: unknown): string {
  if (error instanceof DeployError) return error.explanations[0]?.cause ?? error.message
  return error instanceof Error ? `${error.message}.` : String(error)
}
