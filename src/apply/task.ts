import { DeployError } from '../errors.ts'
import type { Task } from '../plan/task.ts'
import type { ServerEvent } from './event.ts'
import { nobody } from './line.ts'
import type { RunSettings } from './program.ts'
import { Outcome, type ProgramEnd } from './program-end.ts'
import type { SteadyTalk } from './steady.ts'
import { stopOn } from './stop.ts'
import { taskFiles } from './task-program.ts'
import { PhaseClock, type WorkLimits } from './time-limits.ts'

/** What a task needs of the conversation. */
type Talk = Pick<SteadyTalk, 'listen' | 'sendFiles' | 'startProgram' | 'cancel'>

/**
 * Has a task's program run, and returns how it ended. Throws nothing of the server's: how it ended is data.
 * @param signal aborted: the program is stopped
 */
export async function runTask(
  conversation: Talk,
  task: Task,
  settings: {
    readonly run: RunSettings
    readonly limits: WorkLimits
    readonly onEvent: (event: ServerEvent) => void
  },
  signal: AbortSignal,
): Promise<ProgramEnd> {
  const { limits, run } = settings
  const over = Promise.withResolvers<ProgramEnd>()
  const outcome = new Outcome()
  let late: DeployError | undefined
  const end = (how: ProgramEnd['end'], lost?: unknown) => over.resolve(outcome.end(how, lost))
  const lose = (lost: unknown) => end('lost', lost)
  const stop = stopOn(signal, conversation, run.run, limits.cancelMs, { silent: lose, unsaid: lose })
  const clock = new PhaseClock(limits, (error) => {
    late = error
    stop.now(error)
  })
  conversation.listen({
    ...nobody,
    event: (event) => {
      settings.onEvent(event)
      clock.hear(event)
      const how = outcome.take(event)
      if (how !== undefined) end(how, how === 'failed' ? late : undefined)
    },
    lost: (lost) => end('lost', late ?? lost),
    vanished: () => end('lost', late ?? cut()),
  })
  try {
    const send = async () => {
      await conversation.sendFiles(taskFiles(task, run))
      await conversation.startProgram()
    }
    send().catch(lose)
    return await over.promise
  } finally {
    clock.stop()
    stop.over()
    conversation.listen(nobody)
  }
}

function cut(): DeployError {
  return new DeployError('command-cut', {
    cause: 'The server was restarted while the command was at work, so that how it ended is not known.',
    cure: 'Run the job again when the server is up.',
    input: 'host',
  })
}
