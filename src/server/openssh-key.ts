import { createPrivateKey, type KeyObject, randomBytes } from 'node:crypto'
import { readString, writeString, writeUint32 } from './ssh-wire.ts'

/** What a PEM block turned out to be. */
export type Converted =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly why: 'passphrase-missing' | 'passphrase-wrong' | 'type' | 'damaged' }

/**
 * Turns a PEM private key of any kind that OpenSSL reads (PKCS#1, SEC1 and PKCS#8, plain or encrypted) into an
 * unencrypted text that ssh2 reads: PKCS#1 for RSA, SEC1 for EC, OpenSSH's own format for Ed25519 (which has no
 * older one). The text exists in memory only.
 */
export function convertPem(pem: string, passphrase: string | undefined): Converted {
  let key: KeyObject
  try {
    key = createPrivateKey(passphrase === undefined ? pem : { key: pem, passphrase })
  } catch (error) {
    return { ok: false, why: whyUnreadable(pem, passphrase, error) }
  }
  const type = key.asymmetricKeyType
  if (type === 'rsa') return { ok: true, text: key.export({ type: 'pkcs1', format: 'pem' }).toString() }
  if (type === 'ec') return { ok: true, text: key.export({ type: 'sec1', format: 'pem' }).toString() }
  if (type === 'ed25519') return { ok: true, text: opensshEd25519(key) }
  return { ok: false, why: 'type' }
}

function whyUnreadable(pem: string, passphrase: string | undefined, error: unknown) {
  if (!/ENCRYPTED/.test(pem)) return 'damaged'
  if (passphrase === undefined || passphrase === '') return 'passphrase-missing'
  // What was cut short is told from a wrong passphrase by the structure around the encrypted part (PKCS#8), or
  // by a length that is no whole number of cipher blocks (the older format); all else is the passphrase.
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const cut = /WRONG_FINAL_BLOCK_LENGTH/.test(code) || !(pem.includes('DEK-Info') || wholeSequence(pem))
  return cut ? 'damaged' : 'passphrase-wrong'
}

/** Says whether a PEM block's DER is one sequence of the length that it gives itself (X.690, section 8.1.3). */
function wholeSequence(pem: string): boolean {
  const der = Buffer.from(pem.replace(/-----.*-----/g, ''), 'base64')
  const short = der[1] ?? 0
  const more = short < 0x80 ? 0 : short - 0x80
  if (der[0] !== 0x30 || more > 4 || der.length < 2 + more) return false
  return der.length === 2 + more + (more === 0 ? short : der.readUIntBE(2, more))
}

/** An Ed25519 key in OpenSSH's format, unencrypted (PROTOCOL.key in OpenSSH's source). */
function opensshEd25519(key: KeyObject): string {
  const { x = '', d = '' } = key.export({ format: 'jwk' })
  const publicPart = Buffer.from(x, 'base64url')
  const type = writeString('ssh-ed25519')
  const check = randomBytes(4)
  const inner = Buffer.concat([
    check,
    check,
    type,
    writeString(publicPart),
    writeString(Buffer.concat([Buffer.from(d, 'base64url'), publicPart])),
    writeString(''),
  ])
  // Padded to whole blocks of 8 bytes with 1, 2, 3...
  const padding = Buffer.from([1, 2, 3, 4, 5, 6, 7]).subarray(0, (8 - (inner.length % 8)) % 8)
  const blob = Buffer.concat([
    Buffer.from(magic),
    writeString('none'),
    writeString('none'),
    writeString(''),
    writeUint32(1),
    writeString(Buffer.concat([type, writeString(publicPart)])),
    writeString(Buffer.concat([inner, padding])),
  ])
  return pemBlock('OPENSSH PRIVATE KEY', blob.toString('base64'))
}

const magic = 'openssh-key-v1\0'

/** What the open part of a key in OpenSSH's format says. */
export interface OpensshShape {
  /** `none` where the key is not encrypted. */
  readonly cipher: string
  /** Every length in it fits the bytes that are there. */
  readonly complete: boolean
  /** The type of the public half, e.g. `ssh-ed25519`. */
  readonly type: string
}

/** Looks at a key in OpenSSH's format without decrypting it; undefined where it is none. */
export function opensshShape(body: Buffer): OpensshShape | undefined {
  if (body.subarray(0, magic.length).toString('latin1') !== magic) return undefined
  const cipher = readString(body, magic.length)
  const kdf = cipher && readString(body, cipher.next)
  const kdfOptions = kdf && readString(body, kdf.next)
  const publicPart = kdfOptions && readString(body, kdfOptions.next + 4)
  const privatePart = publicPart && readString(body, publicPart.next)
  return {
    cipher: cipher?.value.toString('latin1') ?? '',
    complete: privatePart !== undefined,
    type: (publicPart && readString(publicPart.value, 0)?.value.toString('latin1')) ?? '',
  }
}

/** Writes a PEM block with lines of 64 characters (RFC 7468) and a last newline. */
export function pemBlock(label: string, base64: string, headers: readonly string[] = []): string {
  const head = headers.length === 0 ? [] : [...headers, '']
  const lines = base64.match(/.{1,64}/g) ?? []
  return [`-----BEGIN ${label}-----`, ...head, ...lines, `-----END ${label}-----`, ''].join('\n')
}
