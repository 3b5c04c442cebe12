import type { DeployError, Explanation } from '../errors.ts'
import type { Inputs } from '../inputs.ts'
import type { Outputs, Result } from '../outputs.ts'
import type { Phase } from '../phases.ts'
import type { Unpinned, Warning } from '../project/project.ts'
import type { Redactor } from '../secrets.ts'
import type { Drift } from '../server/drift.ts'
import { cutToBytes } from '../text.ts'
import type { CertificateReport } from './certificate.ts'
import { redactedSections, type Section } from './sections.ts'
import type { SettlingReport } from './settling.ts'

/**
 * Everything a run has to say at its end: what the summary is made from, and, as JSON, the output `report`.
 * In JSON a field may be added in later versions; none changes its meaning within one `schema`.
 */
export interface Report {
  readonly schema: 1
  readonly command: Inputs['command']
  readonly result: Result
  /** NAME; '' where the run ended before it was known. */
  readonly app: string
  /** The release this run made or went back to; '' where there is none. */
  readonly release: string
  /** The release that served when the run began; '' where there was none. */
  readonly previous: string
  /** The release that visitors get now; `unknown` where it could not be learned, '' where none serves. */
  readonly serving: string
  /** The site's address; '' where it is not known. */
  readonly url: string
  /** Full commit hashes of `release` and `previous`; '' where there is no git or it is not known. */
  readonly commit: string
  readonly previousCommit: string
  readonly failedPhase: Phase | ''
  /** The phases that ran, in order. */
  readonly phases: readonly PhaseReport[]
  /** What changed on the server, or, for `plan`, what would. */
  readonly changes: readonly Change[]
  /** What was found out about the project, and from what. */
  readonly found: readonly Change[]
  readonly health: HealthReport | null
  readonly smoke: SmokeReport | null
  /** The settle time of this run's release; null where there is none. */
  readonly settling: SettlingReport | null
  /** The certificate that the site uses; null where it has HTTP only. */
  readonly certificate: CertificateReport | null
  readonly warnings: readonly Warning[]
  /** What somebody changed by hand on the server in what is ours, as the run found it. */
  readonly drift: readonly Drift[]
  /** Python packages that no hash stands for, by files of the repository; of a rollback nothing is known. */
  readonly unpinned: readonly Unpinned[]
  /** What a command that makes no release has to tell. */
  readonly sections: readonly Section[]
  readonly error: ErrorReport | null
  /** The last lines that the app or a program on the server printed, at most 40, oldest first. */
  readonly lines: readonly string[]
  readonly durationMs: number
  /** Round trips between runner and server, where they were counted. */
  readonly roundTrips: number | null
}

export interface PhaseReport {
  readonly phase: Phase
  readonly ms: number
  readonly ok: boolean
}

/** One change of the server, e.g. `{ what: 'package', detail: 'nginx 1.24.0' }`. */
export interface Change {
  readonly what: string
  readonly detail: string
}

/** The health check over the new release's own socket. */
export interface HealthReport {
  readonly ok: boolean
  readonly path: string
  /** HTTP status of the last answer, null where none came. */
  readonly status: number | null
  /** Time from the start of the release to the verdict. */
  readonly ms: number
  /** Answers that were judged. */
  readonly answers: number
}

/** The smoke test over public HTTP. */
export interface SmokeReport {
  readonly ok: boolean
  readonly from: 'runner' | 'server'
  readonly url: string
  readonly status: number | null
  readonly ms: number
  /** The release that answered, '' where it did not say. */
  readonly release: string
}

/** A {@link DeployError} as data. */
export interface ErrorReport {
  readonly code: string
  /** The first fault. */
  readonly cause: string
  readonly cure: string
  readonly input?: string
  readonly file?: string
  readonly line?: number
  /** All faults, the first one among them. */
  readonly faults: readonly Explanation[]
}

/** How many log lines a report keeps. */
export const mostLines = 40
/** Bytes of one log line that a report keeps. */
const longestLine = 2000
/**
 * Bytes of the output `report`: it may be handed to a later step as an environment variable, of which Linux takes
 * 128 KiB (execve(2), MAX_ARG_STRLEN).
 */
const longestJson = 100_000

/** A report of a run that has not done anything yet. */
export const emptyReport: Report = {
  schema: 1,
  command: 'deploy',
  result: 'failed',
  app: '',
  release: '',
  previous: '',
  serving: 'unknown',
  url: '',
  commit: '',
  previousCommit: '',
  failedPhase: '',
  phases: [],
  changes: [],
  found: [],
  health: null,
  smoke: null,
  settling: null,
  certificate: null,
  warnings: [],
  drift: [],
  unpinned: [],
  sections: [],
  error: null,
  lines: [],
  durationMs: 0,
  roundTrips: null,
}

/** The parts of a report that an error decides. */
export function reportOfError(error: DeployError): Pick<Report, 'error' | 'lines'> {
  const [first = { cause: error.message, cure: '' }] = error.explanations
  return {
    error: { code: error.code, ...first, faults: error.explanations },
    lines: error.lines.slice(-mostLines),
  }
}

/**
 * The report without any secret and with bounded lines. Words of our own (`result`, phases, codes, release IDs) stay
 * as they are, so that an output never lies.
 */
export function redactedReport(report: Report, { redact }: Redactor): Report {
  const explanation = <Given extends Explanation>(given: Given): Given => ({
    ...given,
    cause: redact(given.cause),
    cure: redact(given.cure),
    ...(given.file === undefined ? {} : { file: redact(given.file) }),
  })
  return {
    ...report,
    url: redact(report.url),
    changes: report.changes.map(({ what, detail }) => ({ what: redact(what), detail: redact(detail) })),
    found: report.found.map(({ what, detail }) => ({ what: redact(what), detail: redact(detail) })),
    health: report.health && { ...report.health, path: redact(report.health.path) },
    smoke: report.smoke && { ...report.smoke, url: redact(report.smoke.url) },
    warnings: report.warnings.map((one) => ({
      ...one,
      text: redact(one.text),
      ...(one.file === undefined ? {} : { file: redact(one.file) }),
    })),
    drift: report.drift.map((one) => ({
      ...one,
      detail: redact(one.detail),
      path: redact(one.path),
      lines: one.lines.map(redact),
    })),
    unpinned: report.unpinned.map((one) => ({ ...one, name: redact(one.name), file: redact(one.file) })),
    sections: redactedSections(report.sections, redact),
    error: report.error && { ...explanation(report.error), faults: report.error.faults.map(explanation) },
    lines: report.lines.slice(-mostLines).map((line) => cutToBytes(redact(line), longestLine)),
  }
}

/** What of a report may be long, left out. */
const noLists = {
  lines: [],
  changes: [],
  found: [],
  warnings: [],
  drift: [],
  unpinned: [],
  sections: [],
} as const satisfies Partial<Report>

/** The report as JSON of at most 100,000 bytes: what does not fit is left out, log lines first. */
export function reportJson(report: Report): string {
  const fallbacks: readonly (() => Report)[] = [
    () => report,
    () => ({ ...report, drift: report.drift.map((one) => ({ ...one, lines: [] })) }),
    () => ({ ...report, drift: [], lines: report.lines.slice(-10).map((line) => cutToBytes(line, 500)) }),
    () => ({ ...report, ...noLists }),
    () => ({ ...report, ...noLists, error: report.error && cutError(report.error) }),
    () => emptyWith(report),
  ]
  for (const make of fallbacks) {
    const text = JSON.stringify(make())
    if (Buffer.byteLength(text) <= longestJson) return text
  }
  return ''
}

function cutError(error: ErrorReport): ErrorReport {
  const [first] = error.faults
  const cut = { cause: cutToBytes(error.cause, 2000), cure: cutToBytes(error.cure, 2000) }
  return { code: error.code, ...cut, faults: first === undefined ? [] : [{ ...cut }] }
}

function emptyWith({ command, result, failedPhase, durationMs }: Report): Report {
  return { ...emptyReport, command, result, failedPhase, durationMs }
}

/** The outputs of action.yml. Pass a redacted report. */
export function outputsOf(report: Report): Outputs {
  return {
    result: report.result,
    release: report.release,
    'previous-release': report.previous,
    serving: report.serving,
    url: report.url,
    'failed-phase': report.failedPhase,
    'health-status': report.health?.status?.toString() ?? '',
    'duration-ms': String(Math.round(report.durationMs)),
    report: reportJson(report),
  }
}
