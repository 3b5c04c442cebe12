import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Explanation } from '../errors.ts'
import { isHostKeyType, typeOf } from './public-key.ts'
import { readPublicKey } from './signature.ts'

/**
 * One line of a known_hosts file (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT).
 */
export interface KnownHost {
  /** Counted from 1. */
  readonly line: number
  readonly marker: 'revoked' | 'cert-authority' | undefined
  /** The first field as it stands: names and patterns with commas between them, or one `|1|` hash. */
  readonly names: string
  /** Of the key; a type that cannot be checked (`isHostKeyType`) is kept, and never matches. */
  readonly type: string
  /** The public key in wire format. */
  readonly key: Buffer
}

/** A known_hosts text, read. */
export interface KnownHosts {
  readonly entries: readonly KnownHost[]
  /** The lines that cannot be read or used; a pin that is silently left out would be no pin, so each is an error. */
  readonly faults: readonly Explanation[]
}

/** Reads known_hosts lines: plain names, lists, `*`, `?` and `!`, `[host]:port`, hashed names, both markers. */
export function parseKnownHosts(text: string): KnownHosts {
  const entries: KnownHost[] = []
  const faults: Explanation[] = []
  for (const [index, raw] of text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\r|\n/)
    .entries()) {
    const line = raw.trim()
    if (line === '' || line.startsWith('#')) continue
    const read = parseLine(line, index + 1)
    if ('cause' in read) faults.push(read)
    else entries.push(read)
  }
  return { entries, faults }
}

function parseLine(line: string, number: number): KnownHost | Explanation {
  const fault = (what: string, cure: string): Explanation => ({
    cause: `Line ${number} of \`known-hosts\` ${what}.`,
    cure,
    input: 'known-hosts',
  })
  const fields = line.split(/[ \t]+/)
  const word = fields[0]?.startsWith('@') ? fields.shift() : undefined
  const marker = word === '@revoked' ? 'revoked' : word === '@cert-authority' ? 'cert-authority' : undefined
  if (word !== undefined && marker === undefined) {
    return fault(
      'has a marker that is neither @revoked nor @cert-authority',
      'Correct the marker, or remove the line.',
    )
  }
  const [names = '', type = '', base64 = ''] = fields
  if (/^(SHA256|MD5):/.test(names)) {
    return fault(
      'is a fingerprint, not a known_hosts line',
      'Put `SHA256:...` into `host-fingerprint` instead.',
    )
  }
  if (/^(ssh-|ecdsa-|sk-)/.test(names) && type.startsWith('AAAA')) {
    return fault('is a key without a host name', "Put the server's name and a space in front of it.")
  }
  const key = Buffer.from(base64, 'base64')
  // The type stands twice, in the line and within the key: where they differ, the line was cut or edited.
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64) || typeOf(key) !== type) {
    return fault(
      'cannot be read as `name type key`',
      'Copy the whole line again, as `ssh-keyscan` or your own ~/.ssh/known_hosts has it.',
    )
  }
  if (isHostKeyType(type) && readPublicKey(key) === undefined) {
    return fault('has a key that is cut off or altered', 'Copy the whole line again, up to its end.')
  }
  if (names.startsWith('|') && parseHash(names) === undefined) {
    return fault('has a hashed name that cannot be read', 'Copy the whole line again.')
  }
  return { line: number, marker, names, type, key }
}

/**
 * The lines that speak of a server. As ssh(1) does, a server on another port than 22 is looked up as
 * `[host]:port`, and under its plain name where there is no line for that.
 */
export function entriesFor(entries: readonly KnownHost[], host: string, port: number): readonly KnownHost[] {
  const exact = entries.filter((entry) => speaksOf(entry, nameInKnownHosts(host, port)))
  if (port === 22 || exact.some((entry) => entry.marker === undefined)) return exact
  return entries.filter((entry) => speaksOf(entry, host.toLowerCase())).concat(exact)
}

/** The lines with a marker that speak of a server, by either of its names. */
export function markedFor(entries: readonly KnownHost[], host: string, port: number): readonly KnownHost[] {
  const names = [nameInKnownHosts(host, port), host.toLowerCase()]
  return entries.filter((entry) => entry.marker !== undefined && names.some((name) => speaksOf(entry, name)))
}

/** How a server is called in known_hosts: `host`, or `[host]:port` where the port is not 22; lower case. */
export function nameInKnownHosts(host: string, port: number): string {
  const name = host.toLowerCase()
  return port === 22 ? name : `[${name}]:${port}`
}

function speaksOf(entry: KnownHost, name: string): boolean {
  const hash = parseHash(entry.names)
  if (hash !== undefined) {
    const made = createHmac('sha1', hash.salt).update(name).digest()
    return made.length === hash.digest.length && timingSafeEqual(made, hash.digest)
  }
  const patterns = entry.names.toLowerCase().split(',')
  const matches = (pattern: string) => matchesPattern(pattern, name)
  // One negated pattern that matches rules the line out, whatever else matches.
  if (patterns.some((pattern) => pattern.startsWith('!') && matches(pattern.slice(1)))) return false
  return patterns.some((pattern) => !pattern.startsWith('!') && matches(pattern))
}

/** `|1|SALT|HASH`: HMAC-SHA1 of the name with the salt as its key, both in base64. */
function parseHash(names: string): { salt: Buffer; digest: Buffer } | undefined {
  const match = /^\|1\|([A-Za-z0-9+/=]+)\|([A-Za-z0-9+/=]+)$/.exec(names)
  if (match === null) return undefined
  return { salt: Buffer.from(match[1] ?? '', 'base64'), digest: Buffer.from(match[2] ?? '', 'base64') }
}

/**
 * Matches `*` and `?` by walking both texts once with one step back to the last `*`: no regular expression is
 * built from what was given, so no pattern can take exponential time.
 */
export function matchesPattern(pattern: string, name: string): boolean {
  let p = 0
  let n = 0
  let star = -1
  let resume = 0
  while (n < name.length) {
    if (pattern[p] === '*') {
      star = p++
      resume = n
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === name[n])) {
      p++
      n++
    } else if (star >= 0) {
      p = star + 1
      n = ++resume
    } else {
      return false
    }
  }
  return /^\**$/.test(pattern.slice(p))
}
