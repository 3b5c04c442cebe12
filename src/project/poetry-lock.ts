import { always, and, type Marker, markerText, never, or, plainName, readMarker } from './markers.ts'
import { type PoetryDependency, poetryDependencies } from './poetry-dependencies.ts'
import { gitAddress, goodHashes, type Line, lineOf, otherIndexes } from './requirement-text.ts'
import { isTable, type Table, tableAt, tablesIn, textIn, textsIn } from './toml.ts'
import { compareVersions, isWithin, pythonMarker } from './version-ranges.ts'

/** What is wanted of a project beside its main dependencies; names normalised. */
export interface Wanted {
  readonly extras: ReadonlySet<string>
  readonly groups: ReadonlySet<string>
}

/** A lock as lines, each with its version. */
export interface Locked {
  readonly lines: readonly Line[]
  readonly indexes: readonly string[]
}

/**
 * Reads poetry.lock, of its formats 1.0 to 2.1: what main and the wanted groups and extras reach.
 * @param roots what pyproject.toml declares of them
 */
export function readPoetryLock(lock: Table, roots: readonly PoetryDependency[], wanted: Wanted): Locked {
  const packages = tablesIn(lock['package'])
  const markers = packages.every((one) => Array.isArray(one['groups']))
    ? markersGiven(packages, wanted)
    : markersWalked(packages, roots)
  const files = tableAt(lock, 'metadata', 'files')
  const hashes = tableAt(lock, 'metadata', 'hashes')
  const used = packages.flatMap((one) => {
    const marker = markers.get(one) ?? never
    return marker.length === 0 ? [] : [{ one, marker }]
  })
  return {
    lines: used.map(({ one, marker }) => lineIn(one, marker, files, hashes)),
    indexes: otherIndexes(
      used.map(({ one }) => {
        const source = tableAt(one, 'source')
        return source['type'] === 'legacy' ? textIn(source['url']) : undefined
      }),
    ),
  }
}

/** Since format 2.1 each package says for which groups and when it is installed. */
function markersGiven(packages: readonly Table[], { extras, groups }: Wanted): ReadonlyMap<Table, Marker> {
  const wanted = new Set(['main', ...groups])
  return new Map(
    packages.map((one): readonly [Table, Marker] => {
      const within = textsIn(one['groups']).filter((group) => wanted.has(plainName(group)))
      const said = one['markers']
      const marker = within.reduce<Marker>((sum, group) => {
        const text = isTable(said) ? textIn(said[group]) : textIn(said)
        // An optional package that names no extra can only be asked for by one.
        if (
          one['optional'] === true &&
          !/\bextra\b/.test(text ?? '') &&
          group === 'main' &&
          extras.size === 0
        )
          return sum
        return or(sum, readMarker(text ?? '', extras))
      }, never)
      return [one, marker]
    }),
  )
}

/** Before it they follow from the way to each package: through all edges, with each edge's own conditions. */
function markersWalked(
  packages: readonly Table[],
  roots: readonly PoetryDependency[],
): ReadonlyMap<Table, Marker> {
  const markers = new Map<Table, Marker>()
  const extras = new Map<Table, ReadonlySet<string>>()
  const byName = new Map<string, Table[]>()
  for (const one of packages) {
    const name = plainName(textIn(one['name']) ?? '')
    byName.set(name, [...(byName.get(name) ?? []), one])
  }
  const waiting: Table[] = []
  const follow = (edge: PoetryDependency, from: Marker): void => {
    const named = byName.get(edge.name) ?? []
    const fitting = named.filter((one) => isWithin(textIn(one['version']) ?? '', edge.ranges))
    for (const [one, python] of byPython(fitting.length > 0 ? fitting : named)) {
      const before = markers.get(one) ?? never
      const has = extras.get(one) ?? new Set<string>()
      const marker = or(before, and(and(from, edge.marker), python))
      const more = new Set([...has, ...edge.extras])
      if (markerKey(marker) === markerKey(before) && more.size === has.size) continue
      markers.set(one, marker)
      extras.set(one, more)
      waiting.push(one)
    }
  }
  for (const root of roots) follow(root, always)
  for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) {
    const wanted = extras.get(one) ?? new Set<string>()
    const optional = new Set(
      Object.entries(tableAt(one, 'extras'))
        .filter(([extra]) => wanted.has(plainName(extra)))
        .flatMap(([, names]) => textsIn(names).map((name) => plainName(/^[\w.-]+/.exec(name)?.[0] ?? ''))),
    )
    for (const edge of poetryDependencies(one['dependencies'], wanted)) {
      if (!edge.optional || optional.has(edge.name)) follow(edge, markers.get(one) ?? never)
    }
  }
  return markers
}

/** Of several versions that an edge allows, each Python gets the newest one that is for it. */
function byPython(packages: readonly Table[]): readonly (readonly [Table, Marker])[] {
  if (packages.length < 2) return packages.map((one) => [one, always])
  const newest = packages.toSorted((a, b) =>
    compareVersions(textIn(b['version']) ?? '', textIn(a['version']) ?? ''),
  )
  let left = always
  return newest.map((one) => {
    const python = textIn(one['python-versions']) ?? '*'
    const marker = and(left, pythonMarker(python))
    const least = /^>=\s*([\d.]+)/.exec(python)?.[1]
    left = least === undefined ? never : and(left, pythonMarker(`<${least}`))
    return [one, marker] as const
  })
}

function markerKey(marker: Marker): string {
  return marker.length === 0 ? 'never' : markerText(marker)
}

function lineIn(one: Table, marker: Marker, files: Table, hashes: Table): Line {
  const name = textIn(one['name']) ?? ''
  const source = tableAt(one, 'source')
  const url = textIn(source['url']) ?? ''
  const own = [...tablesIn(one['files']), ...tablesIn(files[name])].flatMap(
    (file) => textIn(file['hash']) ?? [],
  )
  const old = textsIn(hashes[name]).map((hash) => `sha256:${hash}`)
  const line = lineOf(plainName(name), {
    specifier: `==${textIn(one['version']) ?? ''}`,
    marker,
    hashes: goodHashes([...own, ...old]),
  })
  switch (source['type']) {
    case 'git': {
      const reference = textIn(source['resolved_reference']) ?? textIn(source['reference'])
      return {
        ...line,
        hashes: [],
        from: { address: gitAddress(url, reference, textIn(source['subdirectory'])) },
      }
    }
    case 'url':
      return { ...line, from: { address: url } }
    case 'directory':
      return { ...line, hashes: [], from: { local: url } }
    case 'file':
      return { ...line, from: { local: url } }
    default:
      return line
  }
}
