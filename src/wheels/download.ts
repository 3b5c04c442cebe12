import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createReadStream, createWriteStream, readFileSync } from 'node:fs'
import { finished } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { getCACertificates } from 'node:tls'
import { Agent, type Dispatcher, EnvHttpProxyAgent, fetch } from 'undici'
import { DeployError } from '../errors.ts'
import { authorizationFor, type Indexes } from './indexes.ts'

/** Tries of one request; an index or a proxy that is busy is so for a moment. */
const TRIES = 3
const PAUSE_MS = 1_000

/** An answer that does not begin, or that stops, within this time is none. In ms. */
const SILENCE_MS = 30_000

/** Bytes: PyPI's largest pages have 20 MB, its largest wheels 1 GB. */
const MOST_PAGE = 64 * 1024 * 1024
const MOST_FILE = 2 * 1024 * 1024 * 1024

/** The runner's way to package indexes: through its proxy, with its certificates, as the index's user. */
export class Downloads {
  readonly #indexes: Indexes
  readonly #dispatcher: Dispatcher
  readonly #signal: AbortSignal

  constructor(indexes: Indexes, signal: AbortSignal) {
    this.#indexes = indexes
    this.#signal = signal
    this.#dispatcher = dispatcherOf(indexes)
  }

  /** A page as text, where it came from and what it is; undefined where the index has none (404). */
  async page(
    url: URL,
    accept: string,
  ): Promise<{ readonly text: string; readonly type: string; readonly address: URL } | undefined> {
    return await this.#patiently(url, async () => {
      const response = await this.#get(url, accept)
      if (response.status === 404 || response.status === 403) {
        await response.body?.cancel()
        return undefined
      }
      const chunks: Uint8Array[] = []
      for await (const chunk of bounded(response, MOST_PAGE)) chunks.push(chunk)
      const text = Buffer.concat(chunks).toString('utf8')
      return { text, type: response.headers.get('content-type') ?? '', address: new URL(response.url) }
    })
  }

  /**
   * Fetches a file and compares its hash.
   * @param to where it is put; its folder exists
   * @returns its length in bytes
   * @throws DeployError `wheels-hash` for other bytes, `wheels-index` where it cannot be had
   */
  async file(url: URL, sha256: string, to: string): Promise<number> {
    return await this.#patiently(url, async () => {
      const response = await this.#get(url, '*/*')
      const hash = createHash('sha256')
      const out = createWriteStream(to)
      let bytes = 0
      try {
        for await (const chunk of bounded(response, MOST_FILE)) {
          hash.update(chunk)
          bytes += chunk.length
          if (!out.write(chunk)) await once(out, 'drain')
        }
      } finally {
        out.end()
        await finished(out)
      }
      if (hash.digest('hex') !== sha256) throw otherBytes(url)
      return bytes
    })
  }

  /** Ends open connections. */
  async close(): Promise<void> {
    await this.#dispatcher.destroy()
  }

  async #get(url: URL, accept: string) {
    const authorization = authorizationFor(url, this.#indexes)
    const response = await fetch(url, {
      dispatcher: this.#dispatcher,
      signal: this.#signal,
      headers: { accept, ...(authorization === undefined ? {} : { authorization }) },
    })
    if (response.status >= 400 && response.status !== 404 && response.status !== 403) {
      await response.body?.cancel()
      throw new Error(`status ${response.status}`)
    }
    return response
  }

  async #patiently<T>(url: URL, attempt: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await attempt()
      } catch (error) {
        if (this.#signal.aborted) throw this.#signal.reason
        if (error instanceof DeployError) throw error
        if (tries === TRIES) throw unreachable(url, error)
        await sleep(PAUSE_MS * tries, undefined, { signal: this.#signal }).catch(() => undefined)
      }
    }
  }
}

/** SHA-256 of a file that is there, hex. */
export async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

/** @throws Error for a status that is no success, or more bytes than may be */
async function* bounded(
  response: Awaited<ReturnType<typeof fetch>>,
  most: number,
): AsyncGenerator<Uint8Array, void, void> {
  if (!response.ok || response.body === null) throw new Error(`status ${response.status}`)
  let bytes = 0
  for await (const chunk of response.body) {
    if (!(chunk instanceof Uint8Array)) throw new Error('a body of something else than bytes')
    bytes += chunk.length
    if (bytes > most) throw new Error('more bytes than any file of an index has')
    yield chunk
  }
}

function dispatcherOf({ variables, certificates }: Indexes): Dispatcher {
  const tls = { ca: trusted(certificates) }
  const options = {
    headersTimeout: SILENCE_MS,
    bodyTimeout: SILENCE_MS,
    connect: { ...tls, timeout: SILENCE_MS },
    // Of a proxy: it is reached over TLS itself, and the index through it.
    proxyTls: tls,
    requestTls: tls,
    httpProxy: variables['http_proxy'] ?? variables['HTTP_PROXY'] ?? '',
    httpsProxy: variables['https_proxy'] ?? variables['HTTPS_PROXY'] ?? '',
    noProxy: variables['no_proxy'] ?? variables['NO_PROXY'] ?? '',
  }
  // The one that knows proxies calls itself experimental in the log.
  return options.httpProxy + options.httpsProxy === '' ? new Agent(options) : new EnvHttpProxyAgent(options)
}

/** What Node trusts, with NODE_EXTRA_CA_CERTS, what the machine trusts, and the file that the variables name. */
function trusted(file: string | undefined): string[] {
  const own = file === undefined ? [] : [readable(file)]
  return [...getCACertificates('default'), ...getCACertificates('system'), ...own].filter((one) => one !== '')
}

function readable(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

function otherBytes(url: URL): DeployError {
  return new DeployError('wheels-hash', {
    cause: `The package index sent other bytes for ${lastPart(url)} than those whose hash is known; nothing of them was used.`,
    cure: 'Find out which index or proxy the runner asks (`UV_*` and `PIP_*` in `env` or on the runner), and who changes packages there.',
    input: 'dependencies',
  })
}

function unreachable(url: URL, error: unknown): DeployError {
  return new DeployError('wheels-index', {
    cause: `The runner could not get ${lastPart(url)} from ${url.host}: ${reason(error)}.`,
    cure: 'Check that the runner reaches this package index; `UV_DEFAULT_INDEX` in `env` names another one, with user and password where it needs them.',
    input: 'dependencies',
  })
}

/** undici says `fetch failed`, and why in the cause. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return 'no answer'
  const { cause } = error
  const inner = cause instanceof Error ? ('code' in cause ? String(cause.code) : cause.message) : ''
  return inner === '' ? error.message : inner
}

function lastPart(url: URL): string {
  return url.pathname.split('/').findLast((part) => part !== '') ?? url.host
}
