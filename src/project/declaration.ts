import type { Explanation } from '../errors.ts'
import type { InstallStep, Unpinned } from './project.ts'
import type { Tree } from './tree.ts'

/** What is wanted of a project beside what it always needs; names normalised. */
export interface Wanted {
  readonly extras: ReadonlySet<string>
  readonly groups: ReadonlySet<string>
  /** The app's folder, relative to `source`; '' for `source` itself. */
  readonly folder: string
}

/** What reading one declaration of dependencies gave. */
export interface Declaration {
  /** Every file that decides the environment. */
  readonly files: readonly string[]
  /** Folders and archives that are installed or built from their path; '' is all of the project. */
  readonly local: readonly string[]
  readonly names: readonly string[]
  /** Number of things to install; a file without any declares nothing. */
  readonly count: number
  /** Every one of them has a hash. */
  readonly hashed: boolean
  readonly unpinned: readonly Unpinned[]
  /** Only a build of the project says what it depends on. */
  readonly dynamic: boolean
  readonly faults: readonly Explanation[]
  /** Texts that stand in the build's copy of the project: path -> text. */
  readonly texts: ReadonlyMap<string, string>
  readonly steps: readonly InstallStep[]
  /** The extras and groups that it declares; undefined where only a build would tell. */
  readonly extras: ReadonlySet<string> | undefined
  readonly groups: ReadonlySet<string> | undefined
  /** The project's own folder, where the declaration names that itself (`-e .[web]`), with the extras. */
  readonly own: ReadonlyMap<string, readonly string[]>
}

/** One way of reading a file. */
export type Reader = (tree: Tree, file: string, wanted: Wanted) => Declaration

/** A declaration that declares nothing. */
export function nothingIn(file: string, changes: Partial<Declaration> = {}): Declaration {
  return {
    files: [file],
    local: [],
    names: [],
    count: 0,
    hashed: false,
    unpinned: [],
    dynamic: false,
    faults: [],
    texts: new Map(),
    steps: [],
    extras: new Set(),
    groups: new Set(),
    own: new Map(),
    ...changes,
  }
}

/** It says something: so much that it is used, or that it is wrong. */
export function declares({ count, dynamic, faults, own }: Declaration): boolean {
  return count > 0 || dynamic || faults.length > 0 || own.size > 0
}

/** Both, the first one's steps first; what no hash binds is installed in one step, so that each knows of the other. */
export function together(one: Declaration, other: Declaration): Declaration {
  return {
    files: unique([...one.files, ...other.files]),
    local: unique([...one.local, ...other.local]),
    names: unique([...one.names, ...other.names]),
    count: one.count + other.count,
    hashed: one.hashed && other.hashed,
    unpinned: [...one.unpinned, ...other.unpinned],
    dynamic: one.dynamic || other.dynamic,
    faults: [...one.faults, ...other.faults],
    texts: new Map([...other.texts, ...one.texts]),
    steps: joined(one.steps, other.steps),
    extras: union(one.extras, other.extras),
    groups: union(one.groups, other.groups),
    own: one.own,
  }
}

function joined(steps: readonly InstallStep[], more: readonly InstallStep[]): readonly InstallStep[] {
  const last = steps.at(-1)
  const [next, ...rest] = more
  if (last === undefined || next === undefined) return [...steps, ...more]
  const alike =
    last.how === 'install' &&
    next.how === 'install' &&
    last.folder === next.folder &&
    !last.fixed &&
    !next.fixed
  if (!alike) return [...steps, ...more]
  return [
    ...steps.slice(0, -1),
    { ...last, words: [...last.words, ...next.words], project: last.project ?? next.project },
    ...rest,
  ]
}

function union(
  one: ReadonlySet<string> | undefined,
  other: ReadonlySet<string> | undefined,
): ReadonlySet<string> | undefined {
  return one === undefined || other === undefined ? undefined : new Set([...one, ...other])
}

export function unique<Item>(items: readonly Item[]): readonly Item[] {
  return [...new Set(items)]
}

/** A file as a word behind an option. */
export function fileWord(name: string): string {
  return name.startsWith('-') ? `./${name}` : name
}
