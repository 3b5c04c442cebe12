import { always, and, plainName, readMarker } from './markers.ts'
import { type PoetryDependency, poetryDependencies } from './poetry-dependencies.ts'
import type { Wanted } from './poetry-lock.ts'
import { requirementName } from './requirement-lines.ts'
import { type Table, tableAt, textsIn } from './toml.ts'
import { readRanges } from './version-ranges.ts'

/** What a pyproject.toml of Poetry's declares. */
export interface PoetryProject {
  /** Main dependencies, and those of the wanted groups and extras. */
  readonly roots: readonly PoetryDependency[]
  readonly extras: ReadonlySet<string>
  readonly groups: ReadonlySet<string>
}

/** Reads `[tool.poetry]`, and `[project]` and `[dependency-groups]`, which Poetry 2 knows too. */
export function poetryProject(toml: Table, wanted: Wanted): PoetryProject {
  const poetry = tableAt(toml, 'tool', 'poetry')
  const project = tableAt(toml, 'project')
  const none = new Set<string>()
  const poetryExtras = Object.entries(tableAt(poetry, 'extras'))
  const optional = new Set(
    poetryExtras
      .filter(([extra]) => wanted.extras.has(plainName(extra)))
      .flatMap(([, names]) => textsIn(names).map((name) => plainName(/^[\w.-]+/.exec(name)?.[0] ?? ''))),
  )
  const main = poetryDependencies(poetry['dependencies'], none).filter(
    (one) => !one.optional || optional.has(one.name),
  )
  const standard = [
    ...textsIn(project['dependencies']),
    ...chosen(tableAt(project, 'optional-dependencies'), wanted.extras).flatMap(textsIn),
    ...chosen(tableAt(toml, 'dependency-groups'), wanted.groups).flatMap(textsIn),
  ].flatMap(standardDependency)
  // Where both list one, Poetry's own table only adds to the standard one.
  const listed = new Set(standard.map(({ name }) => name))
  const groups = tableAt(poetry, 'group')
  const inGroups = [
    ...chosen(groups, wanted.groups).map((group) => tableAt(group)['dependencies']),
    ...(wanted.groups.has('dev') ? [poetry['dev-dependencies']] : []),
  ].flatMap((table) => poetryDependencies(table, none))
  return {
    roots: [...standard, ...main.filter(({ name }) => !listed.has(name)), ...inGroups],
    extras: new Set(
      [
        ...poetryExtras.map(([extra]) => extra),
        ...Object.keys(tableAt(project, 'optional-dependencies')),
      ].map(plainName),
    ),
    groups: new Set(
      [
        ...Object.keys(groups),
        ...Object.keys(tableAt(toml, 'dependency-groups')),
        ...(poetry['dev-dependencies'] === undefined ? [] : ['dev']),
      ].map(plainName),
    ),
  }
}

/** `[tool.poetry]` lists the dependencies: there is no `[project]` that does. */
export function isPoetry(toml: Table): boolean {
  const listed = tableAt(toml, 'project')['dependencies']
  return listed === undefined && Object.keys(tableAt(toml, 'tool', 'poetry', 'dependencies')).length > 0
}

function chosen(tables: Table, wanted: ReadonlySet<string>): readonly unknown[] {
  return Object.entries(tables).flatMap(([name, value]) => (wanted.has(plainName(name)) ? [value] : []))
}

/** A requirement as PEP 508 has it. */
function standardDependency(text: string): readonly PoetryDependency[] {
  const name = requirementName(text)
  if (name === undefined) return []
  const [, extras = '', rest = ''] = /^\s*[\w.-]+\s*(?:\[([^\]]*)\])?\s*([^;]*)/.exec(text) ?? []
  const [, marker = ''] = /;\s*(.*)$/.exec(text) ?? []
  const specifier = rest.trim().replace(/^\((.*)\)$/, '$1')
  const address = /^@\s*(\S+)/.exec(specifier)?.[1]
  return [
    {
      name,
      extras: extras.split(',').flatMap((one) => (one.trim() === '' ? [] : [plainName(one.trim())])),
      specifier: address === undefined ? specifier.replaceAll(/\s+/g, '') : '',
      marker: and(always, readMarker(marker)),
      hashes: [],
      from: address === undefined ? undefined : { address },
      ranges: (address === undefined ? readRanges(specifier) : undefined) ?? [[]],
      optional: false,
    },
  ]
}
