import { expect, test } from 'vitest'
import { learn } from '../../src/apply/learned.ts'
import { makePlan } from '../../src/plan/plan.ts'
import { bareLines, facts, wish } from '../plan/sample.ts'

const NEW = '20261122184800-abc1234'
const OLD = '20261101000000-0000001'
const THIRD = '20261122190000-0000003'
const plan = makePlan(facts(bareLines), wish({ release: NEW }))

/** What a restarted server says of itself. */
const after = (current: string | undefined, link: string | undefined, recovered?: string) =>
  facts([
    ...bareLines,
    'state generation 7',
    'state owner 4711 someone/hello',
    ...(current === undefined ? [] : [`state current ${current}`]),
    ...(link === undefined ? [] : [`link ${link}`]),
    ...(recovered === undefined ? [] : [`recovered ${recovered}`]),
  ])

test.each([
  ['the switch was heard of, and is taken back', OLD, OLD, undefined, true, OLD, `back ${OLD}`],
  ['only the recovery tells of the switch', OLD, OLD, NEW, false, OLD, `back ${OLD}`],
  ['nothing had been switched', OLD, OLD, OLD, false, OLD, `before ${OLD}`],
  ['another run has deployed since', THIRD, THIRD, undefined, true, OLD, `other ${THIRD}`],
  ['the recovery has not come so far', OLD, NEW, undefined, true, OLD, 'unknown'],
  ['there was no release before', undefined, undefined, NEW, true, undefined, 'none'],
] as const)('%s', (_, current, link, recovered, flipped, from, detail) => {
  const found = learn(after(current, link, recovered), { ...plan, from }, { saidKeep: false, flipped })
  expect(found).toMatchObject({ end: 'failed', failure: { code: 'server-restarted', detail } })
  expect(found.serving).toBe(detail.split(' ')[1] ?? (detail === 'none' ? '' : 'unknown'))
})
