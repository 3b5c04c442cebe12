import type { Facts } from '../server/facts.ts'
import type { KeptRelease } from '../server/state.ts'
import type { Operation } from './operation.ts'
import type { Wish } from './wish.ts'

/** What follows a good verdict: the release is kept. @param seconds how long the server watches it then; 0: not at all */
export function settleOperation(record: KeptRelease, seconds: number): Operation {
  const { id, bundle, dependencies, settings, commit, committed } = record
  return {
    phase: 'smoke',
    kind: 'settle',
    record: [id, bundle, dependencies, settings, commit, committed].join(' '),
    seconds,
  }
}

/** How long a deploy's release is watched: without an older one there is nothing to go back to. In seconds. */
export function settleSeconds(facts: Facts, { inputs }: Wish): number {
  const goesBack = inputs.command === 'rollback'
  return goesBack || facts.state?.current === undefined ? 0 : inputs.behaviour.settleSeconds
}

/** With `wait-settled` the job waits for the end of that time. */
export function awaitOperations(facts: Facts, wish: Wish): readonly Operation[] {
  const seconds = settleSeconds(facts, wish)
  return wish.inputs.behaviour.waitSettled && seconds > 0
    ? [{ phase: 'report', kind: 'await-settled', seconds }]
    : []
}
