import { type Certificate, readCertificate } from '../config/certificate.ts'
import { isReleaseId } from '../config/paths.ts'
import { type Drift, moreDrift, parseDrift } from './drift.ts'
import { instant, natural, PATH, pairs, shortly, WORD, word } from './fact-words.ts'
import { type Neighbours, parseNeighbours } from './neighbours.ts'
import { parseState, type State } from './state.ts'

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
  /** `/var`, `/tmp`, `/etc` -> free bytes of the file system that has it, where that is known. */
  readonly free: ReadonlyMap<string, number>
  /** The same of files that can still be made; `/srv` too. */
  readonly freeInodes: ReadonlyMap<string, number>
  /** What the current release takes, as its deploy measured it. */
  readonly releaseSize: Amount | undefined
  /** What older kept releases hold alone; asked only where room is short. */
  readonly prunable: Amount
  /** `build` (uv's, of this app), `apt`, `journal` -> bytes; asked only where room is short. */
  readonly caches: ReadonlyMap<string, number>
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
  /** It keeps the kit of this version of the action (src/apply/kit.ts). */
  readonly kit: boolean
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
  /** The release that a deploy has begun to switch to and that has no verdict; its program may be gone (remote/journal.sh). */
  readonly begun: string | undefined
  /**
   * The release that visitors had when the server, by itself, last took back what was cut off (remote/recovery.sh); told
   * until the next deploy.
   */
  readonly recovered: string | undefined
  /** The current release's units run. */
  readonly active: boolean
  /** The Python of the current release's environment is gone. */
  readonly environmentBroken: boolean
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
  /** The names that the app's nginx file has. */
  readonly siteNames: readonly string[]
  /** Something on the server renews certbot's certificates by itself. */
  readonly renewal: boolean
  /** Who else is on the web ports, and in nginx. */
  readonly neighbours: Neighbours
  /** What somebody changed by hand in what is ours; of an app that has no release yet, nothing. */
  readonly drift: readonly Drift[]
  /** How many more of these there are. */
  readonly moreDrift: number
}

/** Of disk: bytes, and files. */
export interface Amount {
  readonly bytes: number
  readonly inodes: number
}

/** A certificate on the server. */
export interface StoredCertificate extends Certificate {
  /** The file, with those of its authorities below it. */
  readonly path: string
  /** The directory URL of the authority that certbot has it from and renews it at; undefined: not certbot's. */
  readonly authority: string | undefined
}

/** Debian's and Ubuntu's user for web servers; base-passwd makes it on every machine. */
const DEFAULT_NGINX_USER = 'www-data'

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
    freeInodes: new Map([...pairs(all('inodes'))].map(([folder, count]) => [folder, natural(count)])),
    releaseSize: amount(one('size')),
    prunable: amount(one('prunable')) ?? { bytes: 0, inodes: 0 },
    caches: new Map(all('cache').flatMap(freeOf)),
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
    kit: one('kit') === 'yes',
    account: one('account') === 'yes',
    home: one('home') === 'yes',
    taken: all('taken').map(shortly),
    generated: new Set(all('generated')),
    firewall: one('ufw') === 'yes',
    state,
    link: one('link'),
    // Past the verdict it is only open until the old release is drained.
    begun: one('journal') === state?.current ? undefined : fitting('journal', WORD),
    recovered: fitting('recovered', WORD),
    active: state?.current !== undefined && pairs(all('active')).get(state.current) === 'yes',
    environmentBroken: one('environment-broken') === 'yes',
    nonces: new Map(
      [...pairs(all('nonce'))].filter(([id, nonce]) => isReleaseId(id) && /^[0-9a-f]{1,128}$/.test(nonce)),
    ),
    now: instant(one('now')),
    resolved: instant(one('resolved')),
    addresses6: all('address6').flatMap(globalAddress),
    certificates: all('certificate').flatMap(parseCertificate),
    siteCertificate: fitting('site-certificate', PATH),
    siteNames: (one('site-names') ?? '')
      .split(' ')
      .filter((name) => /^[\w.:[\]-]{1,253}$/.test(name))
      .slice(0, 200),
    renewal: one('renewal') === 'yes',
    neighbours: parseNeighbours(all),
    drift: state?.current === undefined ? [] : parseDrift(lines),
    moreDrift: moreDrift(one('drift-more')),
  }
}

function glibcMinor(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text.split('.')[1])
}

/** df's blocks (POSIX, `df -Pk`), in bytes. */
function kilobytes(text: string | undefined): number | undefined {
  return text !== undefined && /^[0-9]{1,15}$/.test(text) ? Number(text) * 1024 : undefined
}

function amount(text: string | undefined): Amount | undefined {
  const [, kilobytes, inodes] = /^([0-9]{1,12}) ([0-9]{1,12})$/.exec(text ?? '') ?? []
  return kilobytes === undefined ? undefined : { bytes: Number(kilobytes) * 1024, inodes: Number(inodes) }
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
