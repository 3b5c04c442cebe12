/** What the user wished, as read from the workflow: typed, validated, with nothing of GitHub's left in it. */
export interface Inputs {
  readonly command: Command
  /** `rollback`: the release to go back to; undefined means the previous one. */
  readonly release: string | undefined
  /** `run`: the command. */
  readonly run: string | undefined
  /** `logs`: how many. */
  readonly lines: number
  /** `destroy`: the app's name, where its data goes too. */
  readonly destroyData: string | undefined
  readonly server: ServerInputs
  readonly app: AppInputs
  readonly site: SiteInputs
  readonly tls: TlsInputs
  readonly behaviour: BehaviourInputs
}

/** The commands that make no release and need no project. */
export type TaskCommand = 'status' | 'doctor' | 'run' | 'logs' | 'destroy'

/** What a run is for. */
export type Command = 'deploy' | 'plan' | 'rollback' | TaskCommand

/** How to reach the server and who it has to be. */
export interface ServerInputs {
  /** A host name or an IP address; IPv6 without brackets. */
  readonly host: string
  readonly port: number
  readonly user: string
  /** The private key's text as given; undefined where only a password is given. */
  readonly sshKey: string | undefined
  readonly sshKeyPassphrase: string | undefined
  readonly password: string | undefined
  /** known_hosts lines, as given. */
  readonly knownHosts: string | undefined
  /** `SHA256:...`, one or more; empty where `knownHosts` is used. */
  readonly hostFingerprints: readonly string[]
  readonly sudoPassword: string | undefined
  readonly connectTimeoutMs: number
}

/** What to run. Paths are relative to `source` unless said otherwise, with `/`, without a leading `./`. */
export interface AppInputs {
  /** NAME of DESIGN 7; undefined: derived from the repository's name. */
  readonly name: string | undefined
  /** Sub-folder of the repository, '' for its root; no leading or trailing slash. */
  readonly source: string
  /** `module:attribute` or `module:factory()`; undefined: detected. */
  readonly app: string | undefined
  /** `3.12` or `3`; undefined: the server's. */
  readonly python: string | undefined
  readonly requirements: string | undefined
  readonly extras: readonly string[]
  readonly groups: readonly string[]
  /** Where the Python packages are fetched: by the server, or by the runner, which sends them. */
  readonly dependencies: 'server' | 'wheels'
  /** Resolve the requirements anew, though they did not change. */
  readonly refresh: boolean
  /** A Python that no package of the distribution brings may be downloaded. */
  readonly pythonDownload: boolean
  /** Debian package names. */
  readonly packages: readonly string[]
  readonly services: readonly Service[]
  readonly env: ReadonlyMap<string, string>
  /** File name -> content, for the folder that `CREDENTIALS_DIRECTORY` names. */
  readonly secretFiles: ReadonlyMap<string, string>
  readonly releaseCommand: string | undefined
  readonly firstDeployCommand: string | undefined
  /** What serves in gunicorn's place. */
  readonly webCommand: string | undefined
  /** Name -> command; undefined: the other lines of the project's Procfile. */
  readonly processes: ReadonlyMap<string, string> | undefined
  readonly cron: readonly CronJob[]
  readonly persist: readonly string[]
  /** gitignore patterns, relative to the repository's root. */
  readonly exclude: readonly string[]
  /** Untracked paths to send along, relative to the repository's root. */
  readonly include: readonly string[]
}

/** A service of the server's distribution, run for one app. */
export type Service = 'postgresql' | 'redis'

/** One line of `cron`. */
export interface CronJob {
  readonly name: string
  /** As systemd's OnCalendar= takes it (systemd.time(7)). */
  readonly calendar: string
  readonly command: string
}

/** The site as visitors see it. */
export interface SiteInputs {
  /**
   * At least one host name (ASCII), IP address (IPv6 without brackets) or `_` alone; the first is the site's URL. Of a
   * command that makes no release none may be given: the server knows them.
   */
  readonly domains: readonly string[]
  /** URL path -> folder; folder undefined: found beside the app object. Empty: nginx serves no files. */
  readonly static: readonly StaticInput[]
  /** nginx size, e.g. `16m`. */
  readonly maxBodySize: string
  /** undefined: from the server's cores and memory. */
  readonly workers: number | undefined
  readonly threads: number
  /** Seconds a request may take. */
  readonly timeoutSeconds: number
}

/** HTTPS: where the certificate comes from. */
export interface TlsInputs {
  readonly mode: 'auto' | 'off' | 'provided'
  /** PEM: the site's certificate, then its authorities'. With `provided` it is there, and `key` belongs to it. */
  readonly certificate: string | undefined
  /** PEM (PKCS#8), without passphrase. */
  readonly key: string | undefined
  readonly email: string | undefined
  readonly staging: boolean
  /** The ACME directory's URL; undefined: Let's Encrypt's. */
  readonly acmeServer: string | undefined
  /** Strict-Transport-Security's max-age. */
  readonly hstsSeconds: number
}

/** One line of `static`: `folder` (served under `/folder`), or `/url: folder`. */
export interface StaticInput {
  /** Begins with `/`, has no trailing slash. */
  readonly url: string
  readonly folder: string
}

/** How the deploy itself goes about it. */
export interface BehaviourInputs {
  readonly lockTimeoutMs: number
  /** Path with a leading slash; undefined: `/`, where any status under 500 is good. */
  readonly healthPath: string | undefined
  readonly healthTimeoutMs: number
  /** Absolute http(s) URL; undefined: the first domain's `healthPath` or `/`. */
  readonly smokeUrl: string | undefined
  readonly smokeFrom: 'runner' | 'server' | 'off'
  /** The statuses that count as good, e.g. [[200, 299], [401, 401]]; undefined: the default rule. */
  readonly expectStatus: readonly StatusRange[] | undefined
  readonly expectText: string | undefined
  /** How long the server waits for the verdict. */
  readonly confirmSeconds: number
  /** How long a new release is watched after the verdict; 0: not at all. */
  readonly settleSeconds: number
  /** The job waits as long. */
  readonly waitSettled: boolean
  /** A commit older than the one that serves is no mistake. */
  readonly allowOlder: boolean
  readonly keepReleases: number
  /** The most that `release-command`, and `first-deploy-command`, may take. */
  readonly commandTimeoutSeconds: number
  /** The most that a background process may take to stop. */
  readonly stopTimeoutSeconds: number
  readonly upgradePackages: boolean
}

/** First and last status of a range, both included. */
export type StatusRange = readonly [number, number]
