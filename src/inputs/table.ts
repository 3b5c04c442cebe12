import { parseDotenv } from '../config/dotenv.ts'
import { DeployError } from '../errors.ts'
import type { AppInputs, BehaviourInputs, Inputs, ServerInputs, SiteInputs, TlsInputs } from '../inputs.ts'
import { nameFault } from '../project/name.ts'
import { shown } from '../text.ts'
import { appTarget } from './app.ts'
import type { InputName } from './declared.ts'
import { domains, fingerprint, host, knownHosts } from './hosts.ts'
import { ignorePatterns, innerPath, persistPaths, relativePath, staticFolders } from './paths.ts'
import { cronLines, processLines } from './processes.ts'
import { bad, good, type Kind, list, tidy } from './reading.ts'
import * as scalar from './scalars.ts'
import { secretFiles } from './secret-files.ts'
import { taskCommands } from './tasks.ts'
import { certificateChain, tlsKey } from './tls.ts'
import { directoryUrl, emailAddress, statusRange, urlPath, webUrl } from './web.ts'

/** How one field of `Inputs` is read from one input of action.yml. */
export interface Row<Value> {
  readonly input: InputName
  /** Reads a text that is not blank. */
  readonly kind: Kind<Value>
  /** What a blank text without a default means: a value, or a fault with this cure. */
  readonly blank: { readonly value: Value } | { readonly missing: string }
  /** The value never appears in a message, and is masked. */
  readonly secret: boolean
}

/** One row for each field: a field without a row, or a row without a field, does not compile. */
type Rows<Fields> = { readonly [Field in keyof Fields]-?: Row<Fields[Field]> }

/** How everything in `Inputs` is read. A new input is a line in action.yml, a field in inputs.ts and a row here. */
export interface Table {
  readonly top: Rows<Pick<Inputs, 'command' | 'release' | 'run' | 'lines' | 'destroyData'>>
  readonly server: Rows<ServerInputs>
  readonly app: Rows<AppInputs>
  readonly site: Rows<SiteInputs>
  readonly tls: Rows<TlsInputs>
  readonly behaviour: Rows<BehaviourInputs>
}

/** An input that may be left empty, and then is undefined. */
function optional<Value>(input: InputName, kind: Kind<Value>): Row<Value | undefined> {
  return { input, kind, blank: { value: undefined }, secret: false }
}

/** An input that must have a text, of the workflow's or action.yml's default. */
function required<Value>(input: InputName, kind: Kind<Value>, missing = 'Set it.'): Row<Value> {
  return { input, kind, blank: { missing }, secret: false }
}

/** A list that may be empty. */
function items<Value>(input: InputName, kind: Kind<readonly Value[]>): Row<readonly Value[]> {
  return { input, kind, blank: { value: [] }, secret: false }
}

function secret(input: InputName, kind: Kind<string>): Row<string | undefined> {
  return { ...optional(input, kind), secret: true }
}

const appName: Kind<string> = (raw, input) => {
  const text = tidy(raw)
  const fault = nameFault(text)
  if (fault === undefined) return good(text)
  return bad(
    input,
    fault,
    `Write such as \`blog\`, lower-case letters, digits and \`-\`, instead of ${shown(text)}.`,
  )
}

/** The variables of a dotenv text; every fault names `env`. */
const variables: Kind<ReadonlyMap<string, string>> = (raw, input) => {
  try {
    return good(parseDotenv(raw))
  } catch (error) {
    if (!(error instanceof DeployError)) throw error
    return { faults: error.explanations.map((one) => ({ ...one, input })) }
  }
}

/** The table, in the order of action.yml. */
export const table: Table = {
  top: {
    command: required('command', scalar.choice('deploy', 'plan', 'rollback', ...taskCommands)),
    release: optional('release', scalar.releaseId),
    run: optional('run', scalar.plainText),
    lines: required('lines', scalar.integer(1, 10_000)),
    destroyData: optional('destroy-data', appName),
  },
  server: {
    host: required('host', host, "Set it to the server's name or IP address, such as `203.0.113.10`."),
    port: required('port', scalar.integer(1, 65535)),
    user: required('user', scalar.userName),
    sshKey: secret('ssh-key', scalar.secretText),
    sshKeyPassphrase: secret('ssh-key-passphrase', scalar.secretLine),
    password: secret('password', scalar.secretLine),
    knownHosts: optional('known-hosts', knownHosts),
    hostFingerprints: items('host-fingerprint', list(fingerprint)),
    sudoPassword: secret('sudo-password', scalar.secretLine),
    connectTimeoutMs: required('connect-timeout', scalar.milliseconds(1, 600)),
  },
  app: {
    name: optional('name', appName),
    source: required('source', relativePath),
    app: optional('app', appTarget),
    python: optional('python', scalar.pythonVersion),
    requirements: optional('requirements', innerPath),
    extras: items('extras', list(scalar.distributionName)),
    groups: items('groups', list(scalar.distributionName)),
    dependencies: required('dependencies', scalar.choice('server', 'wheels')),
    refresh: required('refresh', scalar.boolean),
    pythonDownload: required('python-download', scalar.boolean),
    packages: items('packages', list(scalar.packageName)),
    services: items('services', list(scalar.choice('postgresql', 'redis'))),
    env: { input: 'env', kind: variables, blank: { value: new Map<string, string>() }, secret: true },
    secretFiles: {
      input: 'secret-files',
      kind: secretFiles,
      blank: { value: new Map<string, string>() },
      secret: true,
    },
    releaseCommand: optional('release-command', scalar.plainText),
    firstDeployCommand: optional('first-deploy-command', scalar.plainText),
    webCommand: optional('web-command', scalar.plainLine),
    processes: optional('processes', processLines),
    cron: items('cron', cronLines),
    persist: items('persist', persistPaths),
    exclude: items('exclude', ignorePatterns),
    include: items('include', list(innerPath)),
  },
  site: {
    // parse.ts says for which commands it is needed.
    domains: items('domain', domains),
    static: items('static', staticFolders),
    maxBodySize: required('max-body-size', scalar.bodySize),
    workers: optional('workers', scalar.integer(1, 64)),
    threads: required('threads', scalar.integer(1, 64)),
    timeoutSeconds: required('timeout', scalar.seconds(1, 3600)),
  },
  tls: {
    mode: required('tls', scalar.choice('auto', 'off', 'provided')),
    email: optional('email', emailAddress),
    certificate: optional('tls-certificate', certificateChain),
    key: secret('tls-key', tlsKey),
    staging: required('tls-staging', scalar.boolean),
    acmeServer: optional('acme-server', directoryUrl),
    // Two years are what browsers' own lists ask for at most.
    hstsSeconds: required('hsts', scalar.seconds(0, 730 * 86_400)),
  },
  behaviour: {
    lockTimeoutMs: required('lock-timeout', scalar.milliseconds(0, 86_400)),
    healthPath: optional('health-path', urlPath),
    healthTimeoutMs: required('health-timeout', scalar.milliseconds(1, 3600)),
    smokeUrl: optional('smoke-url', webUrl),
    smokeFrom: required('smoke-from', scalar.choice('runner', 'server', 'off')),
    expectStatus: optional('expect-status', list(statusRange)),
    expectText: optional('expect-text', scalar.plainText),
    confirmSeconds: required('confirm-timeout', scalar.seconds(10, 3600)),
    settleSeconds: required('settle-time', scalar.seconds(0, 3600)),
    waitSettled: required('wait-settled', scalar.boolean),
    allowOlder: required('allow-older', scalar.boolean),
    keepReleases: required('keep-releases', scalar.integer(1, 100)),
    commandTimeoutSeconds: required('command-timeout', scalar.seconds(1, 86_400)),
    stopTimeoutSeconds: required('stop-timeout', scalar.seconds(1, 3600)),
    upgradePackages: required('upgrade-packages', scalar.boolean),
  },
}

/** Every row: what tests and masking go through. */
export const allRows: readonly Row<unknown>[] = [
  ...Object.values<Row<unknown>>(table.top),
  ...Object.values<Row<unknown>>(table.server),
  ...Object.values<Row<unknown>>(table.app),
  ...Object.values<Row<unknown>>(table.site),
  ...Object.values<Row<unknown>>(table.tls),
  ...Object.values<Row<unknown>>(table.behaviour),
]

/** The inputs whose values never appear in a text of ours. */
export const secretInputs: readonly InputName[] = allRows.filter((row) => row.secret).map((row) => row.input)
