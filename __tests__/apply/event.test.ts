import { expect, test } from 'vitest'
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
