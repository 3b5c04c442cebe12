import { hashed, type Names } from './host-identities.ts'
import { ecdsa, ed25519, type Row, rsa } from './known-hosts-forms.ts'

export const revoked: readonly Row[] = [
  {
    what: 'the key is revoked for every host',
    sshd: 'three',
    lines: ({ host, key }) => [`${host} ${key.ed25519}`, `@revoked * ${key.ed25519}`],
    ours: 'host-key-revoked',
  },
  {
    what: 'the key is revoked under a hashed name, in the line before',
    sshd: 'main',
    lines: ({ host, key }) => [`@revoked ${hashed(host)} ${key.ed25519}`, `${host} ${key.ed25519}`],
    ours: 'host-key-revoked',
  },
  {
    what: 'the key is revoked for another host',
    sshd: 'three',
    lines: ({ host, key }) => [`${host} ${key.ed25519}`, `@revoked 192.0.2.1 ${key.ed25519}`],
    ours: ed25519,
  },
  {
    what: 'the key is revoked without the port, and pinned with it',
    sshd: 'three',
    lines: ({ host, port, key }) => [`[${host}]:${port} ${key.ed25519}`, `@revoked ${host} ${key.ed25519}`],
    ours: 'host-key-revoked',
    theirs: { accepts: true, why: 'ssh looks at the lines with the port alone where they have a key' },
  },
  {
    what: 'another key is revoked',
    sshd: 'three',
    lines: ({ host, key }) => [`${host} ${key.ed25519}`, `@revoked * ${key.fresh}`],
    ours: ed25519,
  },
  {
    what: 'the key is revoked and its authority is trusted',
    sshd: 'certified',
    lines: ({ host, key, authority }) => [
      `@cert-authority ${host} ${authority.ed25519}`,
      `@revoked * ${key.ed25519}`,
    ],
    ours: 'host-key-revoked',
  },
  {
    what: 'the authority is revoked for every host and trusted for this one',
    sshd: 'certified',
    lines: ({ host, authority }) => [
      `@cert-authority ${host} ${authority.ed25519}`,
      `@revoked * ${authority.ed25519}`,
    ],
    ours: 'host-key-revoked',
  },
  {
    what: 'the authority is revoked, though the key itself is pinned',
    sshd: 'certified',
    lines: ({ host, key, authority }) => [`${host} ${key.ed25519}`, `@revoked * ${authority.ed25519}`],
    ours: 'host-key-revoked',
  },
  {
    what: 'another authority is revoked',
    sshd: 'certified',
    lines: ({ host, authority }) => [
      `@cert-authority ${host} ${authority.ed25519}`,
      `@revoked * ${authority.rsa}`,
    ],
    ours: ed25519,
  },
]

const byAuthority = ({ authority }: Names) => `@cert-authority * ${authority.ed25519}`

export const authorities: readonly Row[] = [
  { what: 'an authority for *', sshd: 'certified', lines: byAuthority, ours: ed25519 },
  {
    what: 'an authority for [host]:port',
    sshd: 'certified',
    lines: ({ host, port, authority }) => `@cert-authority [${host}]:${port} ${authority.ed25519}`,
    ours: ed25519,
  },
  {
    what: 'an authority for the hashed name without the port',
    sshd: 'certified',
    lines: ({ host, authority }) => `@cert-authority ${hashed(host)} ${authority.ed25519}`,
    ours: ed25519,
  },
  {
    what: 'an authority for the name without the port, beside another key with it',
    sshd: 'certified',
    lines: ({ host, port, key, authority }) => [
      `@cert-authority ${host} ${authority.ed25519}`,
      `[${host}]:${port} ${key.fresh}`,
    ],
    ours: ed25519,
  },
  {
    what: 'an authority for another host',
    sshd: 'certified',
    lines: ({ authority }) => `@cert-authority 192.0.2.1 ${authority.ed25519}`,
    ours: 'host-key-unknown',
  },
  {
    what: 'an authority that did not sign',
    sshd: 'certified',
    lines: ({ authority }) => `@cert-authority * ${authority.ecdsa}`,
    ours: 'host-key-authority',
  },
  {
    what: 'an authority that did not sign, beside the key itself',
    sshd: 'certified',
    lines: ({ host, key, authority }) => [`@cert-authority * ${authority.ecdsa}`, `${host} ${key.ed25519}`],
    ours: ed25519,
  },
  {
    what: 'the authority’s key pinned as if it were the host’s',
    sshd: 'certified',
    lines: ({ host, authority }) => `${host} ${authority.ed25519}`,
    ours: 'host-key-changed',
  },
  {
    what: 'a server without a certificate',
    sshd: 'three',
    lines: byAuthority,
    ours: 'host-key-authority',
  },
  {
    what: 'a server without a certificate, whose key is pinned besides',
    sshd: 'three',
    lines: (given) => [byAuthority(given), `[${given.host}]:${given.port} ${given.key.rsa}`],
    ours: rsa,
  },
  {
    what: 'an RSA key signed by an RSA authority',
    sshd: 'rsa-certified',
    lines: ({ authority }) => `@cert-authority * ${authority.rsa}`,
    ours: rsa,
  },
  {
    what: 'an ECDSA key signed by an ECDSA authority',
    sshd: 'ecdsa-certified',
    lines: ({ authority }) => `@cert-authority * ${authority.ecdsa}`,
    ours: ecdsa,
  },
  {
    what: 'a signature with SHA-1',
    sshd: 'sha1-certified',
    lines: ({ authority }) => `@cert-authority * ${authority.rsa}`,
    ours: 'host-key-authority',
  },
  { what: 'an expired certificate', sshd: 'expired', lines: byAuthority, ours: 'host-key-authority' },
  {
    what: 'an expired certificate, beside the key itself',
    sshd: 'expired',
    lines: (given) => [byAuthority(given), `${given.host} ${given.key.ed25519}`],
    ours: ed25519,
  },
  { what: 'a certificate of tomorrow', sshd: 'future', lines: byAuthority, ours: 'host-key-authority' },
  {
    what: 'a certificate for another host',
    sshd: 'other-host',
    lines: byAuthority,
    ours: 'host-key-authority',
  },
  { what: 'a certificate for several hosts', sshd: 'several-hosts', lines: byAuthority, ours: ed25519 },
  {
    what: 'a certificate for a pattern',
    sshd: 'pattern',
    lines: byAuthority,
    ours: ed25519,
    theirs: { accepts: false, why: 'before 10.3 the name was taken for the pattern' },
  },
  {
    what: 'a certificate for no host at all',
    sshd: 'no-host',
    lines: byAuthority,
    ours: 'host-key-authority',
    theirs: { accepts: true, why: 'before 10.3 no name was every name' },
  },
  { what: 'a certificate for users', sshd: 'for-users', lines: byAuthority, ours: 'host-key-authority' },
  {
    what: 'a certificate with a critical option',
    sshd: 'critical',
    lines: byAuthority,
    ours: 'host-key-authority',
  },
]
