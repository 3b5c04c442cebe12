/** NAME of DESIGN 7: what an app is called on its server. */
const NAME = /^[a-z][a-z0-9-]{0,20}$/

/** The user that builds an app's environments is `web-NAME-build`, so no app may be called like one. */
const BUILD_SUFFIX = '-build'

/** A release's ID: when it was made (UTC, to the second) and what it was made of, e.g. `20261122184800-abc1234`. */
const RELEASE = /^[0-9]{14}(-[0-9a-f]{1,40}){1,2}$/

/** Says whether a text can be NAME. */
export function isAppName(text: string): boolean {
  return NAME.test(text) && !text.endsWith(BUILD_SUFFIX)
}

/** Says whether a text has the form of a release's ID. */
export function isReleaseId(text: string): boolean {
  return RELEASE.test(text)
}

/** Where everything of one app lies on the server. Absolute paths, but for names of users and units. */
export interface AppPaths {
  /** The app's system user and its group. */
  readonly user: string
  /** The user that builds environments. */
  readonly buildUser: string
  /** Releases, `current` and the state file. */
  readonly app: string
  readonly releases: string
  /** The symbolic link to the serving release, relative (`releases/ID`). */
  readonly current: string
  /** What the tool knows about the app. */
  readonly state: string
  /** Env files and secret files, readable by root only (see secret-files.ts for servers that are too old for that). */
  readonly etc: string
  /** Variables that the server made once for all releases (remote/generated.sh). */
  readonly generated: string
  /** Sockets and markers; gone after a reboot, made anew by the socket units. */
  readonly runtime: string
  /** The app's own files, `$HOME` and what is persisted. */
  readonly stateDir: string
  readonly cacheDir: string
  readonly logDir: string
  /** uv's cache and the build user's `$HOME`. */
  readonly buildCache: string
  /** Root-only: lock, program and events of the deploy that is under way. */
  readonly deploy: string
  /** The file's name in nginx's folder for sites. */
  readonly nginxSite: string
}

/** Where everything of one release lies on the server. */
export interface ReleasePaths {
  readonly root: string
  readonly venv: string
  /** The project itself where it has to be installed. */
  readonly site: string
  /** Links from URL path to folder: what nginx serves. */
  readonly public: string
  /** Link to the release that was current before this one. */
  readonly previous: string
  /** Our own files of this release; the web process starts here. */
  readonly deploy: string
  readonly gunicorn: string
  readonly entry: string
  /** While it exists what was built of the project (\`site\`) stands before the project on sys.path. */
  readonly siteFirst: string
  /** How the process is shaped by what the app is: read by gunicorn.conf.py. */
  readonly shape: string
  /** Variables by which a command finds the app. */
  readonly target: string
  /** The web process listens here. */
  readonly socket: string
  /** nginx reaches `socket` through this link, by way of `current`. */
  readonly socketLink: string
  /** While it exists the web process starts with one worker. */
  readonly firstStart: string
  readonly env: string
  /** The folder of its secret files. */
  readonly files: string
  /** Unit names. */
  readonly socketUnit: string
  readonly serviceUnit: string
  /** Unit files. */
  readonly socketUnitFile: string
  readonly serviceUnitFile: string
}

/** Folder for unit files of the machine's own (systemd.unit(5), "Unit File Load Path"). */
export const UNIT_FOLDER = '/etc/systemd/system'

/** Answers to an ACME authority's http-01 challenges, for every app of the server. */
export const ACME_FOLDER = '/var/lib/flask-deploy/acme'

/** The file's name of the site that answers names nobody serves; it sorts before all others. */
export const CATCH_ALL_SITE = '00-flask-deploy-default.conf'

/** The same over HTTPS: a file of its own, which stands only where a site of ours has HTTPS. */
export const CATCH_ALL_TLS_SITE = '00-flask-deploy-default-tls.conf'

/** Where nobody is served: a certificate for no name, for versions of nginx that need one to refuse with. */
export const UNKNOWN_NAME_PEM = '/var/lib/flask-deploy/unknown-name.pem'

/** certbot's certificates: a folder for each, with `fullchain.pem` and `privkey.pem` (certbot's manual). */
export const LINEAGES = '/etc/letsencrypt/live'

/**
 * The module that gunicorn imports. It lies on sys.path before the project, so its name must be one that no project
 * has: a project's own `entry` would be hidden by ours.
 */
export const ENTRY_MODULE = 'flask_deploy_entry'

/**
 * @param name NAME
 * @throws RangeError for a text that cannot be NAME: inputs are judged long before
 */
export function paths(name: string): AppPaths {
  if (!isAppName(name)) throw new RangeError(`not an app name: ${JSON.stringify(name)}`)
  const user = `web-${name}`
  const app = `/srv/${user}`
  return {
    user,
    buildUser: `${user}${BUILD_SUFFIX}`,
    app,
    releases: `${app}/releases`,
    current: `${app}/current`,
    state: `${app}/state`,
    etc: `/etc/${user}`,
    generated: `/etc/${user}/generated.env`,
    runtime: `/run/${user}`,
    stateDir: `/var/lib/${user}`,
    cacheDir: `/var/cache/${user}`,
    logDir: `/var/log/${user}`,
    buildCache: `/var/cache/${user}${BUILD_SUFFIX}`,
    deploy: `/run/flask-deploy/${name}`,
    nginxSite: `${user}.conf`,
  }
}

/**
 * @param name NAME
 * @param release a release's ID
 * @throws RangeError for a text that cannot be NAME or an ID
 */
export function releasePaths(name: string, release: string): ReleasePaths {
  const app = paths(name)
  if (!isReleaseId(release)) throw new RangeError(`not a release ID: ${JSON.stringify(release)}`)
  const root = `${app.releases}/${release}`
  const deploy = `${root}/.deploy`
  const unit = `${app.user}-${release}`
  return {
    root,
    venv: `${root}/.venv`,
    site: `${root}/.site`,
    public: `${root}/.public`,
    previous: `${root}/.previous`,
    deploy,
    gunicorn: `${deploy}/gunicorn.conf.py`,
    entry: `${deploy}/${ENTRY_MODULE}.py`,
    siteFirst: `${deploy}/site-first`,
    shape: `${deploy}/shape.json`,
    target: `${deploy}/target.env`,
    socket: `${app.runtime}/${release}.sock`,
    socketLink: `${root}/.sock`,
    firstStart: `${app.runtime}/${release}.first`,
    env: `${app.etc}/${release}.env`,
    files: `${app.etc}/${release}.files`,
    socketUnit: `${unit}.socket`,
    serviceUnit: `${unit}.service`,
    socketUnitFile: `${UNIT_FOLDER}/${unit}.socket`,
    serviceUnitFile: `${UNIT_FOLDER}/${unit}.service`,
  }
}

/**
 * The folder that the app was written to run in: `source` of the release.
 * @param source relative to the release's root, '' for the root itself
 * @throws RangeError where `source` could leave the release
 */
export function sourceFolder(root: string, source: string): string {
  if (source === '') return root
  const parts = source.split('/')
  if (parts.some((part) => part === '' || part === '.' || part === '..') || source.includes('\0')) {
    throw new RangeError(`not a folder inside the release: ${JSON.stringify(source)}`)
  }
  return `${root}/${source}`
}
