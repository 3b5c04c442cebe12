import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { type Answer, type AnswerFailure, ask } from './http-answer.ts'
import { judgeStatus, type StatusRule } from './status.ts'

/** One smoke test: a request over public HTTP that this release has to answer. */
export interface SmokeRequest extends StatusRule {
  /** The IP address to connect to, whatever DNS says of the URL's host; a name is looked up. */
  readonly address: string
  readonly port: number
  /** Host header, path and query come from it; `https:` means TLS, verified for its host. */
  readonly url: URL
  /**
   * The release's secret: 32 hex digits. Only its own release answers to it, with its ID. undefined: a command of the
   * project's own serves, which cannot say what release it is.
   */
  readonly nonce: string | undefined
  /** The ID of the release that has to answer. */
  readonly release: string
  /** Text that the page has to hold within its first MiB; undefined: the page is not read. */
  readonly expectText: string | undefined
  /** For one request, from connecting to the last byte that is needed. */
  readonly timeoutMs: number
  /** Requests at most, where nothing can be reached; default 3. */
  readonly attempts?: number
  /** A certificate, PEM, that is good enough though no authority vouches for it. */
  readonly trusted?: string
  /** `trusted` is known to be over, and what is to be done about it is not the release's: it is said, and no fault. */
  readonly over?: boolean
  /** nginx has just been told of another certificate: for a moment workers may still come with the one before. */
  readonly anew?: boolean
  /** A TCP connection to that address that is open already; the first request uses it up. */
  readonly preconnect?: Socket
}

/** How a smoke test ended. */
export type SmokeResult =
  | {
      readonly ok: true
      readonly status: number
      /** Of the good request alone. */
      readonly ms: number
      readonly release: string
      /** e.g. that a 4xx was good enough; undefined where there is nothing to say. */
      readonly advice: string | undefined
    }
  | {
      readonly ok: false
      readonly code: SmokeFault
      readonly status: number | undefined
      /** One sentence: what was seen. */
      readonly detail: string
      /** Of the last request. */
      readonly ms: number
    }

/**
 * `unreachable`: no connection, or it broke off; `timeout`; `tls`: no valid certificate; `not-http`;
 * `wrong-release`: another release or another program answered; `status`; `text`.
 */
export type SmokeFault = 'wrong-release' | 'status' | 'text' | AnswerFailure['code']

/** Waiting between requests; for tests. */
export type Sleep = (ms: number, signal: AbortSignal) => Promise<void>

const pauseMs = 300

const UNKNOWN = 'Browsers do not know the authority of its certificate.'
const OVER = 'Its certificate is over.'

/**
 * Asks until this release answers well: three times where nothing can be reached, twice where something else
 * answers (a worker that is just going may have had the connection), once where the certificate is wrong and has been so.
 * @throws the signal's reason when it is aborted.
 */
export async function smoke(
  request: SmokeRequest,
  signal: AbortSignal,
  sleep: Sleep = defaultSleep,
): Promise<SmokeResult> {
  let open = request.preconnect?.writable === true ? request.preconnect : undefined
  let attempts = 0
  let lenient = false
  for (;;) {
    const reused = open !== undefined
    const result = await once(request, open, lenient, signal)
    open = undefined
    if (result.ok) return lenient ? { ...result, advice: result.advice ?? reproach(request) } : result
    if (result.code === 'tls' && !lenient && request.trusted !== undefined) {
      lenient = true
      continue
    }
    // It may have been closed while it waited, or led to an nginx from before a reload: that says nothing of the site.
    if (reused && result.code !== 'timeout') continue
    attempts += 1
    if (attempts >= attemptsFor(result.code, request)) return result
    await sleep(pauseMs, signal)
  }
}

function attemptsFor(code: SmokeFault, request: SmokeRequest): number {
  switch (code) {
    case 'unreachable':
    case 'timeout':
      return request.attempts ?? 3
    case 'wrong-release':
    case 'status':
    case 'text':
      return 2
    case 'tls':
      return request.anew === true ? 5 : 1
    case 'not-http':
      return 1
  }
}

function reproach({ over }: SmokeRequest): string {
  return over === true ? OVER : UNKNOWN
}

async function once(
  request: SmokeRequest,
  open: Socket | undefined,
  lenient: boolean,
  signal: AbortSignal,
): Promise<SmokeResult> {
  const started = performance.now()
  const { address, port, url, timeoutMs, nonce, expectText, trusted, over = false } = request
  const headers: Record<string, string> = nonce === undefined ? {} : { 'X-Flask-Deploy-Nonce': nonce }
  const answer = await ask(
    {
      address,
      port,
      url,
      headers,
      timeoutMs,
      findText: expectText,
      open,
      ...(lenient && { over, ...(trusted && { trusted }) }),
    },
    signal,
  )
  const ms = Math.round(performance.now() - started)
  return { ...judge(request, answer), ms }
}

type Judged = SmokeResult extends infer One ? (One extends SmokeResult ? Omit<One, 'ms'> : never) : never

function judge(request: SmokeRequest, answer: Answer | AnswerFailure): Judged {
  if (!answer.ok) return { ok: false, code: answer.code, status: undefined, detail: answer.detail }
  const { status } = answer
  const { good, wanted, advice } = judgeStatus(status, request)
  const seen = answer.header('x-flask-deploy-release')
  const bad = (code: SmokeFault, detail: string): Judged => ({ ok: false, code, status, detail })
  if (seen === undefined && status >= 500 && !good) {
    return bad('status', `The answer was ${status} from the web server${who(answer)}, not from the app.`)
  }
  if (seen === undefined && request.nonce !== undefined) {
    const to = answer.header('location')
    const redirect = to === undefined ? '' : ` and redirected to ${to}`
    return bad(
      'wrong-release',
      `Something else answered ${status}${who(answer)}${redirect}, not this release.`,
    )
  }
  if (seen !== undefined && seen !== request.release) {
    return bad('wrong-release', `Release ${seen} answered (${status}) in place of ${request.release}.`)
  }
  if (!good) return bad('status', `This release answered ${status}; good would be ${wanted}.`)
  if (!answer.textFound) {
    return bad('text', `This release answered ${status}, but \`expect-text\` is not in the page.`)
  }
  return { ok: true, status, release: seen ?? '', advice }
}

function who(answer: Answer): string {
  const server = answer.header('server')
  return server === undefined ? '' : ` (${server})`
}

async function defaultSleep(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal })
}
