import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { type Entry, indexEntries } from './entry.ts'

/** The bundle as far as reading it goes. Paths are relative to its root; symlinks within it are followed. */
export interface Tree {
  /** Files and symlinks, in byte order. */
  readonly paths: readonly string[]
  /** It is a file, or a symlink to one within the bundle. */
  readonly has: (path: string) => boolean
  /** It is a folder that holds something, or a symlink to one within the bundle. */
  readonly hasFolder: (path: string) => boolean
  /** A file's bytes; undefined where `has` is false. */
  readonly read: (path: string) => Buffer | undefined
  /** It exists on the runner, though the bundle does not hold it (untracked, ignored or excluded). */
  readonly isUnsent: (path: string) => boolean
}

/**
 * A tree over listed entries; files are read when asked for.
 * @param root absolute: the folder on the runner that the entries were listed in
 */
export function treeOf(root: string, entries: readonly Entry[]): Tree {
  const index = indexEntries(entries)
  const locations = new Map(entries.flatMap((one) => (one.kind === 'file' ? [[one.path, one.location]] : [])))
  const has = (own: string): boolean => index.resolve(own).kind === 'file'
  const hasFolder = (own: string): boolean => index.resolve(own).kind === 'folder'
  return {
    paths: index.paths,
    has,
    hasFolder,
    read: (own) => {
      const found = index.resolve(own)
      const location = found.kind === 'file' ? locations.get(found.path) : undefined
      return location === undefined ? undefined : readIfThere(location)
    },
    isUnsent: (own) => !has(own) && !hasFolder(own) && existsSync(path.join(root, own)),
  }
}

/**
 * A file's text: UTF-8, or UTF-16 where it begins with that mark (PowerShell's `>` writes requirements so, and
 * pip and uv read them).
 */
export function textOf(tree: Tree, own: string): string | undefined {
  const bytes = tree.read(own)
  if (bytes === undefined) return undefined
  const encoding =
    bytes[0] === 0xff && bytes[1] === 0xfe
      ? 'utf-16le'
      : bytes[0] === 0xfe && bytes[1] === 0xff
        ? 'utf-16be'
        : 'utf-8'
  return new TextDecoder(encoding).decode(bytes)
}

function readIfThere(location: string): Buffer | undefined {
  try {
    return readFileSync(location)
  } catch {
    return undefined
  }
}

/** The same tree seen from one of its folders. */
export function below(tree: Tree, folder: string): Tree {
  const prefix = `${folder}/`
  return {
    paths: tree.paths.flatMap((own) => (own.startsWith(prefix) ? [own.slice(prefix.length)] : [])),
    has: (own) => tree.has(prefix + own),
    hasFolder: (own) => tree.hasFolder(prefix + own),
    read: (own) => tree.read(prefix + own),
    isUnsent: (own) => tree.isUnsent(prefix + own),
  }
}
