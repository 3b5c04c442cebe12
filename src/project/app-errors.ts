import { DeployError } from '../errors.ts'
import { factoryNames } from './app-binding.ts'
import type { Unusable } from './app-candidates.ts'
import type { AppExpression } from './app-expression.ts'
import { bases, bindingsIn, join, type Module, notApps } from './modules.ts'
import type { AppTarget } from './project.ts'
import type { Tree } from './tree.ts'

/** `app` is not well-formed. */
export function invalid(fault: string): DeployError {
  return new DeployError('app-invalid', {
    cause: `\`app\` ${fault}.`,
    cure: 'Set `app` to `module:attribute`, `module:factory()` or `module:factory("text")`, e.g. `wsgi:app`.',
    input: 'app',
  })
}

/** Several are equally good. */
export function ambiguous(equals: readonly AppTarget[]): DeployError {
  const choices = equals.map((one) => `${one.module}:${one.expression}`)
  return new DeployError('app-ambiguous', {
    cause: `Several apps are equally likely: ${equals.map((one) => one.reason).join(', ')}.`,
    cure: `Set \`app\` to the one to serve: ${choices.map((one) => `\`${one}\``).join(' or ')}.`,
    input: 'app',
  })
}

/** Sub-folders that each hold an app. */
export function severalFolders(
  found: readonly { readonly folder: string; readonly target: AppTarget }[],
): DeployError {
  const [first] = found
  return new DeployError('app-ambiguous', {
    cause: `Several folders have an app: ${found.map((one) => `${one.folder} (${one.target.reason})`).join(', ')}.`,
    cure: `Set \`source\` to the folder of the one to serve${first === undefined ? '' : `, e.g. \`${first.folder}\``}, or \`app\` to its object.`,
    input: 'app',
  })
}

/** The only factory needs arguments. */
export function needsArguments({ module, name, required }: Unusable): DeployError {
  return new DeployError('app-needs-arguments', {
    cause: `\`${name}\` in ${module.file} cannot be called without ${required.map((one) => `\`${one}\``).join(', ')}.`,
    cure: `Set \`app\` with what to give it, e.g. \`${module.name}:${name}(${required.map(() => '"..."').join(', ')})\`, or give it a default.`,
    input: 'app',
    file: module.file,
  })
}

/** A module that was named alone has no app. */
export function nothingIn(module: Module): DeployError {
  return new DeployError('app-not-found', {
    cause: `${module.file} has no \`app\`, \`application\`, \`${factoryNames.join('` or `')}\` at its top level.`,
    cure: `Set \`app\` to \`${module.name}:NAME\`, with the name of the app in it.`,
    input: 'app',
    file: module.file,
  })
}

/** The only files with an app are programs, not modules. */
export function startsItself(file: string): DeployError {
  return new DeployError('app-starts-itself', {
    cause: `${file} has an app, but starts a server of its own or reads the command line when it is imported.`,
    cure: `Set \`web-command\` to what starts it, e.g. \`python ${file}\`, or \`app\` to an object in another module.`,
    input: 'app',
    file,
  })
}

/** A module that is named but not there. */
export function moduleMissing(tree: Tree, parsed: AppExpression): DeployError {
  const files = bases(tree).map((base) => `${join(base, parsed.module.replaceAll('.', '/'))}.py`)
  const unsent = files.find((own) => tree.isUnsent(own))
  return new DeployError('app-module-missing', {
    cause: `The module ${parsed.module}, named in \`app\`, is not in what is sent: there is no ${files.join(' and no ')}.`,
    cure:
      unsent === undefined
        ? 'Set `app` to a module of the project, relative to `source`.'
        : `Commit ${unsent}, or name it in \`include\`.`,
    input: 'app',
  })
}

/** Nothing was found at all. */
export function notFound(tree: Tree): DeployError {
  const seen = likely(tree)
  const unsent = ['wsgi.py', 'app.py'].find((own) => tree.isUnsent(own))
  const example = seen[0] ?? 'module:attribute'
  return new DeployError('app-not-found', {
    cause:
      'No Flask app was found: there is no `app` or `application` in wsgi.py, app.py (also below src/) or a package, no other Flask object, and no `create_app` or `make_app`.',
    cure:
      unsent === undefined
        ? `Set \`app\`, e.g. \`${example}\`; where the app lies in a sub-folder, set \`source\` too.`
        : `${unsent} exists but is not sent: commit it, or name it in \`include\`.`,
    input: 'app',
  })
}

/** How many files are read for a hint. */
const mostFiles = 200

/** Names bound to `Flask(...)` or Dash anywhere near the top, to be proposed and no more. */
function likely(tree: Tree): readonly string[] {
  const files = tree.paths
    .filter((own) => own.endsWith('.py') && own.split('/').length <= 3)
    .filter((own) => !own.split('/').some((part) => notApps.has(part)))
    .slice(0, mostFiles)
  return files.flatMap((own) => {
    const name = own.replace(/(?:\/__init__)?\.py$/, '').replaceAll('/', '.')
    return bindingsIn(tree, { name, base: '', file: own }).flatMap((binding) => {
      if (binding.kind !== 'assign') return []
      if (/^(?:[\w.]+\.)?Flask\(/.test(binding.value)) return [`${name}:${binding.name}`]
      // Dash's own object is no WSGI application, but holds one.
      return /^(?:[\w.]+\.)?Dash\(/.test(binding.value) ? [`${name}:${binding.name}.server`] : []
    })
  })
}
