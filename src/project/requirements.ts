import { createHash } from 'node:crypto'
import path from 'node:path'
import { parse, TomlError, type TomlTable } from 'smol-toml'
import { DeployError, type Explanation } from '../errors.ts'
import type { Requirements, Unpinned } from './project.ts'
import { requirementLines, requirementName } from './requirement-lines.ts'
import { type Tree, textOf } from './tree.ts'
import { unpinnedIn } from './unpinned.ts'

/** What reading a declaration gave. */
interface Declaration {
  /** Every file that decides the environment. */
  readonly files: readonly string[]
  readonly names: readonly string[]
  readonly local: readonly string[]
  /** Number of things to install; a file without any declares nothing. */
  readonly count: number
  readonly hashed: boolean
  readonly unpinned: readonly Unpinned[]
  readonly dynamic: boolean
  readonly faults: readonly Explanation[]
}

/** Where dependencies are looked for, the better place first. */
const places = [
  { file: 'requirements.txt', kind: 'requirements', read: readRequirements },
  { file: 'pyproject.toml', kind: 'pyproject', read: readPyproject },
] as const

/**
 * Finds where the dependencies are declared.
 * @param input the `requirements` input: a requirements file or a pyproject.toml; undefined: the first of
 *   requirements.txt and pyproject.toml that declares something
 * @throws DeployError `requirements-missing`, `requirements-invalid`, `requirements-empty`
 */
export function findRequirements(tree: Tree, input: string | undefined): Requirements {
  if (input !== undefined) {
    const isToml = path.posix.basename(input) === 'pyproject.toml'
    if (!isToml && /\.(?:toml|lock|json|cfg|py)$/.test(input)) throw unknownKind(input)
    if (!tree.has(input)) throw missing(tree, input)
    const declared = (isToml ? readPyproject : readRequirements)(tree, input)
    return judged(tree, input, isToml ? 'pyproject' : 'requirements', declared, 'the `requirements` input')
  }
  const passed: string[] = []
  for (const place of places) {
    if (!tree.has(place.file)) continue
    const declared = place.read(tree, place.file)
    if (declared.count === 0 && !declared.dynamic && declared.faults.length === 0) {
      passed.push(place.file)
      continue
    }
    const reason = passed.length === 0 ? `${place.file} is there` : `${passed.join(' and ')} lists nothing`
    return judged(tree, place.file, place.kind, declared, reason)
  }
  const [empty] = passed
  if (empty !== undefined) throw nothingDeclared(empty)
  throw missing(tree, undefined)
}

function judged(
  tree: Tree,
  file: string,
  kind: Requirements['kind'],
  declared: Declaration,
  reason: string,
): Requirements {
  if (declared.faults.length > 0) throw new DeployError('requirements-invalid', declared.faults)
  if (declared.count === 0 && !declared.dynamic) throw nothingDeclared(file)
  const hash = createHash('sha256')
  // Lengths part the pieces, so that no two different sets of files give the same bytes.
  for (const own of declared.files.toSorted()) {
    const bytes = tree.read(own) ?? Buffer.alloc(0)
    hash.update(`${Buffer.byteLength(own)}:${own}:${bytes.length}:`).update(bytes)
  }
  return {
    file,
    kind,
    passedOver: [],
    names: declared.names,
    buildable: false,
    hashed: declared.hashed,
    listsGunicorn: declared.names.includes('gunicorn'),
    sha256: hash.digest('hex'),
    reason,
    files: declared.files,
    local: declared.local,
    unpinned: declared.hashed ? [] : declared.unpinned,
  }
}

/** Follows -r and -c, each relative to the file that says it, as pip does. */
function readRequirements(tree: Tree, file: string): Declaration {
  const files = new Set<string>()
  const names: string[] = []
  const local = new Set<string>()
  const unpinned: Unpinned[] = []
  const faults: Explanation[] = []
  let count = 0
  let hashes = 0
  let requiresHashes = false

  const visit = (own: string, constraint: boolean): void => {
    if (files.has(own)) return
    files.add(own)
    const lines = requirementLines(textOf(tree, own) ?? '')
    requiresHashes ||= lines.requiresHashes
    if (!constraint) {
      count += lines.addresses.length
      unpinned.push(...unpinnedIn(lines, own))
    }
    for (const one of lines.requirements) {
      if (one.local !== undefined) {
        const place = within(tree, own, one.local, one.text, faults)
        if (place !== undefined) {
          local.add(place)
          for (const part of partsOf(tree, place)) files.add(part)
        }
      }
      if (constraint) continue
      count += 1
      if (one.hashed) hashes += 1
      if (one.name !== undefined) names.push(one.name)
    }
    for (const [paths, constrains] of [
      [lines.includes, constraint],
      [lines.constraints, true],
    ] as const) {
      for (const wanted of paths) {
        const place = within(tree, own, wanted, `${constrains ? '-c' : '-r'} ${wanted}`, faults)
        if (place !== undefined) visit(place, constrains)
      }
    }
  }
  visit(file, false)
  const hashed = count > 0 && (hashes === count || requiresHashes)
  return { files: [...files], names, local: [...local], count, hashed, unpinned, dynamic: false, faults }
}

/** A path that a requirements file names; the fault is noted where it is not in the bundle. */
function within(
  tree: Tree,
  from: string,
  wanted: string,
  said: string,
  faults: Explanation[],
): string | undefined {
  const plain = wanted.replaceAll('\\', '/')
  const own = path.posix.join(path.posix.dirname(from), plain).replace(/\/$/, '')
  const place = own === '.' ? '' : own
  if (path.posix.isAbsolute(plain) || /^[A-Za-z]:/.test(plain) || /^\.\.(?:\/|$)/.test(place)) {
    faults.push({
      cause: `${from} says "${said}", which lies outside of what is sent.`,
      cure: 'Set `source` to a folder that holds both, or set `requirements` to a file that does without it.',
      input: 'requirements',
      file: from,
    })
    return undefined
  }
  if (tree.has(place) || tree.hasFolder(place)) return place
  faults.push({
    cause: `${from} says "${said}", but ${place} ${tree.isUnsent(place) ? 'is not tracked by git, so it is not sent' : 'does not exist'}.`,
    cure: tree.isUnsent(place) ? `Commit it, or name it in \`include\`.` : `Correct ${from}.`,
    input: tree.isUnsent(place) ? 'include' : 'requirements',
    file: from,
  })
  return undefined
}

/**
 * The files that decide what is installed from a path: an archive itself, all of a sub-folder, and of the whole project,
 * whose code is in every release anyway, those that say what it depends on.
 */
function partsOf(tree: Tree, place: string): readonly string[] {
  if (tree.has(place)) return [place]
  if (place !== '') return tree.paths.filter((own) => own.startsWith(`${place}/`))
  return ['pyproject.toml', 'setup.py', 'setup.cfg']
    .map((name) => path.posix.join(place, name))
    .filter((own) => tree.has(own))
}

/** PEP 621's `[project]`; with setuptools' files behind `dynamic`. */
function readPyproject(tree: Tree, file: string): Declaration {
  const nothing = {
    files: [file],
    names: [],
    local: [],
    count: 0,
    hashed: false,
    unpinned: [],
    dynamic: false,
    faults: [],
  }
  let toml: TomlTable
  try {
    toml = parse(textOf(tree, file) ?? '')
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const cause = `${file} is not valid TOML at line ${error.line}, column ${error.column}.`
    return { ...nothing, faults: [{ cause, cure: `Correct ${file}.`, file, line: error.line }] }
  }
  const project = table(toml.project)
  const dependencies = texts(project.dependencies)
  const dynamic = texts(project.dynamic).includes('dependencies')
  const setuptools = table(table(table(table(toml.tool).setuptools).dynamic).dependencies).file
  const named = dynamic ? (typeof setuptools === 'string' ? [setuptools] : texts(setuptools)) : []
  const behind = named
    .map((own) => path.posix.join(path.posix.dirname(file), own))
    .filter((own) => tree.has(own))
    .map((own) => readRequirements(tree, own))
  return {
    ...nothing,
    files: [...new Set([file, ...behind.flatMap((one) => one.files)])],
    names: [
      ...dependencies.flatMap((one) => requirementName(one) ?? []),
      ...behind.flatMap((one) => one.names),
    ],
    local: [...new Set(behind.flatMap((one) => one.local))],
    unpinned: [
      ...unpinnedIn(requirementLines(dependencies.join('\n')), file),
      ...(dynamic && behind.length === 0 ? [{ what: 'dependencies', name: file, file } as const] : []),
      ...behind.flatMap((one) => one.unpinned),
    ],
    count: dependencies.length + behind.reduce((sum, one) => sum + one.count, 0),
    dynamic,
    faults: behind.flatMap((one) => one.faults),
  }
}

function table(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : []
}

function missing(tree: Tree, input: string | undefined): DeployError {
  const unsent =
    input === undefined
      ? places.map((one) => one.file).find((own) => tree.isUnsent(own))
      : tree.isUnsent(input)
        ? input
        : undefined
  if (unsent !== undefined) {
    return new DeployError('requirements-missing', {
      cause: `${unsent} exists but is not sent: git does not track it, or \`exclude\` names it.`,
      cure: 'Commit it, or name it in `include`.',
      input: 'include',
      file: unsent,
    })
  }
  if (input === undefined) {
    return new DeployError('requirements-missing', {
      cause:
        'No dependencies are declared: there is no requirements.txt and no pyproject.toml with a [project] table.',
      cure: 'Add a requirements.txt that lists Flask, or set `requirements` to the file that lists the dependencies.',
      input: 'requirements',
    })
  }
  return new DeployError('requirements-missing', {
    cause: `The file ${input}, named in \`requirements\`, does not exist.`,
    cure: 'Set `requirements` to a file of the project, relative to `source`.',
    input: 'requirements',
  })
}

function nothingDeclared(file: string): DeployError {
  const pyproject = path.posix.basename(file) === 'pyproject.toml'
  return new DeployError('requirements-empty', {
    cause: pyproject ? `${file} lists no dependencies under [project].` : `${file} lists no dependencies.`,
    cure: 'List Flask and what else the app needs in it, or set `requirements` to the file that does.',
    input: 'requirements',
    file,
  })
}

function unknownKind(input: string): DeployError {
  return new DeployError('requirements-invalid', {
    cause: `${input}, named in \`requirements\`, is neither a requirements file nor a pyproject.toml.`,
    cure: 'Set `requirements` to a file such as requirements.txt, or to pyproject.toml.',
    input: 'requirements',
    file: input,
  })
}
