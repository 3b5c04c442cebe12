import { expect } from 'vitest'
import type { Report } from '../../src/report/report.ts'
import type { Server } from '../server/boot.ts'
import { type ActionOptions, act, type Ran, reach } from './action.ts'

/** One run that came to an end. */
export interface Run extends Ran {
  /** The output `release`. */
  readonly release: string
  /** The output `report`, parsed. */
  readonly report: Report
}

/**
 * Runs the action on one server and one checkout again and again. A run whose job fails, where it should not (or the
 * other way round), fails the test with the run's log.
 * @param common inputs of every run
 * @param repository the checkout's `owner/name` and ID on GitHub, and the runner's network and variables, where they matter
 */
export function runs(
  server: Server,
  workspace: string,
  common: Readonly<Record<string, string>> = {},
  repository: Pick<ActionOptions, 'repository' | 'repositoryId' | 'network' | 'environment'> = {},
) {
  const run = async (inputs: Readonly<Record<string, string>>): Promise<Run> => {
    const ran = await act({ ...repository, workspace, inputs: { ...reach(server), ...common, ...inputs } })
    const log = withoutMasks(ran.log)
    expect(ran.outputs.report, log).toBeTypeOf('string')
    return { ...ran, log, release: ran.outputs.release, report: JSON.parse(ran.outputs.report) as Report }
  }
  return {
    /** A run whose job is green. */
    good: async (inputs: Readonly<Record<string, string>> = {}): Promise<Run> => {
      const ran = await run(inputs)
      expect(ran.status, ran.log).toBe(0)
      return ran
    },
    /** A run whose job is red. */
    bad: async (inputs: Readonly<Record<string, string>> = {}): Promise<Run> => {
      const ran = await run(inputs)
      expect(ran.status, ran.log).toBe(1)
      return ran
    },
  }
}

/** The masks are long, and would hide what else a log says. */
export function withoutMasks(log: string): string {
  return log.replace(/^::add-mask::.*\n/gm, '')
}
