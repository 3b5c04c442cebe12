import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { PhaseClock, UploadClock, type WorkLimits } from '../../src/apply/time-limits.ts'
import type { DeployError } from '../../src/errors.ts'

const limits: WorkLimits = {
  of: (phase) => (phase === 'facts' ? 1_000 : 100),
  inputOf: (phase) => (phase === 'facts' ? 'lock-timeout' : undefined),
  otherAppMs: 1_000,
  uploadMs: 50,
  cancelMs: 10,
}
const told: DeployError[] = []
beforeEach(() => vi.useFakeTimers())
afterEach(() => {
  vi.useRealTimers()
  told.length = 0
})
const clock = () => new PhaseClock(limits, (error) => told.push(error))

describe('a phase', () => {
  test('that goes over is told once, with its limit and the input that raises it', () => {
    clock()
    vi.advanceTimersByTime(999)
    expect(told).toEqual([])
    vi.advanceTimersByTime(5_000)
    expect(told.map(({ code }) => code)).toEqual(['phase-timeout'])
    expect(told[0]?.message).toMatch(/`facts` after 1 s.*raise `lock-timeout`/)
  })

  test('has its own time, which saying it again does not renew', () => {
    const one = clock()
    one.enter('packages')
    vi.advanceTimersByTime(90)
    one.enter('packages')
    vi.advanceTimersByTime(11)
    expect(told).toHaveLength(1)
    expect(told[0]?.message).toContain('`packages`')
  })

  test('waits for another app once', () => {
    const one = clock()
    one.enter('packages')
    one.waits()
    vi.advanceTimersByTime(1_099)
    one.waits()
    expect(told).toEqual([])
    vi.advanceTimersByTime(2)
    expect(told).toHaveLength(1)
  })

  test('follows the events of any program: phases, the flip that begins the smoke test, another app that is waited for', () => {
    const one = clock()
    one.hear({ seconds: 1, kind: 'phase', phase: 'cutover' })
    vi.advanceTimersByTime(90)
    one.hear({ seconds: 2, kind: 'flipped', release: '20261122201017-0400bbb' })
    vi.advanceTimersByTime(90)
    one.hear({ seconds: 3, kind: 'waiting', holder: 'another app' })
    vi.advanceTimersByTime(1_009)
    expect(told).toEqual([])
    vi.advanceTimersByTime(2)
    expect(told[0]?.message).toContain('`smoke`')
  })

  test('that takes the bundle lasts as long as it comes, no other one does', () => {
    const one = clock()
    one.enter('upload')
    for (let count = 0; count < 10; count += 1) {
      vi.advanceTimersByTime(90)
      one.took()
    }
    expect(told).toEqual([])
    one.enter('dependencies')
    vi.advanceTimersByTime(90)
    one.took()
    vi.advanceTimersByTime(11)
    expect(told).toHaveLength(1)
  })

  test('that is over is not told', () => {
    clock().stop()
    vi.advanceTimersByTime(10_000)
    expect(told).toEqual([])
  })
})

test('an upload goes on as long as something is taken', () => {
  const upload = new UploadClock(50, (error) => told.push(error))
  vi.advanceTimersByTime(49)
  upload.took()
  vi.advanceTimersByTime(49)
  expect(told).toEqual([])
  vi.advanceTimersByTime(2)
  expect(told.map(({ code }) => code)).toEqual(['upload-stalled'])
})
