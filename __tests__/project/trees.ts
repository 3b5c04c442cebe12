import { type Entry, indexEntries } from '../../src/project/entry.ts'
import type { Tree } from '../../src/project/tree.ts'

/** A project as data: file name -> content, or a symlink's target. */
export type Files = Readonly<Record<string, string | { readonly link: string }>>

/** A tree over data; `unsent` exist on the runner only. */
export function tree(files: Files, unsent: readonly string[] = []): Tree {
  const entries = Object.entries(files).map(([path, content]): Entry => {
    if (typeof content !== 'string') return { kind: 'link', path, target: content.link }
    return { kind: 'file', path, executable: false, location: '', size: content.length }
  })
  const index = indexEntries(entries)
  return {
    paths: index.paths,
    has: (path) => index.resolve(path).kind === 'file',
    hasFolder: (path) => index.resolve(path).kind === 'folder',
    read: (path) => {
      const found = index.resolve(path)
      const content = found.kind === 'file' ? files[found.path] : undefined
      return typeof content === 'string' ? Buffer.from(content) : undefined
    },
    isUnsent: (path) => unsent.includes(path),
  }
}
