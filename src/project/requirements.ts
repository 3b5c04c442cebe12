import { createHash } from 'node:crypto'
import path from 'node:path'
import { DeployError } from '../errors.ts'
import { judgeBuild } from './buildable.ts'
import {
  type Declaration,
  declares,
  nothingIn,
  type Reader,
  together,
  unique,
  type Wanted,
} from './declaration.ts'
import { plainName } from './markers.ts'
import type { AppTarget, Requirements } from './project.ts'
import { readPyproject } from './pyproject.ts'
import { type Kind, kindOf, placesIn } from './requirement-places.ts'
import { missing, nothingDeclared, unknownKind, unknownNames } from './requirements-faults.ts'
import { readSetup } from './setup-files.ts'
import type { Tree } from './tree.ts'

/** What the user says about the dependencies. */
export interface RequirementsInputs {
  /** undefined: found by looking. */
  readonly requirements: string | undefined
  readonly extras: readonly string[]
  readonly groups: readonly string[]
}

/** A file that was read, and what it declares. */
interface Read {
  readonly file: string
  readonly kind: Kind
  readonly declared: Declaration
}

/** One that was not used, and why. */
interface Passed {
  readonly file: string
  readonly why: string
}

/**
 * Finds where the dependencies are declared, and how they are installed.
 * @param target the app object; undefined: only `source` itself is looked through
 * @throws DeployError `requirements-missing`, `requirements-invalid`, `requirements-empty`, `extras-unknown`
 */
export function findRequirements(
  tree: Tree,
  inputs: RequirementsInputs,
  target: AppTarget | undefined,
): Requirements {
  const wanted: Wanted = {
    extras: new Set(inputs.extras.map(plainName)),
    groups: new Set(inputs.groups.map(plainName)),
    folder: appFolder(tree, target),
  }
  if (inputs.requirements !== undefined) return given(tree, inputs.requirements, wanted)
  for (const folder of unique(['', ...foldersOf(target)])) {
    const found = foundIn(tree, folder, wanted)
    if (found !== undefined) return found
  }
  // Somewhere else, but only one: then it is meant.
  const elsewhere = tree.paths.filter(
    (own) => path.posix.basename(own) === 'requirements.txt' && tree.has(own),
  )
  const [only] = elsewhere
  if (only !== undefined && elsewhere.length === 1 && !tree.has('requirements.txt')) {
    const read = reading(tree, only, 'requirements', wanted)
    if (declares(read.declared)) return judged(tree, read, wanted, `${only} is the only one there is`, [])
  }
  const empty = placesIn(tree, '').find(({ file }) => tree.has(file))
  throw empty === undefined ? missing(tree, undefined) : nothingDeclared(empty.file)
}

function given(tree: Tree, input: string, wanted: Wanted): Requirements {
  const kind = kindOf(input)
  if (kind === undefined) throw unknownKind(input)
  if (!tree.has(input)) throw missing(tree, input)
  const read = reading(tree, input, kind.kind, wanted, kind.read)
  const beside = kind.needs === undefined ? undefined : path.posix.join(path.posix.dirname(input), kind.needs)
  if (beside !== undefined && !tree.has(beside)) throw missing(tree, beside)
  return judged(tree, read, wanted, 'the `requirements` input', [])
}

function foundIn(tree: Tree, folder: string, wanted: Wanted): Requirements | undefined {
  const passed: Passed[] = []
  const reads: Read[] = []
  for (const { file, kind, read, needs } of placesIn(tree, folder)) {
    if (!tree.has(file)) continue
    const beside = needs === undefined ? undefined : path.posix.join(path.posix.dirname(file), needs)
    if (beside !== undefined && !tree.has(beside)) {
      passed.push({ file, why: `the ${beside} that it locks is not there` })
      continue
    }
    const one = reading(tree, file, kind, wanted, read)
    if (declares(one.declared)) reads.push(one)
    else passed.push({ file, why: emptyWhy(one) })
  }
  const [first] = reads
  if (first === undefined) return undefined
  const best = hasFlask(first) ? first : (betterThan(first, reads) ?? first)
  const why = (one: Read): string => {
    if (best !== first && one === first) return `it lists no Flask, which ${best.file} does`
    if (isLock(best)) return `${best.file} is there, which locks ${isLock(one) ? 'them too' : 'the same'}`
    return `${best.file} comes first`
  }
  const nothing = passed.filter((one) => one.why === listsNothing).map((one) => one.file)
  const reason =
    best !== first
      ? `${first.file} lists no Flask`
      : nothing.length === 0
        ? `${best.file} is there`
        : `${nothing.join(' and ')} ${nothing.length === 1 ? 'lists' : 'list'} nothing`
  return judged(tree, best, wanted, reason, [
    ...reads.filter((one) => one !== best).map((one) => ({ file: one.file, why: why(one) })),
    ...passed,
  ])
}

function reading(tree: Tree, file: string, kind: Kind, wanted: Wanted, read?: Reader): Read {
  return { file, kind, declared: (read ?? kindOf(file)?.read ?? readNothing)(tree, file, wanted) }
}

const readNothing: Reader = (_, file) => nothingIn(file)

/** A lock or list without Flask, where another one has it, is of something else: of documentation, of a tool. */
function betterThan(first: Read, reads: readonly Read[]): Read | undefined {
  const others = reads.filter((one) => one !== first && hasFlask(one) && one.declared.faults.length === 0)
  if (first.declared.faults.length > 0 || first.declared.dynamic) return undefined
  if (isLock(first)) return others[0]
  // What the project itself declares is added to a list: see `withOwn`.
  return others.find((one) => first.kind !== 'requirements' || !['pyproject', 'setup'].includes(one.kind))
}

/** Flask itself, or what brings it. */
function hasFlask({ declared }: Pick<Read, 'declared'>): boolean {
  return declared.names.some((name) => /^(?:flask|dash|quart|connexion|apiflask)(?:-|$)/.test(name))
}

function isLock({ file }: Read): boolean {
  return /(?:\.lock|^pylock\b.*\.toml)$/.test(path.posix.basename(file))
}

const listsNothing = 'it lists nothing'

function emptyWhy({ kind, declared }: Read): string {
  if (kind === 'pyproject' && declared.extras?.size === 0) return 'it only configures tools'
  return listsNothing
}

/**
 * What the project itself declares is installed along with a list that names the project (`-e .`), that omits Flask, or
 * where extras or groups of it are wanted.
 */
function withOwn(
  tree: Tree,
  read: Read,
  wanted: Wanted,
): { readonly declared: Declaration; readonly added: readonly string[] } {
  const { declared } = read
  if (read.kind !== 'requirements' || declared.faults.length > 0) return { declared, added: [] }
  const asks = wanted.extras.size > 0 || wanted.groups.size > 0
  const places = new Map(declared.own)
  if (places.size === 0 && (asks || !hasFlask(read))) {
    for (const folder of unique(['', wanted.folder])) {
      const own = ownDeclaration(tree, folder, wanted)
      if (own !== undefined && (asks || hasFlask({ declared: own }) || own.dynamic)) places.set(folder, [])
    }
  }
  let sum = declared
  const added: string[] = []
  for (const [place, extras] of places) {
    const own = ownDeclaration(tree, place, { ...wanted, extras: new Set([...wanted.extras, ...extras]) })
    if (own === undefined) continue
    sum = together(sum, own)
    added.push(own.files[0] ?? place)
  }
  return { declared: sum, added }
}

/** The project's own declaration in a folder: pyproject.toml's, else setup's. */
function ownDeclaration(tree: Tree, folder: string, wanted: Wanted): Declaration | undefined {
  const toml = path.posix.join(folder, 'pyproject.toml')
  const declared = tree.has(toml) ? readPyproject(tree, toml, wanted) : undefined
  if (declared !== undefined && declares(declared)) return declared
  const setup = ['setup.py', 'setup.cfg']
    .map((name) => path.posix.join(folder, name))
    .find((own) => tree.has(own))
  const read = setup === undefined ? undefined : readSetup(tree, setup, wanted)
  return read !== undefined && declares(read) ? read : undefined
}

function judged(
  tree: Tree,
  read: Read,
  wanted: Wanted,
  reason: string,
  passedOver: readonly Passed[],
): Requirements {
  const { declared, added } = withOwn(tree, read, wanted)
  if (declared.faults.length > 0) throw new DeployError('requirements-invalid', declared.faults)
  const unknown = unknownNames(read.file, declared, wanted)
  if (unknown !== undefined) throw unknown
  if (declared.count === 0 && !declared.dynamic) throw nothingDeclared(read.file)
  const build = unique(['', wanted.folder])
    .map((folder) => judgeBuild(tree, folder))
    .find((one) => one.buildable)
  return {
    file: read.file,
    kind: read.kind,
    passedOver: passedOver.filter(({ file }) => !added.includes(file)),
    names: unique(declared.names),
    buildable: build !== undefined,
    built: build?.built ?? { folder: '', name: '' },
    plugins: build?.plugins ?? false,
    hashed: declared.hashed,
    listsGunicorn: declared.names.includes('gunicorn'),
    sha256: hashOf(tree, declared),
    reason: added.length === 0 ? reason : `${reason}; with what ${added.join(' and ')} lists`,
    files: declared.files,
    local: declared.local,
    unpinned: declared.hashed ? [] : declared.unpinned,
    steps: declared.steps,
    // No word of a shell can hold NUL, and no requirement has one.
    texts: new Map([...declared.texts].map(([own, text]) => [own, text.replaceAll('\0', '')])),
  }
}

function hashOf(tree: Tree, { files, texts, steps }: Declaration): string {
  const hash = createHash('sha256')
  const add = (own: string, bytes: Buffer) => {
    // Lengths part the pieces, so that no two different sets of files give the same bytes.
    hash.update(`${Buffer.byteLength(own)}:${own}:${bytes.length}:`).update(bytes)
  }
  for (const own of files.toSorted()) add(own, tree.read(own) ?? Buffer.alloc(0))
  for (const [own, text] of [...texts].toSorted(([a], [b]) => (a < b ? -1 : 1))) add(own, Buffer.from(text))
  return hash.update(JSON.stringify(steps)).digest('hex')
}

/** The folder that the app's own code begins in, below `source`. */
function appFolder(tree: Tree, target: AppTarget | undefined): string {
  const [folder = ''] = target?.path ?? []
  return tree.hasFolder(folder) ? folder : ''
}

/** Where an app in a sub-folder may have its list: that folder, and the module's own. */
function foldersOf(target: AppTarget | undefined): readonly string[] {
  if (target === undefined) return []
  const [folder = ''] = target.path
  const packages = target.module.split('.')
  const inner = packages.map((_, count) =>
    path.posix.join(folder, ...packages.slice(0, packages.length - count)),
  )
  const above = folder.split('/').map((_, count, parts) => parts.slice(0, parts.length - count).join('/'))
  return [...above, ...inner].filter((own) => own !== '')
}
