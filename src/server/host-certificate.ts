import { shown } from '../text.ts'
import { matchesPattern } from './known-hosts.ts'
import { algorithmsFor, fingerprintOf, type HostKeyType, isHostKeyType, typeOf } from './public-key.ts'
import { checkSignature, readPublicKey } from './signature.ts'
import { readString, readStrings, writeString } from './ssh-wire.ts'

/** What every type and algorithm of an OpenSSH certificate ends with (PROTOCOL.certkeys in OpenSSH's source). */
const suffix = '-cert-v01@openssh.com'

/** The algorithms to ask for to be shown the certificate of a key of this type, best first. */
export function certificateAlgorithmsFor(type: HostKeyType): readonly string[] {
  return algorithmsFor(type).map((algorithm) => `${algorithm}${suffix}`)
}

/** An OpenSSH certificate, read and not yet believed. */
export interface HostCertificate {
  /** The certified public key, in wire format, of a type that can be checked. */
  readonly key: Buffer
  /** 1: of a user, 2: of a host. */
  readonly kind: number
  /** The hosts that it is for, as patterns. */
  readonly principals: readonly string[]
  /** The first second in which it is valid, and the first in which it is not any more; since 1970. */
  readonly validAfter: bigint
  readonly validBefore: bigint
  /** It demands something that a client has to know; nothing of the kind is known for hosts. */
  readonly critical: boolean
  /** The public key of the authority that signed it, in wire format. */
  readonly authority: Buffer
  readonly signed: Buffer
  readonly signature: Buffer
}

/** Reads a certificate in wire format (PROTOCOL.certkeys); undefined where it is none, or not whole. */
export function readCertificate(blob: Buffer): HostCertificate | undefined {
  const name = typeOf(blob)
  const type = name.endsWith(suffix) ? name.slice(0, -suffix.length) : ''
  if (!isHostKeyType(type)) return undefined
  let offset = 0
  let whole = true
  const string = (): Buffer => {
    const one = readString(blob, offset)
    whole &&= one !== undefined
    offset = one?.next ?? blob.length
    return one?.value ?? Buffer.alloc(0)
  }
  const bytes = (length: number): Buffer => {
    const one = blob.subarray(offset, offset + length)
    whole &&= one.length === length
    offset += length
    return whole ? one : Buffer.alloc(length)
  }
  string() // the type
  string() // the nonce
  const key = Buffer.concat([type, ...Array.from({ length: partsOf(type) }, string)].map(writeString))
  bytes(8) // the serial number
  const kind = bytes(4).readUInt32BE()
  string() // its name for the authority's own log
  const principals = readStrings(string())
  const validAfter = bytes(8).readBigUInt64BE()
  const validBefore = bytes(8).readBigUInt64BE()
  const critical = string().length > 0
  string() // extensions: what is not known may be passed over
  string() // reserved
  const authority = Buffer.from(string())
  const signed = blob.subarray(0, offset)
  const signature = string()
  if (!whole || offset !== blob.length || principals === undefined) return undefined
  if (readPublicKey(key) === undefined) return undefined
  return {
    key,
    kind,
    principals: principals.map((one) => one.toString('latin1')),
    validAfter,
    validBefore,
    critical,
    authority,
    signed,
    signature,
  }
}

/** How many strings a public key has behind its type. */
function partsOf(type: HostKeyType): number {
  return type === 'ssh-ed25519' ? 1 : 2
}

/** Why a certificate proves nothing, and what can be done about it. */
export interface CertificateFault {
  /** In words, with its subject and without an end: `its certificate expired on ...`. */
  readonly what: string
  /** The beginning of the cure, without an end. */
  readonly cure: string
}

/**
 * Judges the certificate of a host whose authority is trusted for it, by the rules of OpenSSH 10.3
 * (`sshkey_cert_check_host`): older ones also took a certificate without any principal, and did not know patterns.
 * `now` is in seconds since 1970. undefined: it proves that the host has the key.
 */
export function certificateFault(
  certificate: HostCertificate,
  host: string,
  now: number,
): CertificateFault | undefined {
  const { authority, kind, principals, validAfter, validBefore, critical } = certificate
  const fault = (what: string, how: string): CertificateFault => ({
    what: `its certificate ${what}`,
    cure: `Sign the server's host key anew with ${how} and restart sshd`,
  })
  const signature = checkSignature(authority, certificate.signed, certificate.signature)
  if (signature === 'sha1') {
    return fault('is signed with SHA-1, which can be forged', '`ssh-keygen -t rsa-sha2-512 -s CA -h`')
  }
  if (signature === 'unknown') {
    const type = typeOf(authority) || 'an unreadable type'
    return fault(`is signed by a key of ${type}, which cannot be checked here`, 'an ED25519 authority')
  }
  if (signature === 'bad') {
    return fault(`has a signature that ${fingerprintOf(authority)} did not make`, '`ssh-keygen -s CA -h`')
  }
  if (kind !== 2) return fault('is for users, not for hosts', 'the option `-h` of ssh-keygen')
  const seconds = BigInt(Math.floor(now))
  if (seconds < validAfter) {
    return fault(`is not valid before ${moment(validAfter)}`, 'another `-V` (or correct the clocks)')
  }
  if (seconds >= validBefore)
    return fault(`expired on ${moment(validBefore)}`, 'a later `-V`, such as `-V +52w`,')
  const name = host.toLowerCase()
  if (!principals.some((one) => matchesPattern(one, name))) {
    const named = principals.slice(0, 5).map(shown).join(', ') + (principals.length > 5 ? ' and others' : '')
    return fault(
      `${named === '' ? 'names no host' : `is for ${named}`}, not ${shown(name)}`,
      `\`-n ${name}\``,
    )
  }
  if (critical) return fault('has a critical option, which is not known for hosts', 'no `-O critical:`')
  return undefined
}

/** A time of a certificate in words; the largest possible one and other nonsense as a number. */
function moment(seconds: bigint): string {
  const date = new Date(Number(seconds) * 1000)
  return Number.isNaN(date.getTime())
    ? `second ${seconds}`
    : `${date.toISOString().slice(0, 19).replace('T', ' ')} UTC`
}
