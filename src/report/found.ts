import type { Warning } from '../project/project.ts'
import type { Change } from './report.ts'

/** What the server found out about the project (`found WHAT DETAIL`), in words. */
const findings: Readonly<Record<string, (detail: string) => Change>> = {
  'secret-key': (detail) => ({
    what: 'secret key',
    detail: `${detail === 'kept' ? 'the one that the server made earlier' : 'made on the server'}, for SECRET_KEY and FLASK_SECRET_KEY, as env sets none; it stays the same for all releases`,
  }),
  'needed-packages': (detail) => ({ what: 'system packages', detail }),
  'system-packages': systemPackages,
}

/** What the user should look at (`doubt WHAT DETAIL`), in words. */
const doubts: Readonly<Record<string, (detail: string) => Warning>> = {}

/** A finding of the server's as a row of the summary. */
export function foundRow(what: string, detail: string): Change {
  const row = Object.hasOwn(findings, what) ? findings[what] : undefined
  return row === undefined ? { what, detail } : row(detail)
}

/** A doubt of the server's as a warning. */
export function doubtWarning(what: string, detail: string): Warning {
  const row = Object.hasOwn(doubts, what) ? doubts[what] : undefined
  return row === undefined ? { code: what, text: detail } : row(detail)
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
