import { median, roundTrips, type Samples } from './sample.ts'

/** One line of the table. */
export interface Row {
  readonly name: string
  readonly samples: Samples
}

/** The table, in GitHub's Markdown: medians in seconds with the least in brackets, round trips, bytes. */
export function renderTable(rows: readonly Row[], distances: readonly number[], far: number): string {
  const trips = ['round trips 50-100', '0-100', `0-${far}`]
  const head = ['', ...distances.map((rttMs) => `@${rttMs} ms`), ...trips, 'kB up', 'kB down']
  const cells = rows.map(({ name, samples }) => [
    name,
    ...distances.map((rttMs) => times((samples.get(rttMs) ?? []).map(({ ms }) => ms))),
    ...[roundTrips(samples, 50, 100), roundTrips(samples, 0, 100), roundTrips(samples, 0, far)].map(
      (count) => (Number.isNaN(count) ? '' : count.toFixed(1)),
    ),
    kilobytes((samples.get(0) ?? []).map(({ up }) => up)),
    kilobytes((samples.get(0) ?? []).map(({ down }) => down)),
  ])
  const lines = [head, ...cells]
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)))
  const [first = '', ...others] = lines.map((line) =>
    line.map((cell, column) => padded(cell, column, widths)).join(' | '),
  )
  const rule = widths.map((width, column) =>
    '-'.repeat(width - (column === 0 ? 0 : 1)).concat(column === 0 ? '' : ':'),
  )
  return [first, rule.join(' | '), ...others].map((line) => `| ${line} |`).join('\n')
}

function padded(cell: string, column: number, widths: readonly number[]): string {
  const width = widths[column] ?? 0
  return column === 0 ? cell.padEnd(width) : cell.padStart(width)
}

function times(ms: readonly number[]): string {
  if (ms.length === 0) return ''
  const seconds = (value: number) => (value / 1000).toFixed(2)
  return ms.length === 1 ? seconds(median(ms)) : `${seconds(median(ms))} (${seconds(Math.min(...ms))})`
}

function kilobytes(bytes: readonly number[]): string {
  return bytes.length === 0 ? '' : (median(bytes) / 1000).toFixed(1)
}
