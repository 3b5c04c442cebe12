import { Resolver } from 'node:dns/promises'
import { isIP } from 'node:net'
import { domainToASCII } from 'node:url'
import type { Explanation } from '../errors.ts'
import { proxyOf } from './proxies.ts'

/** What DNS says of a name. */
export interface DomainAddresses {
  /** IPv4 and IPv6 addresses, sorted; empty where there are none or `failed`. */
  readonly addresses: readonly string[]
  /** The name server gave no answer: nothing can be said about the name. */
  readonly failed: boolean
}

/** Looks up one family's addresses; throws errors with Node's DNS codes. */
export interface AddressResolver {
  resolve4(name: string): Promise<string[]>
  resolve6(name: string): Promise<string[]>
}

const limit = 3_000

/**
 * The addresses that visitors of a domain are led to, from DNS alone (no hosts file), CNAMEs followed, within
 * 3 s. Of an IP address, the address itself. Never rejects.
 */
export async function domainAddresses(
  domain: string,
  resolver: AddressResolver = new Resolver({ timeout: limit, tries: 1 }),
  limitMs = limit,
): Promise<DomainAddresses> {
  if (isIP(domain) !== 0) return { addresses: [domain], failed: false }
  const name = domainToASCII(domain)
  if (name === '') return { addresses: [], failed: false }
  const families = await Promise.all([
    within(limitMs, () => resolver.resolve4(name)),
    within(limitMs, () => resolver.resolve6(name)),
  ])
  const addresses = families.flatMap((family) => family ?? []).toSorted()
  return { addresses, failed: addresses.length === 0 && families.includes(undefined) }
}

/** The addresses; none where DNS says that there are none; undefined where it said nothing. */
async function within(
  limitMs: number,
  look: () => Promise<string[]>,
): Promise<readonly string[] | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), limitMs)
  })
  const answer = look().catch((error: NodeJS.ErrnoException) =>
    error.code === 'ENOTFOUND' || error.code === 'ENODATA' ? [] : undefined,
  )
  try {
    return await Promise.race([answer, late])
  } finally {
    clearTimeout(timer)
  }
}

/**
 * The warning where a domain does not lead to the server, with the record to set; undefined where it does, or
 * where nothing can be said.
 * @param server the server's public addresses as far as they are known; a family of which none is known is not
 * judged.
 */
export function pointsAt(
  domain: string,
  found: DomainAddresses,
  server: readonly string[],
): Explanation | undefined {
  if (found.failed || server.length === 0 || isIP(domain) !== 0) return undefined
  const known = server.map(canonical)
  const warn = (cause: string, cure: string): Explanation => ({ cause, cure, input: 'domain' })
  const records = server.map((address) => record(domain, address)).join(' and ')
  if (found.addresses.length === 0) {
    return warn(`${domain} has no address in DNS, so visitors cannot find the site.`, `Set ${records}.`)
  }
  const proxy = found.addresses.map(proxyOf).find((one) => one !== undefined)
  if (proxy !== undefined) {
    return warn(
      `${domain} leads to ${proxy} and not to the server itself.`,
      `Nothing has to change if ${proxy} is meant to stand in front and has ${server.join(' and ')} as its origin; else set ${records} without the proxy.`,
    )
  }
  const judged = found.addresses.filter((one) => known.some((own) => isIP(own) === isIP(one)))
  const foreign = judged.filter((one) => !known.includes(canonical(one)))
  if (foreign.length > 0 && foreign.length === judged.length) {
    return warn(
      `${domain} leads to ${foreign.join(' and ')}, which is not the server.`,
      `Set ${records}, and remove the old one.`,
    )
  }
  if (foreign.length > 0) {
    return warn(
      `${domain} leads to the server, but also to ${foreign.join(' and ')}, so some visitors do not get this site.`,
      `Remove ${foreign.map((address) => record(domain, address)).join(' and ')}.`,
    )
  }
  if (judged.length === 0) {
    return warn(
      `${domain} has only ${family(found.addresses)} addresses (${found.addresses.join(' and ')}), none of a kind that the server is known to have.`,
      `Set ${records}.`,
    )
  }
  return undefined
}

/** e.g. `the record example.com. A 203.0.113.5`. */
function record(domain: string, address: string): string {
  return `the record ${domain}. ${isIP(address) === 6 ? 'AAAA' : 'A'} ${address}`
}

function family(addresses: readonly string[]): string {
  return addresses.every((one) => isIP(one) === 6) ? 'IPv6' : 'IPv4'
}

/** One spelling for each IPv6 address: as URLs have it (RFC 5952). IPv4 in IPv6 becomes IPv4. */
function canonical(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped !== undefined) return mapped
  return isIP(address) === 6 ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address
}
