import type { Battle } from './fire.ts'
import type { Visit, VisitKind } from './load.ts'

/** Kinds that the app answers at once: what they take is what everything between takes. */
const QUICK: readonly VisitKind[] = ['page', 'page-kept', 'post', 'post-kept', 'shared-asset']

/** ms around a flip's word in the log that count as beside it: the word comes some ms after the flip. */
const BESIDE = { before: 250, after: 1_000 } as const

/** Latencies of quick requests in ms. */
export interface Latency {
  readonly count: number
  readonly median: number
  readonly p99: number
  readonly max: number
}

/** What a battle comes to, in numbers. */
export interface Figures {
  readonly requests: number
  readonly kinds: readonly {
    readonly kind: VisitKind
    readonly count: number
    readonly failed: number
    readonly max: number
  }[]
  readonly flips: number
  /** Requests that were begun before a flip and answered after it, by the release that took them. */
  readonly across: number
  /** Beside a flip; while a run was at work otherwise; and while none was. */
  readonly flip: Latency
  readonly work: Latency
  readonly quiet: Latency
}

/** Counts and compares. A request belongs to the time in which it began. */
export function figuresOf({ visits, flips, runs }: Battle): Figures {
  const beside = (at: number) => flips.some((flip) => at > flip - BESIDE.before && at < flip + BESIDE.after)
  const during = (at: number) => runs.some(({ from, until }) => at >= from && at <= until)
  const quick = visits.filter(({ kind, fault }) => fault === '' && QUICK.includes(kind))
  const kinds = [...new Set(visits.map(({ kind }) => kind))]
  return {
    requests: visits.length,
    kinds: kinds.map((kind) => {
      const some = visits.filter((visit) => visit.kind === kind)
      return {
        kind,
        count: some.length,
        failed: some.filter(({ fault }) => fault !== '').length,
        max: some.reduce((most, { began, ended }) => Math.max(most, ended - began), 0),
      }
    }),
    flips: flips.length,
    across: visits.filter(
      ({ began, ended, fault }) => fault === '' && flips.some((flip) => began < flip && ended > flip),
    ).length,
    flip: latency(quick.filter(({ began }) => beside(began))),
    work: latency(quick.filter(({ began }) => during(began) && !beside(began))),
    quiet: latency(quick.filter(({ began }) => !during(began) && !beside(began))),
  }
}

function latency(visits: readonly Visit[]): Latency {
  const ms = visits.map(({ began, ended }) => ended - began).toSorted((one, other) => one - other)
  const at = (share: number) => ms[Math.min(ms.length - 1, Math.floor(ms.length * share))] ?? Number.NaN
  return { count: ms.length, median: at(0.5), p99: at(0.99), max: at(1) }
}

/** The figures as lines of text. */
export function tellFigures(figures: Figures): string {
  const failed = figures.kinds.reduce((sum, one) => sum + one.failed, 0)
  const kinds = figures.kinds.map(
    ({ kind, count, failed: bad, max }) =>
      `  ${kind}: ${count}, ${bad} failed, at most ${Math.round(max)} ms`,
  )
  const row = (when: string, { count, median, p99, max }: Latency) =>
    `  ${when}: median ${median.toFixed(1)} ms, 99 % within ${p99.toFixed(0)} ms, at most ${max.toFixed(0)} ms (${count} requests)`
  const added = (of: 'median' | 'p99') => (figures.flip[of] - figures.quiet[of]).toFixed(1)
  return [
    `${figures.requests} requests, ${failed} failed, ${figures.flips} flips; ${figures.across} requests were answered across a flip`,
    ...kinds,
    row('within 1 s of a flip', figures.flip),
    row('otherwise while a run is at work', figures.work),
    row('in quiet time', figures.quiet),
    `  added by a flip: median ${added('median')} ms, 99 % ${added('p99')} ms`,
  ].join('\n')
}
