import type { Round } from './rounds.ts'

/** What many rounds came to, as a table of one line for each kind of cut. */
export function figures(rounds: readonly Round[]): string {
  const kinds = [...new Set(rounds.map(({ moment }) => moment.kind))]
  const count = (some: readonly Round[], what: (round: Round) => boolean) => some.filter(what).length
  const lines = kinds.map((kind) => {
    const some = rounds.filter(({ moment }) => moment.kind === kind)
    const outcomes = [...new Set(some.map(({ outcome }) => outcome))]
      .map((outcome) => `${outcome} ${count(some, (round) => round.outcome === outcome)}`)
      .join(', ')
    return [
      `${kind}: ${some.length} moments (${outcomes})`,
      `old served ${count(some, ({ serves }) => serves === 'old')}, new ${count(some, ({ serves }) => serves === 'new')}`,
      `repaired by the next run ${count(some, ({ repaired }) => repaired)}`,
      `outages ${count(some, ({ faults }) => faults.some((fault) => /outage|not back/.test(fault)))}`,
      `needing a hand ${count(some, ({ faults }) => faults.some((fault) => !/outage|not back/.test(fault)))}`,
    ].join('; ')
  })
  return lines.join('\n')
}
