import type { ProjectContext } from './project/read.ts'

/** The runner's variables. */
type Environment = Readonly<Record<string, string | undefined>>

/** Whose repository it is, and where its checkout lies. */
export function context(environment: Environment): ProjectContext {
  const fullName = environment['GITHUB_REPOSITORY'] || 'local/app'
  const sha = environment['GITHUB_SHA']
  return {
    workspace: environment['GITHUB_WORKSPACE'] || process.cwd(),
    // Runners older than 2.300 and act do not know the number.
    repository: { id: environment['GITHUB_REPOSITORY_ID'] || fullName, fullName },
    ...(sha ? { sha } : {}),
  }
}

/** Who this run is, for the next in line: one line. */
export function holder(environment: Environment): string {
  const {
    GITHUB_SERVER_URL: server,
    GITHUB_REPOSITORY: repository,
    GITHUB_RUN_ID: run,
    GITHUB_ACTOR: actor,
  } = environment
  const url =
    server && repository && run ? `${server}/${repository}/actions/runs/${run}` : 'a run outside of GitHub'
  return actor ? `${url} (${actor})` : url
}

/** Somebody started this run on the Actions page, or with `gh workflow run`. */
export function byHand(environment: Environment): boolean {
  return environment['GITHUB_EVENT_NAME'] === 'workflow_dispatch'
}

/** The folder for temporary files. */
export function temp(environment: Environment): string {
  return environment['RUNNER_TEMP'] || environment['TMPDIR'] || environment['TEMP'] || '/tmp'
}
