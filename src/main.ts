import { getState, saveState } from '@actions/core'
import { DeployError } from './errors.ts'
import { type Limits, limits as ourLimits } from './limits.ts'
import { post } from './post.ts'
import { runnerExec } from './project/exec.ts'
import { readInput } from './read-inputs.ts'
import { createLog } from './report/log.ts'
import { runnerResults } from './report/publish.ts'
import { run, type Surroundings } from './run.ts'

/** The state that main leaves for `post`: the run on the server that may still have to be stopped. */
const RUN_STATE = 'run'
const STARTED_STATE = 'started'

/** ms that open connections and requests get at the end. */
const EXIT_MS = 3_000

/**
 * The action's two entries: `main`, and `post`, which GitHub starts with the state that main saved. The job fails unless
 * the work came to its end: a promise that never settles, or a crash, must not look like success.
 */
export async function main(limits: Limits = ourLimits): Promise<void> {
  process.exitCode = 1
  const log = createLog()
  const controller = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => controller.abort(cancelled()))
  }
  const surroundings: Surroundings = {
    input: readInput,
    environment: process.env,
    log,
    results: runnerResults(log.info),
    exec: runnerExec,
    limits,
    signal: controller.signal,
    remember: (id) => saveState(RUN_STATE, id),
  }
  const isMain = getState(STARTED_STATE) === ''
  let working = isMain
  for (const name of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(name, (error: unknown) => {
      if (!working) {
        log.error(crash(error))
        process.exit(1)
      }
      // The run still stops the server, sets the outputs and writes the summary; a second crash it cannot survive.
      working = false
      controller.abort(crash(error))
    })
  }
  if (isMain) {
    saveState(STARTED_STATE, 'yes')
    const good = await run(surroundings)
    if (good && working) process.exitCode = 0
    working = false
  } else {
    await post(surroundings, getState(RUN_STATE))
    process.exitCode = 0
  }
  // All has been said. A request that nobody waits for any more may not keep the job.
  setTimeout(() => process.exit(), EXIT_MS).unref()
}

function cancelled(): DeployError {
  return new DeployError('cancelled', {
    cause: 'The run was cancelled.',
    cure: 'Run the job again when you want the new release.',
  })
}

function crash(error: unknown): DeployError {
  return new DeployError('internal', {
    cause: `The action itself failed: ${error instanceof Error ? error.message : String(error)}.`,
    cure: 'Run the job again with debug logging, and report it with the log if it happens again; visitors keep the site they had.',
  })
}
