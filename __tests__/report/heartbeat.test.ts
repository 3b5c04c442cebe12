import { expect, test } from 'vitest'
import { type Clock, heartbeat } from '../../src/report/heartbeat.ts'

/** A clock that a test turns. */
function testClock(): Clock & { readonly pass: (ms: number) => void } {
  let now = 0
  let timers: readonly { readonly at: number; readonly callback: () => void }[] = []
  return {
    now: () => now,
    after: (ms, callback) => {
      const timer = { at: now + ms, callback }
      timers = [...timers, timer]
      return () => {
        timers = timers.filter((one) => one !== timer)
      }
    },
    pass: (ms) => {
      const end = now + ms
      for (;;) {
        const next = timers.filter((one) => one.at <= end).toSorted((one, other) => one.at - other.at)[0]
        if (next === undefined) break
        now = next.at
        timers = timers.filter((one) => one !== next)
        next.callback()
      }
      now = end
    },
  }
}

test('says what is running at least every 5 s, and since when', () => {
  const clock = testClock()
  const lines: string[] = []
  const beat = heartbeat(clock, (line) => lines.push(`${clock.now()} ${line}`))
  beat.start('apt-get install nginx')
  clock.pass(13_000)
  expect(lines).toEqual([
    '4000 still: apt-get install nginx (4 s)',
    '8000 still: apt-get install nginx (8 s)',
    '12000 still: apt-get install nginx (12 s)',
  ])
})

test('is silent while other lines come, and after the work', () => {
  const clock = testClock()
  const lines: string[] = []
  const beat = heartbeat(clock, (line) => lines.push(line))
  beat.touch()
  beat.start('uv')
  for (let at = 0; at < 10; at += 1) {
    clock.pass(3000)
    beat.touch()
  }
  expect(lines).toEqual([])
  clock.pass(4000)
  expect(lines).toEqual(['still: uv (34 s)'])
  beat.start('apt')
  clock.pass(4000)
  expect(lines.at(-1)).toBe('still: apt (4 s)')
  beat.stop()
  clock.pass(60_000)
  expect(lines).toHaveLength(2)
})
