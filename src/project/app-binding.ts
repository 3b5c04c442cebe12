import { absoluteName, bases, findModule, type Module, sourceOf } from './modules.ts'
import type { Binding } from './python-bindings.ts'
import type { PythonFunction } from './python-source.ts'
import type { Tree } from './tree.ts'

/** What a name in a module is good for, as far as reading tells. */
export type Meaning =
  | { readonly kind: 'object'; readonly sure: boolean; readonly origin: string }
  /** A function; `required` are the parameters that have no default. `sure`: it returns a Flask object. */
  | {
      readonly kind: 'function'
      readonly required: readonly string[]
      readonly sure: boolean
      readonly origin: string
    }
  /** A module, a class, a coroutine, another framework's app, or no callable at all. */
  | { readonly kind: 'other' }

/** Names that a WSGI object goes by; of two in one file the one bound last counts, since it may wrap the other. */
export const objectNames: readonly string[] = ['app', 'application']
/** Names of factories, the better one first (Flask's own rule, flask/cli.py). */
export const factoryNames: readonly string[] = ['create_app', 'make_app']

/** Flask, and classes of other packages that are derived from it. */
const flaskClasses = /^(?:Flask|APIFlask|FlaskAPI|OpenAPI|Eve|CustomFlask|FlaskOpenAPI)$/
/** Calls that make something else than a WSGI object, though it is often named `app`. */
const otherApps =
  /^(?:FastAPI|Starlette|Quart|Sanic|Litestar|Robyn|Typer|Celery|Huey|Dash|JupyterDash|DashProxy|QApplication|Tk|ArgumentParser)$/
/** Wrappers that pass requests on to the app that they are given. */
const wrappers =
  /(?:Fix|Middleware|Prefixed?|Proxied|WSGIApp)$|^(?:WhiteNoise|ReverseProxy|SharedData|WsgiToAsgi)$/
/** Values that cannot be called: strings, numbers, None, lists, dicts, tuples. */
const noCallable = /^(?:[rRbBuUfF]{0,2}'|[-+\d.]|None\b|True\b|False\b|[[{]|\(\s*\)|lambda\b)/

/** How far a name is followed. */
const deepest = 40

const meanings = new WeakMap<Tree, Map<string, Meaning | undefined>>()

/**
 * Says what a name is after the module was imported; undefined where the module does not bind it.
 * A name imported from outside of the project is taken at its word: an object or a function by its own name.
 */
export function meaningOf(tree: Tree, module: Module, name: string, depth = 0): Meaning | undefined {
  if (depth > deepest) return other
  const memory = meanings.get(tree) ?? new Map<string, Meaning | undefined>()
  meanings.set(tree, memory)
  const key = `${module.base}\0${module.file}\0${name}`
  if (memory.has(key)) return memory.get(key)
  // Modules that import each other's name have none.
  memory.set(key, other)
  const source = sourceOf(tree, module)
  const all = source.bindings.flatMap((binding) =>
    binding.name === name ? [meaningOfBinding(tree, module, binding, depth)] : [],
  )
  // `app = None` at the top and the real thing further down is common.
  let meaning = all.findLast((one) => one.kind !== 'other') ?? all.at(-1)
  for (const star of source.stars) {
    if (meaning !== undefined) break
    const from = find(tree, module, absoluteName(module, star))
    if (from !== undefined) meaning = meaningOf(tree, from, name, depth + 1)
  }
  memory.set(key, meaning)
  return meaning
}

/** A function of two arguments is a WSGI application itself (PEP 3333), not a factory. */
export function isWsgi(required: readonly string[]): boolean {
  return required.length === 2
}

/** Finds a module as the one that imports it would: its own folder on Python's path goes first. */
export function find(tree: Tree, module: Module, name: string): Module | undefined {
  return findModule(tree, name, [...new Set([module.base, ...bases(tree)])])
}

function meaningOfBinding(tree: Tree, module: Module, binding: Binding, depth: number): Meaning {
  const origin = `${module.file}:${binding.name}`
  switch (binding.kind) {
    case 'assign': {
      const worth = valueWorth(tree, module, binding.value, noLocals, depth)
      return worth === 'no' ? other : { kind: 'object', sure: worth === 'sure', origin }
    }
    case 'def': {
      if (binding.async) return other
      const facts = sourceOf(tree, module).functions.get(binding.name)
      const worth = facts === undefined ? 'maybe' : returnWorth(tree, module, facts, depth)
      if (worth === 'no') return other
      return { kind: 'function', required: binding.required, sure: worth === 'sure', origin }
    }
    case 'class':
      return other
    case 'import':
      if (binding.original === undefined) return other
      return imported(tree, module, absoluteName(module, binding.module), binding.original, depth)
  }
}

const other: Meaning = { kind: 'other' }

function imported(tree: Tree, by: Module, from: string, name: string, depth: number): Meaning {
  const module = find(tree, by, from)
  const meaning = module === undefined ? undefined : meaningOf(tree, module, name, depth + 1)
  if (meaning !== undefined) return meaning
  if (find(tree, by, from === '' ? name : `${from}.${name}`) !== undefined) return other
  const origin = `${from}:${name}`
  return factoryNames.includes(name)
    ? { kind: 'function', required: [], sure: false, origin }
    : { kind: 'object', sure: false, origin }
}

type Worth = 'sure' | 'maybe' | 'no'

/** The names of a function, and what was found of each: a name is looked into once, whatever refers to whom. */
interface Locals {
  readonly bindings: readonly Binding[]
  readonly worths: Map<string, Worth>
}

const noLocals: Locals = { bindings: [], worths: new Map() }
const returns = new WeakMap<PythonFunction, Worth>()

/** Whether a value is a Flask object, or something that passes requests on to one. */
function valueWorth(tree: Tree, module: Module, value: string, locals: Locals, depth: number): Worth {
  if (depth > deepest) return 'maybe'
  if (noCallable.test(value)) return 'no'
  const called = /^([\p{L}_][\p{L}\p{M}\p{N}_.]*)\s*\((.*)$/su.exec(value)
  if (called?.[1] !== undefined) {
    const [, head, behind = ''] = called
    return callWorth(tree, module, head, behind, locals, depth)
  }
  const attribute = /^([\p{L}_][\p{L}\p{M}\p{N}_]*)\.(server|app|wsgi_app|flask_app)$/u.exec(value)
  if (attribute?.[1] !== undefined) {
    const owner = bound(tree, module, attribute[1], locals)
    // Dash and Connexion hold the Flask object that they work with.
    if (owner?.kind === 'assign' && attribute[2] === 'server' && /\b(?:\w*Dash\w*)\s*\(/.test(owner.value))
      return 'sure'
    if (
      owner?.kind === 'assign' &&
      attribute[2] === 'app' &&
      /\b(?:connexion\.|FlaskApp\s*\()/.test(owner.value)
    ) {
      return 'sure'
    }
    return 'maybe'
  }
  if (/^[\p{L}_][\p{L}\p{M}\p{N}_]*$/u.test(value)) return nameWorth(tree, module, value, locals, depth)
  return 'maybe'
}

function callWorth(
  tree: Tree,
  module: Module,
  head: string,
  behind: string,
  locals: Locals,
  depth: number,
): Worth {
  const last = head.slice(head.lastIndexOf('.') + 1)
  if (flaskClasses.test(last)) return 'sure'
  if (wrappers.test(last)) {
    const first = /^\s*([\p{L}_][\p{L}\p{M}\p{N}_]*)\s*[,)]/u.exec(behind)?.[1]
    return first === undefined ? 'maybe' : nameWorth(tree, module, first, locals, depth)
  }
  const made = makerOf(tree, module, head, locals)
  if (made === 'flask') return 'sure'
  if (made !== undefined) {
    const facts = sourceOf(tree, made.module).functions.get(made.name)
    const worth = facts === undefined ? 'maybe' : returnWorth(tree, made.module, facts, depth + 1)
    // What a function of such a name returns is taken for an app unless it shows otherwise.
    return worth === 'maybe' && factoryNames.includes(last) ? 'sure' : worth
  }
  if (otherApps.test(last)) return 'no'
  return factoryNames.includes(last) ? 'sure' : 'maybe'
}

/** The function of the project that a call calls; `flask` for a class of the project that is derived from Flask. */
function makerOf(
  tree: Tree,
  module: Module,
  head: string,
  locals: Locals,
  depth = 0,
): { readonly module: Module; readonly name: string } | 'flask' | undefined {
  if (depth > deepest) return undefined
  const [first = '', ...rest] = head.split('.')
  const binding = bound(tree, module, first, locals)
  if (binding === undefined) return undefined
  if (binding.kind === 'def') return rest.length === 0 ? { module, name: first } : undefined
  if (binding.kind === 'class') {
    const parents = sourceOf(tree, module).classes.get(first) ?? []
    const flask = parents.some((one) => flaskClasses.test(one.slice(one.lastIndexOf('.') + 1)))
    return flask && rest.length === 0 ? 'flask' : undefined
  }
  if (binding.kind !== 'import') return undefined
  const from = absoluteName(module, binding.module)
  const [name] = rest
  if (binding.original !== undefined && name === undefined) {
    if (flaskClasses.test(binding.original)) return 'flask'
    const home = find(tree, module, from)
    return home === undefined ? undefined : makerOf(tree, home, binding.original, noLocals, depth + 1)
  }
  if (name === undefined) return undefined
  const home = find(tree, module, binding.original === undefined ? from : `${from}.${binding.original}`)
  return home === undefined ? undefined : makerOf(tree, home, rest.join('.'), noLocals, depth + 1)
}

function nameWorth(tree: Tree, module: Module, name: string, locals: Locals, depth: number): Worth {
  const known = locals.worths.get(name)
  if (known !== undefined) return known
  const values = locals.bindings.flatMap((one) =>
    one.name === name && one.kind === 'assign' ? [one.value] : [],
  )
  if (values.length > 0) {
    // A name that is made from itself (`app = Fix(app)`) is what it was.
    locals.worths.set(name, 'no')
    const worth = best(values.map((value) => valueWorth(tree, module, value, locals, depth + 1)))
    locals.worths.set(name, worth)
    return worth
  }
  const meaning = meaningOf(tree, module, name, depth + 1)
  if (meaning === undefined) return 'maybe'
  return meaning.kind === 'object' ? (meaning.sure ? 'sure' : 'maybe') : 'no'
}

/** Whether a function returns a Flask object. */
function returnWorth(tree: Tree, module: Module, facts: PythonFunction, depth: number): Worth {
  const known = returns.get(facts)
  if (known !== undefined) return known
  returns.set(facts, 'maybe')
  const annotation = facts.annotation ?? ''
  const locals: Locals = { bindings: facts.bindings, worths: new Map() }
  const worth = flaskClasses.test(annotation.slice(annotation.lastIndexOf('.') + 1))
    ? 'sure'
    : best(facts.returned.map((one) => valueWorth(tree, module, one, locals, depth + 1)))
  returns.set(facts, worth)
  return worth
}

function bound(tree: Tree, module: Module, name: string, locals: Locals): Binding | undefined {
  const named = (one: Binding): boolean => one.name === name
  return locals.bindings.findLast(named) ?? sourceOf(tree, module).bindings.findLast(named)
}

function best(worths: readonly Worth[]): Worth {
  if (worths.includes('sure')) return 'sure'
  return worths.length === 0 || worths.includes('maybe') ? 'maybe' : 'no'
}
