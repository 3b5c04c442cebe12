import { execFileSync } from 'node:child_process'
import { createPrivateKey, createPublicKey, randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Server } from '../server/boot.ts'
import { type ActionOptions, reach } from './action.ts'

/** A login whose every secret is marked, with an `env` and secret files of such. */
export interface Marked {
  /** All but the workspace. */
  readonly options: Omit<ActionOptions, 'workspace'>
  /** name -> the secret, or a part of it that stands by itself: nothing else in the world holds one. */
  readonly secrets: ReadonlyMap<string, string>
  /** What to look for: name of a spelling -> its bytes. Each secret has one of them in it, in whatever encoding. */
  readonly spellings: ReadonlyMap<string, Buffer>
  readonly secretFiles: Readonly<Record<string, string>>
}

/**
 * Marks every secret input. All secrets begin with one random text of letters and digits, which the encodings that
 * quote (JSON, URI, shell, HTML) leave as it is; so it is enough to look for that text and for its encodings that do not.
 * @param extraIndex `host:port` of a package index to name in `env`, with a password
 */
export async function marked(server: Server, extraIndex = ''): Promise<Marked> {
  const tag = `q${randomBytes(6).toString('hex').slice(0, 11)}`
  const next = (length = 12) => tag + randomBytes(length).toString('hex').slice(0, length)
  const odd = `${next()} "${next()}"'$(${next()})%é\\${next()} &<`
  const short = (length: number) => `q${randomBytes(8).toString('hex')}`.slice(0, length)
  const secrets = new Map([
    ['ssh-key-passphrase', next()],
    ['password', next()],
    ['sudo-password', next()],
    ['ssh-key’s comment', next()],
    ['TOKEN', next(40)],
    ['ODD', odd],
    ['LINES', `${next()}\n${next()}`],
    ['INDEX', next()],
    ['SHORT', short(4)],
    ['FIVE', short(5)],
    ['SEVEN', short(7)],
    ['file’s token', next()],
    ['file’s odd text', `${odd}\n${next()}`],
  ])
  const of = (name: string) => secrets.get(name) ?? ''
  const login = keyOf(tag, of('ssh-key’s comment'), of('ssh-key-passphrase'))
  const account = keyOf(tag, '', '').pem
  for (const [at, line] of lines(login.key).entries()) secrets.set(`ssh-key’s line ${at + 1}`, line)
  const site = certificateOf(tag)
  secrets.set('tls-key’s secret line', lines(site.key)[0] ?? '')
  secrets.set('file’s private key', lines(account)[0] ?? '')
  const secretFiles = {
    'account.json': JSON.stringify(
      { type: 'service_account', private_key: account, id: of('file’s token') },
      undefined,
      2,
    ),
    'key.pem': account,
    odd: of('file’s odd text'),
  }
  await server.must(
    'IFS= read -r password; printf "asker:%s\\n" "$password" | chpasswd; cat > /home/asker/.ssh/authorized_keys',
    {
      stdin: `${of('sudo-password')}\n${login.publicKey}\n`,
    },
  )
  const quoted = (text: string) => `"${text.replace(/[\\"$]/g, '\\$&').replaceAll('\n', '\\n')}"`
  const env = [
    ...['TOKEN', 'SHORT', 'FIVE', 'SEVEN'].map((name) => `${name}=${of(name)}`),
    ...['ODD', 'LINES'].map((name) => `${name}=${quoted(of(name))}`),
    `ACCOUNT=${quoted(secretFiles['account.json'])}`,
    ...(extraIndex === '' ? [] : [`UV_EXTRA_INDEX_URL=http://user:${of('INDEX')}@${extraIndex}/`]),
    'DEBUG=1',
  ].join('\n')
  const inputs = {
    ...reach(server),
    user: 'asker',
    'ssh-key': login.key,
    'ssh-key-passphrase': of('ssh-key-passphrase'),
    password: of('password'),
    'sudo-password': of('sudo-password'),
    // The address goes on by HTTP.
    domain: `${site.name}\n${server.address}`,
    tls: 'provided',
    'tls-certificate': site.certificate,
    'tls-key': site.key,
    env,
    'secret-files': Object.entries(secretFiles)
      .map(([name, content]) => `${name}: ${JSON.stringify(content)}`)
      .join('\n'),
  }
  return { options: { inputs }, secrets, spellings: spellings(tag, lines(login.key)), secretFiles }
}

/** Encodings that leave nothing of a text to be seen, and what is no text: the lines of an encrypted key. */
function spellings(tag: string, keyLines: readonly string[]): ReadonlyMap<string, Buffer> {
  const bytes = Buffer.from(tag)
  const hex = bytes.toString('hex')
  // Six bits a digit: those that depend on the text alone, wherever in a longer one it stands. base64url is the same
  // for letters and digits.
  const base64 = [0, 1, 2].map((before) => {
    const digits = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64')
    return digits.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6))
  })
  const reversed = [...tag].reverse().join('')
  const texts = {
    'as it is': tag,
    backwards: reversed,
    'in capitals': tag.toUpperCase(),
    hex,
    HEX: hex.toUpperCase(),
    ...Object.fromEntries(base64.map((digits, at) => [`base64, ${at} bytes in`, digits])),
    'base64 of base64': Buffer.from(base64[0] ?? '')
      .toString('base64')
      .slice(0, 18),
    'hex of base64': Buffer.from(base64[0] ?? '').toString('hex'),
    ...Object.fromEntries(keyLines.map((line, at) => [`ssh-key’s line ${at + 1}`, line])),
  }
  return new Map([
    ...Object.entries(texts).map(([name, text]) => [name, Buffer.from(text)] as const),
    ['UTF-16', Buffer.from(tag, 'utf16le')] as const,
  ])
}

/** The lines between a key's first and last one. */
function lines(key: string): readonly string[] {
  return key.trim().split('\n').slice(1, -1)
}

/**
 * An Ed25519 key whose 32 secret bytes are a marked text themselves.
 * @returns `key` in OpenSSH's form (PROTOCOL.key of OpenSSH), `pem` in PKCS #8 (RFC 8410)
 */
function keyOf(tag: string, comment: string, passphrase: string) {
  // Twice: a line of the key ends within one of them at most.
  const seed = Buffer.from((tag + tag + randomBytes(8).toString('hex')).slice(0, 32))
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed])
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  const pem = key.export({ type: 'pkcs8', format: 'pem' }).toString()
  const raw = createPublicKey(key).export({ type: 'spki', format: 'der' }).subarray(-32)
  const string = (data: Buffer | string) => {
    const bytes = Buffer.from(data)
    const length = Buffer.alloc(4)
    length.writeUInt32BE(bytes.length)
    return Buffer.concat([length, bytes])
  }
  const publicBlob = Buffer.concat([string('ssh-ed25519'), string(raw)])
  const check = Buffer.alloc(8)
  const inner = Buffer.concat([check, publicBlob, string(Buffer.concat([seed, raw])), string(comment)])
  const padding = Buffer.from([1, 2, 3, 4, 5, 6, 7]).subarray(0, (8 - (inner.length % 8)) % 8)
  const one = Buffer.from([0, 0, 0, 1])
  const all = [
    Buffer.from('openssh-key-v1\0'),
    string('none'),
    string('none'),
    string(''),
    one,
    string(publicBlob),
  ]
  const body = Buffer.concat([...all, string(Buffer.concat([inner, padding]))]).toString('base64')
  const frame = (text: string) =>
    `-----BEGIN OPENSSH PRIVATE KEY-----\n${text.replace(/.{70}/g, '$&\n')}\n-----END OPENSSH PRIVATE KEY-----\n`
  return {
    pem,
    key: passphrase === '' ? frame(body) : encrypted(frame(body), passphrase),
    publicKey: `ssh-ed25519 ${publicBlob.toString('base64')}`,
  }
}

function encrypted(key: string, passphrase: string): string {
  return inFile(key, (file) => {
    execFileSync('ssh-keygen', ['-q', '-p', '-P', '', '-N', passphrase, '-f', file])
    return readFileSync(file, 'utf8')
  })
}

/** A certificate for a name, and its key: one on P-256 whose secret number is a marked text. */
function certificateOf(tag: string) {
  const name = 'marked.example'
  const number = Buffer.from((tag + tag + randomBytes(8).toString('hex')).slice(0, 32))
  // ECPrivateKey of RFC 5915 without the public half.
  const der = Buffer.concat([
    Buffer.from('30310201010420', 'hex'),
    number,
    Buffer.from('a00a06082a8648ce3d030107', 'hex'),
  ])
  const key = createPrivateKey({ key: der, format: 'der', type: 'sec1' })
  const pem = key.export({ type: 'pkcs8', format: 'pem' }).toString()
  const request = [
    'req',
    '-x509',
    '-days',
    '30',
    '-subj',
    `/CN=${name}`,
    '-addext',
    `subjectAltName=DNS:${name}`,
  ]
  const certificate = inFile(pem, (file) =>
    execFileSync('openssl', [...request, '-key', file], { encoding: 'utf8' }),
  )
  return { name, certificate, key: pem }
}

/** What a program makes of a secret in a file, which is gone afterwards. */
function inFile(text: string, work: (file: string) => string): string {
  const folder = mkdtempSync(join(tmpdir(), 'key-'))
  const file = join(folder, 'key')
  writeFileSync(file, text, { mode: 0o600 })
  const result = work(file)
  rmSync(folder, { recursive: true })
  return result
}
