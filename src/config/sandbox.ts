import { supersededKeys } from './generated.ts'
import { paths, releasePaths } from './paths.ts'
import { secretFilesBy } from './secret-files.ts'
import { assignmentWord, type Property } from './unit-text.ts'

/*
 * What a process on the server may do. One list for the web process and for everything else of an app that runs as a
 * transient unit, so that a release command meets the same walls as the requests after it.
 *
 * A unit file with a setting that systemd is too old for gets a warning, but `systemd-run -p` fails, and an allow-list
 * of system calls whose set is unknown kills the process; hence the first version of each
 * (`NEWS` of systemd, and "Added in version" of systemd.exec(5)).
 */
const SANDBOX: readonly (readonly [since: number, ...Property])[] = [
  [187, 'NoNewPrivileges', 'yes'],
  [232, 'ProtectSystem', 'strict'],
  [214, 'ProtectHome', 'yes'],
  [64, 'PrivateTmp', 'yes'],
  [209, 'PrivateDevices', 'yes'],
  [232, 'ProtectKernelTunables', 'yes'],
  [232, 'ProtectKernelModules', 'yes'],
  [244, 'ProtectKernelLogs', 'yes'],
  [232, 'ProtectControlGroups', 'yes'],
  [245, 'ProtectClock', 'yes'],
  [242, 'ProtectHostname', 'yes'],
  [247, 'ProtectProc', 'invisible'],
  [242, 'RestrictSUIDSGID', 'yes'],
  [231, 'RestrictRealtime', 'yes'],
  [233, 'RestrictNamespaces', 'yes'],
  [235, 'LockPersonality', 'yes'],
  [232, 'RemoveIPC', 'yes'],
  [235, 'KeyringMode', 'private'],
  // Netlink is what getaddrinfo and psutil ask the kernel's network state with.
  [211, 'RestrictAddressFamilies', 'AF_UNIX AF_INET AF_INET6 AF_NETLINK'],
  [21, 'CapabilityBoundingSet', ''],
  [229, 'AmbientCapabilities', ''],
  [209, 'SystemCallArchitectures', 'native'],
  [239, 'SystemCallFilter', '@system-service'],
  [239, 'SystemCallErrorNumber', 'EPERM'],
]

/** Processes and threads of one unit, its open files, and no core dump: a dump would hold every secret of the app. */
const LIMITS: readonly Property[] = [
  ['LimitCORE', '0'],
  ['LimitNOFILE', '65535'],
  ['TasksMax', '512'],
]

/**
 * The walls around a process of the app: no other app's code is to be seen, nothing but the app's own folders can be
 * written.
 * @param name NAME
 * @param systemd the server's version of systemd, e.g. 252
 */
export function sandboxProperties(name: string, systemd: number): readonly Property[] {
  return walls(systemd, [['BindReadOnlyPaths', paths(name).app]])
}

/** Which release a process of an app belongs to. */
export interface ReleaseProcess {
  readonly name: string
  readonly release: string
  readonly systemd: number
  /** Of this release. */
  readonly env: ReadonlyMap<string, string>
  /** The names of its secret files. */
  readonly secretFiles: readonly string[]
  /** It runs a server of its own, so Flask must not pass over `app.run()`. */
  readonly ownServer?: boolean
  /** It gets the variables by which a command finds the app: the release's `target.env`. */
  readonly findsApp?: boolean
  /** Extra variables; those of the env file win over them. */
  readonly environment?: ReadonlyMap<string, string>
}

/**
 * Everything that makes a process one of this release's, for a unit file or for `systemd-run -p`: user, folders,
 * variables, limits and walls. What to run and where is the caller's.
 */
export function releaseProperties(process: ReleaseProcess): readonly Property[] {
  const app = paths(process.name)
  const release = releasePaths(process.name, process.release)
  const files = secretFilesBy(process, release)
  const environment = new Map([
    ...files.environment,
    ['HOME', app.stateDir],
    ['PATH', `${release.venv}/bin:${SYSTEM_PATH}`],
    ['PYTHONDONTWRITEBYTECODE', '1'],
    ['PYTHONUNBUFFERED', '1'],
    // Flask then passes over an `app.run()` that nobody guarded (flask/app.py, `run`).
    ...(process.ownServer === true ? [] : ([['FLASK_RUN_FROM_CLI', 'true']] as const)),
    ...(process.environment ?? []),
  ])
  return [
    ['User', app.user],
    ['Group', app.user],
    ['UMask', '0027'],
    // Of two files with the same variable the later one counts (systemd.exec(5)).
    ...(process.findsApp === true ? [['EnvironmentFile', release.target] as const] : []),
    ['EnvironmentFile', app.generated],
    ['EnvironmentFile', release.env],
    ...files.properties,
    ...environmentProperties(environment),
    ...without(supersededKeys(process.env), process.systemd),
    ['StateDirectory', app.user],
    ['StateDirectoryMode', '0750'],
    ['CacheDirectory', app.user],
    ['CacheDirectoryMode', '0750'],
    ['LogsDirectory', app.user],
    ['LogsDirectoryMode', '0750'],
    ...LIMITS,
    ...sandboxProperties(process.name, process.systemd),
  ]
}

/**
 * The limits and walls of a service of the app's own: it is reached by a unix socket and by nothing else, and no code is
 * to be seen.
 */
export function serviceProperties(name: string, systemd: number): readonly Property[] {
  const { user } = paths(name)
  return [
    ['User', user],
    ['Group', user],
    ['UMask', '0077'],
    ...LIMITS,
    ...walls(systemd, []).map(
      ([key, value]): Property => [key, key === 'RestrictAddressFamilies' ? 'AF_UNIX' : value],
    ),
  ]
}

/** What passes connections on to an app's own server: as the app's user, with none of its variables and folders. */
export function proxyProperties(name: string, systemd: number): readonly Property[] {
  const { user } = paths(name)
  return [['User', user], ['Group', user], ['UMask', '0077'], ...LIMITS, ...sandboxProperties(name, systemd)]
}

/** What a build of an environment needs. Paths are absolute and exist. */
export interface Build {
  readonly name: string
  readonly systemd: number
  /** To be seen; nothing else of any app's releases is. */
  readonly readable: readonly string[]
  /** To be written, by the build user's own right. */
  readonly writable: readonly string[]
  /** uv's settings; the user's `env` is not among them, but for what concerns an index. */
  readonly environment: ReadonlyMap<string, string>
}

/**
 * Everything that makes a process a build of the app's environments: as its build user, with the network, out of reach
 * of every app's code, state and variables. The app's group lets it read the release's own requirement files.
 */
export function buildProperties(build: Build): readonly Property[] {
  const app = paths(build.name)
  const environment = new Map([
    ['HOME', app.buildCache],
    ['UV_CACHE_DIR', `${app.buildCache}/uv`],
    ...build.environment,
  ])
  return [
    ['User', app.buildUser],
    ['Group', app.buildUser],
    ['SupplementaryGroups', app.user],
    ['UMask', '0022'],
    ...environmentProperties(environment),
    ['CacheDirectory', app.buildUser],
    ['CacheDirectoryMode', '0700'],
    ...LIMITS,
    ...walls(build.systemd, [
      ...build.readable.map((path): Property => ['BindReadOnlyPaths', boundPath(path)]),
      ...build.writable.map((path): Property => ['BindPaths', boundPath(path)]),
      // The group that reads the requirements could read these too.
      ...[app.stateDir, app.cacheDir, app.logDir, app.etc].map(
        (path): Property => ['InaccessiblePaths', `-${path}`],
      ),
    ]),
  ]
}

/** Where downloaded Pythons are, for all apps of a server: a folder for each minor version. */
export const PYTHONS = '/opt/flask-deploy/python'

/**
 * What fetches a Python for all apps of the server: as the app's build user, but where nothing can be seen that an
 * earlier build may have left for it.
 */
export function downloadProperties(name: string, systemd: number): readonly Property[] {
  const app = paths(name)
  const folder = `${PYTHONS}/.${name}`
  const environment = new Map([
    ['HOME', folder],
    ['UV_PYTHON_INSTALL_DIR', `${folder}/made`],
    ['UV_CACHE_DIR', `${folder}/cache`],
    ['UV_SYSTEM_CERTS', '1'],
    // A server that cannot get there is told so within seconds.
    ['UV_HTTP_CONNECT_TIMEOUT', '5'],
    ['UV_HTTP_TIMEOUT', '30'],
    ['UV_HTTP_RETRIES', '1'],
  ])
  return [
    ['User', app.buildUser],
    ['Group', app.buildUser],
    ['UMask', '0022'],
    ['WorkingDirectory', folder],
    ['RuntimeMaxSec', '900'],
    ...environmentProperties(environment),
    ...LIMITS,
    ...walls(systemd, [
      ['BindPaths', boundPath(folder)],
      ...[app.buildCache, app.stateDir, app.cacheDir, app.logDir, app.etc].map(
        (path): Property => ['InaccessiblePaths', `-${path}`],
      ),
    ]),
  ]
}

/** systemd's own default for services, written out so that a release's folder can stand before it. */
const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

function walls(systemd: number, mounts: readonly Property[]): readonly Property[] {
  const known = SANDBOX.filter(([since]) => systemd >= since).map(([, key, value]): Property => [key, value])
  if (systemd < 238) return known
  return [
    ...known,
    // An empty /srv, in which only what is bound can be seen.
    ['TemporaryFileSystem', '/srv:ro'],
    // gunicorn's heartbeats are here: every user of the server may fill the one that all share.
    ['TemporaryFileSystem', '/dev/shm:mode=1777,nosuid,nodev'],
    ...mounts,
  ]
}

function environmentProperties(environment: ReadonlyMap<string, string>): readonly Property[] {
  return [...environment].map(([name, value]) => ['Environment', assignmentWord(name, value)])
}

/** Variables that none of the files may bring (`UnsetEnvironment=` is known since systemd 235). */
function without(names: readonly string[], systemd: number): readonly Property[] {
  return systemd < 235 ? [] : names.map((name) => ['UnsetEnvironment', name])
}

/** @throws RangeError for a path with a character that means something in a list of mounts */
function boundPath(path: string): string {
  if (!/^(\/[A-Za-z0-9._+-]+)+$/.test(path))
    throw new RangeError(`not a path to bind: ${JSON.stringify(path)}`)
  return path
}
