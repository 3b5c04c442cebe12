import { generateKeyPairSync } from 'node:crypto'
import ssh2 from 'ssh2'
import { freshKey } from '../server-side/fresh-key.ts'
import { type Fails, failsIn, type Row, user, type Works } from './staged-logins.ts'

const ed25519 = freshKey('ed25519')
const other = freshKey('ed25519')
const locked = freshKey('ed25519', 'right one')
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })

/** An RSA key in its older format, which OpenSSH has always read. */
export const rsaKey = privateKey.export({ type: 'pkcs1', format: 'pem' }).toString()
const pkcs8 = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
const rsaLine = ssh2.utils.parseKey(rsaKey)
if (rsaLine instanceof Error) throw rsaLine

/** sh that makes the user `keys`, who lets in every sound key of this page. */
export const keysUser = user(
  'keys',
  [ed25519.public, locked.public, `ssh-rsa ${rsaLine.getPublicSSH().toString('base64')}`]
    .map((line) => `echo '${line.trim()}' >> /home/keys/.ssh/authorized_keys`)
    .join('\n'),
)

const sound = `${ed25519.private.trim()}\n`
const lines = sound.trim().split('\n')
const ppk = `PuTTY-User-Key-File-3: ssh-ed25519
Encryption: none
Comment: eddsa-key-20260101
Public-Lines: 2
${(ed25519.public.split(' ')[1] ?? '').replace(/.{64}/, '$&\n')}
Private-Lines: 1
AAAAIHZ1ZmVvbjEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2
Private-MAC: ${'0'.repeat(64)}
`

/** Told before anybody is called. */
const refused = (
  what: string,
  key: string,
  said: Pick<Fails, 'code' | 'cause' | 'cure'>,
  more: Readonly<Record<string, string>> = {},
  input = 'ssh-key',
): Fails => failsIn('inputs')({ what, inputs: { 'ssh-key': key, ...more }, calls: 0 }, { ...said, input })

/** Damage that is undone: the login works, and the log says what was done. */
const repaired = (what: string, key: string, done: string): Works => ({
  what,
  inputs: { 'ssh-key': key },
  says: new RegExp(`^The key in \`ssh-key\` was repaired: ${done}\\.$`, 'm'),
  calls: 1,
})

const nothing = {
  code: 'bad-inputs',
  cause: /`ssh-key` is empty: the secret is empty or its name is misspelt/,
  cure: /Check that a secret of exactly that name exists for this job/,
}
const truncated = {
  code: 'key-truncated',
  cause: /parts of it are missing/,
  cure: /Paste the whole file again, from the line with BEGIN to the line with END/,
}

/** What people put into the secret for the key. */
export const keyRows: readonly Row[] = [
  refused("a misspelt secret's name: GitHub gives an empty text", '', nothing),
  refused('a secret of blanks and a line break', ' \n', nothing),
  refused('the public key', `${ed25519.public.trim()} me@home\n`, {
    code: 'key-public',
    cause: /holds a public key/,
    cure: /Put the private half there.*without `\.pub`/,
  }),
  refused("PuTTY's format", ppk, {
    code: 'key-ppk',
    cause: /in PuTTY's format/,
    cure: /puttygen KEY\.ppk -O private-openssh-new -o KEY/,
  }),
  refused("the key's path", '~/.ssh/id_ed25519', {
    code: 'key-path',
    cause: /holds the path of a file/,
    cure: /Put the file's content there/,
  }),
  refused('a password in place of the key', 'correct horse', {
    code: 'key-unreadable',
    cause: /holds no private key: there is no line `-----BEGIN/,
    cure: /Paste the whole content of the private key file/,
  }),
  refused('no END line', lines.slice(0, -1).join('\n'), truncated),
  refused(
    'a line is missing in the middle',
    lines.filter((_line, index) => index !== 3).join('\n'),
    truncated,
  ),
  refused('two keys', `${sound}${other.private}`, {
    code: 'key-two',
    cause: /holds 2 private keys/,
    cure: /Leave only the one .* authorized_keys/,
  }),
  refused(
    'encrypted, no passphrase given',
    locked.private,
    {
      code: 'key-passphrase-missing',
      cause: /`ssh-key` is encrypted, and `ssh-key-passphrase` is not given or empty/,
      cure: /Set `ssh-key-passphrase` from a secret.*or use a key of its own/,
    },
    {},
    'ssh-key-passphrase',
  ),
  refused(
    'encrypted, the wrong passphrase',
    locked.private,
    {
      code: 'key-passphrase-wrong',
      cause: /`ssh-key-passphrase` does not open `ssh-key`/,
      cure: /ssh-keygen -y -f KEY/,
    },
    { 'ssh-key-passphrase': 'wrong one' },
    'ssh-key-passphrase',
  ),
  {
    what: 'encrypted, the right passphrase',
    inputs: { 'ssh-key': locked.private, 'ssh-key-passphrase': 'right one' },
    says: /^Logging in as keys with the key SHA256:\S+ \(ED25519\)\.$/m,
    calls: 1,
  },
  repaired('PKCS#8', pkcs8, 'converted it from PKCS#8'),
  repaired('literal \\n', sound.trim().replaceAll('\n', '\\n'), 'turned literal \\\\n into line breaks'),
  repaired('CRLF', sound.replaceAll('\n', '\r\n'), 'turned Windows line ends into plain ones'),
  repaired('indented', sound.replace(/^(?=.)/gm, '    '), 'removed indentation'),
  repaired('no last newline', sound.trim(), 'added the missing last newline'),
  repaired('base64 of the whole', Buffer.from(sound).toString('base64'), 'decoded it from base64'),
  repaired('quotes around it', `"${sound}"`, 'removed the quotes around it'),
  repaired('all on one line', sound.trim().replaceAll('\n', ' '), 'turned spaces back into line breaks'),
  repaired('no BEGIN and END lines', lines.slice(1, -1).join('\n'), 'added the BEGIN and END lines'),
  repaired('a byte order mark', `\uFEFF${sound}`, 'removed a byte order mark'),
  repaired('text around it', `the key:\n${sound}`, 'left out the text around it'),
]
