import path from 'node:path'
import { type Declaration, nothingIn, unique, type Wanted } from './declaration.ts'
import { plainName } from './markers.ts'
import type { Unpinned } from './project.ts'
import { folderOf, partsOf } from './requirement-files.ts'
import { readToml, type Table, tableAt, tablesIn, textIn } from './toml.ts'
import type { Tree } from './tree.ts'

/** Reads uv.lock as far as names, hashes and folders go; uv itself turns it into what is installed, on the server. */
export function readUvLock(tree: Tree, file: string, wanted: Wanted): Declaration {
  const { toml, faults } = readToml(tree, file)
  const folder = folderOf(file)
  const packages = tablesIn(toml['package'])
  const root = rootOf(packages, folder, wanted.folder)
  const used = reached(packages, root === undefined ? members(packages) : [root], wanted)
  const others = used.filter((one) => one !== root)
  const places = members(packages).flatMap((one) => memberFolder(one) ?? [])
  const declared = unique(['.', ...places])
    .map((place) => path.posix.join(folder, place, 'pyproject.toml'))
    .filter((own) => tree.has(own))
  const local = others.flatMap((one) => {
    const place = localOf(one)
    return place === undefined ? [] : [plainPath(path.posix.join(folder, place))]
  })
  const loose = others.filter((one) => !isHashed(one))
  const words = [
    ...packageWords(root, packages),
    ...[...wanted.extras].flatMap((extra) => ['--extra', extra]),
    ...[...wanted.groups].flatMap((group) => ['--group', group]),
  ]
  return nothingIn(file, {
    files: unique([file, ...declared, ...local.flatMap((place) => partsOf(tree, place))]),
    local,
    names: others.map(nameOf),
    count: others.length,
    hashed: loose.length === 0,
    unpinned: loose
      .filter((one) => !isBound(one))
      .map((one): Unpinned => ({ what: 'package', name: nameOf(one), file })),
    faults,
    texts: new Map(declared.flatMap((own) => settingsOf(tree, own))),
    steps: [{ how: 'uv-lock', folder, words, hashed: loose.length === 0 }],
    extras: names(root, 'optional-dependencies'),
    groups: names(root, 'dev-dependencies'),
  })
}

/**
 * A project may demand another version of uv than ours for itself, in `[tool.uv]`; what it locked is read all the same.
 * @returns the file's path and its text without that demand; nothing where it has none
 */
export function settingsOf(tree: Tree, file: string): readonly (readonly [string, string])[] {
  const text = tree.read(file)?.toString('utf8') ?? ''
  const plain = text.replaceAll(/^[ \t]*required-version[ \t]*=.*$/gm, '')
  return plain === text ? [] : [[file, plain]]
}

/** The member of the workspace that the app lies in; undefined: all of them count. */
function rootOf(packages: readonly Table[], folder: string, app: string): Table | undefined {
  return packages
    .flatMap((one) => {
      const place = memberFolder(one)
      if (place === undefined) return []
      const at = plainPath(path.posix.join(folder, place))
      return at === '' || app === at || app.startsWith(`${at}/`) ? [{ one, at }] : []
    })
    .toSorted((a, b) => b.at.length - a.at.length)[0]?.one
}

function packageWords(root: Table | undefined, packages: readonly Table[]): readonly string[] {
  if (root === undefined) return ['--all-packages']
  return members(packages).length > 1 ? ['--package', nameOf(root)] : []
}

function members(packages: readonly Table[]): readonly Table[] {
  return packages.filter((one) => memberFolder(one) !== undefined)
}

/** Where a member of the workspace lies, relative to the lock; undefined for everything else. */
function memberFolder(one: Table): string | undefined {
  const source = tableAt(one, 'source')
  return textIn(source['editable']) ?? textIn(source['virtual'])
}

function localOf(one: Table): string | undefined {
  const source = tableAt(one, 'source')
  return textIn(source['editable']) ?? textIn(source['directory']) ?? textIn(source['path'])
}

/** What these packages need, by name: of several versions all are taken. */
function reached(packages: readonly Table[], roots: readonly Table[], wanted: Wanted): readonly Table[] {
  const found = new Set<Table>()
  const seen = new Set<string>()
  const waiting: {
    readonly one: Table
    readonly extras: ReadonlySet<string>
    readonly groups: ReadonlySet<string>
  }[] = roots.map((one) => ({ one, extras: wanted.extras, groups: wanted.groups }))
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { one, extras, groups } = next
    found.add(one)
    const key = `${nameOf(one)} ${textIn(one['version']) ?? ''} ${[...extras].toSorted().join()}`
    if (seen.has(key)) continue
    seen.add(key)
    const edges = [
      ...tablesIn(one['dependencies']),
      ...chosen(tableAt(one, 'optional-dependencies'), extras),
      ...chosen(tableAt(one, 'dev-dependencies'), groups),
    ]
    for (const edge of edges) {
      const asked = Array.isArray(edge['extra']) ? edge['extra'] : []
      const more = new Set(
        asked.flatMap((extra: unknown) => (typeof extra === 'string' ? [plainName(extra)] : [])),
      )
      for (const other of packages) {
        if (nameOf(other) !== nameOf(edge)) continue
        if (textIn(edge['version']) !== undefined && edge['version'] !== other['version']) continue
        waiting.push({ one: other, extras: more, groups: new Set() })
      }
    }
  }
  return [...found]
}

function chosen(tables: Table, wanted: ReadonlySet<string>): readonly Table[] {
  return Object.entries(tables).flatMap(([name, edges]) =>
    wanted.has(plainName(name)) ? tablesIn(edges) : [],
  )
}

function names(root: Table | undefined, key: string): ReadonlySet<string> | undefined {
  if (root === undefined) return undefined
  const listed = Object.keys(tableAt(root, key))
  // An extra or a group without any package stands only here.
  const provided = key === 'optional-dependencies' ? root['metadata'] : undefined
  const more = Array.isArray(tableAt(provided)['provides-extras']) ? tableAt(provided)['provides-extras'] : []
  const empty = key === 'dev-dependencies' ? Object.keys(tableAt(root, 'metadata', 'requires-dev')) : []
  return new Set(
    [...listed, ...(Array.isArray(more) ? more : []), ...empty].flatMap((one: unknown) =>
      typeof one === 'string' ? [plainName(one)] : [],
    ),
  )
}

function nameOf(one: Table): string {
  return plainName(textIn(one['name']) ?? '')
}

function isHashed(one: Table): boolean {
  const files = [one['sdist'], ...tablesIn(one['wheels'])].filter((file) => file !== undefined)
  return (
    files.length > 0 &&
    localOf(one) === undefined &&
    files.every((file) => textIn(tableAt(file)['hash'])?.startsWith('sha'))
  )
}

/** It lies in the project, or is a commit. */
function isBound(one: Table): boolean {
  return (
    localOf(one) !== undefined ||
    memberFolder(one) !== undefined ||
    tableAt(one, 'source')['git'] !== undefined
  )
}

function plainPath(place: string): string {
  const plain = place.replace(/\/$/, '')
  return plain === '.' ? '' : plain
}
