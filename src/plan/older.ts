import { DeployError, type Explanation } from '../errors.ts'
import type { Facts } from '../server/facts.ts'
import type { KeptRelease } from '../server/state.ts'
import type { Wish } from './wish.ts'

/**
 * Why this commit is not to take the place of the one that serves: it is the older one, by the dates of their
 * committers, so a run of a newer commit was faster than this one. undefined where it may: it is as new, the same, one of
 * the two dates is not known, or it was asked for (`allow-older`, or a run that somebody started by hand).
 */
export function olderCommit(facts: Facts, wish: Wish): Explanation | undefined {
  const { project } = wish
  if (wish.inputs.behaviour.allowOlder || wish.byHand) return undefined
  const serving = facts.state?.releases.find(({ id }) => id === facts.state?.current)
  const ours = dateOf(project.committed)
  const theirs = dateOf(serving === undefined ? undefined : secondsOf(serving))
  if (serving === undefined || ours === undefined || theirs === undefined) return undefined
  if (ours >= theirs || serving.commit === project.commit) return undefined
  return {
    cause: `Commit ${short(project.commit)} of ${told(ours)} is older than commit ${short(serving.commit)} of ${told(theirs)}, which serves.`,
    cure: 'Set `allow-older: true`, or start the workflow by hand on the Actions page (`on: workflow_dispatch`), where you want the older one; else nothing is to be done.',
    input: 'allow-older',
  }
}

/** @throws DeployError `older-commit` */
export function refuseOlder(older: Explanation | undefined): void {
  if (older !== undefined) throw new DeployError('older-commit', older)
}

/** The state file is the server's: no number is no date. */
function secondsOf({ committed }: KeptRelease): number | undefined {
  return /^[0-9]{1,11}$/.test(committed) ? Number(committed) : undefined
}

/** git takes dates that no calendar has. */
function dateOf(seconds: number | undefined): Date | undefined {
  const date = new Date((seconds ?? Number.NaN) * 1000)
  return Number.isNaN(date.getTime()) ? undefined : date
}

function short(commit: string | undefined): string {
  return (commit ?? '-').slice(0, 7)
}

/** `2026-11-26 09:05:07 UTC` */
function told(date: Date): string {
  return `${date.toISOString().slice(0, 19).replace('T', ' ')} UTC`
}
