import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { writeString, writeUint32 } from '../../src/server/ssh-wire.ts'

/** A key pair as SSH writes it, made by Node alone. */
export interface Signer {
  /** The public key in wire format. */
  readonly blob: Buffer
  /** A signature in wire format. */
  readonly sign: (text: Buffer) => Buffer
}

/** A signer for each way of signing that a certificate authority may have. */
export const signers = {
  'ssh-ed25519': ed25519,
  'rsa-sha2-512': () => rsa('rsa-sha2-512', 'sha512'),
  'rsa-sha2-256': () => rsa('rsa-sha2-256', 'sha256'),
  'ssh-rsa': () => rsa('ssh-rsa', 'sha1'),
  'ecdsa-sha2-nistp256': () => ecdsa('nistp256', 'P-256', 'sha256'),
  'ecdsa-sha2-nistp384': () => ecdsa('nistp384', 'P-384', 'sha384'),
  'ecdsa-sha2-nistp521': () => ecdsa('nistp521', 'P-521', 'sha512'),
} as const satisfies Record<string, () => Signer>

export function ed25519(): Signer {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  return {
    blob: strings('ssh-ed25519', part(publicKey, 'x')),
    sign: (text) => strings('ssh-ed25519', sign(null, text, privateKey)),
  }
}

function rsa(algorithm: string, hash: string): Signer {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return {
    blob: strings('ssh-rsa', positive(part(publicKey, 'e')), positive(part(publicKey, 'n'))),
    sign: (text) => strings(algorithm, sign(hash, text, privateKey)),
  }
}

function ecdsa(name: string, curve: string, hash: string): Signer {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: curve })
  const type = `ecdsa-sha2-${name}`
  const point = Buffer.concat([Buffer.from([4]), part(publicKey, 'x'), part(publicKey, 'y')])
  return {
    blob: strings(type, name, point),
    sign(text) {
      const both = sign(hash, text, { key: privateKey, dsaEncoding: 'ieee-p1363' })
      const half = both.length / 2
      return strings(type, strings(positive(both.subarray(0, half)), positive(both.subarray(half))))
    },
  }
}

/** What a certificate says; what is left out is as for a good one for example.com. */
export interface Said {
  readonly key?: Buffer
  readonly kind?: number
  readonly principals?: readonly string[]
  readonly validAfter?: bigint
  readonly validBefore?: bigint
  readonly critical?: Buffer
}

/** A certificate in wire format (PROTOCOL.certkeys), for an ED25519 key unless told. */
export function certificate(authority: Signer, said: Said = {}): Buffer {
  const { key = ed25519().blob, kind = 2, principals = ['example.com'], critical = Buffer.alloc(0) } = said
  const { validAfter = 0n, validBefore = 2n ** 64n - 1n } = said
  const typeLength = key.readUInt32BE(0)
  const type = key.subarray(4, 4 + typeLength).toString()
  const signed = Buffer.concat([
    strings(`${type}-cert-v01@openssh.com`, randomBytes(32)),
    key.subarray(4 + typeLength),
    uint64(7n),
    writeUint32(kind),
    strings('web', strings(...principals)),
    uint64(validAfter),
    uint64(validBefore),
    strings(critical, '', '', authority.blob),
  ])
  return Buffer.concat([signed, strings(authority.sign(signed))])
}

function strings(...values: readonly (string | Uint8Array)[]): Buffer {
  return Buffer.concat(values.map(writeString))
}

function part(key: KeyObject, name: 'x' | 'y' | 'n' | 'e'): Buffer {
  return Buffer.from(key.export({ format: 'jwk' })[name] ?? '', 'base64url')
}

/** A number as SSH writes it: without zeros before it but the one that keeps it positive. */
function positive(bytes: Buffer): Buffer {
  const start = bytes.findIndex((byte) => byte !== 0)
  const short = bytes.subarray(Math.max(0, start))
  return (short[0] ?? 0) < 0x80 ? short : Buffer.concat([Buffer.alloc(1), short])
}

function uint64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(value)
  return bytes
}
