import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import ignore, { type Ignore } from 'ignore'

/** Judges a path relative to where the walk began, a folder's with a trailing `/`. true: leave it out. */
export type LeaveOut = (path: string) => boolean

/**
 * Never sent unless tracked by git or named in `include`: what belongs to the runner's machine alone, and `.env`
 * files, which hold secrets (the `env` input brings them to the server in a file of its own). gitignore syntax.
 */
export const alwaysOff: readonly string[] = [
  '.git',
  '__pycache__',
  '.venv',
  'venv',
  'node_modules',
  '.env',
  '.env.*',
]

/** Makes a matcher of gitignore patterns (gitignore(5); upper and lower case differ on every machine). */
export function patterns(lines: readonly string[] | string): Ignore {
  return ignore({ ignorecase: false }).add(lines)
}

/**
 * Yields files and symlinks below a folder, relative to it and with `/`, in no certain order. Symlinks are not
 * followed; sockets, pipes and devices are passed over.
 */
export function* walk(folder: string, leaveOut: LeaveOut, within = ''): Generator<string> {
  for (const item of readdirSync(path.join(folder, within), { withFileTypes: true })) {
    const own = within === '' ? item.name : `${within}/${item.name}`
    if (item.isDirectory()) {
      if (!leaveOut(`${own}/`)) yield* walk(folder, leaveOut, own)
    } else if ((item.isFile() || item.isSymbolicLink()) && !leaveOut(own)) yield own
  }
}

/**
 * The rule of the `.gitignore` files at every level, the deepest one that has an opinion wins.
 * @param root the folder whose `.gitignore` is the topmost; paths are judged relative to it
 */
export function gitignoreFiles(root: string): LeaveOut {
  const levels = new Map<string, Ignore | undefined>()
  const level = (folder: string): Ignore | undefined => {
    if (!levels.has(folder)) {
      const text = readIfThere(path.join(root, folder, '.gitignore'))
      levels.set(folder, text === undefined ? undefined : patterns(text))
    }
    return levels.get(folder)
  }

  return (judged) => {
    let folder = parentOf(judged)
    for (;;) {
      const below = folder === '' ? judged : judged.slice(folder.length + 1)
      const verdict = level(folder)?.test(below)
      if (verdict?.ignored) return true
      if (verdict?.unignored) return false
      if (folder === '') return false
      folder = parentOf(folder)
    }
  }
}

function parentOf(judged: string): string {
  const bare = judged.endsWith('/') ? judged.slice(0, -1) : judged
  return bare.slice(0, Math.max(bare.lastIndexOf('/'), 0))
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').replace(/^\u{FEFF}/u, '')
  } catch {
    return undefined
  }
}
