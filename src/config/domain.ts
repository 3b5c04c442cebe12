import { isIP, isIPv4, isIPv6 } from 'node:net'
import { domainToASCII } from 'node:url'
import { DeployError } from '../errors.ts'

/** One of `domain`, as nginx and the authorities for certificates know it. */
export interface Domain {
  /** `any` is `_`: whatever name the visitor asks for. */
  readonly kind: 'name' | 'ipv4' | 'ipv6' | 'any'
  /** A name is in lower case and ASCII (IDNA), an IPv6 address shortened and without brackets. */
  readonly text: string
}

/** Letters, marks and digits of any script, and what host names have had since RFC 952; `_` is common in practice. */
const WRITTEN = /^[\p{L}\p{M}\p{N}_-]+(\.[\p{L}\p{M}\p{N}_-]+)*\.?$/u
/** RFC 1035, 2.3.4: a label has 63 octets at most, a name 253 as text. */
const LABEL = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/
const LONGEST_NAME = 253

/**
 * Reads one of `domain`: a host name (of any script), an IPv4 or IPv6 address (brackets allowed) or `_`.
 * @throws DeployError `domain-invalid`
 */
export function readDomain(given: string): Domain {
  if (given === '_') return { kind: 'any', text: '_' }
  const bare = given.startsWith('[') && given.endsWith(']') ? given.slice(1, -1) : given
  if (isIPv6(bare) && !bare.includes('%')) return { kind: 'ipv6', text: shortened(bare) }
  if (isIPv4(given)) return { kind: 'ipv4', text: given }
  const reason = WRITTEN.test(given) ? undefined : unwritable(given)
  const ascii = reason === undefined ? domainToASCII(given).replace(/\.$/, '') : ''
  const labels = ascii.split('.')
  // The URL standard reads `0x7f.1` as an address: a name that turns into one was none.
  const fits =
    labels.every((label) => LABEL.test(label)) && isIP(ascii) === 0 && !/^[0-9]+$/.test(labels.at(-1) ?? '')
  if (fits && ascii.length <= LONGEST_NAME) return { kind: 'name', text: ascii }
  throw new DeployError('domain-invalid', {
    cause: `${JSON.stringify(given)} is not a domain: ${reason ?? 'it is no host name and no address'}.`,
    cure: 'Write a name such as `example.com`, an IP address, or `_` for every name, one a line.',
    input: 'domain',
  })
}

function unwritable(given: string): string {
  if (given === '') return 'it is empty'
  if (/^[a-z]+:\/\//i.test(given)) return 'it is a URL, and only the host is asked for'
  if (given.includes('*')) return 'wildcards are not served'
  if (/:[0-9]+$/.test(given)) return 'it has a port, and the site is on 80 and 443'
  if (given.includes('/')) return 'it has a path'
  return 'it has a character that no host name has'
}

/** The one form in which browsers send an IPv6 address (RFC 5952), as the URL standard writes it. */
function shortened(address: string): string {
  return new URL(`http://[${address}]/`).hostname.slice(1, -1)
}
