import type { Drift } from '../server/drift.ts'
import { cutToBytes } from '../text.ts'
import { markdown, markdownBlock, markdownCode, markdownSentence } from './escape.ts'
import { homeOf, howText, MOST_NAMED } from './found-drift.ts'
import type { Report } from './report.ts'
import { fitting } from './summary-sections.ts'

/** What somebody changed by hand on the server, with the diffs folded away. */
export function driftSection({ drift, app }: Report, maxBytes: number): readonly string[] {
  const homes = drift.map((one) => homeOf(one, app)).filter((home) => home !== '')
  // Then the warning has said it all.
  if (drift.length <= MOST_NAMED && homes.length === 0 && drift.every(({ lines }) => lines.length === 0))
    return []
  const row = (one: Drift) =>
    `| ${markdownCode(cutToBytes(one.path, 300))} | ${markdown(cutToBytes(howText(one), 500))} | ${one.fate === 'stays' ? 'leaves it' : 'replaces it'} | ${markdownSentence(homeOf(one, app))} |`
  return [
    '### Changed by hand on the server',
    '',
    '| What | How | A deploy | So that it lasts, it belongs into |',
    '| --- | --- | --- | --- |',
    ...fitting(drift, row, maxBytes / 2, (count) => `| and ${count} more | | | |`),
    '',
    ...diffs(drift, maxBytes / 2),
  ]
}

function diffs(drift: readonly Drift[], maxBytes: number): readonly string[] {
  const lines = drift.flatMap((one) => (one.lines.length === 0 ? [] : [`${one.path}:`, ...one.lines, '']))
  if (lines.length === 0) return []
  let kept = lines.slice(0, -1)
  while (kept.length > 1 && Buffer.byteLength(markdownBlock(kept)) > maxBytes)
    kept = kept.slice(0, Math.floor(kept.length / 2))
  return ['<details><summary>The changes</summary>', '', markdownBlock(kept), '', '</details>', '']
}
