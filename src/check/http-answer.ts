import { X509Certificate } from 'node:crypto'
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { connect, isIP, type Socket } from 'node:net'
import { checkServerIdentity, getCACertificates, TLSSocket, connect as tlsConnect } from 'node:tls'
import { cutToBytes, visible } from '../text.ts'

/** One GET, sent to an address of our choice. */
export interface Question {
  readonly address: string
  readonly port: number
  /** Host header (and the name that the certificate has to have), path and query. */
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly timeoutMs: number
  /** Read the page, at most 1 MiB of it, until this text is found; undefined: read no page. */
  readonly findText: string | undefined
  /** An open connection to use; where it is TLS already, it is one for this URL. */
  readonly open: Socket | undefined
  /** A certificate, PEM, that is taken though no authority vouches for it, if it has the URL's host and is not over. */
  readonly trusted?: string
  /** `trusted` is the only one that is taken, even though its time is over. */
  readonly over?: boolean
}

/** What came back; redirects are not followed. */
export interface Answer {
  readonly ok: true
  readonly status: number
  /** A header's value, fit for one line of a log (at most 200 bytes); undefined where there is none. */
  header(name: string): string | undefined
  /** `findText` was found, or there was none to find. */
  readonly textFound: boolean
}

/** Why nothing came back. */
export interface AnswerFailure {
  readonly ok: false
  readonly code: 'unreachable' | 'timeout' | 'tls' | 'not-http'
  /** One sentence. */
  readonly detail: string
}

/** The port that a URL leads to. */
export function portOf(url: URL): number {
  return Number(url.port) || (url.protocol === 'https:' ? 443 : 80)
}

/** The name or address that a URL leads to, an IPv6 address without its brackets. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '')
}

const pageLimit = 1024 * 1024

/** Interim answers (1xx) before the answer. */
const mostHints = 20

/**
 * Asks once, on a connection of its own that is closed afterwards: one round trip after TCP's (and TLS's).
 * @throws the signal's reason when it is aborted.
 */
export function ask(question: Question, signal: AbortSignal): Promise<Answer | AnswerFailure> {
  signal.throwIfAborted()
  return new Promise((resolve, reject) => {
    const request = send(question)
    const stop = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      // Whatever is still to come of the page is of no use; an error after this is nobody's concern.
      request.destroy()
    }
    const settle = (result: Answer | AnswerFailure) => {
      stop()
      resolve(result)
    }
    const timer = setTimeout(() => {
      settle({ ok: false, code: 'timeout', detail: `${target(question)} ${late(question)}.` })
    }, question.timeoutMs)
    const onAbort = () => {
      stop()
      reject(signal.reason)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    request.on('error', (error) => settle(failureOf(error, question)))
    // Some servers send one or two of these before the answer (RFC 9110, section 15.2); one that goes on never answers.
    let hints = 0
    request.on('information', () => {
      hints += 1
      if (hints > mostHints)
        settle({
          ok: false,
          code: 'not-http',
          detail: `${target(question)} sent hints without end in place of an answer.`,
        })
    })
    request.on('response', (response) => {
      const answer = (textFound: boolean): Answer => ({
        ok: true,
        status: response.statusCode ?? 0,
        header: (name) => printable(response.headers[name]),
        textFound,
      })
      if (question.findText === undefined) settle(answer(true))
      else searchPage(response, question.findText, (found) => settle(answer(found)))
    })
    request.end()
  })
}

function send(question: Question): ClientRequest {
  const { address, port, url, open } = question
  const options = {
    method: 'GET',
    path: url.pathname + url.search,
    headers: {
      Host: url.host,
      'User-Agent': 'flask-deploy-action',
      Accept: '*/*',
      'Accept-Encoding': 'identity',
      Connection: 'close',
      ...question.headers,
    },
  }
  // No `agent` beside `createConnection`: with `agent: false` Node makes one, which then connects by itself.
  const raw = open ?? connect({ host: address, port, noDelay: true })
  if (url.protocol !== 'https:') return httpRequest({ ...options, createConnection: () => raw })
  // One that was opened early has its handshake behind it, or before it.
  const socket = raw instanceof TLSSocket ? raw : secured(raw, url, question)
  return httpsRequest({ ...options, createConnection: () => socket })
}

/** TLS over a connection to an address, with a certificate that is valid for the URL's host. */
export function secured(
  raw: Socket,
  url: URL,
  { trusted, over }: Pick<Question, 'trusted' | 'over'> = {},
): TLSSocket {
  const host = hostOf(url)
  // OpenSSL tells one fault of a certificate only, so a known one is told by its bytes.
  const expected = over === true && trusted !== undefined ? new X509Certificate(trusted) : undefined
  const socket = tlsConnect({
    socket: raw,
    // A server name must not be an address (RFC 6066, section 3).
    servername: isIP(host) === 0 ? host : '',
    ALPNProtocols: ['http/1.1'],
    ...(trusted === undefined
      ? {}
      : { ca: [...getCACertificates('default'), trusted], allowPartialTrustChain: true }),
    checkServerIdentity: (_name, certificate) => checkServerIdentity(host, certificate),
    rejectUnauthorized: expected === undefined,
  })
  if (expected !== undefined) {
    socket.once('secureConnect', () => {
      if (socket.getPeerCertificate().raw.equals(expected.raw)) return
      socket.destroy(Object.assign(new Error('certificate has expired'), { code: 'CERT_HAS_EXPIRED' }))
    })
  }
  // Neither takes the other down, and the one that is left would keep the process alive.
  socket.on('close', () => raw.destroy())
  return socket
}

/** Searches as the page comes in; only what a text could be cut by at a chunk's end is kept. */
function searchPage(response: IncomingMessage, text: string, done: (found: boolean) => void): void {
  const wanted = Buffer.from(text)
  let tail: Buffer = Buffer.alloc(0)
  let read = 0
  response.on('data', (chunk: Buffer) => {
    const window = Buffer.concat([tail, chunk.subarray(0, pageLimit - read)])
    read += chunk.length
    if (window.includes(wanted)) return done(true)
    if (read >= pageLimit) return done(false)
    tail = window.subarray(Math.max(0, window.length - wanted.length + 1))
  })
  response.on('end', () => done(false))
  response.on('error', () => done(false))
}

function failureOf(error: NodeJS.ErrnoException, question: Question): AnswerFailure {
  const code = error.code ?? ''
  const where = target(question)
  if (code.startsWith('HPE_')) {
    return { ok: false, code: 'not-http', detail: `What answers on ${where} does not speak HTTP.` }
  }
  // OpenSSL's X509_V_ERR_ names and Node's own ERR_TLS_ and ERR_SSL_ ones.
  if (/^(ERR_TLS|ERR_SSL|CERT_|UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED|HOSTNAME_)|_CERT_|EPROTO/.test(code)) {
    const detail = `The TLS connection to ${where} for ${question.url.hostname} failed: ${error.message.trim()}.`
    return { ok: false, code: 'tls', detail: printable(detail) ?? '' }
  }
  const why =
    code === 'ECONNREFUSED'
      ? 'refused the connection'
      : code === 'ETIMEDOUT'
        ? 'did not answer'
        : code === 'ECONNRESET' || code === 'EPIPE'
          ? 'broke off the connection'
          : `cannot be reached (${code === '' ? error.message : code})`
  return { ok: false, code: 'unreachable', detail: `${where} ${why}.` }
}

function target({ address, port }: Question): string {
  return `${address} port ${port}`
}

function late({ timeoutMs }: Question): string {
  return `did not answer within ${timeoutMs / 1000} s`
}

/** A stranger's text, fit for one line of a log. */
function printable(value: string | string[] | undefined): string | undefined {
  const text = Array.isArray(value) ? value.join(', ') : value
  return text === undefined ? undefined : cutToBytes(visible(text), 200)
}
