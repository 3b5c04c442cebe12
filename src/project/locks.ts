import path from 'node:path'
import type { Explanation } from '../errors.ts'
import { type Declaration, fileWord, nothingIn, unique, type Wanted } from './declaration.ts'
import { plainName } from './markers.ts'
import { pipfileGroups, readPipfile, readPipfileLock } from './pipfile.ts'
import { type Locked, readPoetryLock } from './poetry-lock.ts'
import { poetryProject } from './poetry-project.ts'
import type { Unpinned } from './project.ts'
import { folderOf, partsOf, within } from './requirement-files.ts'
import { type Line, requirementText } from './requirement-text.ts'
import { readJson, readToml, type Table, tableAt, tablesIn, textIn, textsIn } from './toml.ts'
import type { Tree } from './tree.ts'

/** poetry.lock, with the pyproject.toml beside it. */
export function readPoetry(tree: Tree, file: string, wanted: Wanted): Declaration {
  const { toml, faults } = readToml(tree, file)
  const declared = path.posix.join(path.posix.dirname(file), 'pyproject.toml')
  const pyproject = readToml(tree, declared)
  const project = poetryProject(pyproject.toml, wanted)
  const read = converted(tree, file, readPoetryLock(toml, project.roots, wanted), true)
  return {
    ...read,
    files: unique([...read.files, declared]),
    faults: [...faults, ...pyproject.faults, ...read.faults],
    extras: project.extras,
    groups: project.groups,
  }
}

export function readPipenv(tree: Tree, file: string, { groups }: Wanted): Declaration {
  const { json, faults } = readJson(tree, file)
  const read = converted(tree, file, readPipfileLock(json, groups), true)
  return { ...read, faults: [...faults, ...read.faults], groups: new Set(pipfileGroups(json)) }
}

export function readPipfileAlone(tree: Tree, file: string, { groups }: Wanted): Declaration {
  const { toml, faults } = readToml(tree, file)
  const read = converted(tree, file, readPipfile(toml, groups), false)
  return { ...read, faults: [...faults, ...read.faults], groups: new Set(pipfileGroups(toml)) }
}

/** pylock.toml (PEP 751): uv reads it as it is. */
export function readPylock(tree: Tree, file: string, wanted: Wanted): Declaration {
  const { toml, faults } = readToml(tree, file)
  const packages = tablesIn(toml['packages'])
  const noted = [...faults]
  const local = packages.flatMap((one) => {
    const place = textIn(tableAt(one, 'directory')['path']) ?? textIn(tableAt(one, 'archive')['path'])
    return place === undefined ? [] : (within(tree, file, place, place, noted) ?? [])
  })
  const loose = packages.filter((one) => !isHashed(one))
  const bound = (one: Table) => one['vcs'] !== undefined || one['directory'] !== undefined
  const words = [
    ...['--preview-features', 'pylock', '-r', fileWord(path.posix.basename(file))],
    ...[...wanted.extras].flatMap((extra) => ['--extra', extra]),
    ...[...wanted.groups].flatMap((group) => ['--group', group]),
  ]
  return nothingIn(file, {
    files: unique([file, ...local.flatMap((place) => partsOf(tree, place))]),
    local,
    names: packages.map((one) => plainName(textIn(one['name']) ?? '')),
    count: packages.length,
    hashed: packages.length > 0 && loose.length === 0,
    unpinned: loose
      .filter((one) => !bound(one))
      .map((one): Unpinned => ({ what: 'package', name: textIn(one['name']) ?? '', file })),
    faults: noted,
    steps: [{ how: 'install', folder: folderOf(file), words, fixed: true, project: undefined }],
    extras: new Set(textsIn(toml['extras']).map(plainName)),
    groups: new Set(textsIn(toml['dependency-groups']).map(plainName)),
  })
}

function isHashed(one: Table): boolean {
  const files = [one['sdist'], one['archive'], ...tablesIn(one['wheels'])].filter(
    (file) => file !== undefined,
  )
  return (
    files.length > 0 &&
    one['directory'] === undefined &&
    files.every((file) =>
      Object.keys(tableAt(file, 'hashes')).some((kind) => /^(?:sha(?:256|384|512)|blake2b)/.test(kind)),
    )
  )
}

/**
 * What a converter made of a file, as a requirements file beside it that only the build sees.
 * @param fixed all that is needed stands in it, with its version: nothing is to be looked up
 */
export function converted(tree: Tree, file: string, { lines, indexes }: Locked, fixed: boolean): Declaration {
  const faults: Explanation[] = []
  const local: string[] = []
  const kept = lines.filter(({ marker }) => marker.length > 0)
  const placed = kept.map((line): Line => {
    if (line.from === undefined || !('local' in line.from)) return line
    const place = within(tree, file, line.from.local, line.from.local, faults)
    if (place === undefined) return line
    local.push(place)
    const relative = path.posix.relative(path.posix.dirname(file), place === '' ? '.' : place)
    return { ...line, from: { local: `./${relative}` } }
  })
  const hashed = fixed && kept.length > 0 && kept.every(({ hashes }) => hashes.length > 0)
  const text = `${path.posix.basename(file)}.txt`
  const words = [
    ...(fixed ? ['--no-deps'] : []),
    ...(hashed ? ['--require-hashes'] : []),
    '-r',
    fileWord(text),
  ]
  return nothingIn(file, {
    files: unique([file, ...local.flatMap((place) => partsOf(tree, place))]),
    local,
    names: kept.map(({ name }) => name),
    count: kept.length,
    hashed,
    unpinned: kept
      .filter((line) => line.hashes.length === 0 && !isBound(line))
      .map(({ name }): Unpinned => ({ what: 'package', name, file })),
    faults,
    texts:
      kept.length === 0
        ? new Map()
        : new Map([[path.posix.join(path.posix.dirname(file), text), requirementText(placed, indexes)]]),
    steps:
      kept.length === 0 ? [] : [{ how: 'install', folder: folderOf(file), words, fixed, project: undefined }],
  })
}

/** It lies in the project, or git's commit names its bytes. */
function isBound({ from }: Line): boolean {
  if (from === undefined) return false
  return 'local' in from || /^git\+[^#]*@[0-9a-f]{40}(?:#|$)/.test(from.address)
}
