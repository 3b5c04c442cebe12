import { cronCalendar } from '../config/cron.ts'
import type { CronJob } from '../inputs.ts'
import { shown } from '../text.ts'
import type { InputName } from './declared.ts'
import {
  all,
  andThen,
  bad,
  good,
  hasNoncharacter,
  type Kind,
  linesOf,
  oddCharacter,
  type Reading,
} from './reading.ts'

/** What a process may be called: it becomes a part of a unit's name. */
const NAME = /^[a-z][a-z0-9-]{0,30}$/

/** `NAME: COMMAND`, one a line; the one word `none` is no process at all. */
export const processLines: Kind<ReadonlyMap<string, string>> = (raw, input) => {
  const lines = linesOf(raw)
  if (lines.length === 1 && lines[0] === 'none') return good(new Map())
  return andThen(
    all(lines.map((line) => named(line, input, '`worker: celery -A app.celery worker`'))),
    (found) => onceEach(found, input),
  )
}

/** `NAME: MINUTE HOUR DAY MONTH WEEKDAY COMMAND`, one a line. */
export const cronLines: Kind<readonly CronJob[]> = (raw, input) => {
  const lines = linesOf(raw)
  if (lines.length === 1 && lines[0] === 'none') return good([])
  const jobs = all(
    lines.map((line) =>
      andThen(named(line, input, '`clean: 0 3 * * * flask clean`'), (one) => job(one, input)),
    ),
  )
  return andThen(jobs, (found) =>
    andThen(
      onceEach(
        found.map((one): Named => [one.name, one.command]),
        input,
      ),
      () => good(found),
    ),
  )
}

type Named = readonly [name: string, rest: string]

function named(line: string, input: InputName, example: string): Reading<Named> {
  const odd = oddCharacter(line)
  if (odd !== undefined || hasNoncharacter(line)) {
    return bad(input, `holds the character ${shown(odd ?? line)}`, 'Take that character out.')
  }
  const [, name = '', rest = ''] = /^([^\s:]+):\s+(.+)$/.exec(line) ?? []
  if (!NAME.test(name)) {
    return bad(
      input,
      `has the line ${shown(line)}`,
      `Write such as ${example}; a name has lower-case letters, digits and \`-\`, at most 31.`,
    )
  }
  return name === 'web'
    ? bad(input, 'has a process `web`', 'Write that one as `web-command`.')
    : good([name, rest])
}

function job([name, rest]: Named, input: InputName): Reading<CronJob> {
  const [, schedule = '', command = ''] = /^(@\w+|(?:\S+\s+){4}\S+)\s+(\S.*)$/.exec(rest) ?? []
  const calendar = cronCalendar(schedule)
  if (calendar !== undefined && command !== '') return good({ name, calendar, command })
  return bad(
    input,
    `has the line ${shown(`${name}: ${rest}`)}`,
    'Write five fields as in a crontab (`0 3 * * *`, `*/5 * * * 1-5`) or `@daily`, and the command behind them.',
  )
}

function onceEach(found: readonly Named[], input: InputName): Reading<ReadonlyMap<string, string>> {
  const twice = found.find(([name], at) => found.findIndex(([other]) => other === name) < at)
  if (twice === undefined) return good(new Map(found))
  return bad(input, `has ${shown(twice[0])} twice`, 'Give each a name of its own.')
}
