import { always, and, type Marker, plainName, readMarker } from './markers.ts'
import type { Locked } from './poetry-lock.ts'
import { gitAddress, goodHashes, type Line, otherIndexes } from './requirement-text.ts'
import { isTable, type Table, tableAt, tablesIn, textIn, textsIn } from './toml.ts'

/**
 * Reads Pipfile.lock: `default`, and each wanted category; `dev` is its `develop`.
 * @param lock the file's JSON
 */
export function readPipfileLock(lock: Table, groups: ReadonlySet<string>): Locked {
  return {
    lines: categories(lock, 'default', groups).flatMap((table) => linesIn(table, true)),
    indexes: indexes(tableAt(lock, '_meta')['sources']),
  }
}

/** Reads a Pipfile: `[packages]`, and each wanted category; `dev` is its `dev-packages`. */
export function readPipfile(pipfile: Table, groups: ReadonlySet<string>): Locked {
  return {
    lines: categories(pipfile, 'packages', groups).flatMap((table) => linesIn(table, false)),
    indexes: indexes(pipfile['source']),
  }
}

/** The categories of a Pipfile or of its lock that `groups` can name. */
export function pipfileGroups(file: Table): readonly string[] {
  return Object.keys(file).flatMap((key) => {
    if (['_meta', 'default', 'packages', 'source', 'requires', 'scripts', 'pipenv'].includes(key)) return []
    return [['develop', 'dev-packages'].includes(key) ? 'dev' : plainName(key)]
  })
}

function categories(file: Table, main: string, groups: ReadonlySet<string>): readonly Table[] {
  const wanted = Object.keys(file).filter((key) =>
    groups.has(['develop', 'dev-packages'].includes(key) ? 'dev' : plainName(key)),
  )
  return [main, ...wanted].map((key) => tableAt(file, key))
}

function indexes(sources: unknown): readonly string[] {
  return otherIndexes(tablesIn(sources).map((one) => textIn(one['url'])))
}

function linesIn(packages: Table, locked: boolean): readonly Line[] {
  return Object.entries(packages).map(([name, value]): Line => {
    const given: Table = typeof value === 'string' ? { version: value } : isTable(value) ? value : {}
    const version = textIn(given['version']) ?? '*'
    const from = source(given)
    return {
      name: plainName(name),
      // With a lock nothing is looked up, and an extra's packages stand in it themselves.
      extras: locked ? [] : textsIn(given['extras']).map(plainName),
      specifier:
        version.trim() === '*' ? '' : /^\d/.test(version.trim()) ? `==${version.trim()}` : version.trim(),
      marker: markerOf(given),
      hashes: goodHashes(textsIn(given['hashes'])),
      from,
    }
  })
}

/** `markers`, and markers as keys: `sys_platform = "== 'linux'"`. */
function markerOf(given: Table): Marker {
  const keys = [
    'sys_platform',
    'os_name',
    'platform_machine',
    'python_version',
    'python_full_version',
    'platform_system',
    'implementation_name',
  ]
  return [
    readMarker(textIn(given['markers']) ?? ''),
    ...keys.flatMap((key) => {
      const text = textIn(given[key])
      return text === undefined ? [] : [readMarker(`${key} ${text}`)]
    }),
  ].reduce(and, always)
}

function source(given: Table): Line['from'] {
  const git = textIn(given['git'])
  if (git !== undefined)
    return { address: gitAddress(git, textIn(given['ref']), textIn(given['subdirectory'])) }
  const file = textIn(given['file']) ?? textIn(given['path'])
  if (file === undefined) return undefined
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(file) ? { address: file } : { local: file }
}
