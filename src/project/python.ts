import path from 'node:path'
import { parse } from 'smol-toml'
import { DeployError } from '../errors.ts'
import type { PythonWish, Requirements, Warning } from './project.ts'
import { allowedBy, readSpecifier } from './python-versions.ts'
import { type Tree, textOf } from './tree.ts'

/** Something that a file says of Python. */
interface Word {
  /** As it stands there. */
  readonly text: string
  /** What it is called there, e.g. `requires-python`. */
  readonly called: string
  readonly file: string
}

/** What was found. */
export interface PythonFound {
  readonly python: PythonWish
  readonly warnings: readonly Warning[]
}

/**
 * Which Python the project wants. What must hold (`requires-python` and its like) holds together; what is liked best
 * (a lock's own version, `.python-version`) gives way where it cannot be had. The `python` input overrules all of it.
 * @param used the file that the dependencies are taken from: other locks have no say
 * @throws DeployError `python-contradiction` where no version fits
 */
export function findPython(
  tree: Tree,
  used: Pick<Requirements, 'file'>,
  input: string | undefined,
): PythonFound {
  const words = requiredIn(tree, used.file)
  const warnings: Warning[] = []
  const read = words.flatMap((word) => {
    const allows = readSpecifier(word.text)
    if (allows === undefined) {
      warnings.push({
        code: 'python-unclear',
        text: `${word.file} says ${word.called} ${word.text}, which names no versions of Python: it is passed over.`,
        file: word.file,
      })
      return []
    }
    return [{ word, allows }]
  })
  const allowed = read.length === 0 ? [] : allowedBy(read.map(({ allows }) => allows))
  const reason = [...new Set(read.map(({ word }) => tell(word)))].join(' and ')
  if (input !== undefined) return fromInput(input, read.length > 0, allowed, reason)
  if (read.length > 0 && allowed.length === 0) {
    throw new DeployError('python-contradiction', {
      cause: `No Python from 3.6 on fits ${reason}.`,
      cure: `Correct ${[...new Set(read.map(({ word }) => word.file))].join(' or ')} so that a version fits, or set \`python\`.`,
      input: 'python',
      file: read[0]?.word.file ?? used.file,
    })
  }
  const liked = preferredIn(tree, used.file) ?? (read.length === 0 ? runtimeIn(tree) : undefined)
  const fits = liked !== undefined && (allowed.length === 0 || allowed.includes(liked.version))
  if (liked !== undefined && !fits) {
    warnings.push({
      code: 'python-excluded',
      text: `${liked.file} says Python ${liked.version}, which ${reason} excludes: it is passed over.`,
      file: liked.file,
    })
  }
  return {
    python: {
      allowed,
      reason,
      preferred: fits ? liked.version : undefined,
      preferredReason: fits ? `${liked.called === '' ? '' : `${liked.called} in `}${liked.file}` : '',
    },
    warnings,
  }
}

/** `3` is the server's own, whatever the files say; anything else is that version and no other. */
function fromInput(
  input: string,
  isRestricted: boolean,
  allowed: readonly string[],
  reason: string,
): PythonFound {
  const contradicts = isRestricted && input !== '3' && !allowed.includes(input)
  return {
    python: {
      allowed: input === '3' ? [] : [input],
      reason: `\`python\` is ${input}`,
      preferred: undefined,
      preferredReason: '',
    },
    warnings: contradicts
      ? [
          {
            code: 'python-overruled',
            text: `\`python\` is ${input}, which ${reason} excludes; the input is followed.`,
          },
        ]
      : [],
  }
}

/** What must hold. */
function requiredIn(tree: Tree, used: string): readonly Word[] {
  const folders = [...new Set(['', folderOf(used)])]
  const declared = folders.flatMap((folder): readonly Word[] => [
    ...pyproject(tree, path.posix.join(folder, 'pyproject.toml')),
    ...setupCfg(tree, path.posix.join(folder, 'setup.cfg')),
    ...setupPy(tree, path.posix.join(folder, 'setup.py')),
  ])
  return [...declared, ...lockIn(tree, used)]
}

function pyproject(tree: Tree, file: string): readonly Word[] {
  const toml = tomlOf(tree, file)
  return [
    ...word(table(toml['project'])['requires-python'], 'requires-python', file),
    ...word(table(table(table(toml['tool'])['poetry'])['dependencies'])['python'], 'python', file),
  ]
}

function setupCfg(tree: Tree, file: string): readonly Word[] {
  const text = textOf(tree, file) ?? ''
  const [, options = ''] = /^\[options\][^\S\n]*$([\s\S]*?)(?=^\[|$(?![\s\S]))/m.exec(text) ?? []
  const [, said] = /^python[_-]requires[^\S\n]*[=:][^\S\n]*(\S.*)$/m.exec(options) ?? []
  return word(said, 'python_requires', file)
}

/** A plain text only: what a program makes of it is not known without running it. */
function setupPy(tree: Tree, file: string): readonly Word[] {
  const text = textOf(tree, file) ?? ''
  const [, , said] = /^[^#\n]*\bpython_requires\s*=\s*\(?\s*(["'])([^"'\n]+)\1/m.exec(text) ?? []
  return word(said, 'python_requires', file)
}

/** What the lock in use says of itself. Locks are long, and these lines stand where no other of the name does. */
function lockIn(tree: Tree, used: string): readonly Word[] {
  const name = path.posix.basename(used)
  const text = textOf(tree, used) ?? ''
  if (name === 'uv.lock' || /^pylock\.(?:.+\.)?toml$/.test(name)) {
    const [head = ''] = text.split(/^\[/m, 1)
    return word(/^requires-python *= *["']([^"'\n]*)["']/m.exec(head)?.[1], 'requires-python', used)
  }
  if (name === 'poetry.lock') {
    const [, metadata = ''] = text.split(/^\[metadata\][^\S\n]*$/m)
    return word(/^python-versions *= *["']([^"'\n]*)["']/m.exec(metadata)?.[1], 'python-versions', used)
  }
  return []
}

/** What is liked best. */
function preferredIn(tree: Tree, used: string): (Word & { readonly version: string }) | undefined {
  const words = [
    ...pipfile(tree, used),
    ...(textOf(tree, '.python-version') ?? '')
      .split('\n')
      .flatMap((line) => word(line.replace(/#.*/, ''), '', '.python-version')),
    ...(textOf(tree, '.tool-versions') ?? '').split('\n').flatMap((line) => {
      const [, said] = /^python\s+(\S+)/.exec(line.trim()) ?? []
      return word(said, 'python', '.tool-versions')
    }),
    ...['mise.toml', '.mise.toml'].flatMap((file) => {
      const tool = table(tomlOf(tree, file)['tools'])['python']
      const said = Array.isArray(tool) ? tool[0] : (table(tool)['version'] ?? tool)
      return word(said, 'python', file)
    }),
  ]
  return firstVersion(words)
}

/** A platform's file, often years old: it counts where nothing else says anything. */
function runtimeIn(tree: Tree): (Word & { readonly version: string }) | undefined {
  return firstVersion(word(textOf(tree, 'runtime.txt'), '', 'runtime.txt'))
}

/** Pipenv warns of another version and goes on, so it is a wish and no rule. */
function pipfile(tree: Tree, used: string): readonly Word[] {
  const name = path.posix.basename(used)
  const requires =
    name === 'Pipfile.lock'
      ? table(table(jsonOf(tree, used)['_meta'])['requires'])
      : name === 'Pipfile'
        ? table(tomlOf(tree, used)['requires'])
        : {}
  return [
    ...word(requires['python_full_version'], 'python_full_version', used),
    ...word(requires['python_version'], 'python_version', used),
  ]
}

function firstVersion(words: readonly Word[]): (Word & { readonly version: string }) | undefined {
  return words.flatMap((one) => {
    // Also `cpython-3.12`, `python-3.12.4`, `cpython@3.12`; not `pypy3.10`, nor the name of an environment.
    const [, version] =
      /^(?:c?python[-@]?)?(3\.[0-9]{1,2})(?:\.[0-9]+)?(?:[-+.][\w.+-]*)?$/i.exec(one.text.trim()) ?? []
    return version === undefined ? [] : [{ ...one, version }]
  })[0]
}

function tell({ called, text, file }: Word): string {
  return `${called} ${text} in ${file}`
}

function word(value: unknown, called: string, file: string): readonly Word[] {
  const text = typeof value === 'string' ? value.trim() : ''
  return text === '' || text.length > 200 ? [] : [{ text, called, file }]
}

function folderOf(file: string): string {
  const folder = path.posix.dirname(file)
  return folder === '.' ? '' : folder
}

/** What is broken says nothing here; who needs the file tells of it. */
function tomlOf(tree: Tree, file: string): Readonly<Record<string, unknown>> {
  try {
    return table(parse(textOf(tree, file) ?? ''))
  } catch {
    return {}
  }
}

function jsonOf(tree: Tree, file: string): Readonly<Record<string, unknown>> {
  try {
    return table(JSON.parse(textOf(tree, file) ?? ''))
  } catch {
    return {}
  }
}

function table(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}
}
