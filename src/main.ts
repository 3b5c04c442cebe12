import { getState, saveState } from '@actions/core'
import { DeployError } from './errors.ts'
import { post } from './post.ts'
import { runnerExec } from './project/exec.ts'
import { readInput } from './read-inputs.ts'
import { createLog } from './report/log.ts'
import { runnerResults } from './report/publish.ts'
import { run, type Surroundings } from './run.ts'

/** The state that main leaves for `post`: the run on the server that may still have to be stopped. */
const RUN_STATE = 'run'
const STARTED_STATE = 'started'

/**
 * The action's two entries: `main`, and `post`, which GitHub starts with the state that main saved. The job fails unless
 * the work came to its end: a promise that never settles, or a crash, must not look like success.
 */
export async function main(): Promise<void> {
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
    signal: controller.signal,
    remember: (id) => saveState(RUN_STATE, id),
  }
  for (const name of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(name, (error: unknown) => {
      log.error(crash(error))
      process.exit(1)
    })
  }
  if (getState(STARTED_STATE) === '') {
    saveState(STARTED_STATE, 'yes')
    if (await run(surroundings)) process.exitCode = 0
  } else {
    await post(surroundings, getState(RUN_STATE))
    process.exitCode = 0
  }
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
