import type { SteadyTalk } from './apply/steady.ts'
import { runTask } from './apply/task.ts'
import type { WorkLimits } from './apply/time-limits.ts'
import type { Inputs } from './inputs.ts'
import { type Limits, limitOf } from './limits.ts'
import { neighbourWarnings } from './plan/guard-neighbours.ts'
import { makeTask } from './plan/task.ts'
import type { Project } from './project/project.ts'
import type { Ending } from './report/ending.ts'
import { tellDrift } from './report/found-drift.ts'
import type { Recorder } from './report/recorder.ts'
import { settlingNow } from './report/settling.ts'
import { TaskReport } from './report/task-report.ts'
import type { Facts } from './server/facts.ts'

/** One run of a command that makes no release, on one server. */
export interface TaskRun {
  readonly conversation: SteadyTalk
  readonly facts: Facts
  readonly inputs: Inputs
  readonly project: Project
  readonly recorder: Recorder
  /** The run's ID: hex digits. */
  readonly run: string
  /** Who we are, for the next in line: one line. */
  readonly holder: string
  readonly limits: Limits
  /** Remembers the run for `post`, as long as something may have to be stopped. */
  readonly remember: (run: string) => void
  readonly signal: AbortSignal
}

/**
 * Does what `command` says: looks around, runs something, shows the log, or removes the app.
 * @throws DeployError where the app is not there, or is somebody else's
 */
export async function doTask(given: TaskRun): Promise<Ending> {
  const { facts, inputs, project, recorder, conversation, signal } = given
  recorder.note({ serving: facts.state?.current ?? '' })
  const task = makeTask(facts, inputs, project)
  if (task.kind === 'look') {
    recorder.note({ url: task.check.smoke.url, settling: settlingNow(facts.state) })
    tellDrift(facts, project.name, recorder)
    for (const warning of neighbourWarnings(facts)) recorder.warn(warning)
  }
  const report = new TaskReport(inputs, facts, project, recorder)
  given.remember(given.run)
  const ended = await runTask(
    conversation,
    task,
    {
      run: {
        name: project.name,
        run: given.run,
        holder: given.holder,
        lockTimeoutSeconds: Math.ceil(inputs.behaviour.lockTimeoutMs / 1000),
        sentWaitSeconds: Math.ceil(given.limits.sentWaitMs / 1000),
      },
      limits: taskLimits(given.limits, inputs),
      onEvent: (event) => report.take(event),
    },
    signal,
  )
  if (ended.end !== 'lost') given.remember('')
  return report.ending(ended, task.release)
}

function taskLimits(limits: Limits, { command, behaviour }: Inputs): WorkLimits {
  const given = {
    'connect-timeout': 0,
    'lock-timeout': command === 'destroy' ? behaviour.lockTimeoutMs : 0,
    'command-timeout': command === 'run' ? behaviour.commandTimeoutSeconds * 1000 : 0,
    'health-timeout': 0,
    'stop-timeout': 0,
    'confirm-timeout': 0,
    'settle-time': 0,
  }
  const { otherAppMs, uploadMs, cancelMs } = limits
  return {
    of: (phase) => limitOf(phase, limits, given),
    inputOf: (phase) => (phase === 'command' && command === 'run' ? 'command-timeout' : undefined),
    otherAppMs,
    uploadMs,
    cancelMs,
  }
}
