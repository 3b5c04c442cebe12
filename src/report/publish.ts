import { appendFileSync } from 'node:fs'
import { setOutput } from '@actions/core'
import { type Outputs, outputNames } from '../outputs.ts'

/** Where a run leaves its results for GitHub; the environment of a test is its own. */
export interface Results {
  /** Sets every output. */
  readonly outputs: (outputs: Outputs) => void
  /** Adds to the job's summary. */
  readonly summary: (markdown: string) => void
}

/**
 * The files that the runner names in GITHUB_OUTPUT and GITHUB_STEP_SUMMARY. Where there are none (no runner, or a
 * GitHub Enterprise Server that is too old for summaries) nothing is written; a file that cannot be written is told
 * by `complain` and fails nothing, since the deploy itself is over.
 */
export function runnerResults(
  complain: (text: string) => void,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Results {
  const attempt = (what: string, write: () => void) => {
    try {
      write()
    } catch (error) {
      complain(`The ${what} could not be written: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  return {
    outputs: (outputs) => {
      if (!environment['GITHUB_OUTPUT']) return
      for (const name of outputNames) attempt(`output ${name}`, () => setOutput(name, outputs[name]))
    },
    summary: (markdown) => {
      const file = environment['GITHUB_STEP_SUMMARY']
      if (file) attempt('summary', () => appendFileSync(file, markdown))
    },
  }
}
