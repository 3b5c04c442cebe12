import { absoluteName, bindingsIn, findModule, type Module } from './modules.ts'
import type { Binding } from './python-bindings.ts'
import type { Tree } from './tree.ts'

/** What a name in a module is good for, as far as reading tells. */
export type Meaning =
  | { readonly kind: 'object' }
  /** A function; `required` are the parameters that have no default. */
  | { readonly kind: 'function'; readonly required: readonly string[] }
  /** A module, a class, a coroutine, another framework's app, or no callable at all. */
  | { readonly kind: 'other' }

/** Names that a WSGI object goes by; of two in one file the one bound last counts, since it may wrap the other. */
export const objectNames: readonly string[] = ['app', 'application']
/** Names of factories, the better one first (Flask's own rule, flask/cli.py). */
export const factoryNames: readonly string[] = ['create_app', 'make_app']

/** Calls that make something else than a WSGI object, though it is often named `app`. */
const otherApps =
  /^(?:[\w.]+\.)?(?:FastAPI|Starlette|Quart|Sanic|Litestar|Typer|Celery|Dash|QApplication|Tk)\(/
/** Values that cannot be called: strings, numbers, None, lists, dicts, tuples. */
const noCallable = /^(?:[rRbBuUfF]{0,2}'|[-+\d.]|None\b|True\b|False\b|[[{]|\(\s*\))/

/** How far a name is followed through `from x import name`. */
const deepest = 8

/**
 * Says what a name is after the module was imported; undefined where the module does not bind it.
 * A name imported from outside of the project is taken at its word: an object or a function by its own name.
 */
export function meaningOf(tree: Tree, module: Module, name: string, depth = 0): Meaning | undefined {
  const meanings = bindingsIn(tree, module).flatMap((binding) =>
    binding.name === name ? [meaningOfBinding(tree, module, binding, depth)] : [],
  )
  // `app = None` at the top and the real thing further down is common.
  return meanings.findLast((one) => one.kind !== 'other') ?? meanings.at(-1)
}

/** The last of `objectNames` that the module binds to something that can serve. */
export function objectIn(tree: Tree, module: Module): string | undefined {
  return bindingsIn(tree, module)
    .map((binding) => binding.name)
    .filter((name) => objectNames.includes(name))
    .findLast((name) => {
      const meaning = meaningOf(tree, module, name)
      return meaning?.kind === 'object' || (meaning?.kind === 'function' && isWsgi(meaning.required))
    })
}

/** The first of `factoryNames` in the module, with what it has to be given. */
export function factoryIn(
  tree: Tree,
  module: Module,
): { readonly name: string; readonly required: readonly string[] } | undefined {
  const found = factoryNames.flatMap((name) => {
    const meaning = meaningOf(tree, module, name)
    if (meaning === undefined || meaning.kind === 'other') return []
    return [{ name, required: meaning.kind === 'function' ? meaning.required : [] }]
  })
  return found.find((one) => one.required.length === 0) ?? found[0]
}

/** A function of two arguments is a WSGI application itself (PEP 3333), not a factory. */
export function isWsgi(required: readonly string[]): boolean {
  return required.length === 2
}

function meaningOfBinding(tree: Tree, module: Module, binding: Binding, depth: number): Meaning {
  switch (binding.kind) {
    case 'assign':
      return otherApps.test(binding.value) || noCallable.test(binding.value) ? other : object
    case 'def':
      return binding.async ? other : { kind: 'function', required: binding.required }
    case 'class':
      return other
    case 'import':
      if (binding.original === undefined) return other
      return imported(tree, absoluteName(module, binding.module), binding.original, depth)
  }
}

const object: Meaning = { kind: 'object' }
const other: Meaning = { kind: 'other' }

function imported(tree: Tree, from: string, name: string, depth: number): Meaning {
  if (depth >= deepest) return other
  const module = findModule(tree, from)
  const meaning = module === undefined ? undefined : meaningOf(tree, module, name, depth + 1)
  if (meaning !== undefined) return meaning
  if (findModule(tree, from === '' ? name : `${from}.${name}`) !== undefined) return other
  return factoryNames.includes(name) ? { kind: 'function', required: [] } : object
}
