import path from 'node:path'
import type { Reader } from './declaration.ts'
import { readPipenv, readPipfileAlone, readPoetry, readPylock } from './locks.ts'
import type { Requirements } from './project.ts'
import { readPyproject } from './pyproject.ts'
import { readRequirements } from './requirement-files.ts'
import { readSetup } from './setup-files.ts'
import type { Tree } from './tree.ts'
import { readUvLock } from './uv-lock.ts'

export type Kind = Requirements['kind']

/** A file that may declare dependencies, and how it is read. */
export interface Place {
  readonly file: string
  readonly kind: Kind
  readonly read: Reader
  /** What has to lie beside it. */
  readonly needs: string | undefined
}

interface Known {
  readonly fits: RegExp
  readonly kind: Kind
  readonly read: Reader
  readonly needs?: string
}

/** By the name alone. */
const kinds: readonly Known[] = [
  { fits: /^uv\.lock$/, kind: 'uv', read: readUvLock, needs: 'pyproject.toml' },
  { fits: /^pylock(?:\.[^.]+)?\.toml$/, kind: 'pylock', read: readPylock },
  { fits: /^poetry\.lock$/, kind: 'poetry', read: readPoetry, needs: 'pyproject.toml' },
  { fits: /^Pipfile\.lock$/, kind: 'pipfile', read: readPipenv },
  { fits: /^Pipfile$/, kind: 'pipfile', read: readPipfileAlone },
  { fits: /^pyproject\.toml$/, kind: 'pyproject', read: readPyproject },
  { fits: /^setup\.(?:py|cfg)$/, kind: 'setup', read: readSetup },
  { fits: /^(?!.*\.(?:toml|lock|json|cfg|py|ya?ml)$)/, kind: 'requirements', read: readRequirements },
]

/** How a file is read, by its name; undefined where it is no declaration of dependencies. */
export function kindOf(file: string): Known | undefined {
  return kinds.find(({ fits }) => fits.test(path.posix.basename(file)))
}

/** Where a folder may have its dependencies declared, the better place first. */
export function placesIn(tree: Tree, folder: string): readonly Place[] {
  const at = (name: string) => path.posix.join(folder, name)
  const below = (name: string) =>
    tree.paths.filter((own) => path.posix.dirname(own) === at(name) && own.endsWith('.txt'))
  const single = below('requirements')
  const pylocks = tree.paths.filter(
    (own) =>
      path.posix.join(path.posix.dirname(own), '.') === path.posix.join(folder, '.') &&
      /^pylock\.[^.]+\.toml$/.test(path.posix.basename(own)),
  )
  const files = [
    at('uv.lock'),
    at('pylock.toml'),
    // Of several, each is for some other surroundings.
    ...(pylocks.length === 1 ? pylocks : []),
    at('poetry.lock'),
    at('Pipfile.lock'),
    at('requirements.txt'),
    at('pyproject.toml'),
    tree.has(at('setup.py')) ? at('setup.py') : at('setup.cfg'),
    at('Pipfile'),
    ...['prod', 'production', 'base', 'common', 'main', 'requirements'].map((name) =>
      at(`requirements/${name}.txt`),
    ),
    at('requirements-prod.txt'),
    at('requirements.in'),
    ...(single.length === 1 ? single : []),
  ]
  return [...new Set(files)].flatMap((file) => {
    const known = kindOf(file)
    return known === undefined ? [] : [{ file, kind: known.kind, read: known.read, needs: known.needs }]
  })
}

/** The files that are looked for first, for messages. */
export const commonPlaces: readonly string[] = [
  'requirements.txt',
  'pyproject.toml',
  'uv.lock',
  'poetry.lock',
  'Pipfile.lock',
  'setup.py',
  'Pipfile',
]
