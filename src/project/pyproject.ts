import path from 'node:path'
import { type Declaration, fileWord, nothingIn, together, type Wanted } from './declaration.ts'
import { listedIn } from './listed.ts'
import { converted } from './locks.ts'
import { plainName } from './markers.ts'
import { isPoetry, poetryProject } from './poetry-project.ts'
import { folderOf, readRequirements } from './requirement-files.ts'
import { requirementLines, requirementName } from './requirement-lines.ts'
import { readSetup } from './setup-files.ts'
import { isTable, readToml, type Table, tableAt, textIn, textsIn } from './toml.ts'
import type { Tree } from './tree.ts'
import { unpinnedIn } from './unpinned.ts'
import { settingsOf } from './uv-lock.ts'

/** Reads pyproject.toml: `[project]` (PEP 621), or the tables of Poetry, or of Flit's before it. */
export function readPyproject(tree: Tree, file: string, wanted: Wanted): Declaration {
  const { toml, faults } = readToml(tree, file)
  if (faults.length > 0) return nothingIn(file, { faults })
  if (isPoetry(toml)) {
    const { roots, extras, groups } = poetryProject(toml, wanted)
    return { ...converted(tree, file, { lines: roots, indexes: [] }, false), extras, groups }
  }
  const flit = tableAt(toml, 'tool', 'flit', 'metadata')
  if (toml['project'] === undefined && flit['requires'] !== undefined) return readFlit(file, flit, wanted)
  return readStandard(tree, file, toml, wanted)
}

function readStandard(tree: Tree, file: string, toml: Table, wanted: Wanted): Declaration {
  const project = tableAt(toml, 'project')
  const dynamic = textsIn(project['dynamic'])
  const optional = tableAt(project, 'optional-dependencies')
  const groups = tableAt(toml, 'dependency-groups')
  const base = path.posix.basename(file)
  const chosen = (tables: Table, names: ReadonlySet<string>) =>
    Object.entries(tables).flatMap(([name, list]) => (names.has(plainName(name)) ? textsIn(list) : []))
  const dependencies = textsIn(project['dependencies'])
  const listed = [...dependencies, ...chosen(optional, wanted.extras), ...chosen(groups, wanted.groups)]
  const setuptools = tableAt(toml, 'tool', 'setuptools', 'dynamic')
  const behind = [
    ...(dynamic.includes('dependencies') ? filesOf(setuptools['dependencies']) : []),
    ...(dynamic.includes('optional-dependencies')
      ? Object.entries(tableAt(setuptools, 'optional-dependencies')).flatMap(([extra, value]) =>
          wanted.extras.has(plainName(extra)) ? filesOf(value) : [],
        )
      : []),
  ]
    .map((own) => path.posix.join(path.posix.dirname(file), own))
    .filter((own) => tree.has(own))
    .map((own) => readRequirements(tree, own, wanted))
  const unread = dynamic.includes('dependencies') && behind.length === 0
  const setup = unread
    ? readSetup(tree, path.posix.join(path.posix.dirname(file), 'setup.py'), wanted)
    : undefined
  const extraWords = [...wanted.extras].flatMap((extra) =>
    Object.keys(optional).some((name) => plainName(name) === extra) || unread ? ['--extra', extra] : [],
  )
  const groupWords = [...wanted.groups].flatMap((group) => ['--group', group])
  const takesTable = dependencies.length > 0 || extraWords.length > 0 || unread
  const words = [...(takesTable ? ['-r', fileWord(base), ...extraWords] : []), ...groupWords]
  const own = nothingIn(file, {
    // A build may read any file, of which only these are known to decide.
    files: unread ? [file, ...(setup?.files ?? []).filter((one) => tree.has(one))] : [file],
    local: unread ? [folderOf(file)] : [],
    names: [...listed.flatMap((one) => requirementName(one) ?? []), ...(setup?.names ?? [])],
    count: listed.length,
    unpinned: [
      ...unpinnedIn(requirementLines(listed.join('\n')), file),
      ...(unread ? [{ what: 'dependencies', name: file, file } as const] : []),
    ],
    dynamic: unread,
    texts: new Map(settingsOf(tree, file)),
    steps:
      words.length === 0
        ? []
        : [
            {
              how: 'install',
              folder: folderOf(file),
              words,
              fixed: false,
              project: textIn(project['name']) ?? '',
            },
          ],
    extras: dynamic.includes('optional-dependencies')
      ? behind.length > 0
        ? new Set(Object.keys(tableAt(setuptools, 'optional-dependencies')).map(plainName))
        : undefined
      : new Set(Object.keys(optional).map(plainName)),
    groups: new Set(Object.keys(groups).map(plainName)),
  })
  return behind.reduce((sum, one) => ({ ...together(sum, one), extras: sum.extras, groups: sum.groups }), own)
}

function filesOf(value: unknown): readonly string[] {
  const file = isTable(value) ? value['file'] : undefined
  return typeof file === 'string' ? [file] : textsIn(file)
}

/** Flit before it knew `[project]` (its documentation, "The flit.ini/[tool.flit.metadata] table"). */
function readFlit(file: string, flit: Table, wanted: Wanted): Declaration {
  const extra = tableAt(flit, 'requires-extra')
  const listed = [
    ...textsIn(flit['requires']),
    ...Object.entries(extra).flatMap(([name, list]) =>
      wanted.extras.has(plainName(name)) ? textsIn(list) : [],
    ),
  ]
  return { ...listedIn(file, listed), extras: new Set(Object.keys(extra).map(plainName)) }
}
