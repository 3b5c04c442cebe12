import type { Visit } from './load.ts'

/**
 * What went wrong with requests under load, one sentence each.
 * @param served the versions that visitors got, in order; a version may come again
 */
export function faults(visits: readonly Visit[], served: readonly string[]): readonly string[] {
  const failed = visits
    .filter(({ fault }) => fault !== '')
    .map((visit) => `${visit.kind} at ${stamp(visit.began, visits)}: ${visit.fault}`)
  return [...failed, ...disorder(visits, served)]
}

/** A request that began after another was answered gets the same version or a later one. */
function disorder(visits: readonly Visit[], served: readonly string[]): readonly string[] {
  const wrong: string[] = []
  const answered = visits
    .filter(({ fault }) => fault === '')
    .toSorted((one, other) => one.began - other.began)
  /** Answers in the order of their end, with their place in `served`. */
  const ended: { readonly at: number; readonly place: number }[] = []
  let least = 0
  for (const visit of answered) {
    for (;;) {
      const [first] = ended
      if (first === undefined || first.at > visit.began) break
      least = Math.max(least, first.place)
      ended.shift()
    }
    const place = served.indexOf(visit.version, least)
    if (place === -1) {
      wrong.push(
        `${visit.kind} at ${stamp(visit.began, visits)}: version ${visit.version} answered, though ${served[least]} had before`,
      )
      continue
    }
    const after = ended.findIndex(({ at }) => at > visit.ended)
    ended.splice(after === -1 ? ended.length : after, 0, { at: visit.ended, place })
  }
  return wrong
}

/** Counts and times, for the log of the test. */
export function figures(visits: readonly Visit[]): string {
  const kinds = [...new Set(visits.map(({ kind }) => kind))]
  return kinds
    .map((kind) => {
      const ms = visits.filter((visit) => visit.kind === kind).map(({ began, ended }) => ended - began)
      return `${kind} ${ms.length} (max ${Math.round(Math.max(...ms))} ms)`
    })
    .join(', ')
}

function stamp(at: number, visits: readonly Visit[]): string {
  return `${((at - Math.min(...visits.map(({ began }) => began))) / 1000).toFixed(2)} s`
}
