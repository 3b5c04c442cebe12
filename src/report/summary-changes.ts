import { cutToBytes } from '../text.ts'
import { markdown } from './escape.ts'
import type { Change, Report } from './report.ts'
import { fitting } from './summary-sections.ts'

/** Bytes of one value of unbounded length before it is escaped. */
const longestValue = 1000

/** What changed on the server, or would. */
export function changesSection(report: Report, maxBytes: number): readonly string[] {
  const planned = report.result === 'planned'
  if (report.changes.length === 0) {
    return planned ? ['### What a deploy would change', '', 'Nothing.', ''] : []
  }
  const row = ({ what, detail }: Change) => `| ${value(what)} | ${value(detail)} |`
  return [
    `### ${title(report)}`,
    '',
    ...(isTakenBack(report)
      ? ['What belongs to the new release was taken back; system packages, users and data stay.', '']
      : []),
    '| What | Detail |',
    '| --- | --- |',
    ...fitting(
      planned ? report.changes : inWords(report.changes),
      row,
      maxBytes,
      (count) => `| and ${count} more | |`,
    ),
    '',
  ]
}

function title(report: Report): string {
  if (report.result === 'planned') return 'What a deploy would change'
  return isTakenBack(report) ? 'What had been changed by then' : 'What changed on the server'
}

/** The run made a release that visitors do not have at its end, as far as that is known. */
function isTakenBack({ command, result, release, serving, changes }: Report): boolean {
  const ended = result === 'failed' || result === 'cancelled' || result === 'reverted'
  return (
    command === 'deploy' &&
    ended &&
    serving !== 'unknown' &&
    serving !== release &&
    changes.some((change) => change.what === 'release' && change.detail === release)
  )
}

/** Changes for people: the report has the server's own words. */
function inWords(changes: readonly Change[]): readonly Change[] {
  return inGroups(changes).map((change) => {
    const words = Object.hasOwn(WORDS, change.what) ? WORDS[change.what] : undefined
    return words === undefined ? change : words(change.detail)
  })
}

const WORDS: Readonly<Record<string, (detail: string) => Change>> = {
  cleaned: (detail) => ({ what: 'removed', detail: `release ${detail}, which no verdict kept` }),
  ended: (detail) => ({ what: 'stopped', detail: `${detail}, which a deploy that was cut off had started` }),
  edited: (detail) => ({ what: 'copies', detail: `of what was changed by hand: ${detail}` }),
  reverted: (detail) => ({ what: 'back', detail: `visitors get release ${detail} again` }),
  repaired: (detail) => {
    const [from = '', to = ''] = detail.split(' ')
    const back = from === to ? '' : `; visitors got release ${to} again in place of ${from}`
    return { what: 'repaired', detail: `what a deploy that was cut off had begun was taken back${back}` }
  },
}

/** An app that is removed has many units and releases: each kind in one row. */
function inGroups(changes: readonly Change[]): readonly Change[] {
  const kindOf = ({ what, detail }: Change) =>
    what === 'removed' ? (/^(release|unit) (?=\S+$)/.exec(detail)?.[1] ?? '') : ''
  const rows = Map.groupBy(changes, (change) => kindOf(change) || change)
  return [...rows].flatMap(([kind, list]) =>
    typeof kind !== 'string' || list.length === 1
      ? list
      : [
          {
            what: 'removed',
            detail:
              kind === 'unit'
                ? `${list.length} units of systemd`
                : `${list.length} releases: ${list.map(({ detail }) => detail.slice(kind.length + 1)).join(', ')}`,
          },
        ],
  )
}

function value(text: string): string {
  return markdown(cutToBytes(text, longestValue))
}
