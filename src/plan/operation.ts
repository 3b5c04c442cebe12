import type { SiteTls } from '../config/settings.ts'
import type { Explanation } from '../errors.ts'
import type { Phase } from '../phases.ts'
import type { InstallStep } from '../project/project.ts'
import type { PythonForecast, PythonTry } from './python.ts'
import type { CertificateRequest, TlsTask } from './tls.ts'
import type { Wheel } from './wheels.ts'

/**
 * One step of a plan, as data. Each is a call of a function in remote/ (see apply/program.ts); `phase` is where it
 * belongs in log and summary.
 */
export type Operation = { readonly phase: Phase } & (
  | {
      readonly kind: 'install-packages'
      readonly names: readonly string[]
      readonly upgrade: boolean
      /** Why there are names that nobody wished: `git (gitpython uses it)`. */
      readonly because: readonly string[]
      /** The server may reach no archive: what cannot be had is told at once. */
      readonly offline?: boolean
    }
  /** Older releases give way, where room is short. */
  | {
      readonly kind: 'make-room'
      readonly folder: string
      readonly kilobytes: number
      readonly inodes: number
    }
  /** The server says its facts again, now that it has a Python, so that wheels can be looked for. */
  | { readonly kind: 'want-wheels' }
  | {
      readonly kind: 'install-uv'
      readonly version: string
      /** From the index by pip, or out of a wheel that was sent; `wanted`: the runner has none ready. */
      readonly from: 'index' | 'wanted' | Wheel
    }
  | { readonly kind: 'store-wheels'; readonly wheels: readonly Wheel[]; readonly requirements: string }
  | {
      readonly kind: 'python'
      /** As the environment's: a release in service that has it already need not wait for a download. */
      readonly key: string
      readonly tries: readonly PythonTry[]
      readonly forecast: PythonForecast
      readonly reason: string
      /** The version liked best, '' for none, and where that is said. */
      readonly preferred: string
      readonly preferredReason: string
      /** `Key=Value` of the unit that downloads. */
      readonly properties: readonly string[]
    }
  | { readonly kind: 'claim'; readonly owner: string }
  | { readonly kind: 'account' }
  /** Variables that the server makes once: the file, and the names of the secret key. */
  | { readonly kind: 'generated-env'; readonly keys: readonly string[] }
  /** A role and a database of the app's own. */
  | {
      readonly kind: 'postgresql'
      /** `Key=Value` of the unit that tries it as the app. */
      readonly properties: readonly string[]
      /** The variables that tell the app of it: without those that `env` sets. */
      readonly variables: readonly string[]
    }
  /** A Redis of the app's own. */
  | {
      readonly kind: 'redis'
      readonly unitFile: string
      readonly content: string
      readonly variables: readonly string[]
      /** The instance that the package starts by itself is not wanted: what was not there before is stopped. */
      readonly alone: boolean
    }
  | { readonly kind: 'receive-bundle'; readonly bytes: number; readonly sha256: string }
  | { readonly kind: 'unpack' }
  | {
      readonly kind: 'environment'
      /** The runner's part of what decides the environment, as a hash. */
      readonly key: string
      /** The file that they are declared in, for messages. */
      readonly file: string
      /** `index`, or the Python that wheels were sent for (`3.11`); `wanted`: none were, because it is shared. */
      readonly from: string
      /** gunicorn of ours: before all else, where nothing brought one, or not at all. */
      readonly gunicorn: 'first' | 'late' | 'never'
      /** What the build's copy of the project holds; '' is all of it. */
      readonly copies: readonly string[]
      /** Texts in that copy: path -> text. */
      readonly texts: ReadonlyMap<string, string>
      readonly steps: readonly InstallStep[]
      /** Versions are chosen on the day of the build. */
      readonly loose: boolean
      /** Choose them anew, whatever there is. */
      readonly refresh: boolean
      /** Where the project itself can be built, and its name; '' where it is not known. */
      readonly site: { readonly folder: string; readonly name: string }
      /** `Key=Value` of the transient unit. */
      readonly properties: readonly string[]
    }
  /** The project itself, installed beside the environment; where it cannot be built the release goes without. */
  | { readonly kind: 'site' }
  | {
      readonly kind: 'write-file'
      readonly path: string
      /** Octal, e.g. `0640`. */
      readonly mode: string
      /** `user:group` */
      readonly owner: string
      readonly content: string
      /** What it is, in the plan's words. */
      readonly what: string
    }
  | { readonly kind: 'folder'; readonly path: string; readonly mode: string; readonly owner: string }
  | { readonly kind: 'persist'; readonly path: string; readonly target: string }
  /** Asks the app in a scratch copy of its release. */
  | {
      readonly kind: 'probe'
      /** See ProbeSettings. */
      readonly settings: string
      readonly seconds: number
      readonly properties: readonly string[]
    }
  /** Does what the probe found. */
  | { readonly kind: 'adopt' }
  | { readonly kind: 'public' }
  /** Publishes what the probe found, beside what was named. */
  | { readonly kind: 'publish-found' }
  | { readonly kind: 'publish'; readonly url: string; readonly folder: string }
  /** Runs once in the app's life on a server. */
  | ({ readonly kind: 'first-deploy-command' } & Commands)
  | ({ readonly kind: 'release-command' } & Commands)
  /** Copies of what somebody changed by hand and this release takes the place of; owners and modes as they have to be. */
  | { readonly kind: 'mend-drift'; readonly items: number }
  | { readonly kind: 'start' }
  | { readonly kind: 'health' }
  | { readonly kind: 'grow'; readonly workers: number }
  /** Where a web command listens: a free port, or a unix socket. */
  | { readonly kind: 'web-entrance'; readonly entrance: 'port' | 'socket' }
  /** Starts what runs beside the web process; of a rollback only the server knows the names. */
  | {
      readonly kind: 'processes'
      readonly processes: readonly string[]
      readonly jobs: readonly string[]
    }
  | {
      readonly kind: 'nginx'
      readonly site: string
      readonly catchAll: string | undefined
      /** undefined: the site has no HTTPS; another one's may stand. */
      readonly tlsCatchAll: string | undefined
    }
  | { readonly kind: 'cutover'; readonly waitSeconds: number }
  | { readonly kind: 'verdict'; readonly waitSeconds: number }
  | {
      readonly kind: 'settle'
      readonly record: string
      /** How long the server watches the release; 0: not at all. */
      readonly seconds: number
    }
  /** Does each name lead to this server? Else nothing is asked of the authority. */
  | {
      readonly kind: 'preflight'
      readonly names: readonly string[]
      readonly from: 'runner' | 'server'
      readonly waitSeconds: number
    }
  | { readonly kind: 'request-certificate'; readonly request: CertificateRequest }
  /** The switch to HTTPS, or to another certificate, with a test and the way back. */
  | {
      readonly kind: 'secure'
      readonly tls: SiteTls
      /** nginx's file while it is tested: names that had no HTTPS before are served over HTTP as well. */
      readonly trial: string
      /** nginx's file from then on. */
      readonly site: string
      readonly catchAll: string | undefined
      readonly tlsCatchAll: string
      readonly waitSeconds: number
    }
  | { readonly kind: 'prune'; readonly keep: number }
  /** The program stays until the watch is over. */
  | { readonly kind: 'await-settled'; readonly seconds: number }
)

/** Commands of the project's own. */
interface Commands {
  readonly command: string
  /** For all tries together. */
  readonly seconds: number
  /** `Key=Value` of the transient unit. */
  readonly properties: readonly string[]
}

/** What is to be done on one server, made from facts and wish alone. */
export interface Plan {
  readonly kind: 'deploy' | 'rollback' | 'unchanged'
  /** The release that will serve; with `unchanged` the one that does, and operations are about its certificate only. */
  readonly release: string
  /** The release that serves before. */
  readonly from: string | undefined
  /** The state's generation that this plan was made for. */
  readonly generation: number
  readonly operations: readonly Operation[]
  /** What health check and smoke test ask. */
  readonly check: CheckSettings
  /** What is to be done about HTTPS; where it is `secure`, `securedCheck` is what is asked then. */
  readonly tls: TlsTask
  readonly securedCheck: CheckSettings | undefined
  /** The certificate in use, PEM, where nobody but itself vouches for it: handed over, or a test service's. */
  readonly trusted: string | undefined
  /** `UV_*` and `PIP_*` of the user's `env`, as an env file: all of `env` that a build may see. */
  readonly buildEnv: string
  /** Of a plan that a deploy would not carry out: why. */
  readonly refused?: Explanation
}

/** What remote/http.py is told; JSON. */
export interface CheckSettings {
  /** The first domain, as a Host header. */
  readonly host: string
  /** How visitors reach it. */
  readonly scheme: 'http' | 'https'
  readonly path: string
  /** Where the smoke test asks, which is elsewhere where `smoke-url` says so. */
  readonly smoke: {
    readonly url: string
    /** Of that URL: Host header, and path with query. */
    readonly host: string
    readonly path: string
    /** The server itself answers it over HTTPS. */
    readonly secure: boolean
    /** The server's own request takes only a certificate that the server's authorities vouch for. */
    readonly verify: boolean
    /** The certificate's time is over: that is not the release's fault, and is judged by itself. */
    readonly over: boolean
  }
  /** The path was asked for, so only 2xx and 3xx are good. */
  readonly explicit: boolean
  readonly statuses: readonly (readonly [number, number])[]
  readonly text: string
  /** Seconds. */
  readonly timeout: number
  /** Release -> nonce. One without answers as any program would: a command of the project's own serves it. */
  readonly nonces: Readonly<Record<string, string>>
}
