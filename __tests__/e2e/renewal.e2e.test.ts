import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type Authority, startAuthority } from '../server/authority.ts'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { isSuite, type Suite } from '../server/suites.ts'
import { secureVisit } from './https.ts'
import { startLoad } from './load.ts'
import { versionedProject } from './load-project.ts'
import { faults, figures } from './load-verdict.ts'
import { visit } from './look.ts'
import { type Issued, type PrivateAuthority, privateAuthority } from './private-authority.ts'
import { type Checkout, tinyProject } from './projects.ts'
import { type Run, runs } from './runs.ts'

const able = canBoot()
/** RENEWAL_SUITES=bullseye,trixie,sid: other servers than the usual one. */
const suites: readonly Suite[] = (process.env['RENEWAL_SUITES'] ?? 'bookworm').split(',').filter(isSuite)

const LIVE = '/etc/letsencrypt/live/web-hello'

describe.skipIf(!able.ok)(`a certificate's renewal${able.ok ? '' : ` (skipped: ${able.why})`}`, () => {
  let authority: Authority
  /** Of certificates whose time we choose. */
  let other: PrivateAuthority
  let server: Server
  const folder = mkdtempSync(join(tmpdir(), 'renewal-'))
  beforeAll(async () => {
    authority = await startAuthority()
    other = await privateAuthority(authority.server)
    writeFileSync(join(folder, 'trust.pem'), authority.rootPem + other.rootPem)
  })
  afterAll(async () => {
    rmSync(folder, { recursive: true })
    await authority.stop()
  })
  afterEach(async () => server.stop())

  const start = async (suite: Suite = 'bookworm') => {
    server = await boot({ suite })
    await authority.up()
    await authority.adopt(server)
    await authority.setName('blog.test', { ipv4: [server.address] })
  }
  const site = (project: Checkout) =>
    runs(
      server,
      project.folder,
      { domain: 'blog.test', 'acme-server': authority.directoryUrl },
      { network: { ...authority.runner, trust: join(folder, 'trust.pem') } },
    )
  const served = async () =>
    (await secureVisit(server, 'blog.test', authority.rootPem + other.rootPem)).certificate
  const codes = (run: Run) => run.report.warnings.map(({ code }) => code)

  /** Puts a certificate in the place of certbot's, as if certbot had got it. */
  const replace = async ({ chain, key }: Issued) => {
    await server.must(`cat >${LIVE}/privkey.pem`, { stdin: key })
    await server.must(
      `cd ${LIVE} && cat >fullchain.pem && openssl x509 -in fullchain.pem -out cert.pem &&
        sed '1,/END CERTIFICATE/d' fullchain.pem >chain.pem && systemctl reload nginx`,
      { stdin: chain },
    )
  }

  test.each(suites)('is on, and loses no request of visitors on %s', async (suite) => {
    await start(suite)
    await site(versionedProject('one')).good()
    await server.must('systemctl is-enabled certbot.timer && systemctl is-active certbot.timer')
    const before = await served()

    const load = startLoad(server.address, {
      secure: { name: 'blog.test', rootPem: authority.rootPem, repeats: true },
    })
    await sleep(1_000)
    // As certbot.service does it, but now and by force.
    await server.must(
      'systemd-run --quiet --wait -p PrivateTmp=true certbot -q renew --no-random-sleep-on-renew --force-renewal --cert-name web-hello',
    )
    await expect.poll(async () => (await served()).fingerprint).not.toBe(before.fingerprint)
    await sleep(1_500)
    const visits = await load.end()

    // (a POST on a connection that nginx closes as it comes is sent again by browsers, but not by our visitors)
    const cut = visits.filter(({ kind, fault }) => kind === 'post-kept' && fault === 'closed as it came')
    const repeated = visits.filter((one) => one.repeated)
    console.log(
      `${suite}: ${visits.length} requests over HTTPS, ${repeated.length} GETs repeated and ${cut.length} POSTs cut on kept connections: ${figures(visits)}`,
    )
    const others = visits.filter((one) => !cut.includes(one))
    expect(faults(others, ['one'])).toEqual([])
    expect(others.length).toBeGreaterThan(500)
    // nginx 1.27.4 and newer keep connections through a reload.
    if (suite === 'sid') expect([...repeated, ...cut]).toEqual([])
  })

  test('is made up for by a deploy in the last quarter of its time, and warned about where that fails', async () => {
    await start()
    const { good } = site(tinyProject())
    await good()
    const late = await other.issue(['blog.test'], { from: -85, until: 5 })
    await replace(late)
    await authority.down()
    const warned = await good()
    expect(codes(warned)).toEqual(['certificate-authority-down', 'certificate-ends'])
    expect(warned.report.warnings[1]?.text).toContain('for blog.test ends in 4 days.')
    expect(warned.report.certificate).toMatchObject({ daysLeft: 4, issuer: 'Private Signer' })
    expect(warned.summary).toContain('4 days left')
    expect((await served()).fingerprint).toBe(late.fingerprint)

    await authority.up()
    const renewed = await good()
    expect(renewed.outputs.result).toBe('unchanged')
    expect(codes(renewed)).toEqual([])
    expect(renewed.report.certificate?.daysLeft).toBeGreaterThanOrEqual(89)
    expect((await served()).issuer).toMatch(/Pebble/)

    // The timer that should have done it.
    await server.must('systemctl disable --now certbot.timer')
    expect(codes(await good())).toEqual(['certificate-not-renewed'])
    await server.must('systemctl enable certbot.timer')
    expect(codes(await good())).toEqual(['certificate-not-renewed'])
  })

  test('that is too late leaves the site on HTTPS, and the next deploy gets a new certificate', async () => {
    await start()
    const project = tinyProject()
    const { good, bad } = site(project)
    await good()
    const over = await other.issue(['blog.test'], { from: -91, until: -1 })
    await replace(over)
    await authority.down()
    await expect.poll(async () => await served().then(String, String)).toContain('certificate has expired')

    const down = await bad()
    expect(down.outputs).toMatchObject({ result: 'failed', url: 'https://blog.test/' })
    expect([down.outputs['failed-phase'], down.report.error?.code]).toEqual([
      'certificate',
      'certificate-over',
    ])
    expect(codes(down)).toEqual(['certificate-authority-down'])
    await expect(served()).rejects.toThrow('certificate has expired')
    expect((await visit(server, '/', 'blog.test')).headers.location).toBe('https://blog.test/')

    await authority.up()
    const same = await good()
    expect(same.outputs).toMatchObject({ result: 'unchanged', url: 'https://blog.test/' })
    expect(codes(same)).toEqual([])
    expect((await served()).issuer).toMatch(/Pebble/)

    // With a new release: it is judged by its answer, not by the certificate that this very run replaces.
    await replace(over)
    project.commit({ 'static/new.txt': 'new\n' })
    const changed = await good()
    expect(changed.outputs).toMatchObject({ result: 'deployed', url: 'https://blog.test/' })
    expect(codes(changed)).toEqual([])
    expect((await served()).issuer).toMatch(/Pebble/)
    expect(changed.report.certificate?.daysLeft).toBeGreaterThanOrEqual(89)
  })

  test('goes on where a part of the certificate was lost, and nginx finds its files all the while', async () => {
    await start()
    const { good } = site(tinyProject())
    await good()
    const healed = async (what: string) => {
      const run = await good()
      expect([what, run.outputs.url, codes(run)]).toEqual([what, 'https://blog.test/', []])
      expect((await served()).issuer, what).toMatch(/Pebble/)
      await server.must('nginx -t -q && certbot -q renew --no-random-sleep-on-renew --cert-name web-hello')
    }
    const copied = `cp -rL ${LIVE} /tmp/copy && rm -rf ${LIVE} && cp -r /tmp/copy ${LIVE} && rm -r /tmp/copy`
    for (const [what, how] of [
      [
        'a link, and what certbot knows of it',
        `rm ${LIVE}/chain.pem; rm /etc/letsencrypt/renewal/web-hello.conf`,
      ],
      ['all links and older ones, by a copy', `${copied}; rm -r /etc/letsencrypt/archive/web-hello`],
    ] as const) {
      await server.must(how)
      await server.must(
        "systemd-run --quiet --unit looking sh -c 'while sleep 0.1; do nginx -t -q || echo >>/tmp/broken; done'",
      )
      await healed(what)
      await server.must('systemctl stop looking; ! test -e /tmp/broken')
    }

    // What nginx uses: it goes on with what it has read, and has its files again even where there is no other certificate.
    const before = await served()
    await server.must(`rm ${LIVE}/fullchain.pem`)
    await authority.down()
    const down = await good()
    expect([down.outputs.url, codes(down)]).toEqual(['https://blog.test/', ['certificate-authority-down']])
    await server.must('nginx -t -q && systemctl restart nginx')
    expect((await served()).fingerprint).toBe(before.fingerprint)
    await authority.up()
    const all = '/etc/letsencrypt/{live,archive}/web-hello /etc/letsencrypt/renewal/web-hello.conf'
    await server.must(`bash -c 'rm -r ${all}'`)
    await healed('everything')
    // What a power cut leaves of files that were just written.
    const written = '/etc/letsencrypt/archive /etc/letsencrypt/accounts /etc/letsencrypt/renewal'
    await server.must(`find ${written} -type f -exec truncate --size 0 {} +`)
    await healed('the content of everything')

    const asked = (await authority.requests()).length
    expect((await good()).outputs.result).toBe('unchanged')
    expect((await authority.requests()).length).toBe(asked)
    const modes = await server.must(`cd /etc/letsencrypt
      stat -c '%a %U %n' live archive accounts
      find . -name 'privkey*.pem' -o -name private_key.json | xargs stat -Lc '%a %U' | sort -u`)
    expect(modes).toBe('700 root live\n700 root archive\n700 root accounts\n400 root\n600 root\n')
    expect(await server.must('ls /etc/letsencrypt/live /etc/letsencrypt/renewal')).not.toContain('-0001')
  })
})
