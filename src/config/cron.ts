/** Crontab's names (crontab(5)), and their numbers. */
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']

/** crontab(5)'s nicknames for the five fields. */
const NICKNAMES: Readonly<Record<string, string>> = {
  '@hourly': '0 * * * *',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@weekly': '0 0 * * 0',
  '@monthly': '0 0 1 * *',
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
}

/**
 * Five fields of a crontab as systemd writes them (systemd.time(7), "Calendar Events").
 * @returns undefined for what is no schedule, and for one that names days of the month and of the week: cron takes either,
 * systemd both
 */
export function cronCalendar(schedule: string): string | undefined {
  const [minutes, hours, days, months, weekdays, ...rest] = (NICKNAMES[schedule] ?? schedule).split(/\s+/)
  if (rest.length > 0 || weekdays === undefined) return undefined
  const minute = field(minutes ?? '', 0, 59)
  const hour = field(hours ?? '', 0, 23)
  const day = field(days ?? '', 1, 31)
  const month = field(months ?? '', 1, 12, MONTHS)
  const weekday = field(weekdays, 0, 7, WEEKDAYS)
  if (minute === undefined || hour === undefined || day === undefined || month === undefined) return undefined
  if (weekday === undefined || (day !== '*' && weekday !== '*')) return undefined
  const date = `*-${month}-${day} ${hour}:${minute}:00`
  return weekday === '*' ? date : `${weekdayNames(weekday)} ${date}`
}

/** One field as a list of numbers, `*` for all: the form that both can read whatever the steps are. */
function field(text: string, min: number, max: number, names: readonly string[] = []): string | undefined {
  if (text === '*') return '*'
  const numbers = new Set<number>()
  for (const part of text.split(',')) {
    const [, whole = '', from = '', to, step = '1'] =
      /^(\*|([0-9]{1,2}|[a-z]{3})(?:-([0-9]{1,2}|[a-z]{3}))?)(?:\/([0-9]{1,2}))?$/i.exec(part) ?? []
    if (whole === '') return undefined
    const first = whole === '*' ? min : number(from, min, names)
    const last =
      whole === '*' ? max : to === undefined ? (part.includes('/') ? max : first) : number(to, min, names)
    const by = Number(step)
    if (first === undefined || last === undefined || first < min || last > max || first > last || by < 1) {
      return undefined
    }
    for (let value = first; value <= last; value += by) numbers.add(value)
  }
  return [...numbers].toSorted((one, other) => one - other).join(',')
}

function number(text: string, min: number, names: readonly string[]): number | undefined {
  if (/^[0-9]+$/.test(text)) return Number(text)
  const at = names.indexOf(text.toLowerCase())
  return at < 0 ? undefined : at + (names === MONTHS ? min : 0)
}

function weekdayNames(list: string): string {
  const names = list.split(',').map((one) => WEEKDAYS[Number(one) % 7] ?? '')
  return [...new Set(names)].map((name) => `${name.charAt(0).toUpperCase()}${name.slice(1)}`).join(',')
}
