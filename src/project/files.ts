import { lstatSync, readFileSync, readlinkSync, type Stats } from 'node:fs'
import path from 'node:path'
import { DeployError, type Explanation } from '../errors.ts'
import { type Entry, indexEntries, sortedByBytes } from './entry.ts'
import type { Exec } from './exec.ts'
import { type GitFiles, gitFiles, inWorkTree, type Tracked } from './git.ts'
import type { Warning } from './project.ts'
import { alwaysOff, gitignoreFiles, type LeaveOut, patterns, walk } from './walk.ts'
import { caseWarnings, lfsWarnings, linkWarnings, submoduleWarnings } from './warnings.ts'

/** Which files to list. */
export interface FilesWish {
  /** Absolute: the repository's root on the runner. */
  readonly workspace: string
  /** The sub-folder that becomes the bundle's root, '' for the whole repository. */
  readonly source: string
  /** Untracked files or folders to add, relative to the workspace. */
  readonly include: readonly string[]
  /** gitignore patterns, relative to the workspace. */
  readonly exclude: readonly string[]
}

/** The files of the bundle. */
export interface Files {
  /** Absolute: the folder on the runner that the bundle is made from. */
  readonly root: string
  /** In byte order of their paths. */
  readonly entries: readonly Entry[]
  /** The commit that is checked out; undefined where git tracks nothing here. */
  readonly commit: string | undefined
  /** When it was committed, in seconds since 1970. */
  readonly committed: number | undefined
  readonly warnings: readonly Warning[]
  /** Relative to `root`: what is left out on purpose, by `exclude` or always. */
  readonly leftOut: LeaveOut
}

/**
 * Names in a release's root that are the server's own (DESIGN 8): its environment, its metadata and its links.
 */
const reserved: ReadonlySet<string> = new Set(['.venv', '.site', '.public', '.previous'])

/**
 * Lists the files to send, from the folder `source`, which becomes the bundle's root.
 *
 * Where git tracks something there: the tracked files, submodules included, with the work tree's content; what the
 * workflow changed counts, what it deleted is left out; exec bits come from the index, so that a Windows runner
 * sends the same. Anywhere else: every file but those that a `.gitignore` names and those in `alwaysOff`.
 * In both: plus `include`, minus `exclude`. Empty folders and `.github` (a changed workflow is no new release) are
 * never sent.
 * @param tempDirectory absolute; takes git's settings for as long as this runs
 * @throws DeployError `source-missing`, `include-missing`, `include-outside`, `no-files`, `path-not-utf8`, `git-failed`
 */
export async function listFiles(wish: FilesWish, exec: Exec, tempDirectory: string): Promise<Files> {
  const root = path.join(wish.workspace, wish.source)
  if (!statIfThere(root)?.isDirectory()) throw sourceMissing(wish.source)

  const expectsGit = inWorkTree(root)
  const found = expectsGit ? await gitFiles(root, exec, tempDirectory) : undefined
  const git = found !== undefined && found.tracked.length > 0 ? found : undefined

  const excludes = patterns(wish.exclude)
  const prefix = wish.source === '' ? '' : `${wish.source}/`
  const excluded: LeaveOut = (own) => excludes.ignores(prefix + own)
  const off = patterns(alwaysOff)
  const leftOut: LeaveOut = (own) => off.ignores(own) || excluded(own)

  const all = new Map<string, Entry>()
  const add = (own: string, tracked?: Tracked): void => {
    if (all.has(own) || excluded(own)) return
    const entry = entryAt(root, own, tracked, git)
    if (entry !== undefined) all.set(own, entry)
  }
  if (git !== undefined) for (const one of git.tracked) add(one.path, one)
  else {
    const ignored = gitignoreFiles(wish.workspace)
    for (const own of walk(root, (one) => leftOut(one) || ignored(prefix + one))) add(own)
  }
  const faults: DeployError[] = []
  for (const wished of wish.include) {
    try {
      for (const own of included(root, prefix, wished, off)) add(own)
    } catch (error) {
      if (!(error instanceof DeployError)) throw error
      faults.push(error)
    }
  }
  const [fault] = faults
  if (fault !== undefined)
    throw new DeployError(
      fault.code,
      faults.flatMap((one) => one.explanations),
    )

  const warnings: Warning[] = []
  if (expectsGit && found === undefined) warnings.push(gitMissing)
  const taken = [...all.keys()].filter((own) => reserved.has(firstSegment(own)))
  warnings.push(...reservedWarnings(taken))
  for (const own of [...all.keys()]) {
    if (reserved.has(firstSegment(own)) || own.startsWith('.github/') || isBelowEntry(own, all))
      all.delete(own)
  }
  if (all.size === 0) throw noFiles(wish.source)

  const entries = sortedByBytes([...all.keys()]).flatMap((own) => all.get(own) ?? [])
  const index = indexEntries(entries)
  warnings.push(
    ...submoduleWarnings((git?.missingSubmodules ?? []).filter((own) => !excluded(own))),
    ...lfsWarnings(entries),
    ...linkWarnings(entries, index),
    ...caseWarnings(index.paths),
  )
  return { root, entries, commit: git?.commit, committed: git?.committed, warnings, leftOut }
}

/** @returns undefined where the work tree has no file or symlink of that path */
function entryAt(
  root: string,
  own: string,
  tracked: Tracked | undefined,
  git: GitFiles | undefined,
): Entry | undefined {
  const location = path.join(root, own)
  const stat = statIfThere(location)
  if (stat === undefined) {
    if (own.includes('\u{FFFD}')) throw notUtf8(own)
    return undefined
  }
  if (stat.isSymbolicLink()) return link(own, readlinkSync(location).replaceAll(path.sep, '/'))
  if (!stat.isFile()) return undefined
  if (tracked?.link === true && git?.linksAsFiles === true) return link(own, readFileSync(location, 'utf8'))
  const executable = tracked?.executable ?? (stat.mode & 0o100) !== 0
  return { kind: 'file', path: own, executable, location, size: stat.size }
}

function link(own: string, target: string): Entry {
  if (target.includes('\u{FFFD}')) throw notUtf8(target)
  return { kind: 'link', path: own, target }
}

/** Yields what one line of `include` names; a folder with everything below it, ignored by git or not. */
function* included(
  root: string,
  prefix: string,
  wished: string,
  off: ReturnType<typeof patterns>,
): Generator<string> {
  const plain = path.posix.normalize(wished.replaceAll('\\', '/')).replace(/\/$/, '')
  const own =
    plain === '.' && prefix === ''
      ? ''
      : `${plain}/`.startsWith(prefix)
        ? plain.slice(prefix.length)
        : undefined
  if (own === undefined || /^(?:\.\.)?(?:\/|$)/.test(plain)) throw includeOutside(wished, prefix)
  const stat = statIfThere(path.join(root, own))
  if (stat === undefined) throw includeMissing(wished)
  if (!stat.isDirectory()) yield own
  else
    for (const below of walk(path.join(root, own), (one) => off.ignores(one)))
      yield path.posix.join(own, below)
}

/** A path that runs through a file or a symlink of the bundle: unpacking it would write through that symlink. */
function isBelowEntry(own: string, all: ReadonlyMap<string, Entry>): boolean {
  for (let at = own.lastIndexOf('/'); at > 0; at = own.lastIndexOf('/', at - 1)) {
    if (all.has(own.slice(0, at))) return true
  }
  return false
}

function firstSegment(own: string): string {
  const at = own.indexOf('/')
  return at === -1 ? own : own.slice(0, at)
}

function statIfThere(location: string): Stats | undefined {
  try {
    return lstatSync(location)
  } catch {
    return undefined
  }
}

const gitMissing: Warning = {
  code: 'git-missing',
  text: 'There is a .git folder but no git program: every file is sent but those that .gitignore names.',
}

function reservedWarnings(taken: readonly string[]): readonly Warning[] {
  return [...new Set(taken.map(firstSegment))].map((name) => ({
    code: 'reserved-path',
    text: `${name} is not sent: a release keeps something of its own under that name.`,
    file: name,
  }))
}

function sourceMissing(source: string): DeployError {
  const explanation: Explanation =
    source === ''
      ? { cause: 'The workspace does not exist.', cure: 'Run actions/checkout before this step.' }
      : {
          cause: `The folder ${source} does not exist in the checkout.`,
          cure: 'Set `source` to a folder of the repository, and run actions/checkout before this step.',
          input: 'source',
        }
  return new DeployError('source-missing', explanation)
}

function noFiles(source: string): DeployError {
  return new DeployError('no-files', {
    cause: source === '' ? 'There is no file to send.' : `There is no file to send in ${source}.`,
    cure: 'Run actions/checkout before this step; where the workflow builds the files, name them in `include`.',
    ...(source === '' ? {} : { input: 'source' }),
  })
}

function includeMissing(wished: string): DeployError {
  return new DeployError('include-missing', {
    cause: `${wished} does not exist, though \`include\` names it.`,
    cure: 'Build it in a step before this one, or take the line out of `include`.',
    input: 'include',
  })
}

function includeOutside(wished: string, prefix: string): DeployError {
  return new DeployError('include-outside', {
    cause: `${wished}, named in \`include\`, lies outside of ${prefix === '' ? 'the repository' : prefix.slice(0, -1)}.`,
    cure: 'Name only files and folders that are sent: relative to the repository, and below `source`.',
    input: 'include',
  })
}

function notUtf8(own: string): DeployError {
  return new DeployError('path-not-utf8', {
    cause: `The name ${JSON.stringify(own)} is not UTF-8.`,
    cure: 'Rename it: the bundle holds UTF-8 names only.',
  })
}
