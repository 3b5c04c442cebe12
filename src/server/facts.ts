import { type Certificate, readCertificate } from '../config/certificate.ts'
import { isReleaseId } from '../config/paths.ts'
import { cutToBytes, visible } from '../text.ts'

/** What the server said about itself before anything was touched (remote/facts.sh). */
export interface Facts {
  readonly os: { readonly id: string; readonly version: string; readonly codename: string }
  /** Major version; 0 where systemd does not run the machine. */
  readonly systemd: number
  readonly arch: string
  /** Where /usr/bin/python3 leads, e.g. `/usr/bin/python3.11`; undefined where there is none. */
  readonly python: string | undefined
  /** Minor versions of the Pythons in /usr/bin, e.g. `3.11`. */
  readonly pythons: ReadonlySet<string>
  /** Of those that uv downloaded earlier. */
  readonly managedPythons: ReadonlySet<string>
  /** Of those that apt's lists have; undefined where that was not asked, or there are no lists. */
  readonly installablePythons: ReadonlySet<string> | undefined
  readonly ipv6: boolean
  readonly cpus: number
  readonly memoryBytes: number
  /** Of the file system that has /srv; undefined where it is not known. */
  readonly diskFreeBytes: number | undefined
  /** `/var`, `/tmp` -> free bytes of the file system that has it, where that is known. */
  readonly free: ReadonlyMap<string, number>
  /** Folders that a deploy writes to and cannot: their file system is mounted read-only. */
  readonly readOnly: readonly string[]
  /** Of the packages that were asked for. */
  readonly installed: ReadonlySet<string>
  readonly nginx: string | undefined
  /** The user (and group) that nginx's workers run as. */
  readonly nginxUser: string
  /** nginx's files of ours: name -> SHA-256, hex. */
  readonly files: ReadonlyMap<string, string>
  /** Versions of uv that this tool installed, e.g. `uv-0.13.9`. */
  readonly uv: ReadonlySet<string>
  /** glibc's minor version (36 of 2.36); undefined with another C library. */
  readonly glibc: number | undefined
  /** SHA-256 of the wheels that it keeps, hex; only where that was asked. */
  readonly wheels: ReadonlySet<string>
  /** A system user `web-NAME` exists. */
  readonly account: boolean
  /** `/srv/web-NAME` exists. */
  readonly home: boolean
  /** What bears the app's name though no deploy of this tool made it, e.g. `user web-shop`, `/etc/web-shop`. */
  readonly taken: readonly string[]
  /** The variables that the server has made for the app (remote/generated.sh). */
  readonly generated: ReadonlySet<string>
  readonly firewall: boolean
  readonly state: State | undefined
  /** The release that the `current` link names. */
  readonly link: string | undefined
  /** The current release's units run. */
  readonly active: boolean
  /** Release -> the secret by which it proves itself. */
  readonly nonces: ReadonlyMap<string, string>
  /** The server's clock, in ms since 1970. */
  readonly now: number
  /** When the current release's packages were chosen, by the same clock; 0 where that is not known. */
  readonly resolved: number
  /** IPv6 addresses by which the internet may reach the server, shortened. */
  readonly addresses6: readonly string[]
  /** The certificates that the site could use: its own, and those of the user's. */
  readonly certificates: readonly StoredCertificate[]
  /** The certificate's file that the app's nginx file names; undefined where the site has HTTP only. */
  readonly siteCertificate: string | undefined
  /** Something on the server renews certbot's certificates by itself. */
  readonly renewal: boolean
}

/** A certificate on the server. */
export interface StoredCertificate extends Certificate {
  /** The file, with those of its authorities below it. */
  readonly path: string
  /** The directory URL of the authority that certbot has it from and renews it at; undefined: not certbot's. */
  readonly authority: string | undefined
}

/** The state file (remote/state.sh). */
export interface State {
  readonly generation: number
  readonly owner: { readonly id: string; readonly name: string }
  readonly current: string | undefined
  readonly previous: string | undefined
  /** A deploy that began to switch and never got its verdict. */
  readonly attempt: string | undefined
  /** The first-deploy-command has run. */
  readonly initialised: boolean
  /** Kept releases, oldest first. */
  readonly releases: readonly KeptRelease[]
  /** The authority's last refusal of a certificate; undefined where it gave one since. */
  readonly refused: Refusal | undefined
}

/** A refusal by a certificate authority. */
export interface Refusal {
  /** How often in a row. */
  readonly count: number
  /** By the server's clock, in ms since 1970. */
  readonly at: number
  /** What was asked for, as a hash. */
  readonly request: string
}

/** A release that a verdict kept; the hashes say what it was made of. */
export interface KeptRelease {
  readonly id: string
  readonly bundle: string
  readonly dependencies: string
  readonly settings: string
  /** Full commit hash, `-` where it had none. */
  readonly commit: string
}

/** Debian's and Ubuntu's user for web servers; base-passwd makes it on every machine. */
const DEFAULT_NGINX_USER = 'www-data'

/** What a word of a fact may be: it stands in the log, in a program and in nginx's files. */
const WORD = /^[\w.+:~-]{1,100}$/
const PATH = /^\/[\x21-\x7e]{1,500}$/

/**
 * Reads the facts' lines. What is missing or malformed becomes the harmless value: the server is not trusted to
 * be well-formed, and the plan says what it cannot work with.
 */
export function parseFacts(lines: readonly string[]): Facts {
  const values = new Map<string, string[]>()
  for (const line of lines) {
    const space = line.indexOf(' ')
    const key = space < 0 ? line : line.slice(0, space)
    const value = space < 0 ? '' : line.slice(space + 1)
    values.set(key, [...(values.get(key) ?? []), value])
  }
  const all = (key: string) => values.get(key) ?? []
  const one = (key: string) => all(key)[0] || undefined
  const fitting = (key: string, form: RegExp) =>
    all(key)
      .slice(0, 1)
      .find((value) => form.test(value))
  const [id = 'unknown', version = '0', codename = 'unknown'] = (one('os') ?? '').split(' ').map(word)
  const minors = (key: string) =>
    values.has(key)
      ? new Set((one(key) ?? '').split(' ').filter((text) => /^3\.[0-9]{1,2}$/.test(text)))
      : undefined
  const state = parseState(all('state'))
  return {
    os: { id, version, codename },
    systemd: natural(one('systemd')),
    arch: fitting('arch', WORD) ?? 'unknown',
    python: fitting('python', PATH),
    pythons: minors('pythons') ?? new Set(),
    managedPythons: minors('managed-pythons') ?? new Set(),
    installablePythons: minors('installable-pythons'),
    ipv6: one('ipv6') === 'yes',
    cpus: Math.max(1, natural(one('cpus'))),
    memoryBytes: natural(one('memory')) * 1024,
    diskFreeBytes: kilobytes(one('disk')),
    free: new Map(all('free').flatMap(freeOf)),
    readOnly: all('read-only')
      .filter((folder) => PATH.test(folder))
      .slice(0, 10),
    installed: new Set(all('installed')),
    // Of a strange build it is only known that it is there.
    nginx: one('nginx') === undefined ? undefined : (fitting('nginx', /^[0-9.]{1,20}$/) ?? '0'),
    nginxUser: fitting('nginx-user', /^[a-z_][a-z0-9_-]{0,31}$/) ?? DEFAULT_NGINX_USER,
    files: pairs(all('file')),
    uv: new Set(all('uv')),
    glibc: glibcMinor(fitting('libc', /^glibc 2\.[0-9]{1,3}(?:\.[0-9]+)?$/)),
    wheels: new Set(all('wheel').filter((hash) => /^[0-9a-f]{64}$/.test(hash))),
    account: one('account') === 'yes',
    home: one('home') === 'yes',
    taken: all('taken').map(shortly),
    generated: new Set(all('generated')),
    firewall: one('ufw') === 'yes',
    state,
    link: one('link'),
    active: state?.current !== undefined && pairs(all('active')).get(state.current) === 'yes',
    nonces: new Map(
      [...pairs(all('nonce'))].filter(([id, nonce]) => isReleaseId(id) && /^[0-9a-f]{1,128}$/.test(nonce)),
    ),
    now: instant(one('now')),
    resolved: instant(one('resolved')),
    addresses6: all('address6').flatMap(globalAddress),
    certificates: all('certificate').flatMap(parseCertificate),
    siteCertificate: fitting('site-certificate', PATH),
    renewal: one('renewal') === 'yes',
  }
}

function glibcMinor(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text.split('.')[1])
}

/** df's blocks (POSIX, `df -Pk`), in bytes. */
function kilobytes(text: string | undefined): number | undefined {
  return text !== undefined && /^[0-9]{1,15}$/.test(text) ? Number(text) * 1024 : undefined
}

function freeOf(line: string): readonly (readonly [string, number])[] {
  const [folder = '', text] = line.split(' ')
  const bytes = kilobytes(text)
  return bytes === undefined ? [] : [[folder, bytes]]
}

/** As /proc/net/if_inet6 has it: 32 hex digits. Addresses for private use (RFC 4193) are nobody's to reach. */
function globalAddress(hex: string): readonly string[] {
  if (!/^[0-9a-f]{32}$/.test(hex) || /^f[cd]/.test(hex)) return []
  const address = (hex.match(/.{4}/g) ?? []).join(':')
  return [new URL(`http://[${address}]/`).hostname.slice(1, -1)]
}

function parseCertificate(line: string): readonly StoredCertificate[] {
  const [path = '', authority = '-', encoded = ''] = line.split(' ')
  const certificate = readCertificate(Buffer.from(encoded, 'base64'))
  if (certificate === undefined || !PATH.test(path)) return []
  return [{ ...certificate, path, authority: authority === '-' ? undefined : authority }]
}

function parseState(lines: readonly string[]): State | undefined {
  if (lines.length === 0) return undefined
  const values = pairs(lines)
  const [ownerId = '', ownerName = ''] = (values.get('owner') ?? '').split(' ')
  const release = (key: string) => {
    const id = values.get(key)
    return id !== undefined && isReleaseId(id) ? id : undefined
  }
  return {
    generation: natural(values.get('generation')),
    owner: { id: shortly(ownerId), name: shortly(ownerName) },
    current: release('current'),
    previous: release('previous'),
    attempt: release('attempt'),
    initialised: values.get('initialised') === 'yes',
    releases: lines.flatMap((line) => {
      const [key, id = '', bundle = '', dependencies = '', settings = '', commit = '-'] = line.split(' ')
      if (key !== 'release' || !isReleaseId(id)) return []
      const made = { bundle, dependencies, settings, commit }
      return Object.values(made).every((one) => WORD.test(one)) ? [{ id, ...made }] : []
    }),
    refused: parseRefusal(values.get('refused')),
  }
}

function parseRefusal(text: string | undefined): Refusal | undefined {
  if (text === undefined) return undefined
  const [count, at, request = ''] = text.split(' ')
  return { count: natural(count), at: instant(at), request }
}

/** A word of the system's, `unknown` where it is none. */
function word(text: string): string {
  return WORD.test(text) ? text : 'unknown'
}

/** A text that is only ever shown. */
function shortly(text: string): string {
  return cutToBytes(visible(text), 200)
}

function pairs(lines: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    lines.map((line) => {
      const space = line.indexOf(' ')
      return space < 0 ? [line, ''] : [line.slice(0, space), line.slice(space + 1)]
    }),
  )
}

/** Seconds since 1970 as ms; what no calendar has is none. */
function instant(text: string | undefined): number {
  return text !== undefined && text.length <= 11 ? natural(text) * 1000 : 0
}

function natural(text: string | undefined): number {
  return text !== undefined && /^[0-9]{1,15}$/.test(text) ? Number(text) : 0
}
