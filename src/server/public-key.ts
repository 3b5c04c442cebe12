import { createHash } from 'node:crypto'
import { readString } from './ssh-wire.ts'

/** The algorithms by which a server may prove a key of each type; SHA-1 (`ssh-rsa`) is never asked for. */
const algorithmsByType = {
  'ssh-ed25519': ['ssh-ed25519'],
  'ecdsa-sha2-nistp256': ['ecdsa-sha2-nistp256'],
  'ecdsa-sha2-nistp384': ['ecdsa-sha2-nistp384'],
  'ecdsa-sha2-nistp521': ['ecdsa-sha2-nistp521'],
  'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256'],
} as const

/** A type of host key that ssh2 can check (1.17), as it stands in a known_hosts line. */
export type HostKeyType = keyof typeof algorithmsByType

/** The signature algorithm by which a server proves its host key. */
export type HostKeyAlgorithm = (typeof algorithmsByType)[HostKeyType][number]

/** Every type that can be checked, in the order in which they are asked for. */
export const hostKeyTypes: readonly HostKeyType[] = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'ssh-rsa',
]

/** Says whether a host key of this type can be checked. */
export function isHostKeyType(type: string): type is HostKeyType {
  return Object.hasOwn(algorithmsByType, type)
}

/** The algorithms to ask for to be shown a key of this type, best first. */
export function algorithmsFor(type: HostKeyType): readonly HostKeyAlgorithm[] {
  return algorithmsByType[type]
}

/**
 * The fingerprint of a public key in wire format, as `ssh-keygen -l` prints it: `SHA256:` and the unpadded
 * base64 of the hash.
 */
export function fingerprintOf(blob: Uint8Array): string {
  const hash = createHash('sha256').update(blob).digest('base64')
  return `SHA256:${hash.replace(/=+$/, '')}`
}

/** The type that a public key in wire format says it has, e.g. `ssh-ed25519`; '' where it says none. */
export function typeOf(blob: Buffer): string {
  const type = readString(blob, 0)?.value.toString('latin1') ?? ''
  return /^[a-z0-9@.-]{1,64}$/.test(type) ? type : ''
}

/** The type's name as people and `ssh-keygen -l` say it: ED25519, ECDSA, RSA. */
export function familyOf(type: string): string {
  if (type.includes('ed25519')) return 'ED25519'
  if (type.includes('ecdsa')) return 'ECDSA'
  if (type.includes('rsa')) return 'RSA'
  return type === '' ? 'unreadable' : type
}
