import type { Applied } from '../apply/apply.ts'
import type { Smoked } from '../check/test-release.ts'
import { DeployError } from '../errors.ts'
import type { Inputs } from '../inputs.ts'
import type { Result } from '../outputs.ts'
import type { Phase } from '../phases.ts'
import type { Plan } from '../plan/operation.ts'
import type { Project } from '../project/project.ts'
import type { Redactor } from '../secrets.ts'
import type { Facts } from '../server/facts.ts'
import { withoutStop } from '../text.ts'
import { diagnose } from './diagnosis.ts'
import type { Situation } from './failure.ts'
import type { Log } from './log.ts'
import type { Results } from './publish.ts'
import type { Recorder } from './recorder.ts'
import { outputsOf, redactedReport, reportOfError } from './report.ts'
import { type SettlingReport, tellSettling } from './settling.ts'
import { renderSummary, summaryContext } from './summary.ts'

/** How a run ended, before it is told. */
export interface Ending {
  readonly result: Result
  /** The release that visitors get; '' where none, `unknown` where nobody could learn it. */
  readonly serving: string
  readonly error?: DeployError
  /** Where it went wrong, if not in the phase that was open. */
  readonly failedPhase?: Phase
}

/** All that decides the ending of a run that reached the server. */
export interface Outcome {
  readonly plan: Plan
  /** undefined where nothing had to be changed. */
  readonly applied: Applied | undefined
  readonly smoked: Smoked | undefined
  readonly facts: Facts
  readonly project: Project
  readonly inputs: Inputs
  /** Why visitors do not have the HTTPS that they need, or that was asked for in so many words. */
  readonly unsecured?: DeployError | undefined
}

/** What became of a run: the verdict in one word, and the explanation where it is no success. */
export function endingOf(outcome: Outcome, lines: readonly string[]): Ending {
  const { plan, applied, smoked } = outcome
  const { unsecured } = outcome
  // A release that failed comes first.
  const good = smoked?.ok !== false && applied?.failure === undefined && applied?.end !== 'lost'
  if (unsecured !== undefined && good) {
    const serving = applied?.serving ?? plan.release
    return { result: 'failed', serving, error: unsecured, failedPhase: 'certificate' }
  }
  const stands = plan.kind === 'unchanged' && applied?.failure === undefined && applied?.end !== 'lost'
  if (applied === undefined || stands) {
    const serving = plan.release
    if (smoked?.ok !== false) return { result: 'unchanged', serving }
    return { result: 'failed', serving, error: smokeError(outcome, smoked, []), failedPhase: 'smoke' }
  }
  const { serving } = applied
  // The run itself gave up, whatever the server says about it then.
  if (applied.lost instanceof DeployError) return { result: 'failed', serving, error: applied.lost }
  if (applied.end === 'done') {
    if (smoked?.ok === false) {
      return { result: 'failed', serving, error: stays(outcome, smoked), failedPhase: 'smoke' }
    }
    return { result: plan.kind === 'rollback' ? 'rolled-back' : 'deployed', serving }
  }
  // Visitors had the new release, and have the one before it again.
  const reverted = applied.flipped && serving === plan.from && serving !== plan.release
  const result = reverted ? 'reverted' : 'failed'
  if (applied.failure?.code === 'smoke' && smoked?.ok === false) {
    return { result, serving, error: smokeError(outcome, smoked, lines), failedPhase: 'smoke' }
  }
  if (applied.end === 'lost') {
    return { result, serving, error: killedError(lines) }
  }
  const { code = 'unknown', detail: told = '' } = applied.failure ?? {}
  // What a killed program cannot say any more, its recovery has decided.
  const detail = code === 'program-killed' ? recovered(serving, plan) : told
  return {
    result,
    serving,
    error: diagnose({ code, detail, lines }, situationOf(outcome)),
    ...(code.startsWith('facts') ? { failedPhase: 'facts' as const } : {}),
  }
}

function recovered(serving: string, { release }: Plan): string {
  if (serving === 'unknown') return ''
  return serving === release ? 'finished' : 'taken-back'
}

/** A run whose job was cancelled, whatever had become of it by then: visitors get one release or the other. */
export function endingOfCancel(serving: string, settling: SettlingReport | null): Ending {
  return { result: 'cancelled', serving, error: cancelledError(serving, settling) }
}

/** What became of a run that an error ended. */
export function endingOfError(error: unknown, serving: string): Ending {
  if (error instanceof DeployError) return { result: 'failed', serving, error }
  return { result: 'failed', serving, error: defect(error) }
}

/**
 * Tells the ending everywhere: log, outputs, summary.
 * @returns whether the job is to succeed
 */
export function tellEnding(
  ending: Ending,
  recorder: Recorder,
  log: Log,
  results: Results,
  redact: Redactor,
  environment: Readonly<Record<string, string | undefined>>,
): boolean {
  const { error, result, serving } = ending
  const good = error === undefined
  const failedPhase = good ? '' : (ending.failedPhase ?? recorder.current ?? 'report')
  recorder.finish(failedPhase)
  if (error !== undefined) log.error(error)
  const report = redactedReport(
    {
      ...recorder.report(),
      result,
      serving,
      failedPhase,
      ...(error === undefined ? {} : reportOfError(error)),
    },
    redact,
  )
  log.info(`result: ${result}; visitors get ${serving === '' ? 'no release' : `release ${serving}`}`)
  results.outputs(outputsOf(report))
  results.summary(renderSummary(report, summaryContext(environment)))
  return good
}

/** The new release failed its test and serves all the same: nothing better is there. */
function stays(outcome: Outcome, smoked: Smoked): DeployError {
  const { applied, plan } = outcome
  const error = smokeError(outcome, smoked, [])
  const why =
    applied?.oldFault === undefined
      ? `Release \`${plan.release}\` stays, because there is no older one to go back to.`
      : `Release \`${plan.release}\` stays, because release \`${plan.from}\` fails the same test (${withoutStop(applied.oldFault.detail)}).`
  return new DeployError(
    error.code,
    error.explanations.map((one) => ({ ...one, cure: `${one.cure} ${why}` })),
    error.lines,
  )
}

function smokeError(outcome: Outcome, smoked: Smoked, lines: readonly string[]): DeployError {
  const outside = smoked.answersOnServer && UNREACHED.has(smoked.code)
  const code = outside ? 'unreachable-outside' : smoked.code
  return diagnose({ code: `smoke-${code}`, detail: smoked.detail, lines }, situationOf(outcome))
}

const UNREACHED = new Set(['unreachable', 'timeout'])

function situationOf({ plan, facts, project, inputs }: Outcome): Situation {
  return {
    name: project.name,
    user: inputs.server.user,
    release: plan.release,
    source: project.source,
    module: project.target.module,
    requirements:
      project.source === '' ? project.requirements.file : `${project.source}/${project.requirements.file}`,
    python: inputs.app.python ?? '',
    pythonWanted: project.python.reason || project.python.preferredReason,
    healthPath: plan.check.path,
    healthTimeoutSeconds: Math.round(inputs.behaviour.healthTimeoutMs / 1000),
    lockTimeoutSeconds: Math.round(inputs.behaviour.lockTimeoutMs / 1000),
    smokeUrl: plan.check.smoke.url,
    ufw: facts.firewall,
  }
}

function cancelledError(serving: string, settling: SettlingReport | null): DeployError {
  const who = serving === '' || serving === 'unknown' ? '' : `; visitors get release ${serving}`
  if (settling?.outcome === 'open') {
    return new DeployError('cancelled', {
      cause: `The run was cancelled after its release was kept${who}.`,
      cure: `Nothing is to be done. ${tellSettling(settling)}`,
    })
  }
  return new DeployError('cancelled', {
    cause: `The run was cancelled${who}.`,
    cure: 'Run the job again when you want the new release.',
  })
}

/** A program that said no `end`. */
export function killedError(lines: readonly string[]): DeployError {
  return new DeployError(
    'program-killed',
    {
      cause: 'The program on the server was killed before it was done.',
      cure: 'Look at the memory of the server (`free -m`, `journalctl -k`) and run the job again: it repairs what is left.',
    },
    lines,
  )
}

function defect(error: unknown): DeployError {
  return new DeployError('internal', {
    cause: `The action itself failed: ${error instanceof Error ? error.message : String(error)}.`,
    cure: 'Run the job again with debug logging, and report it with the log if it happens again.',
  })
}
