import { DeployError } from '../errors.ts'
import type { Task } from '../plan/task.ts'
import type { ServerEvent } from './event.ts'
import { nobody } from './line.ts'
import type { RunSettings } from './program.ts'
import type { SteadyTalk } from './steady.ts'
import { taskFiles } from './task-program.ts'
import { PhaseClock, type WorkLimits } from './time-limits.ts'

/** How a task ended. */
export interface TaskEnd {
  /** `lost`: nobody knows how (the connection broke, or the program was killed). */
  readonly end: 'done' | 'failed' | 'lost'
  readonly failure: { readonly code: string; readonly detail: string } | undefined
  /** The release that visitors get: '' where none, `unknown` where the server did not say. */
  readonly serving: string
  /** Why the connection was lost, or why the run gave up on the server. */
  readonly lost: unknown
}

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
): Promise<TaskEnd> {
  const { limits, run } = settings
  const over = Promise.withResolvers<TaskEnd>()
  let failure: TaskEnd['failure']
  let serving = 'unknown'
  let late: DeployError | undefined
  const end = (how: TaskEnd['end'], lost?: unknown) => over.resolve({ end: how, failure, serving, lost })
  const stop = (reason: unknown) => {
    setTimeout(() => end('lost', reason), limits.cancelMs).unref()
    conversation.cancel(run.run).catch((lost: unknown) => end('lost', lost))
  }
  const onAbort = () => stop(signal.reason)
  const clock = new PhaseClock(limits, (error) => {
    late = error
    stop(error)
  })
  conversation.listen({
    ...nobody,
    event: (event) => {
      settings.onEvent(event)
      switch (event.kind) {
        case 'phase':
          clock.enter(event.phase)
          break
        case 'fail':
          failure ??= { code: event.code, detail: event.detail }
          break
        case 'serving':
          serving = event.release
          break
        case 'end':
          if (event.status === 0 && failure === undefined) end('done')
          else end('failed', late)
          break
        case 'gone':
          failure ??= { code: 'program-killed', detail: String(event.status) }
          end('lost')
          break
        default:
          break
      }
    },
    lost: (lost) => end('lost', late ?? lost),
    vanished: () => end('lost', late ?? cut()),
  })
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()
  try {
    const send = async () => {
      await conversation.sendFiles(taskFiles(task, run))
      await conversation.startProgram()
    }
    send().catch((lost: unknown) => end('lost', lost))
    return await over.promise
  } finally {
    clock.stop()
    signal.removeEventListener('abort', onAbort)
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
