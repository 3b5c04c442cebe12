import { expect, test } from 'vitest'
import { makePlan } from '../../src/plan/plan.ts'
import { bareLines, facts, readyLines, wish } from './sample.ts'

const serves = '20261101000000-1111111'
const before = '20261001000000-2222222'
const record = 'a b c - -'

const server = facts([
  ...readyLines,
  'state generation 4',
  'state owner 4711 someone/hello',
  `state current ${serves}`,
  `state previous ${before}`,
  `state release ${before} ${record}`,
  `state release ${serves} ${record}`,
  `link ${serves}`,
  `active ${serves} yes`,
])

/** The seconds of the operations about the settle time, by kind. */
function seconds(...[of, changes]: [Parameters<typeof makePlan>[0], Parameters<typeof wish>[0]?]) {
  return makePlan(of, wish(changes)).operations.flatMap((one) =>
    one.kind === 'settle' || one.kind === 'await-settled' ? [[one.kind, one.seconds]] : [],
  )
}

const { behaviour } = wish().inputs

test('a new release is watched for the settle time, and the job waits where that is wished', () => {
  expect(seconds(server, { behaviour: { ...behaviour, settleSeconds: 30 } })).toEqual([['settle', 30]])
  expect(seconds(server, { behaviour: { ...behaviour, settleSeconds: 30, waitSettled: true } })).toEqual([
    ['settle', 30],
    ['await-settled', 30],
  ])
  expect(seconds(server, { behaviour: { ...behaviour, settleSeconds: 0, waitSettled: true } })).toEqual([
    ['settle', 0],
  ])
})

test('waiting is the last that a program does', () => {
  const changes = { behaviour: { ...behaviour, waitSettled: true } }
  expect(makePlan(server, wish(changes)).operations.at(-1)?.kind).toBe('await-settled')
})

test('without an older release, and in a rollback, nothing settles', () => {
  const changes = { behaviour: { ...behaviour, settleSeconds: 30, waitSettled: true } }
  expect(seconds(facts(bareLines), changes)).toEqual([['settle', 0]])
  expect(seconds(server, { ...changes, inputs: { command: 'rollback' } })).toEqual([['settle', 0]])
})
