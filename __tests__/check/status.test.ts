import { expect, test } from 'vitest'
import { judgeStatus } from '../../src/check/status.ts'

const byDefault = { expectStatus: undefined, explicitPath: false }
const explicit = { expectStatus: undefined, explicitPath: true }
const exactly = {
  expectStatus: [
    [200, 204],
    [401, 401],
  ] as const,
  explicitPath: true,
}

test.each([
  ['by default', byDefault, 200, true],
  ['by default', byDefault, 302, true],
  ['by default', byDefault, 404, true],
  ['by default', byDefault, 499, true],
  ['by default', byDefault, 500, false],
  ['by default', byDefault, 502, false],
  ['with a path', explicit, 200, true],
  ['with a path', explicit, 399, true],
  ['with a path', explicit, 404, false],
  ['with a path', explicit, 500, false],
  ['with expect-status', exactly, 204, true],
  ['with expect-status', exactly, 205, false],
  ['with expect-status', exactly, 401, true],
  ['with expect-status', exactly, 302, false],
])('%s (%o) %d is good: %s', (_name, rule, status, good) => {
  expect(judgeStatus(status, rule).good).toBe(good)
})

test('a 4xx that is good by default comes with the advice to set health-path', () => {
  expect(judgeStatus(404, byDefault).advice).toContain('`health-path`')
  expect(judgeStatus(200, byDefault).advice).toBeUndefined()
  expect(judgeStatus(401, exactly).advice).toBeUndefined()
})

test('says what would be good', () => {
  expect(judgeStatus(500, byDefault).wanted).toBe('any under 500')
  expect(judgeStatus(500, explicit).wanted).toBe('200 to 399')
  expect(judgeStatus(500, exactly).wanted).toBe('200 to 204 or 401')
})
