import { isReleaseId } from '../config/paths.ts'

/** What the server said about itself before anything was touched (remote/facts.sh). */
export interface Facts {
  readonly os: { readonly id: string; readonly version: string; readonly codename: string }
  /** Major version; 0 where systemd does not run the machine. */
  readonly systemd: number
  readonly arch: string
  /** Where /usr/bin/python3 leads, e.g. `/usr/bin/python3.11`; undefined where there is none. */
  readonly python: string | undefined
  readonly ipv6: boolean
  readonly cpus: number
  readonly memoryBytes: number
  readonly diskFreeBytes: number
  /** Of the packages that were asked for. */
  readonly installed: ReadonlySet<string>
  readonly nginx: string | undefined
  /** The user (and group) that nginx's workers run as. */
  readonly nginxUser: string
  /** nginx's files of ours: name -> SHA-256, hex. */
  readonly files: ReadonlyMap<string, string>
  /** Versions of uv that this tool installed, e.g. `uv-0.13.9`. */
  readonly uv: ReadonlySet<string>
  /** A system user `web-NAME` exists. */
  readonly account: boolean
  /** `/srv/web-NAME` exists. */
  readonly home: boolean
  /** What bears the app's name though no deploy of this tool made it, e.g. `user web-shop`, `/etc/web-shop`. */
  readonly taken: readonly string[]
  readonly firewall: boolean
  readonly state: State | undefined
  /** The release that the `current` link names. */
  readonly link: string | undefined
  /** The current release's units run. */
  readonly active: boolean
  /** Release -> the secret by which it proves itself. */
  readonly nonces: ReadonlyMap<string, string>
}

/** The state file (remote/state.sh). */
export interface State {
  readonly generation: number
  readonly owner: { readonly id: string; readonly name: string }
  readonly current: string | undefined
  readonly previous: string | undefined
  /** A deploy that began to switch and never got its verdict. */
  readonly attempt: string | undefined
  /** Kept releases, oldest first. */
  readonly releases: readonly KeptRelease[]
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
  const [id = 'unknown', version = '0', codename = 'unknown'] = (one('os') ?? '').split(' ')
  const state = parseState(all('state'))
  return {
    os: { id: id || 'unknown', version, codename },
    systemd: natural(one('systemd')),
    arch: one('arch') ?? 'unknown',
    python: one('python'),
    ipv6: one('ipv6') === 'yes',
    cpus: Math.max(1, natural(one('cpus'))),
    memoryBytes: natural(one('memory')) * 1024,
    diskFreeBytes: natural(one('disk')) * 1024,
    installed: new Set(all('installed')),
    nginx: one('nginx'),
    nginxUser: one('nginx-user') ?? DEFAULT_NGINX_USER,
    files: pairs(all('file')),
    uv: new Set(all('uv')),
    account: one('account') === 'yes',
    home: one('home') === 'yes',
    taken: all('taken'),
    firewall: one('ufw') === 'yes',
    state,
    link: one('link'),
    active: state?.current !== undefined && pairs(all('active')).get(state.current) === 'yes',
    nonces: pairs(all('nonce')),
  }
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
    owner: { id: ownerId, name: ownerName },
    current: release('current'),
    previous: release('previous'),
    attempt: release('attempt'),
    releases: lines.flatMap((line) => {
      const [key, id = '', bundle = '', dependencies = '', settings = '', commit = '-'] = line.split(' ')
      return key === 'release' && isReleaseId(id) ? [{ id, bundle, dependencies, settings, commit }] : []
    }),
  }
}

function pairs(lines: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    lines.map((line) => {
      const space = line.indexOf(' ')
      return space < 0 ? [line, ''] : [line.slice(0, space), line.slice(space + 1)]
    }),
  )
}

function natural(text: string | undefined): number {
  return text !== undefined && /^[0-9]{1,15}$/.test(text) ? Number(text) : 0
}
