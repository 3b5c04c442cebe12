import { bases, folderOf, join, type Module, moduleIn, notApps, sourceOf } from './modules.ts'
import type { Tree } from './tree.ts'

/** Modules are looked at down to this many folders below a base, and this many in all. */
const deepest = 4
const mostModules = 600

/** Modules in the bases and in packages below them, those of files that can be imported. */
export function appModules(tree: Tree): readonly Module[] {
  const modules: Module[] = []
  for (const base of bases(tree)) {
    const prefix = base === '' ? '' : `${base}/`
    for (const own of tree.paths) {
      if (!own.startsWith(prefix) || !own.endsWith('.py')) continue
      const parts = own.slice(prefix.length, -'.py'.length).split('/')
      if (parts.length > deepest || modules.length >= mostModules) continue
      if (!parts.every((part) => /^[\p{L}_][\p{L}\p{M}\p{N}_]*$/u.test(part))) continue
      if (parts.some((part, at) => at < parts.length - 1 && notApps.has(part))) continue
      const stem = parts.at(-1) ?? ''
      if (/^(?:test_.*|.*_test|tests|conftest|setup|noxfile|fabfile|tasks|__main__)$/.test(stem)) continue
      const folders = parts.slice(0, -1)
      const packaged = folders.every((_, at) =>
        tree.has(join(base, `${folders.slice(0, at + 1).join('/')}/__init__.py`)),
      )
      if (!packaged) continue
      const name = (stem === '__init__' ? folders : parts).join('.')
      if (name === '' || notApps.has(name)) continue
      // A package hides a file of its name.
      const module = moduleIn(tree, base, name)
      if (module?.file === own) modules.push(flat(tree, module))
    }
  }
  return modules
}

/**
 * A module of a package that imports its neighbours without the package's name can only be imported from its own folder
 * (`cd backend && python app.py`).
 */
function flat(tree: Tree, module: Module): Module {
  const folder = folderOf(module)
  if (folder === module.base || module.file.endsWith('/__init__.py')) return module
  const { bindings } = sourceOf(tree, module)
  const tops = bindings.flatMap((one) => (one.kind === 'import' ? [one.module] : []))
  const parts = module.name.split('.')
  if (tops.some((one) => one.startsWith('.') || one.split('.')[0] === parts[0])) return module
  const neighbours = tops.some((one) => {
    const [top = ''] = one.split('.')
    const above = bases(tree).some(
      (base) => tree.hasFolder(join(base, top)) || moduleIn(tree, base, top) !== undefined,
    )
    return !above && (moduleIn(tree, folder, top) !== undefined || tree.hasFolder(join(folder, top)))
  })
  return neighbours ? { name: parts.at(-1) ?? '', base: folder, file: module.file } : module
}
