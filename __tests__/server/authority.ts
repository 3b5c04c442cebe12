import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { get } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { boot, type Server } from './boot.ts'
import { scripts } from './places.ts'
import { type SetName, testNames } from './test-names.ts'

export type AuthorityOptions = {
  /** How long its certificates hold, in seconds; 90 days unless told. */
  validitySeconds?: number
  /** Names for which it refuses every order (`rejectedIdentifier`), with all names below them. */
  blocked?: readonly string[]
}

/** What a process on this machine needs to live in the test network (`ActionOptions.network`). */
export type RunnerNetwork = {
  /** A resolv.conf that names the authority's DNS. */
  readonly resolver: string
  /** PEM file of the root of the authority's certificates. */
  readonly trust: string
}

/**
 * A real certificate authority (Pebble, strict) on a server of its own, with the DNS that it, the test servers and the
 * action's process ask. Names in `test`, `example` and `example.com|net|org` exist where they are set; all others are
 * looked up as this machine does it.
 */
export type Authority = {
  /** For certbot's --server. */
  readonly directoryUrl: string
  /** Of its API (port 443) and of the DNS (port 53). What is led here in error finds 404s on port 80. */
  readonly address: string
  /** The root of the certificates that it gives out. */
  readonly rootPem: string
  /** The CA of its own API: whom a server has to trust before it can ask. */
  readonly apiCaPem: string
  readonly runner: RunnerNetwork
  /** The server that it runs on. */
  readonly server: Server
  /** Gives a server this DNS, and trust in this API, by the system's own files. */
  adopt(server: Server): Promise<void>
  setName: SetName
  /** Its API refuses connections. Accounts and certificates outlive it; the DNS goes on. */
  down(): Promise<void>
  /** Its API takes connections and says nothing. */
  hang(): Promise<void>
  /**
   * It refuses every new order.
   * @param type of the registry "ACME Error Types" (RFC 8555, 9.7.4), as `rateLimited`
   * @param status HTTP's; 429 unless told
   */
  refuse(type: string, status?: number): Promise<void>
  /** Ends `down`, `hang` and `refuse`. */
  up(): Promise<void>
  /** What its API was asked so far, as `POST /order-plz 201`; /order-plz takes new orders. */
  requests(): Promise<readonly string[]>
  stop(): Promise<void>
}

const directoryName = 'acme.test'
const ninetyDays = 90 * 24 * 3600
const timeoutMs = 20_000
const pollMs = 20

/**
 * Boots an authority; its tree is built first where the cache has none.
 * @throws Error where this machine cannot boot, or with what does not start
 */
export async function startAuthority(options: AuthorityOptions = {}): Promise<Authority> {
  const server = await boot({ suite: 'bookworm', packages: 'authority', name: 'authority' })
  const folder = mkdtempSync(join(tmpdir(), 'authority-'))
  const stop = async () => {
    rmSync(folder, { recursive: true, force: true })
    await server.stop()
  }
  try {
    return { ...(await begin(server, options, folder)), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function begin(
  server: Server,
  { validitySeconds = ninetyDays, blocked = [] }: AuthorityOptions,
  folder: string,
): Promise<Omit<Authority, 'stop'>> {
  const { address } = server
  const pebble = {
    listenAddress: '127.0.0.1:14000',
    managementListenAddress: '0.0.0.0:15000',
    certificate: '/etc/authority/api.pem',
    privateKey: '/etc/authority/api.key',
    httpPort: 80,
    tlsPort: 443,
    // (how long clients wait before they ask again, in seconds)
    retryAfter: { authz: 1, order: 1 },
    domainBlocklist: blocked,
    certificateValidityPeriod: validitySeconds,
  }
  const apiCaPem = await server.must(
    `DIRECTORY_NAME=${directoryName}\nADDRESS=${address}\nPEBBLE=$(cat)\n${start}`,
    { stdin: JSON.stringify({ pebble }) },
  )
  const setName = testNames(server)
  await setName(directoryName, { ipv4: [address] })
  const api = (port: number, path: string) => ask({ host: address, port, path, ca: apiCaPem })
  const untilUp = () => until('answer', async () => (await api(443, '/dir')).status === 200)
  await untilUp()
  const rootPem = (await api(15_000, '/roots/0')).body
  const runner = { resolver: join(folder, 'resolv.conf'), trust: join(folder, 'root.pem') }
  writeFileSync(runner.resolver, `nameserver ${address}\n`)
  writeFileSync(runner.trust, rootPem)
  return {
    directoryUrl: `https://${directoryName}/dir`,
    address,
    rootPem,
    apiCaPem,
    runner,
    server,
    setName,
    async adopt(other) {
      await other.must(
        // What update-ca-certificates would do, which takes a second or more.
        `cd /etc/ssl/certs
        cat > /usr/local/share/ca-certificates/test-authority.crt
        ln -sf /usr/local/share/ca-certificates/test-authority.crt test-authority.pem
        ln -sf test-authority.pem "$(openssl x509 -hash -noout -in test-authority.pem).0"
        cat test-authority.pem >> ca-certificates.crt
        echo 'nameserver ${address}' > /etc/resolv.conf`,
        { stdin: apiCaPem },
      )
    },
    async down() {
      await server.must('systemctl stop nginx')
    },
    async hang() {
      // For a process that stands still the kernel goes on taking connections.
      await server.must('systemctl start nginx && systemctl kill --signal=STOP nginx')
    },
    async refuse(type, status = 429) {
      await server.must('cat > /etc/authority/refusal.conf && systemctl reload nginx', {
        stdin: refusal(type, status),
      })
      await until('refuse', async () => (await api(443, '/order-plz')).status === status)
    },
    async up() {
      await server.must(`rm -f /etc/authority/refusal.conf
        systemctl kill --signal=CONT nginx 2> /dev/null || :
        systemctl restart nginx`)
      await untilUp()
    },
    async requests() {
      const log = await server.must('cat /var/log/nginx/authority.log')
      return log.split('\n').filter((line) => line !== '')
    },
  }
}

const start = readFileSync(join(scripts, 'authority-start.sh'), 'utf8')

/** nginx's answer to a new order: a problem document (RFC 7807), as Let's Encrypt gives one when asked too often. */
function refusal(type: string, status: number): string {
  const problem = { type: `urn:ietf:params:acme:error:${type}`, detail: 'refused by the test', status }
  return `location = /order-plz {
  default_type application/problem+json;
  add_header Retry-After 3600 always;
  return ${status} '${JSON.stringify(problem)}';
}
`
}

type Asked = { host: string; port: number; path: string; ca: string }

/** The harness's own look at the API, which is kept out of `requests`. */
function ask(asked: Asked): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const options = { ...asked, agent: false as const, timeout: 2_000, headers: { 'user-agent': 'harness' } }
    const asking = get(options, (answer) => {
      let body = ''
      answer.setEncoding('utf8')
      answer.on('data', (chunk: string) => {
        body += chunk
      })
      answer.on('error', reject)
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body }))
    })
    asking.on('error', reject)
    asking.on('timeout', () => asking.destroy(new Error('no answer in time')))
  })
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + timeoutMs
  let why = ''
  for (;;) {
    try {
      if (await holds()) return
    } catch (error) {
      why = `: ${String(error)}`
    }
    if (performance.now() > deadline) throw new Error(`the test authority does not ${what}${why}`)
    await sleep(pollMs)
  }
}
