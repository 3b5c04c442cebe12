/*
 * Which package indexes the runner asks, and as whom: what `env` says for the server's uv and pip holds for the runner too,
 * then the runner's own variables.
 */

/** Where PyPI's pages are. */
const PYPI = 'https://pypi.org/simple'

/** Variables of uv's that say where packages come from and how they are fetched; no other one gets to it. */
const KNOWN = new Set([
  'UV_CONCURRENT_DOWNLOADS',
  'UV_DEFAULT_INDEX',
  'UV_EXCLUDE_NEWER',
  'UV_EXTRA_INDEX_URL',
  'UV_HTTP_RETRIES',
  'UV_HTTP_TIMEOUT',
  'UV_INDEX',
  'UV_INDEX_STRATEGY',
  'UV_INDEX_URL',
  'UV_INSECURE_HOST',
  'UV_NATIVE_TLS',
  'UV_PRERELEASE',
  'UV_RESOLUTION',
  'UV_SYSTEM_CERTS',
  'UV_TORCH_BACKEND',
])

/** What programs of the runner need of its surroundings: to be found, and to reach the network. */
const SURROUNDINGS =
  /^(?:PATH|HOME|TMPDIR|NETRC|SSL_CERT_FILE|SSL_CERT_DIR|(?:https?|all|no)_proxy|(?:HTTPS?|ALL|NO)_PROXY)$/

/** The index's user, as a header. */
export interface Credential {
  /** `https://host:port` */
  readonly origin: string
  readonly authorization: string
}

/** How packages are looked for from the runner. */
export interface Indexes {
  /** All variables that uv is started with. */
  readonly variables: Readonly<Record<string, string>>
  /** The indexes' addresses without user and password, the first to be asked first. */
  readonly addresses: readonly URL[]
  readonly credentials: readonly Credential[]
  /** A file with certificates to trust besides those that are trusted anyway. */
  readonly certificates: string | undefined
}

type Variables = Readonly<Record<string, string | undefined>>

/**
 * @param env the user's `env`; it goes first
 * @param environment the runner's variables
 */
export function indexesOf(env: ReadonlyMap<string, string>, environment: Variables): Indexes {
  const given = (name: string) => env.get(name) || environment[name] || ''
  const variables: Record<string, string> = {}
  for (const [name, value] of Object.entries(environment)) {
    if (value !== undefined && SURROUNDINGS.test(name)) variables[name] = value
  }
  for (const name of new Set([...Object.keys(environment), ...env.keys()])) {
    if (given(name) !== '' && (KNOWN.has(name) || isCredential(name))) variables[name] = given(name)
  }
  // uv does not read pip's variables.
  const pip = given('PIP_INDEX_URL')
  if (pip !== '' && !variables['UV_DEFAULT_INDEX'] && !variables['UV_INDEX_URL'])
    variables['UV_DEFAULT_INDEX'] = pip
  const extra = given('PIP_EXTRA_INDEX_URL')
  if (extra !== '' && !variables['UV_INDEX'] && !variables['UV_EXTRA_INDEX_URL'])
    variables['UV_EXTRA_INDEX_URL'] = extra
  const certificates = variables['SSL_CERT_FILE'] ?? (given('PIP_CERT') || undefined)
  if (certificates !== undefined) variables['SSL_CERT_FILE'] = certificates

  const standard = variables['UV_DEFAULT_INDEX'] ?? variables['UV_INDEX_URL'] ?? PYPI
  const all = [variables['UV_INDEX'], variables['UV_EXTRA_INDEX_URL'], standard]
    .flatMap((list) => (list ?? '').split(/\s+/))
    .filter((one) => one !== '')
    .flatMap((one) => index(one, variables))
  return {
    variables,
    addresses: all.map(({ address }) => address),
    credentials: all.flatMap(({ credential }) => (credential === undefined ? [] : [credential])),
    certificates,
  }
}

/** The header for a request to an address: that of an index of the same origin. */
export function authorizationFor(url: URL, { credentials }: Indexes): string | undefined {
  return credentials.find(({ origin }) => origin === url.origin)?.authorization
}

/** `https://user:password@host/simple`, or `name=https://...` with a user and password in variables of their own. */
function index(
  text: string,
  variables: Variables,
): readonly { readonly address: URL; readonly credential: Credential | undefined }[] {
  const [, name, address = ''] = /^(?:([A-Za-z0-9._-]+)=)?(https?:\/\/.*)$/.exec(text) ?? []
  const url = URL.parse(address)
  if (url === null) return []
  const prefix = `UV_INDEX_${(name ?? '').toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}`
  const named = (what: string) => (name === undefined ? '' : (variables[`${prefix}_${what}`] ?? ''))
  const user = url.username === '' ? named('USERNAME') : decodeURIComponent(url.username)
  const password = url.password === '' ? named('PASSWORD') : decodeURIComponent(url.password)
  url.username = ''
  url.password = ''
  url.hash = ''
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
  const credential = user === '' && password === '' ? undefined : { origin: url.origin, authorization }
  return [{ address: url, credential }]
}

function isCredential(name: string): boolean {
  return /^UV_INDEX_[A-Z0-9_]+_(?:USERNAME|PASSWORD)$/.test(name)
}
