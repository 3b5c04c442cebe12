import { isIP } from 'node:net'
import type { Explanation } from '../errors.ts'
import { cutToBytes } from '../text.ts'
import { type DomainAddresses, pointsAt } from './dns.ts'
import { ask, hostOf, portOf } from './http-answer.ts'
import { isInside } from './inside.ts'
import { proxyOf } from './proxies.ts'

/** ms for one request. */
const REQUEST_MS = 10_000

/** Followed as authorities do (Let's Encrypt: ten at most), to a proxy's own HTTPS for instance. */
const MOST_REDIRECTS = 5

/** Addresses of one name that are asked: an authority may take any of them. */
const MOST_ADDRESSES = 8

/** What has to be seen under each name before an authority is asked. */
export interface Preflight {
  readonly names: readonly string[]
  /** The file's name below `/.well-known/acme-challenge/`, and what is in it. */
  readonly token: string
  readonly content: string
  /** What DNS says of a name. */
  readonly look: (name: string) => Promise<DomainAddresses>
  /** The server's own addresses, as far as they are known. */
  readonly server: readonly string[]
}

/**
 * Looks whether each name leads to this server, as an authority will: over port 80, at every address that DNS has.
 * @returns every name that does not, with the record to set
 * @throws the signal's reason when it is aborted
 */
export async function preflight(wanted: Preflight, signal: AbortSignal): Promise<readonly Explanation[]> {
  const found = await Promise.all(wanted.names.map((name) => look(name, wanted, signal)))
  return found.filter((one) => one !== undefined)
}

async function look(name: string, wanted: Preflight, signal: AbortSignal): Promise<Explanation | undefined> {
  const found = await wanted.look(name)
  if (found.failed) {
    return {
      cause: `DNS gave no answer for ${name}, so it is not known where it leads.`,
      cure: 'Run the job again; if it stays, look at the name servers of that domain.',
      input: 'domain',
    }
  }
  const seen = await Promise.all(
    found.addresses.slice(0, MOST_ADDRESSES).map((address) => seenAt(address, name, wanted, signal)),
  )
  const fault = seen.find((one) => one !== '')
  if (found.addresses.length > 0 && fault === undefined) return undefined
  const elsewhere = pointsAt(name, found, wanted.server)
  if (elsewhere === undefined) {
    return {
      cause: `${name} leads to the server, but ${fault ?? 'it has no address'}.`,
      cure: PORT,
      input: 'domain',
    }
  }
  return fault === undefined
    ? elsewhere
    : { ...elsewhere, cause: elsewhere.cause.replace(/\.$/, `; ${fault}.`) }
}

const PORT =
  "Open port 80 in the firewall of the server and in the provider's control panel: authorities ask there."

/** What is wrong at one address, as the end of a sentence; '' where the file is there. */
async function seenAt(
  address: string,
  name: string,
  wanted: Preflight,
  signal: AbortSignal,
): Promise<string> {
  let url = new URL(`http://${name}/.well-known/acme-challenge/${wanted.token}`)
  let at = address
  for (let count = 0; count <= MOST_REDIRECTS; count += 1) {
    const port = portOf(url)
    const answer = await ask(
      {
        address: at,
        port,
        url,
        headers: {},
        timeoutMs: REQUEST_MS,
        findText: wanted.content,
        open: undefined,
      },
      signal,
    )
    if (!answer.ok) return isJudgedByAddress(address, wanted.server) ? '' : answer.detail.replace(/\.$/, '')
    if (answer.status === 200 && answer.textFound) return ''
    const next =
      answer.status >= 300 && answer.status < 400
        ? URL.parse(answer.header('location') ?? '', url.href)
        : null
    if (next === null || !/^https?:$/.test(next.protocol))
      return `${address} answered ${answer.status}, not with our file`
    if (next.hostname !== url.hostname) {
      const host = hostOf(next)
      const target = isIP(host) === 0 ? (await wanted.look(host)).addresses[0] : host
      // Whoever answers for a name may not have the runner ask within its own network.
      if (target === undefined || (isInside(target) && !isInside(address)))
        return `${address} redirects to ${cutToBytes(host, 100)}, which is not on the internet`
      at = target
    }
    url = next
  }
  return `${address} redirects without end`
}

/**
 * GitHub's runners have no IPv6: whether such an address leads to the server can be told only by what the server says of
 * itself, or by a proxy whose other addresses are asked as well.
 */
function isJudgedByAddress(address: string, server: readonly string[]): boolean {
  return isIP(address) === 6 && (server.includes(address) || proxyOf(address) !== undefined)
}
