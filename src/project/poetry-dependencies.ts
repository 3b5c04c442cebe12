import { always, and, type Marker, plainName, readMarker } from './markers.ts'
import { gitAddress, type Line } from './requirement-text.ts'
import { isTable, type Table, tableAt, textIn, textsIn } from './toml.ts'
import { pythonMarker, type Ranges, readRanges, specifier } from './version-ranges.ts'

/** One dependency as Poetry declares it, in pyproject.toml or between the packages of its lock. */
export interface PoetryDependency extends Line {
  readonly ranges: Ranges
  readonly optional: boolean
}

/**
 * Reads a table of Poetry's dependencies (its documentation, "Dependency specification").
 * @param extras those that are wanted of what has these dependencies
 */
export function poetryDependencies(
  dependencies: unknown,
  extras: ReadonlySet<string>,
): readonly PoetryDependency[] {
  return Object.entries(tableAt(dependencies)).flatMap(([name, value]) => {
    if (plainName(name) === 'python') return []
    return (Array.isArray(value) ? value : [value]).flatMap(
      (one: unknown) => dependency(name, one, extras) ?? [],
    )
  })
}

function dependency(name: string, value: unknown, extras: ReadonlySet<string>): PoetryDependency | undefined {
  const given: Table = typeof value === 'string' ? { version: value } : isTable(value) ? value : {}
  const ranges = readRanges(textIn(given['version']) ?? '*') ?? [[]]
  return {
    name: plainName(name),
    extras: textsIn(given['extras']).map(plainName),
    specifier: specifier(ranges),
    marker: markerOf(given, extras),
    hashes: [],
    from: source(given),
    ranges,
    optional: given['optional'] === true,
  }
}

function markerOf(given: Table, extras: ReadonlySet<string>): Marker {
  const python = textIn(given['python'])
  const platform = textIn(given['platform'])
  return [
    readMarker(textIn(given['markers']) ?? '', extras),
    python === undefined ? always : pythonMarker(python),
    platform === undefined ? always : readMarker(`sys_platform == '${platform.replaceAll("'", '')}'`),
  ].reduce(and)
}

function source(given: Table): Line['from'] {
  const git = textIn(given['git'])
  const url = textIn(given['url'])
  const path = textIn(given['path']) ?? textIn(given['file'])
  const folder = textIn(given['subdirectory'])
  if (git !== undefined) {
    const reference = textIn(given['rev']) ?? textIn(given['tag']) ?? textIn(given['branch'])
    return { address: gitAddress(git, reference, folder) }
  }
  if (url !== undefined) return { address: url }
  return path === undefined ? undefined : { local: path }
}
