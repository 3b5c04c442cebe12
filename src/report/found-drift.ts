import type { Warning } from '../project/project.ts'
import type { Drift } from '../server/drift.ts'
import type { Facts } from '../server/facts.ts'
import { shown } from '../text.ts'
import type { Recorder } from './recorder.ts'

/** So many are named in a sentence; the summary has them all. */
const MOST_NAMED = 5

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
  const parts = [
    ...(replaced.length === 0
      ? []
      : [
          `A deploy replaces them, and keeps copies in \`/srv/web-${name}/edited\` on the server; what is to last belongs into ${homes(replaced, name)}.`,
        ]),
    ...(stays.length === 0
      ? []
      : [
          `${replaced.length === 0 ? 'A deploy leaves' : 'It leaves'} ${named(stays)} as ${stays.length === 1 ? 'it is' : 'they are'}.`,
        ]),
  ]
  const all = [...replaced, ...stays]
  return {
    code: 'drift',
    text: `On the server was changed by hand: ${named(all, more)}. ${parts.join(' ')}`,
  }
}

/** Where a change would have to be made so that it lasts. */
function homes(drift: readonly Drift[], name: string): string {
  const found = new Set(drift.map((one) => homeOf(one, name)))
  const [...list] = found
  return list.length < 2 ? list.join('') : `${list.slice(0, -1).join(', ')} or ${list.at(-1)}`
}

function homeOf({ path, how }: Drift, name: string): string {
  if (how === 'variables' || path.startsWith(`/etc/web-${name}/`)) return '`env` or `secret-files`'
  if (path.startsWith('/etc/nginx/'))
    return 'the inputs that nginx is set by (`domain`, `max-body-size`, `timeout`)'
  if (path.includes('/systemd/system'))
    return `a file of \`/etc/systemd/system/web-${name}-.service.d\`, which counts for all releases`
  if (path.endsWith('/.deploy/gunicorn.conf.py')) return '`workers`, `threads` or `timeout`'
  if (path.startsWith(`/srv/web-${name}/releases/`)) return 'the repository'
  return 'another place than this'
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
