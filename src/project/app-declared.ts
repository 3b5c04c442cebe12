import { isWsgi, meaningOf } from './app-binding.ts'
import type { Because, Candidate } from './app-candidates.ts'
import { parseApp } from './app-expression.ts'
import { inModule } from './app-objects.ts'
import { settingsFile } from './gunicorn-file.ts'
import { absoluteName, bases, findModule, join, type Module, moduleIn, notApps, sourceOf } from './modules.ts'
import { startAt } from './python-starts.ts'
import { fileOf, flaskApps, type Start } from './start-files.ts'
import { type Tree, textOf } from './tree.ts'

/** The candidate that a declared start names; undefined where the project holds no such app. */
export function declaredCandidate(tree: Tree, start: Start, rank: number): Candidate | undefined {
  const { server, line, because } = start
  const folders = [...server.folders, line.folder].filter((one) => one !== '')
  const { pointer } = server
  switch (pointer.kind) {
    case 'target':
      return named(tree, pointer.text, folders, server.program === 'gunicorn' ? 'application' : undefined, {
        rank,
        because,
        certain: server.asgi,
      })
    case 'configuration': {
      const settings = settingsFile(tree, server.configuration)
      if (settings?.app === undefined) return undefined
      const own = { ...because, before: '`wsgi_app` in ', file: settings.file, after: ' has it' }
      const all = settings.folder === undefined ? folders : [settings.folder, ...folders]
      return named(tree, settings.app, all, 'application', { rank, because: own, certain: false })
    }
    case 'file': {
      const at = moduleOfFile(tree, fileOf(tree, pointer.file, line.folder))
      if (at === undefined) return undefined
      return named(tree, `${at.name}:${pointer.name ?? 'application'}`, [at.base, ...folders], undefined, {
        rank,
        because,
        certain: false,
      })
    }
    case 'flask':
      return pointer.text === undefined
        ? undefined
        : flaskCandidate(tree, pointer.text, rank, because, folders)
    case 'script':
      return scriptCandidate(tree, scriptFile(tree, pointer.file, line.folder), rank, because)
    case 'follow':
      return undefined
  }
}

/** Those that FLASK_APP of the project's files names. */
export function flaskCandidates(tree: Tree, rank: number): readonly Candidate[] {
  return flaskApps(tree).flatMap(({ text, because }, at) => {
    return flaskCandidate(tree, text, rank + at / 100, because, []) ?? []
  })
}

/** FLASK_APP is a file or a module, with a name or a call behind a colon where it is not the usual one. */
function flaskCandidate(
  tree: Tree,
  text: string,
  rank: number,
  because: Because,
  folders: readonly string[],
): Candidate | undefined {
  const colon = text.indexOf(':')
  const module = colon === -1 ? text : text.slice(0, colon)
  const behind = colon === -1 ? '' : text.slice(colon)
  const options = { rank, because, certain: false }
  if (!module.endsWith('.py') && !module.includes('/')) {
    return named(tree, text, folders, undefined, options)
  }
  const at = moduleOfFile(
    tree,
    fileOf(tree, module.endsWith('.py') ? module : `${module}/__init__.py`, folders[0]),
  )
  return at === undefined
    ? undefined
    : named(tree, `${at.name}${behind}`, [at.base, ...folders], undefined, options)
}

interface Options {
  readonly rank: number
  readonly because: Because
  /** Only what is certainly a Flask app counts: the server could serve others. */
  readonly certain: boolean
}

/** Resolves `module:expression`, as a server that is started in one of the folders would. */
function named(
  tree: Tree,
  text: string,
  folders: readonly string[],
  usual: string | undefined,
  { rank, because, certain }: Options,
): Candidate | undefined {
  const parsed = parseApp(text.replace(/\.py(?=:|$)/, ''))
  if (typeof parsed === 'string') return undefined
  const module = locate(tree, parsed.module, folders)
  if (module === undefined) return undefined
  const make = (attribute: string, factory: boolean, expression: string, origin: string): Candidate => ({
    rank: [rank],
    module,
    attribute,
    factory,
    expression,
    origin,
    because,
  })
  const own = `${module.file}:`
  if (parsed.attribute === undefined && usual === undefined) {
    const { object, factory } = inModule(tree, module)
    const [only] = object
    if (only !== undefined && object.length === 1) return make(only.name, false, only.name, only.origin)
    const usable = factory.find((one) => one.required.length === 0)
    return usable === undefined ? undefined : make(usable.name, true, `${usable.name}()`, usable.origin)
  }
  const attribute = parsed.attribute ?? usual ?? ''
  const [first = ''] = attribute.split('.')
  const meaning = meaningOf(tree, module, first)
  if (attribute !== first) {
    // `app:app.server`: what an attribute holds is not read.
    return bindsName(tree, module, first)
      ? make(attribute, parsed.factory, parsed.expression ?? attribute, own + attribute)
      : undefined
  }
  if (meaning === undefined || meaning.kind === 'other') return undefined
  if (certain && !meaning.sure) return undefined
  if (parsed.factory) return make(attribute, true, parsed.expression ?? attribute, meaning.origin)
  if (meaning.kind === 'function' && !isWsgi(meaning.required)) {
    return meaning.required.length === 0 ? make(attribute, true, `${attribute}()`, meaning.origin) : undefined
  }
  return make(attribute, false, attribute, meaning.origin)
}

function bindsName(tree: Tree, module: Module, name: string): boolean {
  return sourceOf(tree, module).bindings.some((one) => one.name === name)
}

/** Finds a module where the command would, else in the only folder of the project that has it. */
export function locate(tree: Tree, name: string, folders: readonly string[]): Module | undefined {
  const direct = findModule(tree, name, [...new Set([...folders, ...bases(tree)])])
  if (direct !== undefined) return direct
  const tail = `/${name.replaceAll('.', '/')}`
  const found = new Set(
    tree.paths.flatMap((own) => {
      const stem = own.replace(/(?:\/__init__)?\.py$/, '')
      const base = stem.slice(0, -tail.length)
      return own.endsWith('.py') && stem.endsWith(tail) && !base.split('/').some((part) => notApps.has(part))
        ? [base]
        : []
    }),
  )
  const [only] = found
  return only !== undefined && found.size === 1 ? moduleIn(tree, only, name) : undefined
}

/** The module that a file is, seen from the first folder above it that is no package (Flask's rule for FLASK_APP). */
export function moduleOfFile(tree: Tree, file: string | undefined): Module | undefined {
  if (file?.endsWith('.py') !== true) return undefined
  const parts = file.replace(/(?:\/__init__)?\.py$/, '').split('/')
  let base = parts.length - 1
  while (base > 0 && tree.has(join(parts.slice(0, base).join('/'), '__init__.py'))) base -= 1
  const name = parts.slice(base).join('.')
  // `my-shop.py` has no name that an import could say.
  if (typeof parseApp(name) === 'string') return undefined
  return { name, base: parts.slice(0, base).join('/'), file }
}

function scriptFile(tree: Tree, written: string, folder: string): string | undefined {
  if (written.endsWith('.py')) return fileOf(tree, written, folder)
  // `python -m shop` runs a module, or the package's `__main__`.
  return [`${written}.py`, `${written}/__main__.py`, `src/${written}.py`, `src/${written}/__main__.py`]
    .flatMap((own) => (folder === '' ? [own] : [`${folder}/${own}`, own]))
    .find((own) => tree.has(own))
}

/** The app that a script starts: its own object, else what it imports or makes under its main guard. */
function scriptCandidate(
  tree: Tree,
  file: string | undefined,
  rank: number,
  because: Because,
): Candidate | undefined {
  const module = moduleOfFile(tree, file)
  if (module === undefined) return undefined
  const source = sourceOf(tree, module)
  const { object } = inModule(tree, module)
  const start = startAt(tree, module)
  const [own] = object
  const base = { rank: [rank], because }
  if (
    own !== undefined &&
    object.length === 1 &&
    (start === 'no' || (start === 'flask' && own.sure && own.origin === `${module.file}:${own.name}`))
  ) {
    return { ...base, module, attribute: own.name, factory: false, expression: own.name, origin: own.origin }
  }
  const imports = [...source.bindings, ...source.guarded].flatMap((one) =>
    one.kind === 'import' ? [one] : [],
  )
  for (const one of imports) {
    if (one.original === undefined) continue
    const home = findModule(tree, absoluteName(module, one.module), [
      ...new Set([module.base, ...bases(tree)]),
    ])
    const meaning = home === undefined ? undefined : meaningOf(tree, home, one.original)
    if (home === undefined || meaning === undefined || meaning.kind === 'other' || !meaning.sure) continue
    const target = { ...base, module: home, attribute: one.original, origin: meaning.origin }
    if (meaning.kind === 'object') return { ...target, factory: false, expression: one.original }
    const call = callOf(tree, module, one.name)
    if (
      call !== undefined &&
      typeof parseApp(`${home.name}:${one.original}(${call})`) !== 'string' &&
      call !== ''
    ) {
      return { ...target, factory: true, expression: `${one.original}(${call})` }
    }
    if (meaning.required.length === 0) return { ...target, factory: true, expression: `${one.original}()` }
  }
  const factory = inModule(tree, module).factory.find((one) => one.required.length === 0)
  if (factory === undefined || start === 'other') return undefined
  return {
    ...base,
    module,
    attribute: factory.name,
    factory: true,
    expression: `${factory.name}()`,
    origin: factory.origin,
  }
}

/** The arguments that a script gives a factory. */
function callOf(tree: Tree, module: Module, name: string): string | undefined {
  return new RegExp(`=\\s*${name}\\(([^()]*)\\)`, 'u').exec(textOf(tree, module.file) ?? '')?.[1]?.trim()
}
