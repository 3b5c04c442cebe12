import { DeployError } from '../errors.ts'
import { factoryIn, factoryNames, isWsgi, meaningOf, objectIn } from './app-binding.ts'
import { type AppExpression, parseApp } from './app-expression.ts'
import { bases, bindingsIn, findModule, join, type Module, moduleIn, notApps, packages } from './modules.ts'
import type { AppTarget } from './project.ts'
import type { Tree } from './tree.ts'

/** A place where the app may be; several are tried, the best rank wins. */
export interface Candidate {
  /** 0 is the best; candidates of one rank are equally good. */
  readonly rank: number
  readonly target: AppTarget
}

/** A factory that reading alone cannot call. */
interface Unusable {
  readonly module: Module
  readonly name: string
  readonly required: readonly string[]
}

/** One rule of detection: where to look, and for what. Their order is the rank. */
interface Rule {
  readonly looksFor: 'object' | 'factory'
  readonly where: string
  readonly modules: (tree: Tree) => readonly Module[]
}

const rules: readonly Rule[] = [
  { looksFor: 'object', where: 'wsgi.py', modules: file('wsgi', '') },
  { looksFor: 'object', where: 'src/wsgi.py', modules: file('wsgi', 'src') },
  { looksFor: 'object', where: 'app.py', modules: file('app', '') },
  { looksFor: 'object', where: 'src/app.py', modules: file('app', 'src') },
  { looksFor: 'factory', where: 'wsgi.py', modules: file('wsgi', '') },
  { looksFor: 'factory', where: 'src/wsgi.py', modules: file('wsgi', 'src') },
  { looksFor: 'factory', where: 'app.py', modules: file('app', '') },
  { looksFor: 'factory', where: 'src/app.py', modules: file('app', 'src') },
  { looksFor: 'object', where: 'a package', modules: allPackages },
  { looksFor: 'factory', where: 'a package', modules: allPackages },
]

/**
 * Finds the app object by reading; no code of the project runs.
 * @param input the `app` input; undefined: detected
 * @throws DeployError `app-invalid`, `app-module-missing`, `app-not-found`, `app-ambiguous`, `app-needs-arguments`
 */
export function findApp(tree: Tree, input: string | undefined): AppTarget {
  return input === undefined ? detected(tree) : given(tree, input)
}

/** Every candidate that the rules find, the best first. */
export function candidates(tree: Tree): readonly Candidate[] {
  return search(tree).candidates
}

function search(tree: Tree): {
  readonly candidates: readonly Candidate[]
  readonly unusable: readonly Unusable[]
} {
  const found: Candidate[] = []
  const unusable: Unusable[] = []
  for (const [rank, rule] of rules.entries()) {
    for (const module of rule.modules(tree)) {
      if (rule.looksFor === 'object') {
        const name = objectIn(tree, module)
        if (name !== undefined)
          found.push({ rank, target: target(tree, module, name, false, name, foundIn(name, module)) })
        continue
      }
      const factory = factoryIn(tree, module)
      if (factory === undefined) continue
      const { name, required } = factory
      if (required.length > 0) unusable.push({ module, name, required })
      else found.push({ rank, target: target(tree, module, name, true, `${name}()`, foundIn(name, module)) })
    }
  }
  return { candidates: found, unusable }
}

function detected(tree: Tree): AppTarget {
  const { candidates: found, unusable } = search(tree)
  const [best] = found
  if (best === undefined) throw unusable[0] === undefined ? notFound(tree) : needsArguments(unusable[0])
  const equals = found.filter((one) => one.rank === best.rank)
  if (equals.length > 1) throw ambiguous(equals)
  return best.target
}

function given(tree: Tree, input: string): AppTarget {
  const parsed = parseApp(input)
  if (typeof parsed === 'string') throw invalid(parsed)
  const module = findModule(tree, parsed.module)
  if (module === undefined) return elsewhere(tree, parsed)
  const reason = `the \`app\` input (${module.file})`

  if (parsed.attribute === undefined || parsed.expression === undefined) {
    const name = objectIn(tree, module)
    if (name !== undefined) return target(tree, module, name, false, name, reason)
    const factory = factoryIn(tree, module)
    if (factory === undefined) throw nothingIn(module)
    if (factory.required.length > 0) throw needsArguments({ module, ...factory })
    return target(tree, module, factory.name, true, `${factory.name}()`, reason)
  }
  // Like Flask, a bare factory is called; what is no function, or a WSGI function itself, is taken as it is.
  const meaning = parsed.factory ? undefined : meaningOf(tree, module, parsed.attribute)
  if (meaning?.kind === 'function' && !isWsgi(meaning.required)) {
    const { required } = meaning
    if (required.length > 0) throw needsArguments({ module, name: parsed.attribute, required })
    return target(tree, module, parsed.attribute, true, `${parsed.attribute}()`, reason)
  }
  return target(tree, module, parsed.attribute, parsed.factory, parsed.expression, reason)
}

/** A module that the project does not hold can still come from a dependency. */
function elsewhere(tree: Tree, parsed: AppExpression): AppTarget {
  const top = parsed.module.split('.')[0] ?? ''
  const isOurs = bases(tree).some(
    (base) => tree.hasFolder(join(base, top)) || moduleIn(tree, base, top) !== undefined,
  )
  if (isOurs || parsed.attribute === undefined || parsed.expression === undefined) {
    const files = bases(tree).map((base) => `${join(base, parsed.module.replaceAll('.', '/'))}.py`)
    const unsent = files.find((own) => tree.isUnsent(own))
    throw new DeployError('app-module-missing', {
      cause: `The module ${parsed.module}, named in \`app\`, is not in what is sent: there is no ${files.join(' and no ')}.`,
      cure:
        unsent === undefined
          ? 'Set `app` to a module of the project, relative to `source`.'
          : `Commit ${unsent}, or name it in \`include\`.`,
      input: 'app',
    })
  }
  const { module, attribute, factory, expression } = parsed
  const reason = 'the `app` input (a module that the project does not hold: a dependency has to bring it)'
  return { module, attribute, factory, expression, path: searchPath(tree, ''), reason }
}

function target(
  tree: Tree,
  module: Module,
  attribute: string,
  factory: boolean,
  expression: string,
  reason: string,
): AppTarget {
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

/** A plain file in a base, unless a package of that name hides it from Python. */
function file(name: string, base: string): (tree: Tree) => readonly Module[] {
  return (tree) => {
    if (!bases(tree).includes(base)) return []
    const module = moduleIn(tree, base, name)
    return module === undefined || module.file.endsWith('/__init__.py') ? [] : [module]
  }
}

function allPackages(tree: Tree): readonly Module[] {
  return bases(tree).flatMap((base) => packages(tree, base))
}

function foundIn(name: string, module: Module): string {
  return `\`${name}\` in ${module.file}`
}

function invalid(fault: string): DeployError {
  return new DeployError('app-invalid', {
    cause: `\`app\` ${fault}.`,
    cure: 'Set `app` to `module:attribute`, `module:factory()` or `module:factory("text")`, e.g. `wsgi:app`.',
    input: 'app',
  })
}

function ambiguous(equals: readonly Candidate[]): DeployError {
  const choices = equals.map(({ target: one }) => `${one.module}:${one.expression}`)
  return new DeployError('app-ambiguous', {
    cause: `Several apps are equally likely: ${equals.map(({ target: one }) => one.reason).join(', ')}.`,
    cure: `Set \`app\` to the one to serve: ${choices.map((one) => `\`${one}\``).join(' or ')}.`,
    input: 'app',
  })
}

function needsArguments({ module, name, required }: Unusable): DeployError {
  return new DeployError('app-needs-arguments', {
    cause: `\`${name}\` in ${module.file} cannot be called without ${required.map((one) => `\`${one}\``).join(', ')}.`,
    cure: `Set \`app\` with what to give it, e.g. \`${module.name}:${name}(${required.map(() => '"..."').join(', ')})\`, or give it a default.`,
    input: 'app',
    file: module.file,
  })
}

function nothingIn(module: Module): DeployError {
  return new DeployError('app-not-found', {
    cause: `${module.file} has no \`app\`, \`application\`, \`${factoryNames.join('` or `')}\` at its top level.`,
    cure: `Set \`app\` to \`${module.name}:NAME\`, with the name of the app in it.`,
    input: 'app',
    file: module.file,
  })
}

function notFound(tree: Tree): DeployError {
  const seen = likely(tree)
  const unsent = ['wsgi.py', 'app.py'].find((own) => tree.isUnsent(own))
  const example = seen[0] ?? 'module:attribute'
  return new DeployError('app-not-found', {
    cause:
      'No Flask app was found: there is no `app` or `application` in wsgi.py, app.py (also below src/) or a package, and no `create_app` or `make_app`.',
    cure:
      unsent === undefined
        ? `Set \`app\`, e.g. \`${example}\`; where the app lies in a sub-folder, set \`source\` too.`
        : `${unsent} exists but is not sent: commit it, or name it in \`include\`.`,
    input: 'app',
  })
}

/** How many files are read for a hint. */
const mostFiles = 200

/** Names bound to `Flask(...)` anywhere near the top, to be proposed and no more. */
function likely(tree: Tree): readonly string[] {
  const files = tree.paths
    .filter((own) => own.endsWith('.py') && own.split('/').length <= 3)
    .filter((own) => !own.split('/').some((part) => notApps.has(part)))
    .slice(0, mostFiles)
  return files.flatMap((own) => {
    const name = own.replace(/(?:\/__init__)?\.py$/, '').replaceAll('/', '.')
    return bindingsIn(tree, { name, base: '', file: own }).flatMap((binding) =>
      binding.kind === 'assign' && /^(?:[\w.]+\.)?Flask\(/.test(binding.value)
        ? [`${name}:${binding.name}`]
        : [],
    )
  })
}
