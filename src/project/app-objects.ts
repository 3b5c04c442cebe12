import { factoryNames, isWsgi, meaningOf, objectNames } from './app-binding.ts'
import { type Module, sourceOf } from './modules.ts'
import type { Binding } from './python-bindings.ts'
import type { Tree } from './tree.ts'

const factoryLike =
  /^(?:create|make|build|get|init|setup|new|configure)_?\w*app(?:lication)?$|_factory$|^(?:app_?)?factory$|^createApp$/i
const noFactory = /celery|worker|test|mock|fake|fastapi|asgi/i

/** An object that may be the app. */
export interface FoundObject {
  readonly name: string
  readonly sure: boolean
  readonly origin: string
  /** It comes from a factory or another module, not from `Flask(...)` in this one. */
  readonly derived: boolean
}

/** The objects of a module that may be the app: `app` or `application`, else every Flask object by its own name. */
export function objectsIn(
  tree: Tree,
  module: Module,
  place: { readonly reExports: boolean; readonly anywhere: boolean },
): readonly FoundObject[] {
  const { bindings } = sourceOf(tree, module)
  const own = bindings.filter((one) => place.reExports || one.kind === 'assign' || one.kind === 'def')
  const found = [...new Set(own.map((one) => one.name))].flatMap((name): readonly FoundObject[] => {
    const meaning = meaningOf(tree, module, name)
    if (meaning === undefined || meaning.kind === 'other') return []
    if (meaning.kind === 'function' && !isWsgi(meaning.required)) return []
    if (meaning.kind === 'function' && !objectNames.includes(name)) return []
    const direct = own.some(
      (one) =>
        one.name === name &&
        one.kind === 'assign' &&
        /^(?:[\w.]+\.)?\w*(?:Flask|APIFlask)\w*\s*\(/.test(one.value),
    )
    return [{ name, sure: meaning.sure, origin: meaning.origin, derived: !direct }]
  })
  // In files that are nobody's usual place, only what is certain counts.
  const usable = found.filter((one) => one.sure || (objectNames.includes(one.name) && !place.anywhere))
  const named = usable.filter((one) => objectNames.includes(one.name))
  if (named.length > 0) {
    const order = bindings.map((one) => one.name)
    const certain = named.filter((one) => one.sure)
    const pick = (certain.length > 0 ? certain : named).toSorted(
      (one, two) => order.lastIndexOf(one.name) - order.lastIndexOf(two.name),
    )
    return wrapperOf(bindings, pick, named)
  }
  // Of two objects the one that is made from the other is the outer one.
  const inner = usable.filter((one) =>
    bindings.some(
      (binding) =>
        binding.kind === 'assign' &&
        binding.name !== one.name &&
        usable.some((other) => other.name === binding.name) &&
        new RegExp(`\\b${one.name}\\b`, 'u').test(binding.value),
    ),
  )
  return usable.filter((one) => !inner.includes(one))
}

/** Of `app` and `application` the one bound last counts, since it may wrap the other. */
function wrapperOf(
  bindings: readonly Binding[],
  certain: readonly FoundObject[],
  all: readonly FoundObject[],
): readonly FoundObject[] {
  const last = bindings.findLast((binding) => all.some((one) => one.name === binding.name))
  const wrapper = all.find((one) => one.name === last?.name)
  if (wrapper !== undefined && last?.kind === 'assign') {
    if (certain.some((one) => new RegExp(`\\b${one.name}\\b`, 'u').test(last.value))) return [wrapper]
  }
  return certain.slice(-1)
}

/** A function that may make the app. */
export interface FoundFactory {
  readonly name: string
  readonly required: readonly string[]
  readonly origin: string
  readonly sure: boolean
  /** Names of the module that it returns and did not bind itself. */
  readonly sets: readonly string[]
}

/** The factories of a module, the best of those that can be called; else the best of all. */
export function factoriesIn(tree: Tree, module: Module, reExports: boolean): readonly FoundFactory[] {
  const { bindings, functions } = sourceOf(tree, module)
  const names = new Set(bindings.map((one) => one.name))
  const found = [...names].flatMap((name): readonly FoundFactory[] => {
    const usualName = factoryNames.includes(name)
    if (!usualName && noFactory.test(name)) return []
    const own = functions.get(name)
    if (own === undefined && !(reExports && (usualName || factoryLike.test(name)))) return []
    const meaning = meaningOf(tree, module, name)
    if (meaning === undefined || meaning.kind === 'other') return []
    if (meaning.kind === 'object') {
      // A name of a dependency's, or `create_app = partial(...)`.
      return usualName ? [{ name, required: [], origin: meaning.origin, sure: false, sets: [] }] : []
    }
    if (!usualName && !meaning.sure) return []
    if (own?.decorators.some((one) => !/cache|wraps|staticmethod/.test(one)) === true) return []
    const local = new Set(own?.bindings.flatMap((one) => (one.kind === 'assign' ? [one.name] : [])))
    const sets = own?.returned.filter((one) => !local.has(one)) ?? []
    return [{ name, required: meaning.required, origin: meaning.origin, sure: meaning.sure, sets }]
  })
  const order = (one: FoundFactory): number =>
    factoryNames.includes(one.name) ? factoryNames.indexOf(one.name) : factoryLike.test(one.name) ? 5 : 6
  const usable = found
    .filter((one) => one.required.length === 0)
    .toSorted((one, two) => order(one) - order(two))
  const [best] = usable
  if (best !== undefined) return usable.filter((one) => order(one) === order(best))
  // A function that is no factory by name does not ask for its arguments.
  return found
    .filter((one) => order(one) < 6)
    .toSorted((one, two) => order(one) - order(two))
    .slice(0, 1)
}

/** The better one of the usual object and the usual factory of a module, for an `app` that names the module alone. */
export function inModule(
  tree: Tree,
  module: Module,
): { readonly object: readonly FoundObject[]; readonly factory: readonly FoundFactory[] } {
  return {
    object: objectsIn(tree, module, { reExports: true, anywhere: false }),
    factory: factoriesIn(tree, module, true),
  }
}
