import path from 'node:path'
import { DeployError, type Explanation } from '../errors.ts'
import type { StaticInput } from '../inputs.ts'
import { absoluteName, bases, bindingsIn, findModule, folderOf, join } from './modules.ts'
import type { AppTarget, StaticFolder } from './project.ts'
import type { Tree } from './tree.ts'

/** Flask's own default: the folder `static` beside the app, under `/static` (flask/app.py). */
const standard: StaticInput = { url: '/static', folder: 'static' }

/** The folders that nginx is to serve. */
export interface StaticFound {
  /** Those that the bundle holds. */
  readonly folders: readonly StaticFolder[]
  /** Every folder that was looked at, for the question whether something in it is not sent. */
  readonly looked: readonly string[]
}

/**
 * Finds the static folders.
 *
 * The default (undefined, or the one line `static`) is looked for beside the app's module, beside the project's
 * modules that it imports, and in the root; none is no fault. Anything else has to be in the bundle as named.
 * @param target undefined where the app was not found: the root alone is looked at
 * @throws DeployError `static-outside`, `static-missing`
 */
export function findStatic(
  tree: Tree,
  inputs: readonly StaticInput[] | undefined,
  target: AppTarget | undefined,
): StaticFound {
  const wished = inputs ?? [standard]
  const [only] = wished
  if (
    only !== undefined &&
    wished.length === 1 &&
    only.url === standard.url &&
    only.folder === standard.folder
  ) {
    const looked = [...new Set(nearby(tree, target).map((folder) => join(folder, only.folder)))]
    const folder = looked.find((one) => tree.hasFolder(one))
    return { folders: folder === undefined ? [] : [{ url: only.url, folder }], looked }
  }
  const faults = wished.flatMap((one) => fault(tree, one) ?? [])
  const [first] = faults
  if (first !== undefined)
    throw new DeployError(
      first.code,
      faults.map((one) => one.explanation),
    )
  const folders = wished.map((one) => ({ url: one.url, folder: normal(one.folder) }))
  return { folders, looked: folders.map((one) => one.folder) }
}

/** Folders that the app's own `static` may lie in, the likelier one first. */
function nearby(tree: Tree, target: AppTarget | undefined): readonly string[] {
  const module = target === undefined ? undefined : findModule(tree, target.module, target.path)
  if (module === undefined) return bases(tree)
  const folders = target?.path ?? bases(tree)
  const imports = bindingsIn(tree, module).flatMap((binding) => {
    if (binding.kind !== 'import') return []
    return findModule(tree, absoluteName(module, binding.module), folders) ?? []
  })
  return [module, ...imports].map(folderOf).concat(bases(tree))
}

function fault(
  tree: Tree,
  { url, folder }: StaticInput,
): { readonly code: string; readonly explanation: Explanation } | undefined {
  const own = normal(folder)
  if (path.posix.isAbsolute(own) || /^\.\.(?:\/|$)/.test(own) || own === '' || /^[A-Za-z]:/.test(own)) {
    const explanation = {
      cause: `The folder ${folder}, named in \`static\` for ${url}, is no folder below the one that is sent.`,
      cure: 'Name a sub-folder, relative to `source`; everything in it is public.',
      input: 'static',
    }
    return { code: 'static-outside', explanation }
  }
  if (tree.hasFolder(own)) return undefined
  const alike = tree.paths.find((one) => one.includes(`/${own}/`))
  const meant = alike?.slice(0, alike.indexOf(`/${own}/`) + own.length + 1)
  const unsent = tree.isUnsent(own)
  const explanation = {
    cause: `The folder ${folder}, named in \`static\` for ${url}, ${unsent ? 'exists but nothing of it is sent: git does not track it' : 'does not exist'}.`,
    cure: unsent
      ? `Name ${own} in \`include\`.`
      : meant === undefined
        ? 'Correct `static`; where the workflow builds the folder, build it before this step and name it in `include`.'
        : `Set \`static\` to \`${url}: ${meant}\`.`,
    input: 'static',
  }
  return { code: 'static-missing', explanation }
}

function normal(folder: string): string {
  const plain = path.posix.normalize(folder.replaceAll('\\', '/')).replace(/\/$/, '')
  return plain === '.' ? '' : plain
}
