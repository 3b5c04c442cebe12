import type { StatusRange } from '../inputs.ts'

/** What counts as a good answer. */
export interface StatusRule {
  /** Exactly these; undefined: by `explicitPath`. */
  readonly expectStatus: readonly StatusRange[] | undefined
  /** The user chose the path: then it has to answer with 2xx or 3xx; else anything under 500 proves the app alive. */
  readonly explicitPath: boolean
}

/** A judged status. */
export interface StatusJudgement {
  readonly good: boolean
  /** The statuses that would be good, in words, e.g. `200 to 399`. */
  readonly wanted: string
  /** Advice for a good answer that may still not be what the user wants; undefined where there is none. */
  readonly advice: string | undefined
}

/** Judges an HTTP status: the one rule of the health check and the smoke test. */
export function judgeStatus(status: number, rule: StatusRule): StatusJudgement {
  const ranges = rule.expectStatus ?? [rule.explicitPath ? ([200, 399] as const) : ([100, 499] as const)]
  const good = ranges.some(([first, last]) => first <= status && status <= last)
  const byDefault = rule.expectStatus === undefined && !rule.explicitPath
  const wanted = byDefault ? 'any under 500' : ranges.map(inWords).join(' or ')
  const advice =
    good && byDefault && status >= 400
      ? `The page answers ${status}; set \`health-path\` to a page that answers 200, so that a broken app is noticed.`
      : undefined
  return { good, wanted, advice }
}

function inWords([first, last]: StatusRange): string {
  return first === last ? `${first}` : `${first} to ${last}`
}
