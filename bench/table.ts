import { median, roundTrips, type Samples } from './sample.ts'

/** One line of the table. */
export interface Row {
  readonly name: string
  readonly samples: Samples
}

/** The table, in GitHub's Markdown: medians in seconds with the least in brackets, round trips, bytes. */
export function renderTable(rows: readonly Row[], distances: readonly number[]): string {
  const head = ['', ...distances.map((rttMs) => `@${rttMs} ms`), 'round trips 50-100 (0-100)', 'kB up', 'kB down']
  const cells = rows.map(({ name, samples }) => [
    name,
    ...distances.map((rttMs) => times((samples.get(rttMs) ?? []).map(({ ms }) => ms))),
    samples.size < distances.length
      ? ''
      : `${roundTrips(samples, 50, 100).toFixed(1)} (${roundTrips(samples, 0, 100).toFixed(1)})`,
    kilobytes((samples.get(0) ?? []).map(({ up }) => up)),
    kilobytes((samples.get(0) ?? []).map(({ down }) => down)),
  ])
  const lines = [head, head.map(() => ''), ...cells]
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)))
  return lines
    .map((line, at) =>
      at === 1
        ? `|${widths.map((width, column) => (column === 0 ? '-' : ' ').concat('-'.repeat(width), column === 0 ? '-' : ':')).join('|')}|`
        : `| ${line.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))).join(' | ')} |`,
    )
    .join('\n')
}

function times(ms: readonly number[]): string {
  if (ms.length === 0) return ''
  const seconds = (value: number) => (value / 1000).toFixed(2)
  return ms.length === 1 ? seconds(median(ms)) : `${seconds(median(ms))} (${seconds(Math.min(...ms))})`
}

function kilobytes(bytes: readonly number[]): string {
  return bytes.length === 0 ? '' : (median(bytes) / 1000).toFixed(1)
}
