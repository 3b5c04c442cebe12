import { isReleaseId } from '../config/paths.ts'
import { instant, natural, pairs, shortly, WORD } from './fact-words.ts'

/** The state file (remote/state.sh). */
export interface State {
  readonly generation: number
  readonly owner: { readonly id: string; readonly name: string }
  readonly current: string | undefined
  readonly previous: string | undefined
  /** The first-deploy-command has run. */
  readonly initialised: boolean
  /** A release that was kept and is watched still, and what serves again should it die. */
  readonly settling: Settling | undefined
  /** A release that was kept, and that the server then took back by itself. */
  readonly takenBack: TakenBack | undefined
  /** Kept releases, oldest first. */
  readonly releases: readonly KeptRelease[]
  /** The authority's last refusal of a certificate; undefined where it gave one since. */
  readonly refused: Refusal | undefined
}

/** The time after a verdict in which the old release waits. */
export interface Settling {
  readonly release: string
  readonly old: string
  /** The old release runs on; else its memory was needed, and it can be started. */
  readonly running: boolean
}

/** Why the server went back by itself. */
export interface TakenBack {
  readonly release: string
  /** Full commit hash, `-` where it had none. */
  readonly commit: string
  /** A word, then details: foreign text in part. */
  readonly reason: string
}

/** A refusal by a certificate authority. */
export interface Refusal {
  /** How often in a row. */
  readonly count: number
  /** By the server's clock, in ms since 1970. */
  readonly at: number
  /** What was asked for, as a hash. */
  readonly request: string
}

/** A release that a verdict kept; the hashes say what it was made of. */
export interface KeptRelease {
  readonly id: string
  readonly bundle: string
  readonly dependencies: string
  readonly settings: string
  /** Full commit hash, `-` where it had none. */
  readonly commit: string
  /** The commit's own date (of its committer), in seconds since 1970; `-` where it is not known. */
  readonly committed: string
}

/** Reads the state file's lines; undefined where there is none. */
export function parseState(lines: readonly string[]): State | undefined {
  if (lines.length === 0) return undefined
  const values = pairs(lines)
  const [ownerId = '', ownerName = ''] = (values.get('owner') ?? '').split(' ')
  const release = (key: string) => {
    const id = values.get(key)
    return id !== undefined && isReleaseId(id) ? id : undefined
  }
  return {
    generation: natural(values.get('generation')),
    owner: { id: shortly(ownerId), name: shortly(ownerName) },
    current: release('current'),
    previous: release('previous'),
    initialised: values.get('initialised') === 'yes',
    settling: parseSettling(values.get('settling')),
    takenBack: parseTakenBack(values.get('taken-back')),
    releases: lines.flatMap((line) => {
      const [key, id = '', bundle = '', dependencies = '', settings = '', commit = '-', committed = '-'] =
        line.split(' ')
      if (key !== 'release' || !isReleaseId(id)) return []
      const made = { bundle, dependencies, settings, commit, committed }
      return Object.values(made).every((one) => WORD.test(one)) ? [{ id, ...made }] : []
    }),
    refused: parseRefusal(values.get('refused')),
  }
}

function parseSettling(text: string | undefined): Settling | undefined {
  const [release = '', old = '', how] = (text ?? '').split(' ')
  return isReleaseId(release) && isReleaseId(old) ? { release, old, running: how === 'running' } : undefined
}

function parseTakenBack(text: string | undefined): TakenBack | undefined {
  const [release = '', commit = '-', ...reason] = (text ?? '').split(' ')
  return isReleaseId(release)
    ? { release, commit: shortly(commit), reason: shortly(reason.join(' ')) }
    : undefined
}

function parseRefusal(text: string | undefined): Refusal | undefined {
  if (text === undefined) return undefined
  const [count, at, request = ''] = text.split(' ')
  return { count: natural(count), at: instant(at), request }
}
