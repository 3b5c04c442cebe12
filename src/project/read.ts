import { lstatSync } from 'node:fs'
import path from 'node:path'
import { DeployError, type Explanation } from '../errors.ts'
import type { AppInputs, StaticInput } from '../inputs.ts'
import { type FoundApp, findApps } from './app.ts'
import { makeBundle } from './bundle.ts'
import { findDeclared } from './declared.ts'
import type { Exec } from './exec.ts'
import { type Files, listFiles } from './files.ts'
import { migrationWarnings } from './migrations.ts'
import { appName, nameFault } from './name.ts'
import type { AppTarget, Declared, Project, PythonWish, Repository, Warning } from './project.ts'
import { findPython } from './python.ts'
import { findRequirements } from './requirements.ts'
import { findStatic, type StaticFound } from './static.ts'
import { type Tree, treeOf } from './tree.ts'
import { walk } from './walk.ts'

/** What the project is read from. */
export type ProjectInputs = AppInputs & {
  /** undefined: the default, `static` beside the app. */
  readonly static: readonly StaticInput[] | undefined
}

/** Where the workflow runs. */
export interface ProjectContext {
  /** Absolute: the checkout on the runner. */
  readonly workspace: string
  readonly repository: Repository
  /** The commit that the workflow runs for; what git has checked out goes before it. */
  readonly sha?: string
}

const nothingDeclared: Declared = { processes: new Map(), releaseCommand: undefined, workerClass: undefined }

const anyPython: PythonWish = { allowed: [], reason: '', preferred: undefined, preferredReason: '' }

/**
 * Reads the project and makes its bundle. The folder `source` becomes the bundle's root, so every path in the
 * result is relative to it.
 * @param tempDirectory absolute; takes the bundle's file, which stays there
 * @throws DeployError with every fault of the project at once; its code is the fault's own, or `project-faults`
 */
export async function readProject(
  inputs: ProjectInputs,
  context: ProjectContext,
  exec: Exec,
  tempDirectory: string,
): Promise<Project> {
  const faults: DeployError[] = []
  const name = noting(faults, () => chosenName(inputs.name, context.repository))
  const files = await listFiles({ ...inputs, workspace: context.workspace }, exec, tempDirectory).catch(
    note(faults),
  )
  if (files === undefined) throw together(faults, inputs.source)

  const tree = treeOf(files.root, files.entries)
  const app = noting(faults, () => appTargets(tree, inputs))
  const target = app?.target
  const requirements = noting(faults, () => findRequirements(tree, inputs, target))
  const python = requirements && noting(faults, () => findPython(tree, requirements, inputs.python))
  const found = noting(faults, () => findStatic(tree, inputs.static, target))
  if (
    name === undefined ||
    app === undefined ||
    target === undefined ||
    requirements === undefined ||
    python === undefined ||
    found === undefined
  ) {
    throw together(faults, inputs.source)
  }
  const commit = files.commit ?? context.sha
  const { declared, warnings } = findDeclared(tree, app.folder, {
    releaseCommand: inputs.releaseCommand !== undefined,
    processes: inputs.processes !== undefined,
  })
  const isSettled =
    inputs.releaseCommand !== undefined ||
    declared.releaseCommand !== undefined ||
    warnings.some((one) => one.code === 'release-command-suggested')
  return {
    name,
    repository: context.repository,
    commit,
    committed: files.committed,
    source: inputs.source,
    target,
    others: app.others,
    declared,
    requirements,
    python: python.python,
    static: found.folders,
    bundle: await makeBundle(files.entries, tempDirectory),
    warnings: [
      ...files.warnings,
      ...warnings,
      ...python.warnings,
      ...unsentWarnings(files, found),
      ...migrationWarnings(tree, requirements.names, isSettled),
    ].map((one) => inRepository(one, inputs.source)),
  }
}

/**
 * What a rollback needs of the project: its name and its owner. The checkout may be empty or broken, which can be why
 * there is a rollback, so it is not looked at; everything else stands for nothing.
 * @throws DeployError `name-invalid`
 */
export function namedProject(
  inputs: Pick<ProjectInputs, 'name' | 'source'>,
  repository: Repository,
): Project {
  return {
    name: chosenName(inputs.name, repository),
    repository,
    commit: undefined,
    committed: undefined,
    source: inputs.source,
    target: noTarget('not looked for'),
    others: [],
    declared: nothingDeclared,
    python: anyPython,
    requirements: {
      file: 'requirements.txt',
      kind: 'requirements',
      passedOver: [],
      names: [],
      buildable: false,
      built: { folder: '', name: '' },
      hashed: false,
      listsGunicorn: false,
      sha256: '',
      reason: 'not looked for',
      steps: [],
      texts: new Map(),
      plugins: false,
    },
    static: [],
    bundle: { path: '', bytes: 0, sha256: '', contentSha256: '', files: 0, contentBytes: 0 },
    warnings: [],
  }
}

/** Where the project brings its own server, that one knows where the app is. */
function appTargets(tree: Tree, inputs: ProjectInputs): FoundApp {
  try {
    return findApps(tree, inputs.app)
  } catch (error) {
    if (inputs.webCommand === undefined || inputs.app !== undefined || !(error instanceof DeployError)) {
      throw error
    }
    return { target: noTarget('`web-command` serves'), others: [], folder: '' }
  }
}

function noTarget(reason: string): AppTarget {
  return { module: '', attribute: '', factory: false, expression: '', path: [''], reason }
}

function chosenName(input: string | undefined, repository: Repository): string {
  if (input === undefined) return appName(repository.fullName)
  const fault = nameFault(input)
  if (fault === undefined) return input
  throw new DeployError('name-invalid', {
    cause: `\`name\` ${fault}.`,
    cure: `Set \`name\` to something like \`${appName(input)}\`.`,
    input: 'name',
  })
}

/** Files that lie below a static folder on the runner, but not in the bundle: assets that the workflow built. */
function unsentWarnings(files: Files, found: StaticFound): readonly Warning[] {
  const sent = new Set(files.entries.map((entry) => entry.path))
  return found.looked.flatMap((folder): readonly Warning[] => {
    if (!isFolder(path.join(files.root, folder))) return []
    const unsent: string[] = []
    for (const below of walk(path.join(files.root, folder), (own) => files.leftOut(`${folder}/${own}`))) {
      if (!sent.has(`${folder}/${below}`)) unsent.push(`${folder}/${below}`)
    }
    const [first] = unsent
    if (first === undefined) return []
    const what = unsent.length === 1 ? `${first} is` : `${first} and ${unsent.length - 1} more are`
    const text = `${what} not sent: git does not track what the workflow built in ${folder}. Name it in \`include\` if the site needs it.`
    return [{ code: 'static-not-sent', text, file: first }]
  })
}

/** A symlink to a folder is none here: what lies behind it is judged where it really lies. */
function isFolder(location: string): boolean {
  return lstatSync(location, { throwIfNoEntry: false })?.isDirectory() === true
}

function noting<T>(faults: DeployError[], step: () => T): T | undefined {
  try {
    return step()
  } catch (error) {
    return note(faults)(error)
  }
}

/** Takes a fault of the user's down; anything else is a defect of ours and goes on. */
function note(faults: DeployError[]): (error: unknown) => undefined {
  return (error) => {
    if (!(error instanceof DeployError)) throw error
    faults.push(error)
    return undefined
  }
}

function together(faults: readonly DeployError[], source: string): DeployError {
  const [first, second] = faults
  return new DeployError(
    first !== undefined && second === undefined ? first.code : 'project-faults',
    faults.flatMap((one) => one.explanations).map((one) => inRepository(one, source)),
    faults.flatMap((one) => one.lines),
  )
}

/** Files are named relative to the bundle's root up to here; an annotation needs the path in the repository. */
function inRepository<T extends Warning | Explanation>(one: T, source: string): T {
  return one.file === undefined ? one : { ...one, file: path.posix.join(source, one.file) }
}
