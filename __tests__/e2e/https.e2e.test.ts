import { execFileSync } from 'node:child_process'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { type Authority, startAuthority } from '../server/authority.ts'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { secureVisit } from './https.ts'
import { stateOf, visit } from './look.ts'
import { type Checkout, tinyProject } from './projects.ts'
import { type Run, runs } from './runs.ts'

const able = canBoot()

describe.skipIf(!able.ok)(`HTTPS${able.ok ? '' : ` (skipped: ${able.why})`}`, () => {
  let authority: Authority
  let server: Server
  let project: Checkout
  beforeAll(async () => {
    authority = await startAuthority({ blocked: ['forbidden.test'] })
  })
  afterAll(async () => authority.stop())
  beforeEach(async () => {
    server = await boot({ suite: 'bookworm' })
    await authority.up()
    await authority.adopt(server)
    await authority.setName('blog.test', { ipv4: [server.address] })
    project = tinyProject()
  })
  afterEach(async () => server.stop())

  /** Deploys with these names and this authority. */
  const site = (inputs: Readonly<Record<string, string>> = {}) =>
    runs(
      server,
      project.folder,
      { domain: 'blog.test', 'acme-server': authority.directoryUrl, ...inputs },
      { network: authority.runner },
    )
  const secured = (name = 'blog.test', path = '/') => secureVisit(server, name, authority.rootPem, { path })
  const orders = async () => (await authority.requests()).filter((one) => one.includes('/order-plz')).length
  const codes = (run: Run) => run.report.warnings.map(({ code }) => code)

  test('comes with the first deploy, in the same run, for all names', async () => {
    await authority.setName('www.blog.test', { ipv4: [server.address] })
    const run = await site({ domain: 'blog.test\nwww.blog.test', email: 'me@example.org' }).good()

    expect(run.outputs.result).toBe('deployed')
    expect(run.outputs.url).toBe('https://blog.test/')
    expect(run.report.smoke).toMatchObject({ ok: true, url: 'https://blog.test/', release: run.release })
    expect(run.report.certificate).toMatchObject({ names: ['blog.test', 'www.blog.test'] })
    expect(run.summary).toMatch(/Certificate .* (89|90) days left .*by Pebble/)
    expect(codes(run)).toEqual([])
    for (const name of ['blog.test', 'www.blog.test']) {
      const page = await secured(name)
      expect(page).toMatchObject({ status: 200, body: 'version 1', protocol: 'TLSv1.3', alpn: 'h2' })
      expect(page.headers['strict-transport-security']).toBe('max-age=86400')
      expect(page.certificate.names.toSorted()).toEqual(['blog.test', 'www.blog.test'])
      const plain = await visit(server, '/a/b?c=d&e=%20', name)
      expect([plain.status, plain.headers.location]).toEqual([301, `https://${name}/a/b?c=d&e=%20`])
    }
    // What the authority asks when it renews is not sent to HTTPS.
    expect((await visit(server, '/.well-known/acme-challenge/none', 'blog.test')).status).toBe(404)
    // Nobody's name gets nothing: no certificate, no answer.
    await expect(
      secureVisit(server, 'blog.test', authority.rootPem, { servername: 'other.test' }),
    ).rejects.toThrow(/unrecognized name/)
    await expect(visit(server, '/', 'other.test')).rejects.toThrow('socket hang up')
    const key = await server.must(
      'stat -Lc "%a %U" /etc/letsencrypt/live/web-hello/privkey.pem; openssl pkey -noout -text -in /etc/letsencrypt/live/web-hello/privkey.pem | grep -o P-256',
    )
    expect(key).toBe('600 root\nP-256\n')
    await server.must('systemctl is-enabled certbot.timer && systemctl is-active certbot.timer')
  }, 120_000)

  test('stays through deploys that change nothing, the code, or go back', async () => {
    const first = await site().good()
    const asked = await orders()
    const again = await site().good()
    expect(again.outputs).toMatchObject({
      result: 'unchanged',
      release: first.release,
      url: 'https://blog.test/',
    })
    expect(again.report.certificate?.names).toEqual(['blog.test'])

    project.commit({
      'app.py':
        'from flask import Flask, request\napp = Flask(__name__)\n@app.get("/")\ndef index(): return f"2 {request.scheme} {request.host_url}"\n',
    })
    const second = await site().good()
    expect(second.report.smoke).toMatchObject({ url: 'https://blog.test/', release: second.release })
    expect((await secured()).body).toBe('2 https https://blog.test/')

    const back = await site().good({ command: 'rollback' })
    expect(back.outputs).toMatchObject({
      result: 'rolled-back',
      release: first.release,
      url: 'https://blog.test/',
    })
    expect((await secured()).body).toBe('version 1')
    expect(await orders()).toBe(asked)
  }, 120_000)

  test('follows names that are added and removed', async () => {
    await site().good()
    await authority.setName('new.blog.test', { ipv4: [server.address] })
    const added = await site({ domain: 'blog.test\nnew.blog.test' }).good()
    expect(added.report.certificate?.names).toEqual(['blog.test', 'new.blog.test'])
    expect((await secured('new.blog.test')).body).toBe('version 1')
    expect((await site({ domain: 'blog.test\nnew.blog.test' }).good()).outputs.result).toBe('unchanged')

    const removed = await site({ domain: 'new.blog.test' }).good()
    expect(removed.report.certificate?.names).toEqual(['new.blog.test'])
    expect((await secured('new.blog.test')).certificate.names).toEqual(['new.blog.test'])
    await expect(secured('blog.test')).rejects.toThrow(/unrecognized name/)
  }, 120_000)

  test('stays with the present certificate where an added name does not lead here', async () => {
    await site().good()
    const asked = await orders()
    await authority.setName('astray.test', { ipv4: [authority.address] })
    const run = await site({ domain: 'blog.test\nastray.test' }).good()
    expect(run.outputs.result).toBe('deployed')
    expect(run.report.certificate?.names).toEqual(['blog.test'])
    const [warning] = run.report.warnings
    expect(warning?.code).toBe('certificate-astray')
    expect(warning?.text).toContain(`astray.test leads to ${authority.address}, which is not the server`)
    expect(warning?.text).toContain(`Set the record astray.test. A ${server.address}`)
    expect(await orders()).toBe(asked)
    expect((await secured()).body).toBe('version 1')
    // The name that has no certificate is there over HTTP, for whoever comes by other ways.
    expect((await visit(server, '/', 'astray.test')).body).toBe('version 1')

    // It is tried with each deploy: without a new release, as soon as the record is right.
    await authority.setName('astray.test', { ipv4: [server.address] })
    const later = await site({ domain: 'blog.test\nastray.test' }).good()
    expect(later.outputs).toMatchObject({ result: 'unchanged', release: run.release })
    expect(later.report.certificate?.names).toEqual(['astray.test', 'blog.test'])
    expect((await secured('astray.test')).body).toBe('version 1')
  }, 120_000)

  test('waits for names that have no record, or another server behind their IPv6 one', async () => {
    await authority.setName('blog.test', {})
    const asked = await orders()
    const none = await site().good()
    expect(codes(none)).toEqual(['certificate-astray'])
    expect(none.report.warnings[0]?.text).toContain(`blog.test has no address in DNS`)
    await authority.setName('blog.test', { ipv4: [server.address], ipv6: ['2001:db8::1'] })
    const half = await site().good()
    expect(half.outputs.result).toBe('unchanged')
    expect(half.report.warnings[0]?.text).toMatch(/2001:db8::1/)
    await authority.setName('blog.test', { failing: true })
    expect(codes(await site().good())).toEqual(['certificate-astray'])
    expect(await orders()).toBe(asked)
    expect((await visit(server, '/', 'blog.test')).body).toBe('version 1')
    expect(await server.run('command -v certbot && ls -d /etc/letsencrypt/live')).toMatchObject({ status: 2 })
  }, 120_000)

  test('is tried again with the next deploy where the authority is down', async () => {
    await authority.down()
    const down = await site().good()
    expect(down.outputs).toMatchObject({ result: 'deployed', url: 'http://blog.test/' })
    expect(codes(down)).toEqual(['certificate-authority-down'])
    expect((await visit(server, '/', 'blog.test')).body).toBe('version 1')
    expect((await stateOf(server, 'hello')).map(([key]) => key)).not.toContain('refused')
    await authority.up()
    const up = await site().good()
    expect(up.outputs).toMatchObject({ result: 'unchanged', url: 'https://blog.test/' })
    expect((await secured()).body).toBe('version 1')
  }, 120_000)

  test('is asked for again after an hour, then two, where the authority refuses', async () => {
    const refused = async () => (await stateOf(server, 'hello')).find(([key]) => key === 'refused')
    /** As if the refusal had been so long ago. */
    const later = (seconds: number) =>
      server.must(`set -- $(sed -n 's/^refused //p' /srv/web-hello/state)
        sed -i "s/^refused .*/refused $1 $(($2 - ${seconds})) $3/" /srv/web-hello/state`)
    await authority.refuse('rateLimited')
    const first = await site().good()
    expect(first.outputs).toMatchObject({ result: 'deployed', url: 'http://blog.test/' })
    expect(codes(first)).toEqual(['certificate-refused'])
    expect(first.report.warnings[0]?.text).toContain('gave out too many certificates for these names lately')
    expect((await refused())?.[1]).toBe('1')
    const asked = await orders()

    const soon = await site().good()
    expect(soon.outputs.result).toBe('unchanged')
    expect(codes(soon)).toEqual(['certificate-waits'])
    expect(await orders()).toBe(asked)

    await later(3601)
    expect(codes(await site().good())).toEqual(['certificate-refused'])
    expect((await refused())?.[1]).toBe('2')
    await later(3601)
    expect(codes(await site().good())).toEqual(['certificate-waits'])

    await later(3601)
    await authority.up()
    expect((await site().good()).outputs.url).toBe('https://blog.test/')
    expect(await refused()).toBeUndefined()
  }, 120_000)

  test('is refused for one set of names and had for another', async () => {
    await authority.setName('forbidden.test', { ipv4: [server.address] })
    const run = await site({ domain: 'blog.test\nforbidden.test' }).good()
    expect(codes(run)).toEqual(['certificate-refused'])
    expect(run.report.warnings[0]?.text).toContain('gives none to one of the names')
    const without = await site().good()
    expect(without.outputs.url).toBe('https://blog.test/')
    expect(codes(without)).toEqual([])
  }, 120_000)

  test('goes when it is switched off, and comes back without a new certificate', async () => {
    await site().good()
    const asked = await orders()
    const off = await site({ tls: 'off' }).good()
    expect(off.outputs).toMatchObject({ result: 'deployed', url: 'http://blog.test/' })
    expect(off.report.certificate).toBeNull()
    expect((await visit(server, '/', 'blog.test')).body).toBe('version 1')
    const on = await site().good()
    expect(on.outputs.url).toBe('https://blog.test/')
    expect((await secured()).body).toBe('version 1')
    expect(await orders()).toBe(asked)
  }, 120_000)

  test('that nobody can reach from outside is taken back, and the site stays on HTTP', async () => {
    const rule = [
      'OUTPUT',
      '-d',
      server.address,
      '-p',
      'tcp',
      '--dport',
      '443',
      '-j',
      'REJECT',
      '--reject-with',
      'tcp-reset',
    ]
    execFileSync('iptables', ['-I', ...rule])
    onTestFinished(() => {
      execFileSync('iptables', ['-D', ...rule])
    })
    const run = await site().good()
    expect(run.outputs).toMatchObject({ result: 'deployed', url: 'http://blog.test/' })
    expect(codes(run)).toEqual(['https-unreachable'])
    expect(run.report.warnings[0]?.text).toContain('Open port 443')
    // (a reload of nginx takes a moment)
    await expect.poll(async () => (await visit(server, '/', 'blog.test')).body).toBe('version 1')
  }, 120_000)

  test('does not come where another program has its port: a first deploy says so, a site that is up goes on', async () => {
    await server.must('systemd-run --quiet --unit other python3 -m http.server 443')
    const { report } = await site().bad()
    expect(report.error).toMatchObject({ code: 'port-taken', cause: expect.stringContaining('Port 443') })
    expect((await site({ tls: 'off' }).good()).outputs.result).toBe('deployed')
    const run = await site({ workers: '2' }).good()
    expect(run.outputs).toMatchObject({ result: 'deployed', url: 'http://blog.test/' })
    expect(codes(run)).toEqual(['https-unreachable'])
    expect(run.report.warnings[0]?.text).toContain('ss -ltnp')
    // (a reload of nginx takes a moment)
    await expect.poll(async () => (await visit(server, '/', 'blog.test')).body).toBe('version 1')
  }, 120_000)
})
