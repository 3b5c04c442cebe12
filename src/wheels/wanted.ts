import { posix } from 'node:path'
import { parse } from 'smol-toml'
import { DeployError } from '../errors.ts'
import { gunicorn } from '../plan/pins.ts'
import type { Wish } from '../plan/wish.ts'
import type { InstallStep } from '../project/project.ts'

/** What is resolved on the runner. */
export interface Wanted {
  /** The file that lists the packages, for messages. */
  readonly file: string
  /** All files that uv may read: path, relative and without `..` -> text. */
  readonly texts: ReadonlyMap<string, string>
  /** Each on top of what the ones before it came to. */
  readonly steps: readonly ResolveStep[]
}

/** One call of `uv pip compile`. */
export interface ResolveStep {
  /** Below the folder that has `texts`. */
  readonly folder: string
  /** Files and groups. */
  readonly words: readonly string[]
  /** They name every package, so what these depend on is not looked for. */
  readonly complete: boolean
  /** Words of `uv export`, which makes a lock into the file that `words` name. */
  readonly exports: readonly string[] | undefined
}

/** What the runner writes a lock of uv's out to. */
export const EXPORTED = 'uv.lock.txt'

/** The action's own pins, for projects that list no gunicorn. */
export const ownGunicorn: Wanted = {
  file: 'gunicorn.txt',
  texts: new Map([['gunicorn.txt', gunicorn.requirements]]),
  steps: [{ folder: '', words: ['gunicorn.txt'], complete: true, exports: undefined }],
}

/**
 * What is to be resolved on the runner, out of the files that the project lists its packages in: the same calls that a
 * server makes of uv, without any build.
 * @param read a file's text, by its path below the bundle's root
 * @throws DeployError `wheels-source` where something would have to be built
 */
export async function wantedOf(
  { inputs, project }: Wish,
  read: (file: string) => Promise<string>,
): Promise<Wanted> {
  const { requirements } = project
  const { file, local = [], files = [file] } = requirements
  const [path] = local
  if (path !== undefined) {
    throw unbuilt(file, `${path === '' ? 'the project itself' : `\`${path}\``} would have to be built`)
  }
  const texts = new Map<string, string>()
  for (const one of files) texts.set(one, await read(one))
  for (const [one, text] of requirements.texts) texts.set(one, text)
  if (requirements.kind === 'pylock') {
    texts.set(`${file}.txt`, ofPylock(texts.get(file) ?? '', file, inputs.app))
    const words = [`${posix.basename(file)}.txt`]
    return {
      file,
      texts,
      steps: [{ folder: posix.dirname(file), words, complete: true, exports: undefined }],
    }
  }
  return { file, texts, steps: requirements.steps.map(resolveStep) }
}

/** `uv pip install` and `uv pip compile` differ in a few words. */
function resolveStep(step: InstallStep): ResolveStep {
  const { folder } = step
  if (step.how === 'uv-lock') return { folder, words: [EXPORTED], complete: true, exports: step.words }
  const words = step.words.filter((word) => !/^(?:-r|--no-deps|--require-hashes)$/.test(word))
  return { folder, words, complete: step.words.includes('--no-deps'), exports: undefined }
}

/** pylock.toml (PEP 751) as requirements: uv takes it for installing alone. */
function ofPylock(
  text: string,
  file: string,
  { extras, groups }: Pick<Wish['inputs']['app'], 'extras' | 'groups'>,
): string {
  const { packages } = parse(text)
  const lines = (Array.isArray(packages) ? packages : []).map((one) => {
    const [name, version, marker] = ['name', 'version', 'marker'].map((key) => textAt(one, key))
    if (name === undefined || version === undefined)
      throw unbuilt(file, `${name ?? 'a package'} has no version`)
    return marker === undefined
      ? `${name}==${version}`
      : `${name}==${version} ; ${chosen(marker, extras, groups)}`
  })
  return `${lines.join('\n')}\n`
}

/** A lock's markers ask for extras and groups by words that requirements do not have. */
function chosen(marker: string, extras: readonly string[], groups: readonly string[]): string {
  return marker.replaceAll(
    /(["'])([\w.-]+)\1\s+(not\s+)?in\s+(extras|dependency_groups)\b/g,
    (_whole, _quote, name: string, not: string | undefined, list: string) => {
      const has = (list === 'extras' ? extras : groups).includes(name)
      return has === (not === undefined) ? "python_version > '0'" : "python_version < '0'"
    },
  )
}

function textAt(table: unknown, key: string): string | undefined {
  if (typeof table !== 'object' || table === null) return undefined
  const value = new Map<string, unknown>(Object.entries(table)).get(key)
  // It becomes a line of its own.
  return typeof value === 'string' && !/[\r\n\\]/.test(value) ? value : undefined
}

function unbuilt(file: string, what: string): DeployError {
  return new DeployError('wheels-source', {
    cause: `For ${file} ${what}, and nothing is built on the runner.`,
    cure: 'List the packages in a `requirements.txt` or under `[project]` in `pyproject.toml`, without paths of the project, or set `dependencies: server`.',
    input: 'dependencies',
    file,
  })
}
