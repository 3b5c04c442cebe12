import { accessSync, constants } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import { DeployError } from '../errors.ts'
import type { Exec, ExecResult } from '../project/exec.ts'
import { type Chosen, chooseWheels, type FoundWheel } from './lock.ts'
import type { WheelTarget } from './tags.ts'
import { EXPORTED, type ResolveStep, type Wanted } from './wanted.ts'

/** Seconds that one resolution may take: an index that does not answer must not hold the job. */
const MOST_SECONDS = 300

/** uv's platforms with a manylinux of their own (`uv pip compile --help`): minor versions of glibc. */
const PLATFORMS = [17, 28, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40]

/** How it is resolved. */
export interface Resolver {
  /** uv's path. */
  readonly uv: string
  readonly exec: Exec
  /** The runner's variables, all of which are taken away but `variables`. */
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly variables: Readonly<Record<string, string>>
  /** An empty folder of the run's own. */
  readonly folder: string
}

/**
 * Resolves packages for the server, by wheels alone: nothing of the project or of an index is built or run on the runner.
 * uv sees the files that list the packages and no others (in the project's own folder it would start a Python out of its
 * `.venv`), none of which can be started, and takes no settings files.
 * @throws DeployError `wheels-resolve`, `wheels-source`, `wheels-missing`, `wheels-runner`
 */
export async function resolve(
  wanted: Wanted,
  target: WheelTarget,
  resolver: Resolver,
): Promise<readonly FoundWheel[]> {
  const project = join(resolver.folder, 'project')
  for (const [name, text] of wanted.texts) {
    await mkdir(dirname(join(project, name)), { recursive: true })
    await writeFile(join(project, name), text, { mode: 0o600 })
  }
  const runner = { ...resolver, python: findPython(resolver.variables['PATH'] ?? ''), project }
  let found: readonly FoundWheel[] = []
  for (const step of wanted.steps) {
    const { wheels, without } = await resolveStep(step, wanted, target, runner, found)
    if (without.length > 0) throw missing(without, target, wanted)
    const names = new Set(wheels.map(({ name }) => name))
    found = [...found.filter(({ name }) => !names.has(name)), ...wheels]
  }
  return found
}

interface Runner extends Resolver {
  readonly python: string
  /** The folder with the files. */
  readonly project: string
}

async function resolveStep(
  step: ResolveStep,
  wanted: Wanted,
  target: WheelTarget,
  runner: Runner,
  before: readonly FoundWheel[],
): Promise<Chosen> {
  const { project, python, folder } = runner
  const cwd = join(project, step.folder)
  const run = async (command: readonly string[], words: readonly string[]) => {
    const own = ['--quiet', '--no-config', '--no-python-downloads', '--color', 'never', '--python', python]
    return await runner.exec(
      'timeout',
      [String(MOST_SECONDS), runner.uv, ...command, ...own, '--cache-dir', join(folder, 'cache'), ...words],
      { cwd, env: onlyThese(runner) },
    )
  }
  if (step.exports !== undefined) {
    const words = ['--frozen', '--no-default-groups', '--no-emit-project', '--no-editable', '--no-header']
    const out = ['--no-annotate', '--output-file', EXPORTED]
    const written = await run(['export'], [...words, ...out, ...step.exports])
    if (written.status !== 0) throw unresolved(written, wanted, project)
  }
  const platform = `${target.arch}-manylinux_2_${PLATFORMS.findLast((minor) => minor <= target.glibc) ?? 17}`
  const compile = async (words: readonly string[]) =>
    await run(
      ['pip', 'compile'],
      [
        ...['--python-version', `3.${target.minor}`, '--python-platform', platform],
        ...['--only-binary', ':all:', '--generate-hashes', '--format', 'pylock.toml'],
        ...(step.complete ? ['--no-deps'] : []),
        ...words,
        ...step.words,
      ],
    )
  let result: ExecResult | undefined
  if (before.length > 0 && !step.complete) {
    const constraints = join(folder, 'constraints.txt')
    await writeFile(constraints, before.map(({ name, version }) => `${name}==${version}\n`).join(''))
    result = await compile(['--constraints', constraints])
  }
  // As on a server: what an earlier step chose stays only where the later one can live with it.
  if (result?.status !== 0) result = await compile([])
  if (result.status !== 0) throw unresolved(result, wanted, project)
  return chooseWheels(result.stdout.toString('utf8'), target)
}

function missing(without: readonly string[], target: WheelTarget, { file }: Wanted): DeployError {
  return new DeployError('wheels-missing', {
    cause: `The package index has no wheel that the server (Python 3.${target.minor}, ${target.arch}, glibc 2.${target.glibc}) could use of ${without.join(', ')}.`,
    cure: `Choose versions in ${file} that have wheels for it, another \`python\`, or let the server reach an index and set \`dependencies: server\`.`,
    input: 'dependencies',
    file,
  })
}

function onlyThese({ environment, variables }: Resolver): Readonly<Record<string, string | undefined>> {
  return { ...Object.fromEntries(Object.keys(environment).map((name) => [name, undefined])), ...variables }
}

/** uv wants a Python to start, of whatever version; only one of the runner's own may it be. */
function findPython(path: string): string {
  const names = path
    .split(delimiter)
    .flatMap((folder) => (folder.startsWith('/') ? [join(folder, 'python3'), join(folder, 'python')] : []))
  const found = names.find((name) => {
    try {
      accessSync(name, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
  if (found !== undefined) return found
  throw new DeployError('wheels-runner', {
    cause: '`dependencies: wheels` needs a Python on the runner, and there is none.',
    cure: "Run the job on a runner that has Python 3 (GitHub's have it), or put `actions/setup-python` before this step.",
    input: 'dependencies',
  })
}

function unresolved({ status, stderr }: ExecResult, { file }: Wanted, project: string): DeployError {
  // The folder's name means nothing to the reader.
  const lines = stderr
    .replaceAll(`${project}/`, '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
  const source = /Building source distributions(?: for `?([^\s`]+)`?)? is disabled/.exec(stderr)
  if (source !== null) {
    return new DeployError(
      'wheels-source',
      {
        cause: `${source[1] === undefined ? `What ${file} needs` : `${source[1]}, which ${file} names,`} is only known once it is built, and nothing is built on the runner.`,
        cure: 'List the packages in a `requirements.txt` or under `[project]` in `pyproject.toml`, without the project itself or a path in it.',
        input: 'dependencies',
        file,
      },
      lines,
    )
  }
  const said = lines.find((line) => /^(?:cause|×|╰─▶)/.test(line)) ?? lines.at(0)
  const why =
    status === 124
      ? `it took more than ${MOST_SECONDS} s`
      : (said ?? `status ${status}`).replace(/^(?:cause|error): /, '')
  return new DeployError(
    'wheels-resolve',
    {
      cause: `The packages of ${file} could not be resolved for the server on the runner: ${why.slice(0, 500).replace(/\.?$/, '.')}`,
      cure: `Correct the versions in ${file}; each package needs a wheel for the server's Python, because nothing is built. All that uv said is in the log.`,
      input: 'dependencies',
      file,
    },
    lines,
  )
}
