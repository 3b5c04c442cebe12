import { expect, test } from 'vitest'
import { parseEvent } from '../../src/apply/event.ts'
import { Outcome, type ProgramEnd } from '../../src/apply/program-end.ts'

/** What a program's lines come to. */
function endOf(...lines: readonly string[]): ProgramEnd | undefined {
  const outcome = new Outcome()
  for (const line of lines) {
    const event = parseEvent(line)
    const how = event === undefined ? undefined : outcome.take(event)
    if (how !== undefined) return outcome.end(how)
  }
  return undefined
}

const id = '20261122201017-0400bbb'

test('only `end 0` without a failure is a good end', () => {
  expect(endOf(`1 serving ${id}`, '1 end 0')).toMatchObject({ end: 'done', failure: undefined, serving: id })
  expect(endOf('1 fail health 500', `1 serving ${id}`, '1 end 0')?.end).toBe('failed')
  expect(endOf('1 end x')?.end).toBe('failed')
  expect(endOf('1 phase health', '1 kept x', `1 serving ${id}`)).toBeUndefined()
})

test('the first failure is the cause, and the last word on what serves counts', () => {
  expect(endOf('1 serving', '1 fail health 500', '1 fail stopped', `2 serving ${id}`, '2 end 1')).toEqual({
    end: 'failed',
    failure: { code: 'health', detail: '500' },
    serving: id,
    lost: undefined,
  })
})

test('a program that was killed has no end that anybody knows, and nobody knows what serves unless it was said', () => {
  expect(endOf('1 gone 137')).toMatchObject({
    end: 'lost',
    failure: { code: 'program-killed', detail: '137' },
    serving: 'unknown',
  })
  expect(endOf('1 fail disk /srv 0', '1 gone 1')?.failure?.code).toBe('disk')
})
