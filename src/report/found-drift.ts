import type { Warning } from '../project/project.ts'
import type { Drift } from '../server/drift.ts'
import type { Facts } from '../server/facts.ts'
import { shown } from '../text.ts'
import type { Recorder } from './recorder.ts'

/** So many are named in a sentence; the summary has them all. */
export const MOST_NAMED = 3

/**
 * Tells what somebody changed by hand in what is ours on the server: in the log with its diff, as a section of the
 * summary, and as one warning.
 * @param name NAME
 */
export function tellDrift({ drift, moreDrift }: Facts, name: string, recorder: Recorder): void {
  if (drift.length === 0) return
  recorder.note({ drift })
  for (const one of drift) {
    recorder.say(`changed by hand: ${one.path}: ${howText(one)}`)
    if (one.lines.length > 0) recorder.foreign(one.lines)
  }
  recorder.warn(driftWarning(drift, moreDrift, name))
}

/** The one warning, with the cure. */
function driftWarning(drift: readonly Drift[], more: number, name: string): Warning {
  const replaced = drift.filter(({ fate }) => fate === 'replaced')
  const stays = drift.filter(({ fate }) => fate === 'stays')
  const all = [...replaced, ...stays]
  const count = all.length + more
  const parts = [
    `Changed by hand on the server: ${named(all, more)}.`,
    ...(replaced.length === 0
      ? []
      : [
          `A deploy replaces ${count === 1 ? 'it' : stays.length === 0 ? 'them' : `${replaced.length + more} of them`}, and keeps copies in \`/srv/web-${name}/edited\` on the server${lasting(replaced, name)}.`,
        ]),
    ...(stays.length === 0
      ? []
      : [
          `${replaced.length === 0 ? 'A deploy leaves' : 'It leaves'} ${count === 1 ? 'it' : replaced.length === 0 ? 'them' : named(stays)} as ${stays.length === 1 ? 'it is' : 'they are'}.`,
        ]),
  ]
  return { code: 'drift', text: parts.join(' ') }
}

/** Where the changes would have to be made so that they last. Goes on in a sentence. */
function lasting(drift: readonly Drift[], name: string): string {
  const [home = '', ...others] = new Set(drift.map((one) => homeOf(one, name)).filter((one) => one !== ''))
  if (home === '') return ''
  return others.length === 0
    ? `; what is to last belongs into ${home}`
    : '; the summary says where each belongs so that it lasts'
}

/**
 * Where a change would have to be made so that it lasts; '' where nothing of ours has such a place.
 * @param name NAME
 */
export function homeOf({ path, how, fate }: Drift, name: string): string {
  if (fate === 'stays' || !['edited', 'added', 'removed', 'variables'].includes(how)) return ''
  if (how === 'variables' || path.startsWith(`/etc/web-${name}/`)) return '`env` or `secret-files`'
  if (path.startsWith('/etc/nginx/')) return '`domain`, `max-body-size` or `timeout`'
  if (path.includes('/systemd/system'))
    return `a file in \`/etc/systemd/system/web-${name}-.service.d\`, for all releases`
  if (path.endsWith('/.deploy/gunicorn.conf.py')) return '`workers`, `threads` or `timeout`'
  return path.startsWith(`/srv/web-${name}/releases/`) ? 'the repository' : ''
}

function named(drift: readonly Drift[], more = 0): string {
  const names = drift.slice(0, MOST_NAMED).map((one) => `${shown(shortPath(one.path))} (${howText(one)})`)
  const others = drift.length - names.length + more
  return `${names.join(', ')}${others > 0 ? ` and ${others} more` : ''}`
}

/** A release's ID makes a path long, and there is only one that serves. */
function shortPath(path: string): string {
  return path.replace(/^\/srv\/web-[a-z0-9-]+\/releases\/[0-9a-f-]+\//, '')
}

/** How it was changed, in a word or two. */
export function howText({ how, detail, lines }: Drift): string {
  const [was = '', is = ''] = detail.split(',')
  switch (how) {
    case 'mode':
      return `mode ${is}, should be ${was}`
    case 'owner':
      return `owner ${is}, should be ${was}`
    case 'variables':
      return detail === '' ? 'edited' : `variables ${detail.replaceAll(',', ', ')}`
    case 'link':
      return 'leads elsewhere'
    case 'shell':
      return `login shell ${detail}`
    case 'groups':
      return `member of ${detail}`
    case 'disabled':
      return 'not started at boot'
    case 'edited':
      return detail === '' ? edited(lines) : detail.replaceAll('-', ' ')
    default:
      return how
  }
}

function edited(lines: readonly string[]): string {
  const count = (sign: string) => lines.filter((line) => line.startsWith(sign)).length
  const [plus, minus] = [count('+'), count('-')]
  return plus + minus === 0 ? 'edited' : `edited: +${plus} -${minus} lines`
}
