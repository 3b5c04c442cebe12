import { isReleaseId } from '../config/paths.ts'
import type { ServerPhase } from '../limits.ts'
import { isPhase } from '../phases.ts'
import { cutToBytes } from '../text.ts'

/** What the program said, one line of the events file. `seconds` is the server's uptime: it never jumps. */
export type ServerEvent = { readonly seconds: number } & (
  | { readonly kind: 'phase'; readonly phase: ServerPhase }
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
  /** What the server found out about the project (report/found.ts has the words); foreign text. */
  | { readonly kind: 'found'; readonly what: string; readonly detail: string }
  /** The same, where the user should look. */
  | { readonly kind: 'doubt'; readonly what: string; readonly detail: string }
  /** What a command found on the server (server/seen.ts reads it); foreign text. */
  | { readonly kind: 'fact'; readonly line: string }
  /** The lines of other programs that follow belong to this. */
  | { readonly kind: 'block'; readonly what: string }
  | { readonly kind: 'repaired'; readonly detail: string }
  | { readonly kind: 'health'; readonly status: number; readonly ms: number; readonly answers: number }
  | { readonly kind: 'flipped'; readonly release: string }
  /** The server's own request through nginx after a flip. */
  | { readonly kind: 'answered'; readonly answer: Answer }
  | { readonly kind: 'kept'; readonly release: string }
  /** It is watched for so long, and `old`, which runs on or can be started, serves again should it die. */
  | {
      readonly kind: 'settling'
      readonly old: string
      readonly lasts: number
      readonly running: boolean
    }
  /** It has lived through that time. */
  | { readonly kind: 'settled'; readonly release: string }
  /** A file with this content lies below each name's `/.well-known/acme-challenge/`; a frame is waited for. */
  | { readonly kind: 'preflight'; readonly token: string; readonly content: string }
  /** What became of a certificate; `detail` by `how`: the certificate (base64), an ACME error's type, a name. */
  | { readonly kind: 'certificate'; readonly how: CertificateNews; readonly detail: string }
  /** The site has the new certificate; a frame is waited for. */
  | { readonly kind: 'secured' }
  | { readonly kind: 'reverted'; readonly release: string }
  /** The release that visitors get, '' where none does, `unknown` where what it said is none. */
  | { readonly kind: 'serving'; readonly release: string }
  | { readonly kind: 'fail'; readonly code: string; readonly detail: string }
  /** What the program's shell complained of; foreign text. */
  | { readonly kind: 'stderr'; readonly line: string }
  /** The program's end; only 0 is success. */
  | { readonly kind: 'end'; readonly status: number }
  /** The unit is over; without an `end` before it the program was killed. */
  | { readonly kind: 'gone'; readonly status: number }
)

/**
 * `leaf`: the one that the site is about to use; `used`, `unused`: it does, or went back; `astray`: a name does not lead to
 * the server; `refused` by the authority; `unreachable`: the authority; `failed`: certbot; `no-certbot`: not installed.
 */
export type CertificateNews = (typeof certificateNews)[number]

const certificateNews = [
  'leaf',
  'used',
  'unused',
  'astray',
  'refused',
  'unreachable',
  'failed',
  'no-certbot',
] as const

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

/** Bytes of a word or sentence of an event; foreign lines and certificates are longer. */
const longestText = 1_000

/** Reads one line; undefined for a line that no program of ours writes. */
export function parseEvent(line: string): ServerEvent | undefined {
  const match = /^([0-9]+(?:\.[0-9]+)?) ([a-z]+)(?: (.*))?$/s.exec(line)
  if (match === null) return undefined
  const [, stamp = '0', kind = '', rest = ''] = match
  const seconds = Number(stamp)
  const [first = '', ...others] = rest.split(' ')
  const detail = others.join(' ')
  const short = (text: string) => cutToBytes(text, longestText)
  switch (kind) {
    case 'phase':
      return isServerPhase(first) ? { seconds, kind, phase: first } : undefined
    case 'log':
    case 'app':
    case 'stderr':
      return { seconds, kind, line: rest }
    case 'running':
      return { seconds, kind, what: short(rest) }
    case 'fact':
      return { seconds, kind, line: short(rest) }
    case 'block':
      return isCode(first) ? { seconds, kind, what: first } : undefined
    case 'waiting':
      return { seconds, kind, holder: short(rest) }
    case 'changed':
      return { seconds, kind, what: short(first), detail: short(detail) }
    case 'found':
    case 'doubt':
      return isCode(first) ? { seconds, kind, what: first, detail: short(detail) } : undefined
    case 'environment':
      return first === 'built' || first === 'linked'
        ? { seconds, kind, how: first, detail: short(detail) }
        : undefined
    case 'unpublished':
      return { seconds, kind, folder: short(rest) }
    case 'repaired':
      return { seconds, kind, detail: short(rest) }
    case 'health':
      return { seconds, kind, status: number(first), ms: number(others[0]), answers: number(others[1]) }
    case 'flipped':
    case 'kept':
    case 'reverted':
    case 'settled':
      return { seconds, kind, release: isReleaseId(first) ? first : '' }
    case 'settling':
      return isReleaseId(first)
        ? { seconds, kind, old: first, lasts: number(others[0]), running: others[1] === 'running' }
        : undefined
    case 'serving':
      return { seconds, kind, release: first === '' || isReleaseId(first) ? first : 'unknown' }
    case 'answered':
      return { seconds, kind, answer: parseAnswer(rest.split(' ')) }
    case 'preflight':
      // It becomes the path of a request.
      return /^[A-Za-z0-9_-]{1,100}$/.test(first)
        ? { seconds, kind, token: first, content: short(detail) }
        : undefined
    case 'certificate': {
      const how = certificateNews.find((one) => one === first)
      return how === undefined
        ? undefined
        : { seconds, kind, how, detail: how === 'leaf' ? detail : short(detail) }
    }
    case 'secured':
      return { seconds, kind }
    case 'fail':
      return isCode(first)
        ? { seconds, kind, code: first, detail: short(detail) }
        : { seconds, kind, code: 'unknown', detail: short(rest) }
    case 'end':
    case 'gone':
      // What is no number is no success.
      return { seconds, kind, status: /^[0-9]{1,9}$/.test(first) ? Number(first) : -1 }
    default:
      return undefined
  }
}

function isCode(text: string | undefined): text is string {
  return text !== undefined && /^[a-z][a-z0-9-]{0,60}$/.test(text)
}

function isServerPhase(text: string): text is ServerPhase {
  return isPhase(text) && text !== 'inputs' && text !== 'project'
}

function parseAnswer([verdict = '', ...words]: readonly string[]): Answer {
  if (verdict === 'ok') {
    return {
      ok: true,
      code: '',
      status: number(words[0]),
      ms: number(words[1]),
      release: cutToBytes(words[2] ?? '', 100),
    }
  }
  return {
    ok: false,
    code: isCode(words[0]) ? words[0] : 'unreachable',
    status: number(words[1]),
    release: cutToBytes(words[2] ?? '', 100),
    ms: 0,
  }
}

function number(text: string | undefined): number {
  return text !== undefined && /^[0-9]{1,9}$/.test(text) ? Number(text) : 0
}
