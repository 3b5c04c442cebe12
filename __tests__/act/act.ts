import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { projectFiles, repository } from '../house/files.ts'
import { ensureTools } from '../house/tools.ts'
import { command } from '../server/command.ts'

/** What a workflow run left. */
export interface WorkflowRun {
  readonly succeeded: boolean
  /** All that act printed, its own line prefixes taken off. */
  readonly log: string
}

/** How to run a workflow. */
export interface Trigger {
  readonly event: 'push' | 'workflow_dispatch'
  /** Inputs of a workflow_dispatch. */
  readonly inputs?: Readonly<Record<string, string>>
  readonly secrets: Readonly<Record<string, string>>
  readonly variables: Readonly<Record<string, string>>
  /** The file's name. */
  readonly workflow?: 'deploy' | 'manage'
  /** true: nothing is masked by the runner, neither secrets nor what the action asks it to mask. */
  readonly unmasked?: boolean
}

/** Runs workflows as GitHub's runner would, on this machine, by act. */
export class Runner {
  readonly #path: string
  /** Holds the action as its users get it, act's cache and a home of its own. */
  readonly #folder: string

  private constructor(path: string, folder: string) {
    this.#path = path
    this.#folder = folder
  }

  /** Installs act where it is missing, and checks the action out. @throws Error */
  static async start(): Promise<Runner> {
    const path = await ensureTools('act')
    const folder = mkdtempSync(join(tmpdir(), 'act-'))
    mkdirSync(join(folder, 'home'))
    checkOutAction(join(folder, 'action'))
    return new Runner(path, folder)
  }

  /** Removes all that is left of the runs. */
  stop(): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }

  /**
   * Runs a workflow of a checkout's, `deploy.yml` unless told, unchanged, to its end; `org/flask-deploy-action@v1` is this checkout.
   * @param checkout a git repository with a remote `origin`
   */
  async run(
    checkout: string,
    { event, inputs = {}, secrets, variables, unmasked = false, workflow = 'deploy' }: Trigger,
  ): Promise<WorkflowRun> {
    const run = mkdtempSync(join(this.#folder, 'run-'))
    writeFileSync(join(run, 'event.json'), JSON.stringify({ ref: 'refs/heads/main', inputs }))
    writeFileSync(join(run, 'secrets'), assignments(secrets), { mode: 0o600 })
    const words = [
      event,
      ['--directory', checkout, '--workflows', `.github/workflows/${workflow}.yml`, '--strict'],
      [
        '--platform',
        'ubuntu-latest=-self-hosted',
        '--local-repository',
        `org/flask-deploy-action@v1=${this.#folder}/action`,
      ],
      ['--eventpath', join(run, 'event.json'), '--secret-file', join(run, 'secrets')],
      ['--action-cache-path', join(run, 'cache'), '--no-cache-server'],
      unmasked ? ['--insecure-secrets'] : [],
      Object.entries(variables).flatMap(([name, value]) => ['--var', `${name}=${value}`]),
    ].flat()
    const home = join(this.#folder, 'home')
    const { status, stdout, stderr } = await command('act', words, {
      timeoutMs: 200_000,
      env: { PATH: this.#path, HOME: home, XDG_CACHE_HOME: join(home, '.cache'), LANG: 'C.UTF-8' },
    })
    rmSync(run, { recursive: true, force: true })
    return { succeeded: status === 0, log: plain(`${stdout}${stderr}`) }
  }
}

/** The files that a tag of this repository would hold now, without what is only built or installed here. */
function checkOutAction(folder: string): void {
  for (const file of projectFiles()) {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    cpSync(join(repository, file), join(folder, file))
  }
}

/** act reads the file as godotenv does: in double quotes `\n` is a newline. */
function assignments(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}=${JSON.stringify(value).replaceAll('$', '\\$')}\n`)
    .join('')
}

/** Without colours, and without the `[workflow/job]` and `|` that act puts before a line. */
function plain(text: string): string {
  return text.replace(/\x1b\[[0-9;]*m/g, '').replace(/^\[[^\]\n]*\] ?(?: {2}\| ?)?/gm, '')
}
