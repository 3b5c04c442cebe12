import path from 'node:path'
import type { Explanation } from '../errors.ts'
import { type Declaration, fileWord, nothingIn, type Wanted } from './declaration.ts'
import { plainName } from './markers.ts'
import type { Unpinned } from './project.ts'
import { type Requirement, requirementLines } from './requirement-lines.ts'
import { type Tree, textOf } from './tree.ts'
import { unpinnedIn } from './unpinned.ts'

/** Reads a requirements file; follows -r and -c, each relative to the file that says it, as pip does. */
export function readRequirements(tree: Tree, file: string, wanted: Wanted): Declaration {
  const files = new Set<string>()
  const names: string[] = []
  const local = new Set<string>()
  const own = new Map<string, readonly string[]>()
  const texts = new Map<string, string>()
  const unpinned: Unpinned[] = []
  const faults: Explanation[] = []
  let count = 0
  let hashes = 0
  let requiresHashes = false

  const visit = (at: string, constraint: boolean): void => {
    if (files.has(at)) return
    files.add(at)
    const text = textOf(tree, at) ?? ''
    const lines = requirementLines(text)
    const changes = new Map<string, string>()
    const kept: Requirement[] = []
    requiresHashes ||= lines.requiresHashes
    for (const one of lines.requirements) {
      const place = one.local === undefined ? undefined : within(tree, at, one.local, one.text, faults)
      if (place !== undefined && !constraint && isProject(tree, place, wanted.folder)) {
        own.set(place, [...(own.get(place) ?? []), ...extrasOf(one.text)])
        changes.set(one.text, '')
        continue
      }
      if (place !== undefined) {
        local.add(place)
        for (const part of partsOf(tree, place)) files.add(part)
      }
      if (isPhantom(one)) {
        changes.set(one.text, '')
        continue
      }
      const plain = installable(one)
      if (plain !== one.text) changes.set(one.text, plain)
      kept.push(one)
    }
    if (!constraint) {
      count += kept.length + lines.addresses.length
      hashes += kept.filter(({ hashed }) => hashed).length
      names.push(...kept.flatMap(({ name }) => name ?? []))
      unpinned.push(...unpinnedIn({ ...lines, requirements: kept }, at))
    }
    if (changes.size > 0) texts.set(at, rewritten(text, changes))
    for (const [paths, constrains] of [
      [lines.includes, constraint],
      [lines.constraints, true],
    ] as const) {
      for (const one of paths) {
        const place = within(tree, at, one, `${constrains ? '-c' : '-r'} ${one}`, faults)
        if (place !== undefined) visit(place, constrains)
      }
    }
  }
  visit(file, false)
  const hashed = count > 0 && (hashes === count || requiresHashes)
  const words = [...(hashed ? ['--require-hashes'] : []), '-r', fileWord(path.posix.basename(file))]
  return nothingIn(file, {
    files: [...files],
    names,
    local: [...local],
    count,
    hashed,
    unpinned: hashed ? [] : unpinned,
    faults,
    texts,
    steps:
      count === 0
        ? []
        : [{ how: 'install', folder: folderOf(file), words, fixed: hashed, project: undefined }],
    own,
  })
}

/** The folder of a file, '' for the root. */
export function folderOf(file: string): string {
  const folder = path.posix.dirname(file)
  return folder === '.' ? '' : folder
}

/** A folder that is the project itself: what the app runs from is never installed into the environment. */
function isProject(tree: Tree, place: string, folder: string): boolean {
  if (place === '') return true
  return tree.hasFolder(place) && (folder === place || folder.startsWith(`${place}/`))
}

function extrasOf(text: string): readonly string[] {
  const [, extras = ''] = /\[([^\]]*)\]/.exec(text) ?? []
  return extras.split(',').flatMap((one) => (one.trim() === '' ? [] : [plainName(one.trim())]))
}

/** What Ubuntu's `pip freeze` of older days made up: no index has it. */
function isPhantom({ text }: Requirement): boolean {
  return /^pkg[-_]resources\s*==\s*0\.0\.0$/.test(text.trim())
}

/** Nothing is installed editable: the folder that it would be a link to is gone after the build. */
function installable({ text, name, address }: Requirement): string {
  const plain = text.replace(/^(?:-e|--editable(?=[\s=]))\s*=?\s*/, '')
  if (plain === text) return text
  const bare = plain.trim().replace(/^(["'])(.*)\1$/, '$2')
  if (name === undefined || address === undefined || /^[\w.-]+\s*@/.test(bare)) return bare
  const fragment = /#(.*)$/.exec(address)?.[1] ?? ''
  const rest = fragment.split('&').filter((part) => /^subdirectory=/.test(part))
  const extras = /[#&]egg=[\w.-]+(\[[^\]]*\])/.exec(bare)?.[1] ?? ''
  return `${name}${extras} @ ${address.replace(/#.*$/, '')}${rest.length === 0 ? '' : `#${rest.join('&')}`}`
}

/** The text with some of its lines changed; a line that goes leaves an empty one, so that numbers stay the same. */
function rewritten(text: string, changes: ReadonlyMap<string, string>): string {
  return text
    .replace(/^\u{FEFF}/u, '')
    .replaceAll(/\\\r?\n/g, ' ')
    .split(/\r\n|\r|\n/)
    .map((line) => changes.get(line.replace(/(?:^|\s)#.*$/, '').trim()) ?? line)
    .join('\n')
}

/** A path that a requirements file names; the fault is noted where it is not in the bundle. */
export function within(
  tree: Tree,
  from: string,
  wanted: string,
  said: string,
  faults: Explanation[],
): string | undefined {
  const plain = wanted.replaceAll('\\', '/')
  const own = path.posix.join(path.posix.dirname(from), plain).replace(/\/$/, '')
  const place = own === '.' ? '' : own
  if (path.posix.isAbsolute(plain) || /^[A-Za-z]:/.test(plain) || /^\.\.(?:\/|$)/.test(place)) {
    faults.push({
      cause: `${from} says "${said}", which lies outside of what is sent.`,
      cure: 'Set `source` to a folder that holds both, or set `requirements` to a file that does without it.',
      input: 'requirements',
      file: from,
    })
    return undefined
  }
  if (tree.has(place) || tree.hasFolder(place)) return place
  faults.push({
    cause: `${from} says "${said}", but ${place} ${tree.isUnsent(place) ? 'is not tracked by git, so it is not sent' : 'does not exist'}.`,
    cure: tree.isUnsent(place) ? `Commit it, or name it in \`include\`.` : `Correct ${from}.`,
    input: tree.isUnsent(place) ? 'include' : 'requirements',
    file: from,
  })
  return undefined
}

/**
 * The files that decide what is installed from a path: an archive itself, all of a sub-folder, and of the whole project,
 * whose code is in every release anyway, those that say what it depends on.
 */
export function partsOf(tree: Tree, place: string): readonly string[] {
  if (tree.has(place)) return [place]
  if (place !== '') return tree.paths.filter((own) => own.startsWith(`${place}/`))
  return ['pyproject.toml', 'setup.py', 'setup.cfg'].filter((own) => tree.has(own))
}
