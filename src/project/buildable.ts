import path from 'node:path'
import { parseCfg, projectName } from './setup-files.ts'
import { readToml, tableAt, textIn } from './toml.ts'
import { type Tree, textOf } from './tree.ts'

/** Whether the project itself can be built and installed, and whether it is only whole then. */
export interface Buildable {
  readonly buildable: boolean
  readonly plugins: boolean
  readonly built: { readonly folder: string; readonly name: string }
}

/** Entry points that make programs, which nobody calls on a server by way of an import. */
const programs: ReadonlySet<string> = new Set(['console_scripts', 'gui_scripts'])

/** Judges the project in a folder, '' for the root. */
export function judgeBuild(tree: Tree, folder: string): Buildable {
  const at = (name: string) => path.posix.join(folder, name)
  const toml = tree.has(at('pyproject.toml')) ? readToml(tree, at('pyproject.toml')).toml : {}
  const code = textOf(tree, at('setup.py')) ?? ''
  const cfg = parseCfg(textOf(tree, at('setup.cfg')) ?? '')
  const buildable = toml['build-system'] !== undefined || tree.has(at('setup.py'))
  const groups = [
    ...Object.keys(tableAt(toml, 'project', 'entry-points')),
    ...Object.keys(tableAt(toml, 'tool', 'poetry', 'plugins')),
    ...Object.keys(tableAt(toml, 'tool', 'flit', 'entrypoints')),
    ...(cfg.get('options.entry_points')?.keys() ?? []),
    ...entryPointsIn(code),
  ]
  const name =
    textIn(tableAt(toml, 'project')['name']) ??
    textIn(tableAt(toml, 'tool', 'poetry')['name']) ??
    cfg.get('metadata')?.get('name') ??
    projectName(code)
  return {
    buildable,
    plugins: buildable && groups.some((one) => !programs.has(one)),
    built: { folder, name: /^[\w.-]+$/.test(name) ? name : '' },
  }
}

/** The groups that setup.py lists: `entry_points={"flask.commands": [...]}`. */
function entryPointsIn(code: string): readonly string[] {
  const begin = /\bentry_points\s*=\s*/.exec(code)
  if (begin === null) return []
  const rest = code.slice(begin.index + begin[0].length)
  if (rest.startsWith('{')) {
    const inner = /^\{([\s\S]*?)\}/.exec(rest)?.[1] ?? ''
    return [...inner.matchAll(/['"]([\w.-]+)['"]\s*:/g)].map(([, name = '']) => name)
  }
  // As the text of an INI file.
  const inner = /^(?:'''|""")([\s\S]*?)(?:'''|""")/.exec(rest)?.[1] ?? ''
  return [...inner.matchAll(/^\s*\[([\w.-]+)\]/gm)].map(([, name = '']) => name)
}
