import { closeSync, openSync, readSync } from 'node:fs'
import type { Entries, Entry } from './entry.ts'
import type { Warning } from './project.ts'

/** What a Git LFS pointer begins with, and its greatest length in bytes (git-lfs, docs/spec.md). */
const pointer = { start: 'version https://git-lfs', mostBytes: 1024 } as const

/** Files that hold a Git LFS pointer instead of their content. Reads the first bytes of small files. */
export function lfsWarnings(entries: readonly Entry[]): readonly Warning[] {
  const pointers = entries.filter(
    (entry) =>
      entry.kind === 'file' && entry.size < pointer.mostBytes && begins(entry.location, pointer.start),
  )
  const [first] = pointers
  if (first === undefined) return []
  const text = `${some(pointers.map((entry) => entry.path))} a Git LFS pointer, not the content: set \`lfs: true\` for actions/checkout.`
  return [{ code: 'lfs-pointer', text, file: first.path }]
}

/** Submodules that the workflow did not check out. */
export function submoduleWarnings(missing: readonly string[]): readonly Warning[] {
  return missing.map((own) => ({
    code: 'submodule-missing',
    text: `The submodule ${own} is not checked out, so nothing of it is sent: set \`submodules: recursive\` for actions/checkout.`,
    file: own,
  }))
}

/** Symlinks that lead out of the bundle, or to something that is not in it. They are sent as they are. */
export function linkWarnings(entries: readonly Entry[], index: Entries): readonly Warning[] {
  const warnings: Warning[] = []
  for (const entry of entries) {
    if (entry.kind !== 'link') continue
    const { kind } = index.resolve(entry.path)
    if (kind === 'outside') {
      warnings.push({
        code: 'link-outside',
        text: `The symlink ${entry.path} leads out of what is sent (to ${entry.target}); on the server it points elsewhere or nowhere.`,
        file: entry.path,
      })
    } else if (kind === 'missing') {
      warnings.push({
        code: 'link-dangling',
        text: `The symlink ${entry.path} leads to ${entry.target}, which is not sent.`,
        file: entry.path,
      })
    }
  }
  return warnings
}

/** Paths that a file system which ignores case holds only once, so that their content may be mixed up. */
export function caseWarnings(paths: readonly string[]): readonly Warning[] {
  const seen = new Map<string, string>()
  const warnings: Warning[] = []
  for (const own of paths) {
    const key = own.normalize('NFC').toLowerCase()
    const other = seen.get(key)
    if (other === undefined) seen.set(key, own)
    else {
      const text = `${other} and ${own} differ only in upper and lower case: rename one of them.`
      warnings.push({ code: 'case-collision', text, file: own })
    }
  }
  return warnings
}

/** "a is", "a and b are", "a, b and 3 more are". */
function some(names: readonly string[]): string {
  const [first = '', second, ...rest] = names
  if (second === undefined) return `${first} is`
  return rest.length === 0
    ? `${first} and ${second} each are`
    : `${first}, ${second} and ${rest.length} more each are`
}

function begins(location: string, start: string): boolean {
  let file: number
  try {
    file = openSync(location, 'r')
  } catch {
    return false
  }
  try {
    const bytes = Buffer.alloc(start.length)
    return readSync(file, bytes) === start.length && bytes.toString('latin1') === start
  } finally {
    closeSync(file)
  }
}
