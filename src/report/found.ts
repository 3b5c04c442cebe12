import type { Explanation } from '../errors.ts'
import type { Warning } from '../project/project.ts'
import { unfinishedPackages } from './diagnosis-packages.ts'
import { appDoubts, appFindings } from './found-app.ts'
import { destroyDoubts, destroyFindings } from './found-destroy.ts'
import type { Change } from './report.ts'

/** What the server found out about the project (`found WHAT DETAIL`), in words. */
const findings: Readonly<Record<string, (detail: string) => Change>> = {
  ...appFindings,
  ...destroyFindings,
  'secret-key': (detail) => ({
    what: 'secret key',
    detail: `${detail === 'kept' ? 'the one that the server made earlier' : 'made on the server'}, for SECRET_KEY and FLASK_SECRET_KEY, as env sets none; it stays the same for all releases`,
  }),
  postgresql: (detail) => {
    const [version = '', database = '', told = ''] = detail.split(' ')
    return {
      what: 'PostgreSQL',
      detail: `version ${version}: database ${database}, which the app owns${toldBy(told)}`,
    }
  },
  redis: (detail) => {
    const [unit = '', told = ''] = detail.split(' ')
    return { what: 'Redis', detail: `an instance of its own, ${unit}${toldBy(told)}` }
  },
  python,
  'needed-packages': (detail) => ({ what: 'system packages', detail }),
  'system-packages': systemPackages,
  resolved: (detail) => {
    const [at = 0, now = 0] = detail.split(' ').map(Number)
    return { what: 'versions', detail: resolvedOn(at, now) }
  },
  room: (detail) => {
    const [folder = '', kilobytes] = detail.split(' ')
    const left = /^[0-9]{1,12}$/.test(kilobytes ?? '') ? Math.floor(Number(kilobytes) / 1024) : 0
    return {
      what: 'room on the disk',
      detail: `${folder} had ${left} MB left, too little for a release, so what nobody needs was removed`,
    }
  },
  site: (detail) => ({
    what: 'the project itself',
    detail:
      detail === 'built'
        ? 'installed beside its packages'
        : 'could not be built (the log says why); it runs from its folder',
  }),
  'first-deploy-command': (detail) => ({
    what: 'first-deploy-command',
    detail:
      detail === 'ran'
        ? 'not run: it ran once already'
        : 'not run: the app had been deployed before it was set; run it by hand where it is still needed',
  }),
}

/** What the user should look at (`doubt WHAT DETAIL`), in words. */
const doubts: Readonly<Record<string, (detail: string) => Warning>> = {
  ...appDoubts,
  ...destroyDoubts,
  'cron-not-scheduled': (detail) => {
    const text = `systemd on the server did not take the schedule of \`${detail}\` in \`cron\`: it does not run.`
    return { code: 'cron-not-scheduled', text }
  },
  'packages-go-on': (detail) => {
    const text = `apt-get is never stopped half-way: it goes on to install \`${detail}\` on the server, and the next run finds that done.`
    return { code: 'packages-go-on', text }
  },
  'packages-unfinished': (detail) => ({ code: 'packages-unfinished', text: unfinishedPackages(detail) }),
  'python-fallback': otherPython,
  'old-silent': (detail) => {
    const [release = '', , why = 'no answer'] = detail.split(' ')
    const text = `The server went back to release ${release} by itself, and asked it through nginx: it did not answer well (${why}). Look at the site, at \`journalctl -u 'web-*'\` and at nginx's log on the server.`
    return { code: 'old-silent', text }
  },
  'memory-short': (detail) => {
    const [left, first, total] = numbers(detail)
    const text = `The server is short of memory: ${left} of ${total} MB were left, and the new release begins with about ${first} MB beside the one that serves. Set \`workers\` to a smaller number, or give the server swap.`
    return { code: 'memory-short', text }
  },
  'workers-held-back': (detail) => {
    const [began, wished, each, left] = numbers(detail)
    const text = `The server is short of memory (${left} MB left; each process of the app takes about ${each} MB), so the new release has ${began} of its ${wished} processes until the old one has ended. Set \`workers\` to a smaller number, or give the server swap.`
    return { code: 'workers-held-back', text }
  },
  'not-watched': () => ({
    code: 'not-watched',
    text: 'systemd on the server did not start the watch over the new release: the release before it runs on until the next deploy.',
  }),
}

/** Numbers of a detail, of which each has to be one. */
function numbers(detail: string): readonly string[] {
  return detail.split(' ').map((word) => (/^[0-9]{1,9}$/.test(word) ? word : '?'))
}

/** @param names variables, comma-separated; '' where `env` sets them all */
function toldBy(names: string): string {
  return names === ''
    ? '; env names another one to the app'
    : `; the app finds it by ${names.replaceAll(',', ', ')}`
}

/** A finding of the server's as a row of the summary. */
export function foundRow(what: string, detail: string): Change {
  const row = Object.hasOwn(findings, what) ? findings[what] : undefined
  return row === undefined ? { what, detail } : row(detail)
}

/** What a plan says where a deploy of the same would be refused. */
export function wouldRefuse({ cause, cure }: Explanation): Warning {
  return { code: 'would-be-refused', text: `A deploy would be refused: ${cause} ${cure}` }
}

/** A doubt of the server's as a warning. */
export function doubtWarning(what: string, detail: string): Warning {
  const row = Object.hasOwn(doubts, what) ? doubts[what] : undefined
  return row === undefined ? { code: what, text: detail } : row(detail)
}

/** `VERSION HOW WHY`: the Python that was taken. */
function python(detail: string): Change {
  const [version = '', how = '', ...rest] = detail.split(' ')
  const reason = rest.join(' ')
  const own = how === 'server' ? "the server's own " : how === 'managed' ? "uv's " : "the distribution's "
  return { what: 'Python', detail: `${own}${version}${reason === '' ? '' : ` (${reason})`}` }
}

/** `VERSION LIKED WHERE`: another Python than the one that is liked best. */
function otherPython(detail: string): Warning {
  const [version = '', preferred = '', ...where] = detail.split(' ')
  return {
    code: 'python-fallback',
    text: `The app runs on Python ${version}, because ${preferred}, which ${where.join(' ')} names, is not to be had on this server.`,
  }
}

/** `NAME,NAME, WHY`: what a failed build or start was found to need, and the lines that pin it. */
function systemPackages(detail: string): Change {
  const [, names = '', why = ''] = /^(\S+), (.*)$/.exec(detail) ?? []
  const all = names.split(',')
  return {
    what: 'system packages',
    detail: `${all.join(', ')}, because ${why}; to have ${all.length === 1 ? 'it' : 'them'} from the start, add to \`packages\`: ${all.join(' ')}`,
  }
}

/**
 * When versions that nothing pins were chosen.
 * @param at seconds since 1970, as is `now`; both by the server's clock
 */
export function resolvedOn(at: number, now: number): string {
  const date = new Date(at * 1000)
  if (!(at > 0) || Number.isNaN(date.getTime())) return 'chosen on a day that is not known'
  const days = Math.max(0, Math.floor((now - at) / 86_400))
  const ago = days === 0 ? 'today' : days === 1 ? 'a day ago' : `${days} days ago`
  return `chosen on ${date.toISOString().slice(0, 10)} (${ago}); \`refresh: true\` chooses them anew`
}

/** The app answers, but has nothing at the address that visitors begin with: it may be another app than was meant. */
export function pageAbsent(path: string): Warning {
  return {
    code: 'page-absent',
    text: `The app has no page \`${path}\` (it answered 404). If it should have one, look whether \`app\` is the right one; else set \`health-path\` to a page that it has.`,
  }
}

/** The server was restarted after the verdict: what it kept is known, what it would have said since is not. */
export function outcomeRead(release: string): Warning {
  return {
    code: 'outcome-read',
    text: `The server was restarted after the verdict, so that release ${release} serves was read from its state. What follows a verdict (the end of the old release, HTTPS) may be left for the next deploy.`,
  }
}
