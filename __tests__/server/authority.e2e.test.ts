import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { act } from '../e2e/action.ts'
import { secureVisit } from '../e2e/https.ts'
import { startLoad } from '../e2e/load.ts'
import { sslscan } from '../e2e/sslscan.ts'
import { type Authority, startAuthority } from './authority.ts'
import { boot, type Server } from './boot.ts'
import type { Outcome } from './command.ts'
import { canBoot } from './requirements.ts'
import type { Suite } from './suites.ts'

const able = canBoot()
const daySeconds = 24 * 3600
const live = '/etc/letsencrypt/live/web-hello'
const page = `version one\\n${'x'.repeat(4000)}`

describe.skipIf(!able.ok)('the certificate authority', () => {
  let authority: Authority
  let server: Server | undefined
  beforeAll(async () => {
    authority = await startAuthority({ validitySeconds: 60 * daySeconds, blocked: ['blocked.test'] })
  })
  afterEach(async () => {
    await Promise.all([server?.stop(), authority.up()])
    server = undefined
  })
  afterAll(async () => authority?.stop())

  /** A server of the authority's network that answers challenges; the names lead to it. */
  async function ready(suite: Suite, ...names: readonly string[]): Promise<Server> {
    server = await boot({ suite })
    await authority.adopt(server)
    await site(server, 'listen 80 default_server;')
    for (const name of names) await authority.setName(name, { ipv4: [server.address] })
    return server
  }

  /** A restart, not a reload: that returns before the new ports are open. */
  async function site(on: Server, settings: string): Promise<void> {
    await on.must(
      `mkdir -p /var/lib/flask-deploy/acme
      cat > /etc/nginx/sites-enabled/default
      nginx -t 2> /dev/null
      systemctl restart nginx`,
      {
        stdin: `server {
          ${settings}
          location ^~ /.well-known/acme-challenge/ { root /var/lib/flask-deploy/acme; }
          location = / { default_type text/plain; return 200 "${page}"; }
        }`,
      },
    )
  }

  /** HTTPS with the certificate that certbot got, and whatever else. */
  async function secureSite(on: Server, settings = ''): Promise<void> {
    await site(
      on,
      `listen 443 ssl http2; ${settings}
      ssl_certificate ${live}/fullchain.pem; ssl_certificate_key ${live}/privkey.pem;`,
    )
  }

  /** Asks as the action does. */
  async function certbot(on: Server, ...names: readonly string[]): Promise<Outcome & { refusals: string }> {
    await on.must('mkdir -p /var/log/letsencrypt && : > /var/log/letsencrypt/letsencrypt.log')
    const domains = names.map((name) => `-d ${name}`).join(' ')
    const outcome = await on.run(`certbot certonly -n --agree-tos --register-unsafely-without-email \
      --webroot -w /var/lib/flask-deploy/acme --cert-name web-hello ${domains} --key-type ecdsa \
      --server ${authority.directoryUrl} --deploy-hook 'echo "$RENEWED_DOMAINS" >> /root/hook'`)
    const types = await on.run(
      'grep -o "acme:error:[A-Za-z]*" /var/log/letsencrypt/letsencrypt.log | sort -u',
    )
    return { ...outcome, refusals: types.stdout.trim() }
  }

  const orders = async () => (await authority.requests()).filter((line) => line.startsWith('POST /order-plz'))

  test.each(['bookworm', 'bullseye', 'trixie', 'sid'] as const)(
    'certifies names that lead to a server (%s)',
    async (suite) => {
      const names = [`a.${suite}.test`, `b.${suite}.test`]
      const on = await ready(suite, ...names)
      const began = performance.now()
      const outcome = await certbot(on, ...names)
      console.log(`${suite}: certbot took ${((performance.now() - began) / 1000).toFixed(1)} s`)
      expect(outcome, outcome.stderr).toMatchObject({ status: 0 })
      expect(await on.readFile('/root/hook')).toBe(`${names.join(' ')}\n`)
      await on.must(
        `cat > /root/root.pem
        openssl verify -CAfile /root/root.pem -untrusted ${live}/chain.pem ${live}/cert.pem
        for name in ${names.join(' ')}; do openssl x509 -in ${live}/cert.pem -noout -checkhost $name | grep -v NOT; done
        openssl x509 -in ${live}/cert.pem -noout -checkend ${59 * daySeconds}
        ! openssl x509 -in ${live}/cert.pem -noout -checkend ${61 * daySeconds}`,
        { stdin: authority.rootPem },
      )
    },
  )

  test('is down: nobody refuses, and nothing is changed; up again, it knows the account', async () => {
    const on = await ready('bookworm', 'down.test', 'more.test')
    expect(await certbot(on, 'down.test')).toMatchObject({ status: 0 })
    const accounts = 'find /etc/letsencrypt/accounts -name regr.json | xargs cat'
    const account = await on.must(accounts)
    await authority.down()
    expect(await certbot(on, 'down.test', 'more.test')).toMatchObject({ status: 1, refusals: '' })
    await authority.hang()
    // Over 128: the time was up (bash(1), read).
    const heard = await on.run("bash -c 'exec 3<>/dev/tcp/acme.test/443 && read -t 0.5 <&3; echo $?'")
    expect(Number(heard.stdout)).toBeGreaterThan(128)
    await authority.up()
    expect(await certbot(on, 'down.test', 'more.test')).toMatchObject({ status: 0 })
    expect(await on.must(accounts)).toBe(account)
  })

  test('refuses', async () => {
    const on = await ready('bookworm', 'refused.test', 'blocked.test', 'x.blocked.test')
    await authority.refuse('rateLimited')
    expect(await certbot(on, 'refused.test')).toMatchObject({ status: 1, refusals: 'acme:error:rateLimited' })
    expect((await orders()).at(-1)).toBe('POST /order-plz 429')
    await authority.up()
    expect(await certbot(on, 'x.blocked.test')).toMatchObject({
      status: 1,
      refusals: 'acme:error:rejectedIdentifier',
    })
    expect((await orders()).at(-1)).toBe('POST /order-plz 400')
    await authority.setName('refused.test', { ipv4: [authority.address] })
    expect(await certbot(on, 'refused.test')).toMatchObject({
      status: 1,
      refusals: 'acme:error:unauthorized',
    })
    await authority.setName('refused.test')
    expect(await certbot(on, 'refused.test')).toMatchObject({ status: 1, refusals: 'acme:error:connection' })
    expect((await on.run(`ls ${live}`)).status).not.toBe(0)
    await authority.setName('refused.test', { ipv4: [on.address] })
    expect(await certbot(on, 'refused.test')).toMatchObject({ status: 0 })
  })

  test('has one DNS for servers and for the action', async () => {
    const on = await ready('bookworm', 'dns.test')
    await authority.setName('both.test', { ipv4: [on.address], ipv6: ['2001:db8::1'] })
    await authority.setName('failing.test', { failing: true })
    const looked = await on.run('getent ahostsv4 dns.test | head -1; getent ahosts nowhere.test; echo $?')
    expect(looked.stdout).toMatch(new RegExp(`^${on.address} .*\n2\n$`))
    // (a name of the world outside)
    const archive = "apt-get --print-uris update | sed -n '1s,^.[a-z]*://\\([^/:]*\\).*,\\1,p'"
    await on.must(`getent hosts "$(${archive})"`)
    const folder = mkdtempSync(join(tmpdir(), 'authority-test-'))
    const entry = join(folder, 'look.mjs')
    writeFileSync(
      entry,
      `import { lookup, resolve4, resolve6 } from 'node:dns/promises'
      const said = (looked) => looked.then(JSON.stringify, ({ code }) => code)
      for (const name of ['dns.test', 'both.test', 'nowhere.test', 'failing.test'])
        console.log(name, await said(resolve4(name)), await said(resolve6(name)))
      console.log('lookup', (await lookup('dns.test')).address)`,
    )
    const ran = await act({ workspace: folder, inputs: {}, network: authority.runner, entry })
    rmSync(folder, { recursive: true })
    expect(ran.log.trim().split('\n')).toEqual([
      `dns.test ["${on.address}"] ENODATA`,
      `both.test ["${on.address}"] ["2001:db8::1"]`,
      'nowhere.test ENOTFOUND ENOTFOUND',
      'failing.test ESERVFAIL ESERVFAIL',
      `lookup ${on.address}`,
    ])
  })

  test('lets visitors trust what it certified, and only that', async () => {
    const on = await ready('bookworm', 'www.test', 'other.test')
    expect(await certbot(on, 'www.test')).toMatchObject({ status: 0 })
    await secureSite(on)
    const seen = await secureVisit(on, 'www.test', authority.rootPem)
    expect(seen).toMatchObject({ status: 200, protocol: 'TLSv1.3', alpn: 'h2' })
    expect(seen.body).toBe(page.replace('\\n', '\n'))
    expect(seen.certificate.names).toEqual(['www.test'])
    expect(seen.certificate.issuer).toMatch(/^Pebble Intermediate CA /)
    const old = await secureVisit(on, 'www.test', authority.rootPem, { alpn: ['http/1.1'] })
    expect(old).toMatchObject({ status: 200, alpn: 'http/1.1', body: seen.body })
    expect(old.certificate).toEqual(seen.certificate)
    await expect(secureVisit(on, 'other.test', authority.rootPem)).rejects.toMatchObject({
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    })
    await expect(secureVisit(on, 'www.test', authority.apiCaPem)).rejects.toMatchObject({
      code: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    })
    const folder = mkdtempSync(join(tmpdir(), 'authority-test-'))
    const entry = join(folder, 'visit.mjs')
    writeFileSync(entry, "console.log((await fetch('https://www.test/')).status)")
    const ran = await act({ workspace: folder, inputs: {}, network: authority.runner, entry })
    rmSync(folder, { recursive: true })
    expect(ran).toMatchObject({ status: 0, log: '200\n' })
    const load = startLoad(on.address, { secure: { name: 'www.test', rootPem: authority.rootPem } })
    await sleep(1000)
    const visits = (await load.end()).filter(({ kind }) => kind.startsWith('page'))
    expect(visits.length).toBeGreaterThan(20)
    expect(visits.filter(({ fault }) => fault !== '')).toEqual([])
  })

  test('finds out what a careless server offers', async () => {
    const on = await ready('bullseye', 'careless.test')
    expect(await certbot(on, 'careless.test')).toMatchObject({ status: 0 })
    await secureSite(
      on,
      'ssl_protocols TLSv1 TLSv1.2; ssl_ciphers ECDHE+AESGCM:ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0;',
    )
    const offers = await sslscan(authority, 'careless.test')
    expect(offers.protocols).toEqual(['TLSv1.0', 'TLSv1.2'])
    expect(offers.ciphers).toContainEqual({
      protocol: 'TLSv1.2',
      name: 'ECDHE-ECDSA-AES128-GCM-SHA256',
      bits: 128,
      strength: 'strong',
    })
    expect(offers.ciphers.map(({ name }) => name)).toContain('ECDHE-ECDSA-AES128-SHA')
    await expect(sslscan(authority, 'nowhere.test')).rejects.toThrow('nowhere.test')
  })
})
