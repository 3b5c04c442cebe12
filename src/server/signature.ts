import { createPublicKey, type JsonWebKey, type KeyObject, verify } from 'node:crypto'
import { readString, readStrings } from './ssh-wire.ts'

/** NIST's curves: SSH's name (RFC 5656, section 6.1) to JWK's (RFC 7518, section 6.2.1.1), bytes of a number, and the hash that goes with it. */
const curves: Readonly<
  Record<string, { readonly crv: string; readonly bytes: number; readonly hash: string }>
> = {
  nistp256: { crv: 'P-256', bytes: 32, hash: 'sha256' },
  nistp384: { crv: 'P-384', bytes: 48, hash: 'sha384' },
  nistp521: { crv: 'P-521', bytes: 66, hash: 'sha512' },
}

/** OpenSSH takes no shorter RSA key (SSH_RSA_MINIMUM_MODULUS_SIZE in its sshkey.h). */
const leastRsaBits = 1024

/**
 * Reads a public key in wire format (RFC 4253, section 6.6; RFC 5656, section 3.1; RFC 8709, section 4); undefined where
 * it is not whole, has something behind it, is too short, or is of a type that Node cannot check.
 */
export function readPublicKey(blob: Buffer): KeyObject | undefined {
  const jwk = jwkOf(blob)
  if (jwk === undefined) return undefined
  try {
    const key = createPublicKey({ key: jwk, format: 'jwk' })
    return (key.asymmetricKeyDetails?.modulusLength ?? leastRsaBits) < leastRsaBits ? undefined : key
  } catch {
    return undefined
  }
}

function jwkOf(blob: Buffer): JsonWebKey | undefined {
  const [type, first, second, ...more] = readStrings(blob) ?? []
  if (type === undefined || first === undefined || more.length > 0) return undefined
  const name = type.toString('latin1')
  if (name === 'ssh-ed25519' && second === undefined) {
    return { kty: 'OKP', crv: 'Ed25519', x: first.toString('base64url') }
  }
  if (second === undefined) return undefined
  if (name === 'ssh-rsa') {
    return { kty: 'RSA', e: number(first).toString('base64url'), n: number(second).toString('base64url') }
  }
  const curveName = first.toString('latin1')
  const curve = curves[curveName]
  // 4: a point that is not compressed, x and y (RFC 5656, section 3.1).
  if (curve === undefined || name !== `ecdsa-sha2-${curveName}` || second[0] !== 4) return undefined
  if (second.length !== 1 + 2 * curve.bytes) return undefined
  const x = second.subarray(1, 1 + curve.bytes).toString('base64url')
  const y = second.subarray(1 + curve.bytes).toString('base64url')
  return { kty: 'EC', crv: curve.crv, x, y }
}

/**
 * What a signature is worth: `good`; `bad` is not of this key and text; `sha1` by an algorithm that can be forged;
 * `unknown` by one that cannot be checked here, such as a hardware key's.
 */
export type SignatureVerdict = 'good' | 'bad' | 'sha1' | 'unknown'

/** Checks a signature in wire format (RFC 4253, section 6.6; RFC 8332; RFC 5656, section 3.1.2; RFC 8709, section 6). */
export function checkSignature(keyBlob: Buffer, text: Buffer, signature: Buffer): SignatureVerdict {
  const type = readString(keyBlob, 0)?.value.toString('latin1') ?? ''
  const key = readPublicKey(keyBlob)
  const [algorithm, value, ...more] = readStrings(signature) ?? []
  if (key === undefined) return 'unknown'
  if (algorithm === undefined || value === undefined || more.length > 0) return 'bad'
  const name = algorithm.toString('latin1')
  if (name === 'ssh-rsa' || name === 'ssh-dss') return 'sha1'
  const hash = hashOf(type, name)
  const bytes = hash === undefined ? undefined : plainSignature(key, type, value)
  if (hash === undefined || bytes === undefined) return 'bad'
  return verify(hash, text, { key, dsaEncoding: 'ieee-p1363' }, bytes) ? 'good' : 'bad'
}

/** The hash of an algorithm that a key of this type signs with: null where it has its own; undefined where they do not go together. */
function hashOf(type: string, algorithm: string): string | null | undefined {
  if (type === 'ssh-rsa') {
    return algorithm === 'rsa-sha2-512' ? 'sha512' : algorithm === 'rsa-sha2-256' ? 'sha256' : undefined
  }
  if (type !== algorithm) return undefined
  return type === 'ssh-ed25519' ? null : curves[type.replace('ecdsa-sha2-', '')]?.hash
}

/** The signature as Node wants it: numbers at their full length, and for ECDSA both of them in a row. */
function plainSignature(key: KeyObject, type: string, value: Buffer): Buffer | undefined {
  if (type === 'ssh-ed25519') return value
  if (type === 'ssh-rsa') return padded(value, Math.ceil((key.asymmetricKeyDetails?.modulusLength ?? 0) / 8))
  const bytes = curves[type.replace('ecdsa-sha2-', '')]?.bytes ?? 0
  const [r, s, ...more] = readStrings(value) ?? []
  if (r === undefined || s === undefined || more.length > 0) return undefined
  const both = [r, s].map((one) => padded(number(one), bytes))
  return both.every((one) => one !== undefined) ? Buffer.concat(both) : undefined
}

/** A positive number (RFC 4251, section 5, mpint) without the zeros before it. */
function number(bytes: Buffer): Buffer {
  const start = bytes.findIndex((byte) => byte !== 0)
  return start < 0 ? Buffer.alloc(0) : bytes.subarray(start)
}

function padded(bytes: Buffer, length: number): Buffer | undefined {
  return bytes.length > length ? undefined : Buffer.concat([Buffer.alloc(length - bytes.length), bytes])
}
