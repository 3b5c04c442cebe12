import { isPhase, type Phase } from '../phases.ts'

/** What the program said, one line of the events file. `seconds` is the server's uptime: it never jumps. */
export type ServerEvent = { readonly seconds: number } & (
  | { readonly kind: 'phase'; readonly phase: Phase }
  /** A line of another program's: foreign text. */
  | { readonly kind: 'log'; readonly line: string }
  /** A line of the application's own journal: foreign text. */
  | { readonly kind: 'app'; readonly line: string }
  /** What works at this moment, e.g. `apt-get install nginx`. */
  | { readonly kind: 'running'; readonly what: string }
  /** The lock is held; by whom. */
  | { readonly kind: 'waiting'; readonly holder: string }
  /** Something on the server is another than before. */
  | { readonly kind: 'changed'; readonly what: string; readonly detail: string }
  | { readonly kind: 'environment'; readonly how: 'built' | 'linked'; readonly detail: string }
  | { readonly kind: 'unpublished'; readonly folder: string }
  | { readonly kind: 'repaired'; readonly detail: string }
  | { readonly kind: 'health'; readonly status: number; readonly ms: number; readonly answers: number }
  | { readonly kind: 'flipped'; readonly release: string }
  /** The server's own request through nginx after a flip. */
  | { readonly kind: 'answered'; readonly answer: Answer }
  | { readonly kind: 'kept'; readonly release: string }
  | { readonly kind: 'reverted'; readonly release: string }
  /** The release that visitors get, '' where none does. */
  | { readonly kind: 'serving'; readonly release: string }
  | { readonly kind: 'fail'; readonly code: string; readonly detail: string }
  /** What the program's shell complained of; foreign text. */
  | { readonly kind: 'stderr'; readonly line: string }
  /** The program's end; only 0 is success. */
  | { readonly kind: 'end'; readonly status: number }
  /** The unit is over; without an `end` before it the program was killed. */
  | { readonly kind: 'gone'; readonly status: number }
)

/** What remote/http.py found when it asked nginx. */
export interface Answer {
  readonly ok: boolean
  /** '' where it is ok. */
  readonly code: string
  readonly status: number
  readonly release: string
  /** ms; 0 where it is not ok. */
  readonly ms: number
}

/** Reads one line; undefined for a line that no program of ours writes. */
export function parseEvent(line: string): ServerEvent | undefined {
  const match = /^([0-9]+(?:\.[0-9]+)?) ([a-z]+)(?: (.*))?$/s.exec(line)
  if (match === null) return undefined
  const [, stamp = '0', kind = '', rest = ''] = match
  const seconds = Number(stamp)
  const [first = '', ...others] = rest.split(' ')
  const detail = others.join(' ')
  switch (kind) {
    case 'phase':
      return isPhase(first) ? { seconds, kind, phase: first } : undefined
    case 'log':
    case 'app':
    case 'stderr':
      return { seconds, kind, line: rest }
    case 'running':
      return { seconds, kind, what: rest }
    case 'waiting':
      return { seconds, kind, holder: rest }
    case 'changed':
      return { seconds, kind, what: first, detail }
    case 'environment':
      return first === 'built' || first === 'linked' ? { seconds, kind, how: first, detail } : undefined
    case 'unpublished':
      return { seconds, kind, folder: rest }
    case 'repaired':
      return { seconds, kind, detail: rest }
    case 'health':
      return { seconds, kind, status: number(first), ms: number(others[0]), answers: number(others[1]) }
    case 'flipped':
    case 'kept':
    case 'reverted':
    case 'serving':
      return { seconds, kind, release: first }
    case 'answered':
      return { seconds, kind, answer: parseAnswer(rest.split(' ')) }
    case 'fail':
      return { seconds, kind, code: first, detail }
    case 'end':
    case 'gone':
      return { seconds, kind, status: number(first) }
    default:
      return undefined
  }
}

function parseAnswer([verdict = '', ...words]: readonly string[]): Answer {
  if (verdict === 'ok') {
    return { ok: true, code: '', status: number(words[0]), ms: number(words[1]), release: words[2] ?? '' }
  }
  return {
    ok: false,
    code: words[0] ?? 'unreachable',
    status: number(words[1]),
    release: words[2] ?? '',
    ms: 0,
  }
}

function number(text: string | undefined): number {
  return text !== undefined && /^[0-9]{1,9}$/.test(text) ? Number(text) : 0
}
