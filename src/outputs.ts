import type { Phase } from './phases.ts'

/** How a run can end. */
export const results = [
  'deployed',
  'unchanged',
  'planned',
  'rolled-back',
  'reverted',
  'done',
  'failed',
  'cancelled',
] as const

/** How a run ended. */
export type Result = (typeof results)[number]

/** The outputs of action.yml, set on every way out; an empty string where there is nothing to say. */
export interface Outputs {
  readonly result: Result
  /** The release this run made or went back to. */
  readonly release: string
  readonly 'previous-release': string
  /** The release that visitors get at the end, `unknown` where that could not be learned, '' where none serves. */
  readonly serving: string
  readonly url: string
  readonly 'failed-phase': Phase | ''
  /** Status of the health check's last answer, e.g. `200`. */
  readonly 'health-status': string
  readonly 'duration-ms': string
  /** JSON, see report/report.ts. */
  readonly report: string
}

/** The name of every output. */
export const outputNames = [
  'result',
  'release',
  'previous-release',
  'serving',
  'url',
  'failed-phase',
  'health-status',
  'duration-ms',
  'report',
] as const satisfies readonly (keyof Outputs)[]
