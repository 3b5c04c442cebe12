import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { DeployError } from '../errors.ts'
import type { Exec } from './exec.ts'

/** What git's index says about one file. */
export interface Tracked {
  /** Relative to the folder asked about, with `/`. */
  readonly path: string
  readonly executable: boolean
  readonly link: boolean
}

/** What git knows about a folder. */
export interface GitFiles {
  /** The commit that is checked out; undefined before the first one. */
  readonly commit: string | undefined
  /** When it was committed (not authored), in seconds since 1970. */
  readonly committed: number | undefined
  readonly tracked: readonly Tracked[]
  /** Submodules whose folders hold no checkout. */
  readonly missingSubmodules: readonly string[]
  /** Symlinks lie in the work tree as files that hold their target (`core.symlinks` is false, as on Windows). */
  readonly linksAsFiles: boolean
}

/** Modes in the index (gitformat-index(5)). */
const modes = { executable: '100755', link: '120000', submodule: '160000' } as const

/**
 * Where git would look for the repository from the runner's environment (a hook's, say) instead of from the
 * folder: `git rev-parse --local-env-vars`, and the places of its settings.
 */
const misleading = [
  'GIT_DIR',
  'GIT_WORK_TREE',
  'GIT_INDEX_FILE',
  'GIT_COMMON_DIR',
  'GIT_PREFIX',
  'GIT_OBJECT_DIRECTORY',
  'GIT_ALTERNATE_OBJECT_DIRECTORIES',
  'GIT_CONFIG',
  'GIT_CONFIG_GLOBAL',
  'GIT_CONFIG_PARAMETERS',
  'GIT_CONFIG_COUNT',
] as const

/** Says whether the folder lies in a git work tree, by looking for `.git` in it and above it. */
export function inWorkTree(folder: string): boolean {
  const parent = path.dirname(folder)
  return existsSync(path.join(folder, '.git')) || (parent !== folder && inWorkTree(parent))
}

/**
 * Lists what git tracks below a folder of a work tree, submodules that are checked out included.
 *
 * A checkout that belongs to another user (a container's job) is accepted: HOME points at a settings file of ours
 * with `safe.directory = *`. By HOME, because git 2.35.2 to 2.37 heed it in no environment variable and no `-c`.
 * @param tempDirectory takes that file for as long as this runs
 * @returns undefined where there is no git program
 * @throws DeployError `git-failed` where git refuses the folder
 */
export async function gitFiles(
  folder: string,
  exec: Exec,
  tempDirectory: string,
): Promise<GitFiles | undefined> {
  const home = mkdtempSync(path.join(tempDirectory, 'git-home-'))
  try {
    writeFileSync(path.join(home, '.gitconfig'), '[safe]\n\tdirectory = *\n')
    const env = { HOME: home, ...Object.fromEntries(misleading.map((name) => [name, undefined])) }
    // A work tree's own settings may name a program to run as file system monitor.
    const git: Git = (cwd, ...args) => exec('git', ['-c', 'core.fsmonitor=false', ...args], { cwd, env })

    const listing = await list(git, folder, '')
    if (listing === undefined) return undefined
    const head = await git(folder, 'log', '-1', '--no-show-signature', '--format=%H %ct')
    const [commit, committed] = head.status === 0 ? text(head.stdout).split(' ') : []
    const links = await git(folder, 'config', '--type=bool', '--get', 'core.symlinks')
    return {
      ...listing,
      commit,
      committed: committed === undefined ? undefined : Number(committed),
      linksAsFiles: text(links.stdout) === 'false',
    }
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}

type Git = (cwd: string, ...args: readonly string[]) => ReturnType<Exec>

/**
 * One call for the folder and one for each submodule: `--recurse-submodules` together with `--stage` needs git
 * 2.36, and older ones are still in use (Debian 11 has 2.30).
 */
async function list(
  git: Git,
  folder: string,
  prefix: string,
): Promise<Pick<GitFiles, 'tracked' | 'missingSubmodules'> | undefined> {
  const listed = await git(folder, 'ls-files', '-z', '--cached', '--stage')
  if (listed.status === 127) return undefined
  if (listed.status !== 0) throw refused(prefix, listed.stderr)

  const tracked = new Map<string, Tracked>()
  const missingSubmodules: string[] = []
  const submodules: string[] = []
  for (const record of records(listed.stdout)) {
    // "MODE OBJECT STAGE\tPATH"; an unmerged path has several stages, the work tree has one file.
    const tab = record.indexOf('\t')
    const mode = record.slice(0, 6)
    const own = record.slice(tab + 1)
    const whole = prefix + own
    if (mode !== modes.submodule) {
      tracked.set(whole, { path: whole, executable: mode === modes.executable, link: mode === modes.link })
    } else if (existsSync(path.join(folder, own, '.git'))) submodules.push(own)
    else missingSubmodules.push(whole)
  }
  for (const own of submodules) {
    const inner = await list(git, path.join(folder, own), `${prefix}${own}/`)
    for (const one of inner?.tracked ?? []) tracked.set(one.path, one)
    missingSubmodules.push(...(inner?.missingSubmodules ?? []))
  }
  return { tracked: [...tracked.values()], missingSubmodules }
}

/** @throws DeployError `path-not-utf8`: a name that is no text cannot be told to the user or to Windows. */
function records(output: Buffer): readonly string[] {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  try {
    return decoder.decode(output).split('\0').slice(0, -1)
  } catch {
    const lines = output.toString('utf8').split('\0')
    const bad = lines.find((line) => line.includes('\u{FFFD}')) ?? ''
    throw new DeployError('path-not-utf8', {
      cause: `The name of the file ${JSON.stringify(bad.slice(bad.indexOf('\t') + 1))} is not UTF-8.`,
      cure: 'Rename it: the bundle holds UTF-8 names only.',
    })
  }
}

function refused(prefix: string, stderr: string): DeployError {
  const where = prefix === '' ? 'the checkout' : `the submodule ${prefix.slice(0, -1)}`
  return new DeployError(
    'git-failed',
    {
      cause: `git could not list the files of ${where}.`,
      cure: 'Check out the repository with actions/checkout in the same job; what git said is below.',
    },
    stderr.trimEnd().split('\n'),
  )
}

function text(output: Buffer): string {
  return output.toString('utf8').trim()
}
