import type { Binding } from './python-bindings.ts'
import { type PythonSource, readSource } from './python-source.ts'
import { type Tree, textOf } from './tree.ts'

/** A Python module of the project. */
export interface Module {
  /** Dotted, e.g. `shop.wsgi`. */
  readonly name: string
  /** The folder that has to be on sys.path for it: '' or `src`. */
  readonly base: string
  /** Its file; a package's is its `__init__.py`. */
  readonly file: string
}

/** Folders that modules are looked for in, in order: the root, and `src` unless that is a package itself. */
export function bases(tree: Tree): readonly string[] {
  return tree.hasFolder('src') && !tree.has('src/__init__.py') ? ['', 'src'] : ['']
}

/** Finds a module as Python's import would: a package goes before a file of the same name. */
export function moduleIn(tree: Tree, base: string, name: string): Module | undefined {
  const stem = join(base, name.replaceAll('.', '/'))
  const file = [`${stem}/__init__.py`, `${stem}.py`].find((one) => tree.has(one))
  return file === undefined ? undefined : { name, base, file }
}

/** Finds a module in the first of the folders that has it: those for sys.path. */
export function findModule(
  tree: Tree,
  name: string,
  folders: readonly string[] = bases(tree),
): Module | undefined {
  for (const base of folders) {
    const found = moduleIn(tree, base, name)
    if (found !== undefined) return found
  }
  return undefined
}

/** Folders that hold no app of their own, as a rule. */
export const notApps: ReadonlySet<string> = new Set([
  ...[
    'alembic',
    'benchmark',
    'benchmarks',
    'bin',
    'contrib',
    'dist',
    'doc',
    'docs',
    'e2e',
    'example',
    'examples',
  ],
  ...['fixtures', 'hooks', 'instance', 'migrations', 'node_modules', 'notebooks', 'samples', 'scripts'],
  ...['site-packages', 'spec', 'test', 'testing', 'tests', 'third_party', 'tools', 'vendor', 'venv'],
])

/** The packages directly in a base, in the order of their names. */
export function packages(tree: Tree, base: string): readonly Module[] {
  const prefix = join(base, '')
  const names = tree.paths.flatMap((own) => {
    const [name, file, ...rest] = own.startsWith(prefix) ? own.slice(prefix.length).split('/') : []
    return name !== undefined && file === '__init__.py' && rest.length === 0 && !notApps.has(name)
      ? [name]
      : []
  })
  return names.map((name) => ({ name, base, file: join(base, `${name}/__init__.py`) }))
}

/** A file above this length in bytes is data, not a module that somebody wrote. */
const mostBytes = 1_000_000

const read = new WeakMap<Tree, Map<string, PythonSource>>()

/** What stands in a module; nothing for a file that cannot be read. Each file is read once. */
export function sourceOf(tree: Tree, module: Module): PythonSource {
  const known = read.get(tree) ?? new Map<string, PythonSource>()
  read.set(tree, known)
  const found = known.get(module.file)
  if (found !== undefined) return found
  const text = textOf(tree, module.file) ?? ''
  const source = readSource(text.length > mostBytes ? '' : text)
  known.set(module.file, source)
  return source
}

/** What a module binds at its top level; empty for a file that cannot be read. */
export function bindingsIn(tree: Tree, module: Module): readonly Binding[] {
  return sourceOf(tree, module).bindings
}

/** The absolute name behind `from NAME import`, which may be relative to the module that says it. */
export function absoluteName(module: Module, name: string): string {
  const dots = /^\.*/.exec(name)?.[0].length ?? 0
  if (dots === 0) return name
  const parts = module.name.split('.')
  const up = module.file.endsWith('/__init__.py') ? dots - 1 : dots
  const own = parts.slice(0, Math.max(parts.length - up, 0))
  return [...own, name.slice(dots)].filter((part) => part !== '').join('.')
}

/** The folder of the package that a module lies in, or the module's own where it is a package. */
export function folderOf(module: Module): string {
  return module.file.slice(0, Math.max(module.file.lastIndexOf('/'), 0))
}

/** Joins two relative paths; `join('src', '')` is `src/`, `join('', 'a')` is `a`. */
export function join(base: string, own: string): string {
  return base === '' ? own : `${base}/${own}`
}
