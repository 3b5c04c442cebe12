// CommonJS: its members are not named exports under Node's own loader.
import ssh2, { type ParsedKey } from 'ssh2'
import { DeployError } from '../errors.ts'
import { repairKeyText } from './key-repair.ts'
import { convertPem, opensshShape, pemBlock } from './openssh-key.ts'
import { familyOf, fingerprintOf } from './public-key.ts'

/** The private key to log in with, read once. */
export interface PrivateKey {
  /** What ssh2 signs with; holds the secret. */
  readonly parsed: ParsedKey
  /** Type of the key, e.g. `ssh-ed25519`. */
  readonly type: string
  /** `SHA256:...` of the public half, as `ssh-keygen -l` prints it. */
  readonly fingerprint: string
  /** The public half as a line for authorized_keys; no secret. */
  readonly publicLine: string
  /** What had to be repaired in the given text, in words; empty where it was sound. */
  readonly repaired: readonly string[]
}

/**
 * Reads `ssh-key`, undoing harmless damage and converting PKCS#8.
 * @throws DeployError `key-empty`, `key-public`, `key-path`, `key-certificate`, `key-ppk`, `key-unreadable`,
 * `key-two`, `key-truncated`, `key-passphrase-missing`, `key-passphrase-wrong`, `key-cipher`, `key-type`.
 */
export function readKey(given: string, passphrase: string | undefined): PrivateKey {
  const { text, repaired } = repairKeyText(given)
  const block = theOneBlock(text)
  const readable =
    block.label === 'OPENSSH PRIVATE KEY' ? openssh(block, passphrase) : converted(block, passphrase)
  const undone = [
    ...repaired,
    ...(block.alone ? [] : ['left out the text around it']),
    ...(pkcs8Labels.includes(block.label) ? ['converted it from PKCS#8'] : []),
  ]
  const parsed = parse(readable, passphrase)
  const blob = parsed.getPublicSSH()
  return {
    parsed,
    type: parsed.type,
    fingerprint: fingerprintOf(blob),
    publicLine: `${parsed.type} ${blob.toString('base64')}`,
    repaired: undone,
  }
}

/** What a block in PKCS#8 is called (RFC 7468, sections 10 and 11); OpenSSL writes it, ssh2 does not read it. */
const pkcs8Labels: readonly string[] = ['PRIVATE KEY', 'ENCRYPTED PRIVATE KEY']

interface Block {
  readonly label: string
  readonly headers: readonly string[]
  readonly base64: string
  /** Nothing stands before or behind it. */
  readonly alone: boolean
}

function theOneBlock(text: string): Block {
  refuseOtherThings(text)
  const begins = [...text.matchAll(/^-----BEGIN ([A-Z0-9 ]*PRIVATE KEY)-----$/gm)]
  const [begin] = begins
  if (begin === undefined) throw unreadable()
  if (begins.length > 1) {
    throw fault(
      'key-two',
      `\`ssh-key\` holds ${begins.length} private keys.`,
      'Leave only the one in it whose public half is in authorized_keys on the server.',
    )
  }
  const label = begin[1] ?? ''
  const start = begin.index + begin[0].length
  const end = text.indexOf(`\n-----END ${label}-----`, start)
  if (end < 0) throw truncated()
  const lines = text.slice(start, end).split('\n')
  const headers = lines.filter((line) => line.includes(':'))
  const base64 = lines.filter((line) => !line.includes(':')).join('')
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) throw truncated()
  const around = text.slice(0, begin.index) + text.slice(end + `\n-----END ${label}-----`.length)
  return { label, headers, base64, alone: around.trim() === '' }
}

/** What people paste in place of a private key, each with its own cure. */
function refuseOtherThings(text: string): void {
  const trimmed = text.trim()
  if (trimmed === '') {
    throw fault(
      'key-empty',
      '`ssh-key` is empty.',
      'Check that the secret exists under exactly the name that the workflow uses: a misspelt name is an empty text.',
    )
  }
  if (
    /^(ssh-|ecdsa-sha2-|sk-)[a-z0-9@.-]+ +AAAA/.test(trimmed) ||
    /BEGIN (SSH2 |RSA )?PUBLIC KEY/.test(trimmed)
  ) {
    throw fault(
      'key-public',
      '`ssh-key` holds a public key.',
      'Put the private half there: the content of the file of the same name without `.pub`.',
    )
  }
  if (/-----BEGIN CERTIFICATE-----/.test(trimmed) && !/PRIVATE KEY-----/.test(trimmed)) {
    throw fault(
      'key-certificate',
      '`ssh-key` holds a certificate.',
      'Put an SSH private key there, as `ssh-keygen -t ed25519` makes one.',
    )
  }
  if (/^PuTTY-User-Key-File-\d/m.test(trimmed)) {
    throw fault(
      'key-ppk',
      "`ssh-key` is in PuTTY's format (.ppk).",
      'Convert it with `puttygen KEY.ppk -O private-openssh-new -o KEY` (or in PuTTYgen: Conversions, Export OpenSSH key) and use the new file.',
    )
  }
  if (/^[~./\\A-Za-z]:?[\w~./\\ -]*$/.test(trimmed) && trimmed.length < 200 && /[/\\]/.test(trimmed)) {
    throw fault(
      'key-path',
      '`ssh-key` holds the path of a file.',
      "Put the file's content there, from a secret.",
    )
  }
}

function openssh(block: Block, passphrase: string | undefined): string {
  const body = Buffer.from(block.base64, 'base64')
  const shape = opensshShape(body)
  if (shape === undefined || !shape.complete) throw truncated()
  if (shape.type === 'ssh-dss' || shape.type.startsWith('sk-')) throw unsupportedType(shape.type)
  if (shape.cipher !== 'none') {
    // ssh2 1.17 lists it but cannot decrypt with it ("Invalid initialization vector").
    if (shape.cipher.startsWith('chacha20')) {
      throw fault(
        'key-cipher',
        `\`ssh-key\` is encrypted with ${shape.cipher}, which this action cannot read.`,
        'Encrypt it anew with `ssh-keygen -p -Z aes256-ctr -f KEY` and use the new content.',
      )
    }
    if (passphrase === undefined || passphrase === '') throw passphraseMissing()
  }
  return pemBlock(block.label, block.base64)
}

function converted(block: Block, passphrase: string | undefined): string {
  const result = convertPem(pemBlock(block.label, block.base64, block.headers), passphrase)
  if (result.ok) return result.text
  switch (result.why) {
    case 'passphrase-missing':
      throw passphraseMissing()
    case 'passphrase-wrong':
      throw passphraseWrong()
    case 'type':
      throw unsupportedType(block.label)
    case 'damaged':
      throw truncated()
  }
}

function parse(text: string, passphrase: string | undefined): ParsedKey {
  const parsed = passphrase === undefined ? ssh2.utils.parseKey(text) : ssh2.utils.parseKey(text, passphrase)
  if (!(parsed instanceof Error)) {
    if (!parsed.isPrivateKey()) throw unreadable()
    return parsed
  }
  // The shape was checked before, so what an encrypted key stumbles over now is its passphrase.
  const encrypted = opensshShape(Buffer.from(text.replace(/-----.*-----/g, ''), 'base64'))
  if (encrypted !== undefined && encrypted.cipher !== 'none') throw passphraseWrong()
  if (/Unsupported/.test(parsed.message)) throw unsupportedType(encrypted?.type ?? '')
  throw truncated()
}

function fault(code: string, cause: string, cure: string, input = 'ssh-key'): DeployError {
  return new DeployError(code, { cause, cure, input })
}

function truncated(): DeployError {
  return fault(
    'key-truncated',
    '`ssh-key` begins like a private key, but parts of it are missing or altered.',
    'Paste the whole file again, from the line with BEGIN to the line with END.',
  )
}

function unreadable(): DeployError {
  return fault(
    'key-unreadable',
    '`ssh-key` holds no private key: there is no line `-----BEGIN ... PRIVATE KEY-----` in it.',
    'Paste the whole content of the private key file, such as ~/.ssh/id_ed25519, into the secret.',
  )
}

function passphraseMissing(): DeployError {
  return fault(
    'key-passphrase-missing',
    '`ssh-key` is encrypted, and `ssh-key-passphrase` is not given or empty.',
    "Set `ssh-key-passphrase` from a secret (a misspelt secret's name is an empty text), or use a key of its own for deploying that has no passphrase.",
    'ssh-key-passphrase',
  )
}

function passphraseWrong(): DeployError {
  return fault(
    'key-passphrase-wrong',
    '`ssh-key-passphrase` does not open `ssh-key`.',
    'Try it on your machine with `ssh-keygen -y -f KEY`, then correct the secret.',
    'ssh-key-passphrase',
  )
}

function unsupportedType(type: string): DeployError {
  const name = type === '' || type.includes('PRIVATE') ? 'a type' : `the type ${familyOf(type)}`
  return fault(
    'key-type',
    `\`ssh-key\` is of ${name} that cannot be used to log in from a workflow.`,
    'Make an Ed25519 key with `ssh-keygen -t ed25519 -N "" -f deploy_key` and add its public half to the server.',
  )
}
