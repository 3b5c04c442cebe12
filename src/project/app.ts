import { isWsgi, meaningOf } from './app-binding.ts'
import { byRank, type Candidate, type Search, search } from './app-candidates.ts'
import { declaredCandidate, flaskCandidates, locate } from './app-declared.ts'
import {
  ambiguous,
  invalid,
  moduleMissing,
  needsArguments,
  notFound,
  nothingIn,
  severalFolders,
  startsItself,
} from './app-errors.ts'
import { type AppExpression, parseApp } from './app-expression.ts'
import { inModule } from './app-objects.ts'
import { places, weak } from './app-places.ts'
import { bases, join, type Module, moduleIn, notApps } from './modules.ts'
import type { AppTarget } from './project.ts'
import { type Start, startsIn } from './start-files.ts'
import { below, type Tree } from './tree.ts'

/** What was found. */
export interface FoundApp {
  readonly target: AppTarget
  /** Less likely ones, the better first. */
  readonly others: readonly AppTarget[]
  /** The folder whose files (Procfile and such) speak of this app; '' for the root. */
  readonly folder: string
}

/** How many less likely candidates the server may try. */
const mostOthers = 4
/** How many folders deep an app may lie that nothing points to. */
const deepestFolder = 2
/** Ranks of what the project declares. */
const declaredRank = 0
const flaskAppRank = 5

/**
 * Finds the app object by reading; no code of the project runs.
 * @param input the `app` input; undefined: detected
 * @throws DeployError `app-invalid`, `app-module-missing`, `app-not-found`, `app-ambiguous`, `app-needs-arguments`, `app-starts-itself`
 */
export function findApp(tree: Tree, input: string | undefined): AppTarget {
  return findApps(tree, input).target
}

/** The same with the less likely ones, for the server to try. */
export function findApps(tree: Tree, input: string | undefined): FoundApp {
  if (input === undefined) return detected(tree)
  const target = given(tree, input)
  return { target, others: [], folder: target.path[0] ?? '' }
}

/** Every candidate of the root and `src`, the best first. */
export function candidates(tree: Tree): readonly { readonly target: AppTarget }[] {
  return searchAll(tree).candidates.map((one) => ({ target: targetOf(tree, one) }))
}

function searchAll(tree: Tree): Search {
  const found = search(tree)
  const declared = startsIn(tree).flatMap((start: Start, at) => {
    return declaredCandidate(tree, start, declaredRank + at / 100) ?? []
  })
  const all = [...declared, ...flaskCandidates(tree, flaskAppRank), ...found.candidates]
  return { ...found, candidates: all.toSorted(byRank) }
}

function detected(tree: Tree): FoundApp {
  const found = withFolders(tree, 0)
  const [best, ...rest] = found.candidates
  if (best === undefined) {
    if (found.unusable[0] !== undefined) throw needsArguments(found.unusable[0])
    throw found.scripts[0] === undefined ? notFound(tree) : startsItself(found.scripts[0])
  }
  const equals = distinct(found.candidates.filter((one) => byRank(one, best) === 0))
  const chosen = equals.length > 1 ? tieBreak(equals, rest) : best
  if (chosen === undefined) {
    if (equals.every((one) => one.folder !== '') && new Set(equals.map((one) => one.folder)).size > 1) {
      throw severalFolders(equals.map((one) => ({ folder: one.folder, target: targetOf(tree, one) })))
    }
    throw ambiguous(equals.map((one) => targetOf(tree, one)))
  }
  const others = distinct([chosen, ...found.candidates]).slice(1, 1 + mostOthers)
  return {
    target: targetOf(tree, chosen),
    others: others.map((one) => targetOf(tree, one)),
    folder: chosen.folder,
  }
}

/** Scripts that all make the app by the same factory: the factory it is. */
function tieBreak(equals: readonly Placed[], rest: readonly Placed[]): Placed | undefined {
  const [place = 0] = equals[0]?.rank ?? []
  if (place < places.anyRoot || place >= places.wsgiFactory) return undefined
  const factories = distinct(rest.filter((one) => one.factory && (one.rank[0] ?? 0) < weak))
  return factories.length === 1 ? factories[0] : undefined
}

type Placed = Candidate & { readonly folder: string }

interface PlacedSearch {
  readonly candidates: readonly Placed[]
  readonly unusable: Search['unusable']
  readonly scripts: Search['scripts']
}

/** The root, and the sub-folders where it has nothing good. */
function withFolders(tree: Tree, depth: number): PlacedSearch {
  const own = searchAll(tree)
  const candidates = own.candidates.map((one) => ({ ...one, folder: '' }))
  if (depth >= deepestFolder || candidates.some((one) => (one.rank[0] ?? 0) < weak))
    return { ...own, candidates }
  const found = foldersOf(tree).map((folder) => ({
    folder,
    listed: declaresPackages(tree, folder),
    search: placedIn(folder, withFolders(below(tree, folder), depth + 1)),
  }))
  const good = found.filter((one) => one.search.candidates.some(({ rank }) => (rank[0] ?? 0) < weak))
  // One that lists its packages is a project of its own; of several such the best of each stand beside each other.
  const listed = good.filter((one) => one.listed)
  const chosen = listed.length > 0 ? listed : good
  const level = chosen.length > 1
  return {
    candidates: [
      ...chosen.flatMap((one) =>
        one.search.candidates.map((candidate, at) => (level ? { ...candidate, rank: [at] } : candidate)),
      ),
      ...candidates,
    ].toSorted(byRank),
    unusable: [...own.unusable, ...found.flatMap((one) => one.search.unusable)],
    scripts: [...own.scripts, ...found.flatMap((one) => one.search.scripts)],
  }
}

function foldersOf(tree: Tree): readonly string[] {
  const names = tree.paths.flatMap((own) => (own.includes('/') ? [own.slice(0, own.indexOf('/'))] : []))
  return [...new Set(names)].filter((name) => !notApps.has(name) && !name.startsWith('.'))
}

function declaresPackages(tree: Tree, folder: string): boolean {
  const files = [
    'requirements.txt',
    'pyproject.toml',
    'Pipfile',
    'setup.py',
    'setup.cfg',
    'uv.lock',
    'poetry.lock',
  ]
  return files.some((file) => tree.has(join(folder, file)))
}

/** Names what was found below a folder as the whole project does. */
function placedIn(folder: string, found: PlacedSearch): PlacedSearch {
  const inside = (module: Module): Module => ({
    ...module,
    base: module.base === '' ? folder : join(folder, module.base),
    file: join(folder, module.file),
  })
  return {
    candidates: found.candidates.map((one) => ({
      ...one,
      module: inside(one.module),
      origin: `${folder}/${one.origin}`,
      because:
        one.because === undefined ? undefined : { ...one.because, file: join(folder, one.because.file) },
      folder: one.folder === '' ? folder : join(folder, one.folder),
    })),
    unusable: found.unusable.map((one) => ({ ...one, module: inside(one.module) })),
    scripts: found.scripts.map((file) => join(folder, file)),
  }
}

function distinct<T extends Candidate>(found: readonly T[]): readonly T[] {
  return found.filter((one, at) => found.findIndex((other) => other.origin === one.origin) === at)
}

function given(tree: Tree, input: string): AppTarget {
  const parsed = parseApp(input)
  if (typeof parsed === 'string') throw invalid(parsed)
  const module = locate(tree, parsed.module, [])
  if (module === undefined) return elsewhere(tree, parsed)
  const reason = `the \`app\` input (${module.file})`
  const make = (attribute: string, factory: boolean, expression: string): AppTarget => ({
    module: module.name,
    attribute,
    factory,
    expression,
    path: searchPath(tree, module.base),
    reason,
  })

  if (parsed.attribute === undefined || parsed.expression === undefined) {
    const { object, factory } = inModule(tree, module)
    const [only] = object
    if (object.length > 1)
      throw ambiguous(
        object.map((one) => ({
          ...make(one.name, false, one.name),
          reason: `\`${one.name}\` in ${module.file}`,
        })),
      )
    if (only !== undefined) return make(only.name, false, only.name)
    const [first] = factory
    if (first === undefined) throw nothingIn(module)
    if (first.required.length > 0) throw needsArguments({ module, ...first })
    return make(first.name, true, `${first.name}()`)
  }
  // Like Flask, a bare factory is called; what is no function, or a WSGI function itself, is taken as it is.
  const meaning = parsed.factory ? undefined : meaningOf(tree, module, parsed.attribute)
  if (meaning?.kind === 'function' && !isWsgi(meaning.required)) {
    const { required } = meaning
    if (required.length > 0) throw needsArguments({ module, name: parsed.attribute, required })
    return make(parsed.attribute, true, `${parsed.attribute}()`)
  }
  return make(parsed.attribute, parsed.factory, parsed.expression)
}

/** A module that the project does not hold can still come from a dependency. */
function elsewhere(tree: Tree, parsed: AppExpression): AppTarget {
  const top = parsed.module.split('.')[0] ?? ''
  const isOurs = bases(tree).some(
    (base) => tree.hasFolder(join(base, top)) || moduleIn(tree, base, top) !== undefined,
  )
  if (isOurs || parsed.attribute === undefined || parsed.expression === undefined)
    throw moduleMissing(tree, parsed)
  const { module, attribute, factory, expression } = parsed
  const reason = 'the `app` input (a module that the project does not hold: a dependency has to bring it)'
  return { module, attribute, factory, expression, path: searchPath(tree, ''), reason }
}

function targetOf(tree: Tree, candidate: Candidate): AppTarget {
  const { module, attribute, factory, expression, because } = candidate
  const found = `\`${attribute}\` in ${module.file}`
  const reason =
    because === undefined ? found : `${found}, as ${because.before}${because.file}${because.after}`
  return { module: module.name, attribute, factory, expression, path: searchPath(tree, module.base), reason }
}

/** The module's own base first. The root is always there: gunicorn and `flask run` put it on the path as well. */
function searchPath(tree: Tree, base: string): readonly string[] {
  const others = bases(tree).filter((one) => one !== base && (one === '' || holdsPython(tree, one)))
  return [base, ...others]
}

function holdsPython(tree: Tree, base: string): boolean {
  return tree.paths.some(
    (own) => own.startsWith(`${base}/`) && /^[^/]+(?:\.py|\/__init__\.py)$/.test(own.slice(base.length + 1)),
  )
}
