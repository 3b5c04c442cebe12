import { factoryNames, find, meaningOf } from './app-binding.ts'
import { appModules } from './app-modules.ts'
import { factoriesIn, objectsIn } from './app-objects.ts'
import { placeOf, places } from './app-places.ts'
import { absoluteName, type Module, sourceOf } from './modules.ts'
import { startAt } from './python-starts.ts'
import { type Tree, textOf } from './tree.ts'

/** A place where the app may be; several are found, the best rank wins. */
export interface Candidate {
  /** The better first, compared number by number; candidates of one rank are equally good. */
  readonly rank: readonly number[]
  readonly module: Module
  readonly attribute: string
  readonly factory: boolean
  readonly expression: string
  /** Where it was defined, so that two ways to one object are known as such. */
  readonly origin: string
  /** Who says so, beside the module itself: `as the web line of`, a file, `has it`. */
  readonly because: Because | undefined
}

/** The file that names an app; the texts stand before and behind it. */
export interface Because {
  readonly before: string
  readonly file: string
  readonly after: string
}

/** A factory that reading alone cannot call. */
export interface Unusable {
  readonly module: Module
  readonly name: string
  readonly required: readonly string[]
}

/** What the search came to. */
export interface Search {
  /** The best first. */
  readonly candidates: readonly Candidate[]
  readonly unusable: readonly Unusable[]
  /** Files that have an app but start a server, or read the command line, when they are imported. */
  readonly scripts: readonly string[]
}

/** Searches the root, `src` and the packages in them. */
export function search(tree: Tree): Search {
  const candidates: Candidate[] = []
  const unusable: Unusable[] = []
  const scripts: string[] = []
  const modules = appModules(tree)
  const hints = hinted(tree, modules)
  for (const module of modules) {
    const place = placeOf(module)
    const objects = objectsIn(tree, module, {
      reExports: place.reExports !== 'no',
      anywhere: place.anywhere,
    })
    const factories = factoriesIn(tree, module, place.reExports === 'all')
    if (objects.length === 0 && factories.length === 0) continue
    const start = startAt(tree, module)
    if (start === 'other') {
      scripts.push(module.file)
      continue
    }
    const resort = start === 'flask' ? places.lastResort : 0
    for (const one of objects) {
      const job = place.anywhere && place.root && one.derived && isJob(tree, module)
      candidates.push({
        rank: [resort + (job ? places.job : place.object), hints(one.origin, module), one.sure ? 0 : 1, 0],
        module,
        attribute: one.name,
        factory: false,
        expression: one.name,
        origin: one.origin,
        because: undefined,
      })
    }
    for (const { name, required, origin, sure, sets } of factories) {
      if (required.length > 0) {
        unusable.push({ module, name, required })
        continue
      }
      // `app = Flask(...)` that a factory only completes is nothing without it.
      const completes = objects.some((one) => !one.derived && sets.includes(one.name))
      candidates.push({
        rank: [
          resort + (completes ? place.object - 0.5 : place.factory),
          hints(origin, module),
          sure ? 0 : 1,
          (factoryNames.indexOf(name) + 1 || 9) - 1,
        ],
        module,
        attribute: name,
        factory: true,
        expression: `${name}()`,
        origin,
        because: undefined,
      })
    }
  }
  return { candidates: candidates.toSorted(byRank), unusable, scripts }
}

/** Compares two ranks; 0 for equally good ones. */
export function byRank(one: Candidate, two: Candidate): number {
  for (const [at, number] of one.rank.entries()) {
    const difference = number - (two.rank[at] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

/** It makes an app to do a job in its context, once. */
function isJob(tree: Tree, module: Module): boolean {
  return sourceOf(tree, module).calls.some((one) => /\bapp_context\s*\(/.test(one))
}

/** What scripts in the root import is likelier the app than what nobody mentions: 0 is mentioned, 1 named, 2 not. */
function hinted(tree: Tree, modules: readonly Module[]): (origin: string, module: Module) => number {
  const mentioned = new Set<string>()
  for (const module of modules) {
    if (module.name.includes('.') || module.file.endsWith('/__init__.py')) continue
    const { bindings, guarded } = sourceOf(tree, module)
    for (const one of [...bindings, ...guarded]) {
      if (one.kind !== 'import' || one.original === undefined) continue
      const home = find(tree, module, absoluteName(module, one.module))
      const meaning = home === undefined ? undefined : meaningOf(tree, home, one.original)
      if (meaning !== undefined && meaning.kind !== 'other') mentioned.add(meaning.origin)
    }
  }
  const name = projectName(tree)
  return (origin, module) => (mentioned.has(origin) ? 0 : module.name.split('.')[0] === name ? 1 : 2)
}

/** What the project calls itself, as a package of it is called. */
function projectName(tree: Tree): string | undefined {
  for (const [file, line] of [
    ['pyproject.toml', /^\s*name\s*=\s*["']([\w.-]+)/m],
    ['setup.cfg', /^\s*name\s*=\s*([\w.-]+)/m],
    ['setup.py', /\bname\s*=\s*["']([\w.-]+)/],
  ] as const) {
    const name = line.exec(textOf(tree, file) ?? '')?.[1]
    if (name !== undefined) return name.toLowerCase().replaceAll(/[.-]/g, '_')
  }
  return undefined
}
