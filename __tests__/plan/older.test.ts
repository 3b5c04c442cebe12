import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { DeployError } from '../../src/errors.ts'
import { makePlan } from '../../src/plan/plan.ts'
import type { Wish } from '../../src/plan/wish.ts'
import { facts, readyLines, wish } from './sample.ts'

const serves = '20261101000000-1111111'
const before = '20261001000000-2222222'
/** 2026-11-01 00:00:00 UTC */
const served = 1_793_491_200

/** A server whose current release is of commit 1111111 and that date. */
function server(seconds: string, extra: readonly string[] = []) {
  return facts([
    ...readyLines,
    'state generation 4',
    'state owner 4711 someone/hello',
    `state current ${serves}`,
    `state previous ${before}`,
    `state release ${before} a b c ${'2'.repeat(40)} ${served + 1000}`,
    `state release ${serves} a b c ${'1'.repeat(40)} ${seconds}`,
    `link ${serves}`,
    `active ${serves} yes`,
    ...extra,
  ])
}

/** A commit of that date. */
function commit(committed: number | undefined, changes: Parameters<typeof wish>[0] = {}): Wish {
  return wish({ ...changes, project: { commit: '3'.repeat(40), committed, ...changes.project } })
}

function refusal(run: () => unknown): DeployError {
  try {
    run()
  } catch (error) {
    if (error instanceof DeployError) return error
  }
  throw new Error('it was not refused')
}

describe('a commit that is older than the one that serves', () => {
  test('is refused, with both commits, their dates, and what to do', () => {
    const error = refusal(() => makePlan(server(String(served)), commit(served - 1)))
    expect(error.code).toBe('older-commit')
    const [only] = error.explanations
    expect(only?.cause).toBe(
      'Commit 3333333 of 2026-10-31 23:59:59 UTC is older than commit 1111111 of 2026-11-01 00:00:00 UTC, which serves.',
    )
    expect(only?.cure).toContain('`allow-older: true`')
    expect(only?.cure).toContain('by hand')
    expect(only?.input).toBe('allow-older')
  })

  test('is deployed where that is asked for, or the run was started by hand', () => {
    const asked = wish().inputs.behaviour
    for (const one of [
      commit(served - 1, { behaviour: { ...asked, allowOlder: true } }),
      commit(served - 1, { byHand: true }),
    ]) {
      const plan = makePlan(server(String(served)), one)
      expect(plan).toMatchObject({ kind: 'deploy' })
      expect(plan.refused).toBeUndefined()
    }
  })

  test('is planned, and the plan says that it would be refused', () => {
    const plan = makePlan(server(String(served)), commit(served - 1, { inputs: { command: 'plan' } }))
    expect(plan.kind).toBe('deploy')
    expect(plan.refused?.cause).toMatch(/^Commit 3333333 .* is older/)
  })

  test('but has the same content is what serves: there is nothing to refuse', () => {
    const first = wish()
    const { operations } = makePlan(facts(readyLines), first)
    const records = operations.flatMap((one) => (one.kind === 'settle' ? [one.record] : []))
    const sites = operations.flatMap((one) => (one.kind === 'nginx' ? [one.site] : []))
    const same = facts([
      ...readyLines,
      'state generation 1',
      'state owner 4711 someone/hello',
      `state current ${first.release}`,
      `state release ${records.join()}`,
      `link ${first.release}`,
      `active ${first.release} yes`,
      `file web-hello.conf ${createHash('sha256').update(sites.join()).digest('hex')}`,
    ])
    const earlier = wish({ project: { commit: '3'.repeat(40), committed: 1 } })
    expect(makePlan(same, earlier).kind).toBe('unchanged')
  })
})

describe('a commit is deployed', () => {
  test.each([
    ['that is newer', String(served), served + 1],
    ['of the same second', String(served), served],
    ['that is older than a release which serves no longer', String(served), served + 10],
    ['whose date is not known', String(served), undefined],
    ['where that of the one that serves is not known', '-', 1],
    ['where what the server has for a date is none', '99999999999999', 1],
    ['whose date no calendar has', String(served), Number.NaN],
  ])('%s', (_, theirs, ours) => {
    expect(makePlan(server(theirs), commit(ours)).kind).toBe('deploy')
  })

  test('where nothing serves', () => {
    expect(makePlan(facts(readyLines), commit(1)).kind).toBe('deploy')
  })
})

test('a rollback may go to any commit', () => {
  const back = commit(undefined, { inputs: { command: 'rollback', release: before } })
  expect(makePlan(server(String(served + 5000)), back)).toMatchObject({ kind: 'rollback', release: before })
})
