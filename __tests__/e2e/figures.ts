import type { Round } from './rounds.ts'

/** What many rounds came to, as a table of one line for each kind of run and of cut. */
export function figures(rounds: readonly Round[]): string {
  const kindOf = ({ moment }: Round) => `${moment.act}, ${moment.kind}`
  const kinds = [...new Set(rounds.map(kindOf))].toSorted()
  const count = (some: readonly Round[], what: (round: Round) => boolean) => some.filter(what).length
  const lines = kinds.map((kind) => {
    const some = rounds.filter((round) => kindOf(round) === kind)
    const outcomes = [...new Set(some.map(({ outcome }) => outcome))]
      .map((outcome) => `${outcome} ${count(some, (round) => round.outcome === outcome)}`)
      .join(', ')
    const served = (['old', 'new', 'nothing'] as const)
      .map((what) => `${what} served ${count(some, ({ serves }) => serves === what)}`)
      .join(', ')
    return [
      `${kind}: ${some.length} moments (${outcomes})`,
      served,
      `repaired by the next run ${count(some, ({ repaired }) => repaired)}`,
      `outages ${count(some, ({ faults }) => faults.some((fault) => /outage|not back/.test(fault)))}`,
      `needing a hand ${count(some, ({ faults }) => faults.some((fault) => !/outage|not back/.test(fault)))}`,
    ].join('; ')
  })
  return lines.join('\n')
}
