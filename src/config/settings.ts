import type { AppTarget } from '../project/project.ts'
import type { ServiceName } from './services.ts'

/** What one release's configuration files are rendered from. All of it is validated before it gets here. */
export interface ReleaseSettings {
  readonly name: string
  /** The release's ID. */
  readonly release: string
  /** Sub-folder of the bundle that holds the app, '' for its root. */
  readonly source: string
  readonly target: AppTarget
  readonly workers: number
  readonly threads: number
  /** Seconds a request may take. */
  readonly timeoutSeconds: number
  readonly env: ReadonlyMap<string, string>
  /** The names of its secret files. */
  readonly secretFiles: readonly string[]
  /** What serves in gunicorn's place. */
  readonly webCommand?: string | undefined
  /** The secret that proves which release answered: 32 hex digits. */
  readonly nonce: string
  /** systemd's major version on the server, e.g. 252. */
  readonly systemd: number
  /** Services of the server's that it uses: they start before it. */
  readonly services: readonly ServiceName[]
  /** The group nginx's workers run with, e.g. `www-data`. */
  readonly nginxGroup: string
}

/** What the site's nginx file is rendered from; it is the same for every release. */
export interface SiteSettings {
  readonly name: string
  readonly domains: readonly string[]
  /** The kernel has IPv6: `listen [::]:80` fails without it. */
  readonly ipv6: boolean
  /** nginx size, e.g. `16m`. */
  readonly maxBodySize: string
  readonly timeoutSeconds: number
  /** undefined: HTTP for all names. */
  readonly tls: SiteTls | undefined
  /** nginx's version, e.g. `1.22.1`. */
  readonly nginx: string
  readonly hstsSeconds: number
}

/** The certificate that a site uses. */
export interface SiteTls {
  /** The file with the site's certificate and those of its authorities, PEM. */
  readonly certificate: string
  /** The file with its key; may be the same. */
  readonly key: string
  /** Those of the site's names that it is for; the others stay with HTTP. */
  readonly names: readonly string[]
}
