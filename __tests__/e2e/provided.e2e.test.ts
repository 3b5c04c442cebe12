import { execFileSync, spawnSync } from 'node:child_process'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { quote } from '../../src/quote.ts'
import { type Authority, startAuthority } from '../server/authority.ts'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { reach, start } from './action.ts'
import { secureVisit } from './https.ts'
import { modes, untilQuiet, visit } from './look.ts'
import { type Issued, type PrivateAuthority, privateAuthority } from './private-authority.ts'
import { type Checkout, tinyProject } from './projects.ts'
import { type Run, runs } from './runs.ts'
import { until } from './traces.ts'

const able = canBoot()

describe.skipIf(!able.ok)(`a certificate of one's own${able.ok ? '' : ` (skipped: ${able.why})`}`, () => {
  let authority: Authority
  /** A company's, which neither runner nor server knows. */
  let own: PrivateAuthority
  let server: Server
  let project: Checkout
  beforeAll(async () => {
    authority = await startAuthority()
    own = await privateAuthority(authority.server)
  })
  afterAll(async () => authority.stop())
  beforeEach(async () => {
    server = await boot({ suite: 'bookworm' })
    await authority.adopt(server)
    await authority.setName('blog.test', { ipv4: [server.address] })
    project = tinyProject()
  })
  afterEach(async () => server.stop())

  const site = (inputs: Readonly<Record<string, string>> = {}) =>
    runs(server, project.folder, { domain: 'blog.test', ...inputs }, { network: authority.runner })
  const provided = ({ chain, key }: Issued) => ({ tls: 'provided', 'tls-certificate': chain, 'tls-key': key })
  const automatic = () => ({ tls: 'auto', 'acme-server': authority.directoryUrl })
  const secured = async (rootPem = own.rootPem) => await secureVisit(server, 'blog.test', rootPem)
  const orders = async () => (await authority.requests()).filter((one) => one.includes('/order-plz')).length
  const codes = (run: Run) => run.report.warnings.map(({ code }) => code)
  const keys = async () => (await server.must('ls -d /etc/web-hello/tls-*.pem')).trim().split('\n')

  test('changes nothing where nginx was broken before, and leaves it alone; so does a rollback', async () => {
    const one = await site({ tls: 'off' }).good()
    project.commit({ 'other.py': '' })
    const two = await site({ tls: 'off' }).good()
    await untilQuiet(server, 'hello')
    await server.must(`echo 'nonsense;' > /etc/nginx/conf.d/broken.conf`)
    const nginx = () =>
      server.must(`cd /etc/nginx && find . ! -type d -printf '%p %m %u %T@\\n' | sort
        main=$(systemctl show -p MainPID --value nginx); cat /proc/$main/task/$main/children`)
    const before = await nginx()
    const bad = await site(provided(await own.issue(['blog.test']))).bad()
    expect(bad.report.error?.code, bad.log).toBe('nginx-broken')
    expect(bad.report.error?.cause).toContain('/etc/nginx/conf.d/broken.conf, line 1')
    expect(bad.outputs.serving).toBe(two.release)
    expect(await nginx()).toBe(before)
    expect((await site({ tls: 'off', command: 'rollback' }).good()).outputs.serving).toBe(one.release)
    expect(await nginx()).toBe(before)
    expect(await server.must('ls /etc/web-hello')).not.toContain('tls-')
  })

  test('is there from the first deploy on, stays, and makes room for the next', async () => {
    const one = await own.issue(['blog.test', 'www.blog.test'])
    const first = await site(provided(one)).good()
    expect(first.outputs).toMatchObject({ result: 'deployed', url: 'https://blog.test/' })
    expect(first.report.smoke).toMatchObject({ ok: true, url: 'https://blog.test/', release: first.release })
    expect(first.report.certificate).toMatchObject({ issuer: 'Private Signer', daysLeft: 363 })
    expect(codes(first)).toEqual([])
    const page = await secured()
    expect(page).toMatchObject({ status: 200, body: 'version 1', alpn: 'h2' })
    expect(page.certificate.fingerprint).toBe(one.fingerprint)
    expect((await visit(server, '/a?b', 'blog.test')).headers.location).toBe('https://blog.test/a?b')
    const [file = '', ...others] = await keys()
    expect(others).toEqual([])
    expect(await modes(server, file)).toEqual(['0600 root:root'])
    expect(await server.readFile(file)).toBe(one.chain + one.key)

    const again = await site(provided(one)).good()
    expect(again.outputs).toMatchObject({ result: 'unchanged', url: 'https://blog.test/' })
    expect(again.report.smoke).toMatchObject({ ok: true, url: 'https://blog.test/' })

    const two = await own.issue(['blog.test'], { from: -300, until: 30 })
    const switched = await site(provided(two)).good()
    expect(switched.outputs.result).toBe('unchanged')
    expect(codes(switched)).toEqual(['certificate-ends'])
    expect(switched.report.warnings[0]?.text).toMatch(/ends in 29 days\. Put the one that follows into/)
    expect((await secured()).certificate.fingerprint).toBe(two.fingerprint)
    expect(await keys()).not.toContain(file)
    expect(await keys()).toHaveLength(1)

    // The key's own text, anywhere but where it is used; whatever the runs wrote has ended by now.
    await untilQuiet(server, 'hello')
    for (const { key } of [one, two]) {
      const line = key.split('\n')[1] ?? ''
      expect(line).toHaveLength(64)
      const found = await server.run(
        `grep -rlaF -- ${quote(line)} /etc /var /run /srv /tmp /root /home /opt /dev/shm 2>/dev/null`,
      )
      expect(found.stdout.trim().split('\n')).toEqual(key === two.key ? await keys() : [''])
      for (const { log, summary, outputs } of [first, again, switched])
        expect([log, summary, outputs.report].filter((text) => text.includes(line))).toEqual([])
    }
  }, 120_000)

  test.each(['SIGKILL', 'SIGTERM'] as const)(
    'is taken back where the runner says no word on it (%s): the site goes on over HTTP, and the next run has it',
    async (signal) => {
      const first = await site({ tls: 'off' }).good()
      const away = `OUTPUT -d ${server.address} -p tcp --dport 443 -j DROP`.split(' ')
      execFileSync('iptables', ['-I', ...away])
      onTestFinished(() => void spawnSync('iptables', ['-D', ...away]))
      const issued = provided(await own.issue(['blog.test']))
      const inputs = { ...reach(server), domain: 'blog.test', 'confirm-timeout': '10s', ...issued }
      const running = start({ workspace: project.folder, inputs, network: authority.runner })
      const site443 = async () =>
        (await server.run('grep -q "listen 443" /etc/nginx/sites-enabled/web-hello.conf')).status === 0
      await running.said('::group::certificate')
      await until('the site has it', site443)
      running.process.kill(signal)
      const ran = await running.ended
      execFileSync('iptables', ['-D', ...away])
      if (signal === 'SIGTERM')
        expect(ran.outputs, ran.log).toMatchObject({ result: 'cancelled', serving: first.release })
      await until('it is on HTTP again', async () => !(await site443()))
      await untilQuiet(server, 'hello')
      const page = await visit(server, '/', 'blog.test')
      expect([page.status, page.body]).toEqual([200, 'version 1'])
      expect(await server.must('ls /etc/web-hello')).not.toContain('tls-')
      expect(await server.must('ls -A /srv/web-hello')).not.toMatch(/^(?:journal|guard)$/m)
      expect((await site(issued).good()).outputs).toMatchObject({ url: 'https://blog.test/' })
      expect((await secured()).body).toBe('version 1')
    },
    120_000,
  )

  test('is refused before anything is asked of the server where its key is another', async () => {
    const [one, two] = [await own.issue(['blog.test']), await own.issue(['blog.test'])]
    const run = await site(provided({ ...one, key: two.key })).bad()
    expect([run.outputs['failed-phase'], run.report.error?.input]).toEqual(['inputs', 'tls-key'])
    expect(run.log).not.toContain('Connected')
  })

  test('that nobody can reach is taken back: the job fails, and the new release serves over HTTP', async () => {
    const reject = `OUTPUT -d ${server.address} -p tcp --dport 443 -j REJECT --reject-with tcp-reset`
    execFileSync('iptables', ['-I', ...reject.split(' ')])
    onTestFinished(() => {
      execFileSync('iptables', ['-D', ...reject.split(' ')])
    })
    const one = await own.issue(['blog.test'])
    const run = await site(provided(one)).bad()
    expect([run.outputs['failed-phase'], run.report.error?.code]).toEqual([
      'certificate',
      'https-unreachable',
    ])
    expect(run.outputs).toMatchObject({ result: 'failed', url: 'http://blog.test/' })
    expect(run.outputs.serving).toBe(run.release)
    expect(run.report.error?.cure).toContain('port 443')
    // nginx goes back to its former settings a moment after it was told to.
    await expect.poll(async () => (await visit(server, '/', 'blog.test')).body).toBe('version 1')
    expect(await server.run('ls /etc/web-hello/tls-*')).toMatchObject({ status: 2 })
  })

  test('gives way to an automatic one, comes back, and goes through a rollback', async () => {
    const one = await own.issue(['blog.test'])
    const first = await site(provided(one)).good()
    // Without an authority that gives one for such a name, what is there stays.
    const kept = await site({ tls: 'auto' }).good()
    expect(kept.outputs).toMatchObject({ result: 'unchanged', url: 'https://blog.test/' })

    const to = await site(automatic()).good()
    expect([to.outputs.url, codes(to)]).toEqual(['https://blog.test/', []])
    expect((await secured(authority.rootPem)).certificate.issuer).toMatch(/Pebble/)
    expect(await server.run('ls /etc/web-hello/tls-*')).toMatchObject({ status: 2 })

    const back = await site(provided(one)).good()
    expect([back.outputs.url, codes(back)]).toEqual(['https://blog.test/', []])
    expect((await secured()).certificate.fingerprint).toBe(one.fingerprint)

    project.commit({ 'static/new.txt': 'new\n' })
    const second = await site(provided(one)).good()
    expect(second.outputs.result).toBe('deployed')
    const rolled = await site(provided(one)).good({ command: 'rollback' })
    expect(rolled.outputs).toMatchObject({
      result: 'rolled-back',
      release: first.release,
      url: 'https://blog.test/',
    })
    expect(rolled.report.smoke).toMatchObject({ ok: true, url: 'https://blog.test/' })
    expect((await secured()).certificate.fingerprint).toBe(one.fingerprint)

    const off = await site({ tls: 'off' }).good()
    expect(off.outputs).toMatchObject({ url: 'http://blog.test/' })
    expect((await visit(server, '/', 'blog.test')).body).toBe('version 1')
    expect(await server.run('ls /etc/web-hello/tls-*')).toMatchObject({ status: 2 })
  }, 120_000)

  test('that certbot has got by hand before us is used, and nothing is asked of the authority', async () => {
    // The name leads here, and the site of before answers for it.
    await authority.setName('www.blog.test', { ipv4: [server.address] })
    await server.must(
      `mkdir -p /var/www/html && systemctl start nginx &&
        certbot certonly -n --agree-tos --register-unsafely-without-email --webroot -w /var/www/html \
        --key-type ecdsa --cert-name web-mine -d blog.test -d www.blog.test --server ${authority.directoryUrl}`,
    )
    const before = await orders()
    await server.must('touch /tmp/mark')
    const run = await site(automatic()).good()
    expect([run.outputs.url, codes(run)]).toEqual(['https://blog.test/', []])
    expect(run.report.certificate?.names).toEqual(['blog.test', 'www.blog.test'])
    const used = await server.must(
      'openssl x509 -noout -fingerprint -sha256 -in /etc/letsencrypt/live/web-mine/cert.pem',
    )
    expect(used).toContain((await secured(authority.rootPem)).certificate.fingerprint)
    expect((await site(automatic()).good()).outputs.result).toBe('unchanged')
    expect(await orders()).toBe(before)
    expect(
      await server.must('find /etc/letsencrypt -type f -newer /tmp/mark; ls /etc/letsencrypt/live'),
    ).toBe('README\nweb-mine\n')
  }, 120_000)

  test('is tested on the server alone where that is wished, and so is the authority’s', async () => {
    const one = await own.issue(['blog.test'])
    const local = { 'smoke-from': 'server' }
    const first = await site({ ...provided(one), ...local }).good()
    expect(first.report.smoke).toMatchObject({ ok: true, from: 'server', url: 'https://blog.test/' })
    // The server has to know the authority itself, for it is the one that looks.
    const refused = await site({ ...automatic(), ...local }).good()
    expect(codes(refused)).toEqual(['https-unreachable'])
    expect(refused.report.warnings[0]?.text).toContain('the certificate was not accepted')
    await expect
      .poll(() => secured().then(({ certificate }) => certificate.fingerprint, String))
      .toBe(one.fingerprint)
    await server.must(
      'cat >/usr/local/share/ca-certificates/visitors.crt && update-ca-certificates 2>/dev/null',
      { stdin: authority.rootPem },
    )
    project.commit({ 'static/new.txt': 'new\n' })
    const to = await site({ ...automatic(), ...local }).good()
    expect([to.outputs.result, codes(to)]).toEqual(['deployed', []])
    expect(to.report.smoke).toMatchObject({ ok: true, from: 'server', url: 'https://blog.test/' })
    expect((await secured(authority.rootPem)).body).toBe('version 1')

    // An address that was given for HTTP is asked over HTTPS, which is where it would lead.
    project.commit({ 'static/new.txt': 'newer\n' })
    for (const from of ['server', 'runner']) {
      const asked = await site({
        ...automatic(),
        'smoke-from': from,
        'smoke-url': 'http://blog.test/?x=1',
      }).good()
      expect(asked.report.smoke).toMatchObject(
        from === 'server'
          ? { ok: true, url: 'https://blog.test/?x=1' }
          : { ok: true, from, url: 'https://blog.test/?x=1' },
      )
    }
  }, 120_000)
})
