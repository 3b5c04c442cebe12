import { describe, expect, test } from 'vitest'
import type { Applied } from '../../src/apply/apply.ts'
import type { Smoked } from '../../src/check/test-release.ts'
import { DeployError } from '../../src/errors.ts'
import { makePlan } from '../../src/plan/plan.ts'
import { endingOf, endingOfCancel, endingOfError } from '../../src/report/ending.ts'
import { bareLines, facts, wish } from '../plan/sample.ts'

const NEW = '20261122184800-abc1234'
const OLD = '20261101000000-0000001'
const asked = wish({ release: NEW })
const plan = { ...makePlan(facts(bareLines), asked), from: OLD }
const done: Applied = {
  learned: false,
  end: 'done',
  failure: undefined,
  serving: NEW,
  smokeFault: undefined,
  oldFault: undefined,
  lost: undefined,
  flipped: true,
}
const good: Smoked = {
  ok: true,
  code: '',
  detail: '',
  advice: undefined,
  answersOnServer: true,
  report: null,
}
const bad: Smoked = { ...good, ok: false, code: 'status', detail: 'It answered 500.' }

const ending = (applied: Partial<Applied>, smoked: Smoked = good, over: Partial<typeof plan> = {}) =>
  endingOf(
    {
      plan: { ...plan, ...over },
      applied: { ...done, ...applied },
      smoked,
      facts: facts(bareLines),
      project: asked.project,
      inputs: asked.inputs,
    },
    ['the last line'],
  )

test.each([
  ['a kept release', {}, good, {}, 'deployed', NEW, undefined],
  ['a kept rollback', {}, good, { kind: 'rollback' }, 'rolled-back', NEW, undefined],
  [
    'a bad smoke test, gone back',
    { end: 'failed', failure: { code: 'smoke', detail: '' }, serving: OLD },
    bad,
    {},
    'reverted',
    OLD,
    'smoke-status',
  ],
  ['a bad smoke test, stayed', { oldFault: bad }, bad, {}, 'failed', NEW, 'smoke-status'],
  [
    'no verdict in time',
    { end: 'failed', failure: { code: 'no-verdict', detail: '' }, serving: OLD },
    good,
    {},
    'reverted',
    OLD,
    'no-verdict',
  ],
  [
    'a release that does not come up',
    { end: 'failed', failure: { code: 'health-timeout', detail: '' }, serving: OLD, flipped: false },
    good,
    {},
    'failed',
    OLD,
    'health-timeout',
  ],
  [
    'a stop that nobody here asked for',
    { end: 'failed', failure: { code: 'stopped', detail: '' }, serving: OLD, flipped: false },
    good,
    {},
    'failed',
    OLD,
    'stopped',
  ],
  [
    'a program that was killed after the switch, and taken back',
    { end: 'failed', failure: { code: 'program-killed', detail: '' }, serving: OLD },
    good,
    {},
    'reverted',
    OLD,
    'program-killed',
  ],
  [
    'a server that was restarted after the switch, and went back',
    { end: 'failed', failure: { code: 'server-restarted', detail: `back ${OLD}` }, serving: OLD },
    good,
    {},
    'reverted',
    OLD,
    'server-restarted',
  ],
  [
    'a server that was restarted before the switch',
    {
      end: 'failed',
      failure: { code: 'server-restarted', detail: `before ${OLD}` },
      serving: OLD,
      flipped: false,
    },
    good,
    {},
    'failed',
    OLD,
    'server-restarted',
  ],
  [
    'a killed program',
    { end: 'lost', failure: { code: 'program-killed', detail: '137' }, serving: 'unknown' },
    good,
    {},
    'failed',
    'unknown',
    'program-killed',
  ],
] as const)('%s', (_, applied, smoked, over, result, serving, code) => {
  const end = ending(applied, smoked, over)
  expect(end).toMatchObject({ result, serving })
  expect(end.error?.code).toBe(code)
})

test('a killed program is told with what its recovery has made of it', () => {
  const of = (serving: string) =>
    ending({ end: 'failed', failure: { code: 'program-killed', detail: '' }, serving }).error?.message
  expect(of(OLD)).toContain('what it had begun was taken back')
  expect(of(NEW)).toContain('its release had been kept, so it stays')
  expect(of('unknown')).toContain('was killed before it was done.')
})

test('a release that stays in spite of its test says why', () => {
  expect(ending({ oldFault: bad }, bad).error?.message).toContain(
    `because release \`${OLD}\` fails the same test`,
  )
  expect(ending({}, bad).error?.message).toContain('no older one to go back to')
})

test('a page that answers on the server only is named as a firewall', () => {
  const error = ending({}, { ...bad, code: 'unreachable', answersOnServer: true }).error
  expect(error?.code).toBe('smoke-unreachable-outside')
})

describe('a run that an error ended', () => {
  test('keeps the explanation', () => {
    const error = new DeployError('owner', { cause: 'a', cure: 'b' })
    expect(endingOfError(error, OLD)).toEqual({ result: 'failed', serving: OLD, error })
  })

  test('is cancelled when the job was', () => {
    expect(endingOfCancel(OLD, null)).toMatchObject({
      result: 'cancelled',
      serving: OLD,
    })
  })

  test('is a defect of ours when nothing explains it', () => {
    const { error, result } = endingOfError(new TypeError('x is undefined'), '')
    expect(result).toBe('failed')
    expect(error?.message).toContain('The action itself failed: x is undefined.')
  })
})
