/** One file or symlink of the bundle; folders are implied by the paths. */
export type Entry = FileEntry | LinkEntry

/** A regular file, read when the bundle is made. */
export interface FileEntry {
  readonly kind: 'file'
  /** Relative to the bundle's root, with `/`. */
  readonly path: string
  readonly executable: boolean
  /** The absolute path on the runner. */
  readonly location: string
  /** Bytes when it was listed. */
  readonly size: number
}

/** A symlink, kept as it is. */
export interface LinkEntry {
  readonly kind: 'link'
  readonly path: string
  /** As stored in the link, with `/`. */
  readonly target: string
}

/** Where a path leads once the symlinks on its way are followed. */
export type Destination =
  | { readonly kind: 'file' | 'folder'; readonly path: string }
  | { readonly kind: 'outside' }
  | { readonly kind: 'missing' }

/** Looks paths up in a bundle as the server's kernel will, symlinks included. */
export interface Entries {
  /** Every path, in byte order. */
  readonly paths: readonly string[]
  /** @param path relative to the bundle's root; '' is the root itself. */
  readonly resolve: (path: string) => Destination
}

/** How many symlinks a path may lead through: Linux's own limit (path_resolution(7)). */
const mostLinks = 40

/** Indexes entries for `resolve`. Pure. */
export function indexEntries(entries: Iterable<Entry>): Entries {
  const links = new Map<string, string>()
  const files = new Set<string>()
  const folders = new Set<string>([''])
  for (const entry of entries) {
    if (entry.kind === 'link') links.set(entry.path, entry.target)
    else files.add(entry.path)
    for (let at = entry.path.lastIndexOf('/'); at > 0; at = entry.path.lastIndexOf('/', at - 1)) {
      folders.add(entry.path.slice(0, at))
    }
  }

  function resolve(path: string): Destination {
    const pending = path.split('/')
    let here = ''
    let followed = 0
    for (let segment = pending.shift(); segment !== undefined; segment = pending.shift()) {
      if (segment === '' || segment === '.') continue
      if (segment === '..') {
        if (here === '') return { kind: 'outside' }
        here = here.slice(0, Math.max(here.lastIndexOf('/'), 0))
        continue
      }
      const next = here === '' ? segment : `${here}/${segment}`
      const target = links.get(next)
      if (target === undefined) {
        here = next
        continue
      }
      followed += 1
      if (target.startsWith('/') || /^[A-Za-z]:/.test(target)) return { kind: 'outside' }
      if (followed > mostLinks) return { kind: 'missing' }
      pending.unshift(...target.split('/'))
    }
    if (files.has(here)) return { kind: 'file', path: here }
    return folders.has(here) ? { kind: 'folder', path: here } : { kind: 'missing' }
  }

  return { paths: sortedByBytes([...files, ...links.keys()]), resolve }
}

/** Sorts by the bytes of UTF-8: the same order on every machine, whatever its locale. */
export function sortedByBytes(paths: readonly string[]): readonly string[] {
  return paths
    .map((path) => ({ path, bytes: Buffer.from(path) }))
    .toSorted((one, other) => Buffer.compare(one.bytes, other.bytes))
    .map((one) => one.path)
}
