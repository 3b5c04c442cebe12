import { Agent, request } from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from 'node:tls'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type Authority, startAuthority } from '../server/authority.ts'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import type { Suite } from '../server/suites.ts'
import { secureVisit } from './https.ts'
import { visit } from './look.ts'
import { tinyProject } from './projects.ts'
import { type Run, runs } from './runs.ts'
import { sslscan } from './sslscan.ts'

const able = canBoot()
const suites: readonly Suite[] = ['bullseye', 'bookworm', 'trixie', 'sid']

/** Tells what arrives. */
const telling = `from flask import Flask, jsonify, request, url_for

app = Flask(__name__)


@app.route("/", methods=["GET", "POST"])
def index():
    headers = {name: request.headers.get(name) for name in ("Upgrade", "Connection", "X-Forwarded-Proto")}
    address = url_for("index", _external=True)
    return jsonify(headers=headers, url=request.url, address=address, bytes=len(request.get_data()))


@app.route("/socket", websocket=True)
def socket():
    return index()


@app.get("/own")
def own():
    names = ("Strict-Transport-Security", "X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy")
    return "own", 200, {name: "own" for name in names}
`

/** All that may be agreed on with a site's ECDSA certificate. */
const CIPHERS = [
  'TLSv1.2 ECDHE-ECDSA-AES128-GCM-SHA256',
  'TLSv1.2 ECDHE-ECDSA-AES256-GCM-SHA384',
  'TLSv1.2 ECDHE-ECDSA-CHACHA20-POLY1305',
  'TLSv1.3 TLS_AES_128_GCM_SHA256',
  'TLSv1.3 TLS_AES_256_GCM_SHA384',
  'TLSv1.3 TLS_CHACHA20_POLY1305_SHA256',
]

describe.skipIf(!able.ok)(`TLS as it is served${able.ok ? '' : ` (skipped: ${able.why})`}`, () => {
  let authority: Authority
  beforeAll(async () => {
    authority = await startAuthority()
  })
  afterAll(async () => authority.stop())

  /** One app on a server, and what asks it. */
  const appOn = (
    server: Server,
    name: string,
    repositoryId: string,
    files: Readonly<Record<string, string>> = {},
  ) =>
    runs(
      server,
      tinyProject(files).folder,
      { domain: `${name}.test`, 'acme-server': authority.directoryUrl },
      { repository: `someone/${name}`, repositoryId, network: authority.runner },
    )
  const start = async (suite: Suite) => {
    const server = await boot({ suite })
    await authority.adopt(server)
    for (const name of ['blog.test', 'shop.test', 'plain.test', 'mine.test'])
      await authority.setName(name, { ipv4: [server.address] })
    return server
  }

  describe.each(suites)('on %s', (suite) => {
    let server: Server
    let run: Run
    let nginx: readonly number[]
    beforeAll(async () => {
      server = await start(suite)
      run = await appOn(server, 'blog', '1', { 'app.py': telling, 'static/a.txt': 'file\n' }).good()
      const [, version = ''] = /nginx\/([\d.]+)/.exec(await server.must('nginx -v 2>&1')) ?? []
      nginx = version.split('.').map(Number)
    })
    afterAll(async () => server?.stop())

    const secured = (path = '/', alpn: readonly ('h2' | 'http/1.1')[] = ['h2', 'http/1.1']) =>
      secureVisit(server, 'blog.test', authority.rootPem, { path, alpn })

    test('only TLS 1.2 and 1.3 are to be had, with strong ciphers', async () => {
      const { protocols, ciphers } = await sslscan(authority, 'blog.test')
      expect(protocols).toEqual(['TLSv1.2', 'TLSv1.3'])
      expect(ciphers.map(({ protocol, name }) => `${protocol} ${name}`).toSorted()).toEqual(CIPHERS)
      // (what has come with TLS 1.3 sslscan calls acceptable, all of it)
      expect(ciphers.filter(({ strength }) => !['strong', 'acceptable'].includes(strength))).toEqual([])
    })

    test('pages come over HTTP/2 and 1.1, and the app knows that it is HTTPS', async () => {
      expect([run.outputs.url, run.report.warnings]).toEqual(['https://blog.test/', []])
      for (const alpn of ['h2', 'http/1.1'] as const) {
        const page = await secured('/?a=b', [alpn])
        expect([page.status, page.alpn, page.protocol]).toEqual([200, alpn, 'TLSv1.3'])
        expect(JSON.parse(page.body)).toMatchObject({
          headers: { 'X-Forwarded-Proto': 'https' },
          url: 'https://blog.test/?a=b',
          address: 'https://blog.test/',
        })
      }
    })

    test('a name that nobody serves gets no answer, and is shown no certificate of anybody’s', async () => {
      for (const servername of ['other.test', '']) {
        const { certificate, answer } = await stranger(server, servername)
        // nginx before 1.19.4 cannot refuse without showing one; it is nobody's.
        expect([servername, certificate, answer]).toEqual([
          servername,
          suite === 'bullseye' ? 'unknown.invalid' : '',
          '',
        ])
      }
      await expect(visit(server, '/', 'other.test')).rejects.toThrow('socket hang up')
      // On a connection that was made to another name.
      const misled = await ask(server, authority, { headers: { host: 'other.test' } }).catch(String)
      if (suite === 'bullseye') expect(misled).toContain('socket hang up')
      else expect(misled).toMatchObject({ status: 421 })
    })

    test('nginx has nothing to complain about', async () => {
      expect(await server.must('nginx -t 2>&1')).toMatch(
        /^nginx: .* syntax is ok\nnginx: .* test is successful\n$/,
      )
    })

    test('headers for safety are there once, be they nginx’s or the app’s', async () => {
      const safe = {
        'strict-transport-security': 'max-age=86400',
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'SAMEORIGIN',
        'referrer-policy': 'strict-origin-when-cross-origin',
      }
      for (const path of ['/', '/static/a.txt', '/no-such-page'])
        expect((await secured(path)).headers).toMatchObject(safe)
      const own = Object.fromEntries(Object.keys(safe).map((name) => [name, 'own']))
      expect((await secured('/own')).headers).toMatchObject(own)
      // Over HTTP nobody may insist on HTTPS (RFC 6797, 7.2).
      expect((await visit(server, '/', 'blog.test')).headers).not.toHaveProperty('strict-transport-security')
    })

    test('HTTP leads to HTTPS with path and query as they came', async () => {
      for (const path of [
        '/',
        '/a/b/?c=d&c=e&f',
        '/a%2Fb//c;d=1?x=%20+&y=%C3%A4',
        '//evil.test/%2e%2e?next=https://evil.test/',
        '/%0d%0aSet-Cookie:%20a=b?%0d%0aX:%20y',
        '/?$host$uri',
      ]) {
        const { status, headers } = await visit(server, path, 'BLOG.test:80')
        expect([status, headers.location, headers['set-cookie']]).toEqual([
          301,
          `https://blog.test${path}`,
          undefined,
        ])
      }
    })

    test('large bodies and upgrades get through', async () => {
      const post = async (bytes: number) =>
        await ask(server, authority, { method: 'POST', body: Buffer.alloc(bytes) })
      expect(JSON.parse((await post(5_000_000)).body)).toMatchObject({ bytes: 5_000_000 })
      expect((await post(17_000_000)).status).toBe(413)
      const upgrade = await ask(server, authority, {
        path: '/socket',
        headers: { connection: 'Upgrade', upgrade: 'websocket' },
      })
      expect(JSON.parse(upgrade.body)).toMatchObject({
        headers: { Upgrade: 'websocket', Connection: 'upgrade' },
        url: 'https://blog.test/socket',
      })
    })

    test('a connection that is kept outlives a reload, where nginx can do that', async () => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 })
      onTestFinished(() => agent.destroy())
      const first = await ask(server, authority, { agent })
      await server.must('systemctl reload nginx')
      await sleep(700)
      const second = await ask(server, authority, { agent, method: 'POST', body: Buffer.from('x') })
      expect(second.status).toBe(200)
      const [major = 0, minor = 0, patch = 0] = nginx
      const can = major * 1e6 + minor * 1e3 + patch >= 1_027_004
      expect(second.port === first.port).toBe(can)
    })
  })

  test('apps share what refuses unknown names, and one without HTTPS leaves it', async () => {
    const server = await start('bookworm')
    onTestFinished(() => server.stop())
    const files = 'cd /etc/nginx/sites-enabled && sha256sum 00-*; ls'
    await appOn(server, 'blog', '1').good()
    const before = await server.must(files)
    const shop = await appOn(server, 'shop', '2', { 'app.py': telling }).good()
    expect([shop.outputs.url, shop.report.warnings]).toEqual(['https://shop.test/', []])
    await appOn(server, 'plain', '3').good({ tls: 'off' })
    expect(await server.must(files)).toBe(`${before}web-plain.conf\nweb-shop.conf\n`)

    expect((await secureVisit(server, 'blog.test', authority.rootPem)).body).toBe('version 1')
    const other = await secureVisit(server, 'shop.test', authority.rootPem)
    expect([other.certificate.names, JSON.parse(other.body).url]).toEqual([
      ['shop.test'],
      'https://shop.test/',
    ])
    expect((await visit(server, '/', 'plain.test')).body).toBe('version 1')
    for (const name of ['plain.test', 'other.test', ''])
      expect(await stranger(server, name)).toEqual({ certificate: '', answer: '' })
    expect(await server.must('nginx -t 2>&1')).not.toMatch(/warn/)
  })

  test('a site of the user’s own that answers every name over HTTPS goes on, beside ours', async () => {
    const server = await start('bookworm')
    onTestFinished(() => server.stop())
    await server.must(`openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 9 \
        -subj /CN=mine.test -keyout /etc/ssl/mine.key -out /etc/ssl/mine.pem 2>/dev/null
      cat >/etc/nginx/conf.d/mine.conf <<'CONF'
server {
    listen 443 ssl default_server;
    listen [::]:443 ssl default_server;
    server_name mine.test;
    ssl_certificate /etc/ssl/mine.pem;
    ssl_certificate_key /etc/ssl/mine.key;
    location / { return 200 "mine\\n"; }
}
CONF
      systemctl restart nginx`)
    const run = await appOn(server, 'blog', '1').good()
    expect([run.outputs.url, run.report.warnings]).toEqual(['https://blog.test/', []])
    expect((await secureVisit(server, 'blog.test', authority.rootPem)).body).toBe('version 1')
    for (const name of ['mine.test', 'other.test', '']) {
      const { certificate, answer } = await stranger(server, name)
      expect([certificate, answer]).toEqual(['mine.test', 'mine\n'])
    }
    expect(await server.must('ls /etc/nginx/sites-enabled /etc/nginx/conf.d')).not.toContain('default-tls')
    expect(await server.must('nginx -t 2>&1')).not.toMatch(/warn/)
  })
})

/** What somebody gets who asks for a name, whatever certificate he is shown: its common name, and the page. */
function stranger(server: Server, servername: string): Promise<{ certificate: string; answer: string }> {
  return new Promise((resolve) => {
    const socket = connect({ host: server.address, port: 443, servername, rejectUnauthorized: false })
    let certificate = ''
    let received = ''
    socket.on('secureConnect', () => {
      certificate = [socket.getPeerCertificate().subject.CN].flat().join()
      socket.write(`GET / HTTP/1.1\r\nHost: ${servername || 'none'}\r\nConnection: close\r\n\r\n`)
    })
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString()
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      resolve({ certificate, answer: received.replace(/^[\s\S]*?\r\n\r\n/, '') })
    })
  })
}

interface Asked {
  readonly path?: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Buffer
  readonly agent?: Agent
}

/** A request over HTTPS and HTTP/1.1; `port` is the visitor's, one for each connection. */
function ask(
  server: Server,
  authority: Authority,
  asked: Asked,
): Promise<{ status: number; body: string; port: number }> {
  const { path = '/', method = 'GET', headers = {}, body, agent } = asked
  return new Promise((resolve, reject) => {
    const options = { host: server.address, servername: 'blog.test', ca: authority.rootPem, timeout: 20_000 }
    const asking = request(
      { ...options, path, method, agent: agent ?? false, headers: { host: 'blog.test', ...headers } },
      (answer) => {
        const port = answer.socket.localPort ?? 0
        let text = ''
        answer.on('data', (chunk: Buffer) => {
          text += chunk.toString()
        })
        answer.on('error', reject)
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: text, port }))
      },
    )
    asking.on('timeout', () => asking.destroy(new Error('no answer within 20 s')))
    asking.on('error', reject)
    asking.end(body)
  })
}
