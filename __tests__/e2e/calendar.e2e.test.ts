import { afterEach, describe, expect, test } from 'vitest'
import { cronCalendar } from '../../src/config/cron.ts'
import { quote } from '../../src/quote.ts'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'

const able = canBoot()

/** A schedule, and the first three times that it means after Sunday, 1 February 2026, 00:00. */
const schedules: readonly (readonly [string, readonly string[]])[] = [
  ['* * * * *', ['2026-02-01 00:01:00', '2026-02-01 00:02:00', '2026-02-01 00:03:00']],
  ['*/20 * * * *', ['2026-02-01 00:20:00', '2026-02-01 00:40:00', '2026-02-01 01:00:00']],
  ['5-10/3 3 * * *', ['2026-02-01 03:05:00', '2026-02-01 03:08:00', '2026-02-02 03:05:00']],
  ['0 3 * * *', ['2026-02-01 03:00:00', '2026-02-02 03:00:00', '2026-02-03 03:00:00']],
  ['30 6 * * 1-5', ['2026-02-02 06:30:00', '2026-02-03 06:30:00', '2026-02-04 06:30:00']],
  ['0 0 * * sun', ['2026-02-08 00:00:00', '2026-02-15 00:00:00', '2026-02-22 00:00:00']],
  ['0 0 * * 7', ['2026-02-08 00:00:00', '2026-02-15 00:00:00', '2026-02-22 00:00:00']],
  ['0 0 29,31 * *', ['2026-03-29 00:00:00', '2026-03-31 00:00:00', '2026-04-29 00:00:00']],
  ['0 12 1 jan,jul *', ['2026-07-01 12:00:00', '2027-01-01 12:00:00', '2027-07-01 12:00:00']],
  ['@hourly', ['2026-02-01 01:00:00', '2026-02-01 02:00:00', '2026-02-01 03:00:00']],
  ['@daily', ['2026-02-02 00:00:00', '2026-02-03 00:00:00', '2026-02-04 00:00:00']],
  ['@weekly', ['2026-02-08 00:00:00', '2026-02-15 00:00:00', '2026-02-22 00:00:00']],
  ['@monthly', ['2026-03-01 00:00:00', '2026-04-01 00:00:00', '2026-05-01 00:00:00']],
  ['@yearly', ['2027-01-01 00:00:00', '2028-01-01 00:00:00', '2029-01-01 00:00:00']],
]

describe.skipIf(!able.ok)(`schedules${able.ok ? '' : ` (skipped: ${able.why})`}`, () => {
  let server: Server | undefined
  afterEach(async () => server?.stop())

  test.each(['bullseye', 'bookworm', 'trixie', 'sid'] as const)(
    '%s has them at cron’s times',
    async (suite) => {
      server = await boot({ suite, packages: 'bare' })
      // Without a base time of its own (systemd 253 and newer), the clock decides; so the form is judged everywhere, the
      // times where they can be.
      const dated = (await server.must('systemd-analyze --help')).includes('--base-time')
      for (const [schedule, times] of schedules) {
        const calendar = cronCalendar(schedule)
        if (calendar === undefined) throw new Error(schedule)
        const base = dated ? "--base-time='2026-02-01 00:00:00' --iterations=3" : ''
        const said = await server.must(`TZ=UTC systemd-analyze calendar ${base} ${quote(calendar)}`)
        const seen = [
          ...said.matchAll(/^ *(?:Next elapse|Iter. #\d+|Iteration #\d+): \w+ ([0-9-]+ [0-9:]+)/gm),
        ]
        if (dated)
          expect(
            seen.map(([, time]) => time),
            schedule,
          ).toEqual(times)
        else expect(seen, schedule).toHaveLength(1)
      }
    },
  )
})
