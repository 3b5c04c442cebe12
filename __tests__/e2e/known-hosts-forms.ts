import { hashed, type Names, type Sshd } from './host-identities.ts'

/** Known_hosts texts of every form, with what each comes to. */
export interface Row {
  readonly what: string
  readonly sshd: Sshd
  readonly lines: (names: Names) => string | readonly string[]
  /** The type of the host key that was accepted, or the code of the error. */
  readonly ours: string
  /** Where OpenSSH 10.0 comes to another verdict, and why. */
  readonly theirs?: { readonly accepts: boolean; readonly why: string }
}

export const ed25519 = 'ssh-ed25519'
export const rsa = 'ssh-rsa'
export const ecdsa = 'ecdsa-sha2-nistp256'

export const names: readonly Row[] = [
  { what: 'the plain name', sshd: 'main', lines: ({ host, key }) => `${host} ${key.ed25519}`, ours: ed25519 },
  {
    what: 'a comment, empty lines, tabs, blanks and Windows line ends',
    sshd: 'main',
    lines: ({ host, key }) => `# my server\r\n\r\n  \t\r\n \t${host}\t${key.ed25519}  root@my server\r\n#end`,
    ours: ed25519,
  },
  {
    what: 'several names by comma',
    sshd: 'main',
    lines: ({ host, key }) => `example.org,${host},192.0.2.1 ${key.ed25519}`,
    ours: ed25519,
  },
  {
    what: 'a hashed name',
    sshd: 'main',
    lines: ({ host, key }) => `${hashed(host)} ${key.ed25519}`,
    ours: ed25519,
  },
  {
    what: 'the hashed name of another host',
    sshd: 'main',
    lines: ({ key }) => `${hashed('192.0.2.1')} ${key.ed25519}`,
    ours: 'host-key-unknown',
  },
  { what: '*', sshd: 'main', lines: ({ key }) => `* ${key.ed25519}`, ours: ed25519 },
  {
    what: '* within a name',
    sshd: 'main',
    lines: ({ host, key }) => `${host.replace(/\.[0-9]+$/, '.*')} ${key.ed25519}`,
    ours: ed25519,
  },
  {
    what: '? for one character',
    sshd: 'main',
    lines: ({ host, key }) => `${host.replace(/\./g, '?')} ${key.ed25519}`,
    ours: ed25519,
  },
  {
    what: '? for no character',
    sshd: 'main',
    lines: ({ host, key }) => `${host}? ${key.ed25519}`,
    ours: 'host-key-unknown',
  },
  {
    what: '! for another host',
    sshd: 'main',
    lines: ({ key }) => `*,!192.0.2.* ${key.ed25519}`,
    ours: ed25519,
  },
  {
    what: '! for this host, behind what matches',
    sshd: 'main',
    lines: ({ host, key }) => `*,!${host} ${key.ed25519}`,
    ours: 'host-key-unknown',
  },
  {
    what: '! for this host, before what matches',
    sshd: 'main',
    lines: ({ host, key }) => `!${host},* ${key.ed25519}`,
    ours: 'host-key-unknown',
  },
  {
    what: '! alone, for another host',
    sshd: 'main',
    lines: ({ key }) => `!192.0.2.1 ${key.ed25519}`,
    ours: 'host-key-unknown',
  },
  {
    what: 'another host only',
    sshd: 'main',
    lines: ({ key }) => `192.0.2.1 ${key.ed25519}`,
    ours: 'host-key-unknown',
  },
]

export const ports: readonly Row[] = [
  {
    what: '[host]:port',
    sshd: 'three',
    lines: ({ host, port, key }) => `[${host}]:${port} ${key.ed25519}`,
    ours: ed25519,
  },
  {
    what: '[host]:port, hashed',
    sshd: 'three',
    lines: ({ host, port, key }) => `${hashed(`[${host}]:${port}`)} ${key.ed25519}`,
    ours: ed25519,
  },
  {
    what: 'wildcards in both parts of [host]:port',
    sshd: 'three',
    lines: ({ host, key }) => `[${host.replace(/\.[0-9]+$/, '.*')}]:* ${key.ed25519}`,
    ours: ed25519,
  },
  {
    what: '[host]:port of another port',
    sshd: 'three',
    lines: ({ host, key }) => `[${host}]:22 ${key.ed25519}`,
    ours: 'host-key-unknown',
  },
  {
    what: 'the name without the port',
    sshd: 'three',
    lines: ({ host, key }) => `${host} ${key.ed25519}`,
    ours: ed25519,
  },
  {
    what: 'the name without the port, beside another key with it',
    sshd: 'three',
    lines: ({ host, port, key }) => [`${host} ${key.ed25519}`, `[${host}]:${port} ${key.fresh}`],
    ours: 'host-key-changed',
  },
  {
    what: '[host]:22 for port 22',
    sshd: 'main',
    lines: ({ host, key }) => `[${host}]:22 ${key.ed25519}`,
    ours: 'host-key-unknown',
  },
]

export const types: readonly Row[] = [
  ...(
    [
      ['ed25519', ed25519],
      ['rsa', rsa],
      ['ecdsa', ecdsa],
    ] as const
  ).flatMap(([type, ours]): readonly Row[] => [
    {
      what: `only ${type} is pinned, of a server that has all three`,
      sshd: 'three',
      lines: ({ host, port, key }) => `[${host}]:${port} ${key[type]}`,
      ours,
    },
    {
      what: `all three are pinned, of a server that has only ${type}`,
      sshd: type,
      lines: ({ host, port, key }) =>
        [key.rsa, key.ecdsa, key.ed25519].map((one) => `[${host}]:${port} ${one}`),
      ours,
    },
  ]),
  {
    what: 'only ECDSA is pinned, without the port, of a server that has all three',
    sshd: 'three',
    lines: ({ host, key }) => `${host} ${key.ecdsa}`,
    ours: ecdsa,
    theirs: { accepts: false, why: 'ssh chooses the algorithm by the lines with the port alone' },
  },
  {
    what: 'only RSA is pinned, of a server that has only ED25519',
    sshd: 'ed25519',
    lines: ({ host, key }) => `${host} ${key.rsa}`,
    ours: 'host-key-changed',
  },
  {
    what: 'another ED25519 key is pinned',
    sshd: 'three',
    lines: ({ host, key }) => `${host} ${key.fresh}`,
    ours: 'host-key-changed',
  },
  {
    what: 'one key matches and one does not, old and new side by side',
    sshd: 'three',
    lines: ({ host, key }) => [`${host} ${key.fresh}`, `${host} ${key.ed25519}`],
    ours: ed25519,
  },
  {
    what: 'a type that is not known here stands beside the pinned one',
    sshd: 'three',
    lines: ({ host, port, key, foreign }) => [
      `[${host}]:${port} ${foreign}`,
      `[${host}]:${port} ${key.ecdsa}`,
    ],
    ours: ecdsa,
  },
  {
    what: 'a type that is not known here, with the port, beside the pinned one without',
    sshd: 'three',
    lines: ({ host, port, key, foreign }) => [`[${host}]:${port} ${foreign}`, `${host} ${key.ed25519}`],
    ours: ed25519,
  },
  {
    what: 'only a type that is not known here is pinned',
    sshd: 'three',
    lines: ({ host, foreign }) => `${host} ${foreign}`,
    ours: 'host-key-unknown',
  },
  {
    what: 'a server that can sign with its RSA key by SHA-1 only, though it is pinned',
    sshd: 'sha1',
    lines: ({ host, key }) => `${host} ${key.rsa}`,
    ours: 'no-common-algorithm',
  },
]
