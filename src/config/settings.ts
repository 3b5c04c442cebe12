import type { AppTarget } from '../project/project.ts'

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
  /** The secret that proves which release answered: 32 hex digits. */
  readonly nonce: string
  /** systemd's major version on the server, e.g. 252. */
  readonly systemd: number
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
}
