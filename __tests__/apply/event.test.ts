import { describe, expect, test } from 'vitest'
import { parseEvent } from '../../src/apply/event.ts'

test.each([
  ['12.34 phase health', { seconds: 12.34, kind: 'phase', phase: 'health' }],
  ['12.34 log 0 end 0', { seconds: 12.34, kind: 'log', line: '0 end 0' }],
  ['1.00 log ', { seconds: 1, kind: 'log', line: '' }],
  ['1.00 log', { seconds: 1, kind: 'log', line: '' }],
  [
    '1.00 changed packages nginx python3',
    { seconds: 1, kind: 'changed', what: 'packages', detail: 'nginx python3' },
  ],
  ['1.00 health 200 12 3', { seconds: 1, kind: 'health', status: 200, ms: 12, answers: 3 }],
  ['1.00 fail health-status 500', { seconds: 1, kind: 'fail', code: 'health-status', detail: '500' }],
  [
    '1.00 answered ok 200 5 20261122184800-abc1234',
    {
      seconds: 1,
      kind: 'answered',
      answer: { ok: true, code: '', status: 200, ms: 5, release: '20261122184800-abc1234' },
    },
  ],
  [
    '1.00 answered fail unreachable 0 ConnectionRefusedError',
    {
      seconds: 1,
      kind: 'answered',
      answer: { ok: false, code: 'unreachable', status: 0, ms: 0, release: 'ConnectionRefusedError' },
    },
  ],
  ['1.00 end 0', { seconds: 1, kind: 'end', status: 0 }],
])('%s', (line, event) => {
  expect(parseEvent(line)).toEqual(event)
})

test.each(['', 'end 0', '1.0', '1.0 dance', '1.0 phase dance', 'x end 0', '1.0 environment burnt x'])(
  'a line that no program of ours writes is none: %j',
  (line) => {
    expect(parseEvent(line)).toBeUndefined()
  },
)

describe('what a server may have forged', () => {
  test.each([
    'end NaN',
    'end',
    'end -0',
    'end 0x0',
    'end 4294967296',
    `end ${'0'.repeat(400)}`,
    'gone 1e308',
  ])('%s is no success', (text) => {
    expect(parseEvent(`1.00 ${text}`)).toMatchObject({ status: -1 })
  })

  test.each(['flipped', 'kept', 'reverted'])('%s to what is no release is to none', (kind) => {
    expect(parseEvent(`1.00 ${kind} ../../etc/passwd`)).toMatchObject({ kind, release: '' })
    expect(parseEvent(`1.00 ${kind} __proto__`)).toMatchObject({ kind, release: '' })
  })

  test('a release that serves and is none is not known', () => {
    expect(parseEvent('1.00 serving ../../x')).toMatchObject({ release: 'unknown' })
    expect(parseEvent('1.00 serving')).toMatchObject({ release: '' })
  })

  test.each(['::error::x y', '__proto__ y', `${'a'.repeat(100)} y`])('a code that is none: %s', (text) => {
    expect(parseEvent(`1.00 fail ${text}`)).toMatchObject({ code: 'unknown', detail: text })
    expect(parseEvent(`1.00 answered fail ${text}`)).toMatchObject({ answer: { code: 'unreachable' } })
  })

  test.each(['running', 'waiting', 'changed a', 'environment built', 'unpublished', 'repaired', 'fail code'])(
    'the words of %s are cut, in bytes',
    (kind) => {
      const event = parseEvent(`1.00 ${kind} ${'\u2603'.repeat(20_000)}`)
      expect(Buffer.byteLength(JSON.stringify(event))).toBeLessThan(1_200)
    },
  )

  test('a file that is to be asked for has a plain name', () => {
    expect(parseEvent('1.00 preflight flask-deploy-ab12 content')).toMatchObject({
      token: 'flask-deploy-ab12',
    })
    for (const token of ['../../x', 'a?b', 'a\r\nb', '', 'x'.repeat(200)])
      expect(parseEvent(`1.00 preflight ${token} content`)).toBeUndefined()
  })

  test('phases of the runner are none of the server', () => {
    expect(parseEvent('1.00 phase inputs')).toBeUndefined()
    expect(parseEvent('1.00 phase project')).toBeUndefined()
  })
})
