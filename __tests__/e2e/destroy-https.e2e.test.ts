import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Authority, startAuthority } from '../server/authority.ts'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { secureVisit } from './https.ts'
import { untilAtRest } from './look.ts'
import { tinyProject } from './projects.ts'
import { runs } from './runs.ts'
import { until } from './traces.ts'

const able = canBoot()

describe.skipIf(!able.ok)(`destroy of a site with HTTPS${able.ok ? '' : ` (skipped: ${able.why})`}`, () => {
  let authority: Authority
  let server: Server
  beforeAll(async () => {
    authority = await startAuthority()
    server = await boot({ suite: 'bookworm' })
    await authority.up()
    await authority.adopt(server)
    for (const name of ['blog.test', 'shop.test']) await authority.setName(name, { ipv4: [server.address] })
  }, 120_000)
  afterAll(async () => {
    await server?.stop()
    await authority?.stop()
  })

  const site = (name: string) =>
    runs(
      server,
      tinyProject().folder,
      { name, domain: `${name}.test`, 'acme-server': authority.directoryUrl },
      { network: authority.runner },
    )
  const served = (name: string) => secureVisit(server, `${name}.test`, authority.rootPem)
  /** What speaks of an app, by its name or by its site's, but for certbot's log. */
  const traces = async (name: string) => {
    await untilAtRest(server)
    // What a run leaves for a runner that comes back, where its goodbye was lost.
    await until(
      'nothing is left of its runs',
      async () => (await server.run(`ls -d /run/flask-deploy/${name}/*/`)).status !== 0,
      120_000,
    )
    return await server.must(`
      find / -xdev \\( -path /proc -o -path /sys -o -path /var/log/letsencrypt -o -path /usr \\) -prune -o \\
        \\( -name '*web-${name}*' -o -lname '*web-${name}*' \\) -print
      grep -rlsE 'web-${name}|${name}[.]test' /etc /srv /opt /var/lib /var/cache /run \
        --exclude-dir=apt --exclude='passwd-' --exclude='group-' --exclude='shadow-' --exclude='gshadow-' || :
      systemctl list-units --all --plain --no-legend '*web-${name}*' 'flask-deploy-${name}-*'
      certbot certificates 2>/dev/null | grep -- '${name}' || :`)
  }
  const lineage = (name: string) =>
    server.must(
      `cd /etc/letsencrypt && find live/web-${name} archive/web-${name} renewal/web-${name}.conf -printf '%p %m %s %T@ %l\\n' | sort`,
    )

  test('takes its certificate, and what renews it, and leaves its neighbour what it has', async () => {
    const { good } = site('blog')
    await site('shop').good()
    const before = await served('shop')
    await good()
    expect((await served('blog')).status).toBe(200)
    const key = await server.must('sha256sum </etc/letsencrypt/archive/web-blog/privkey1.pem')
    const neighbours = await lineage('shop')

    const run = await good({ command: 'destroy', 'destroy-data': 'blog', domain: '' })
    expect(run.report.changes).toContainEqual({ what: 'removed', detail: 'certificate web-blog' })
    expect(await traces('blog')).toBe('')
    // Nor is there a copy of the key under another name, nor of its request; the neighbour's are there.
    const requests = await server.must(
      'for one in /etc/letsencrypt/csr/*.pem; do openssl req -in $one -noout -text; done | grep -o "DNS:.*" || :',
    )
    expect(requests).not.toContain('blog.test')
    expect(requests).toContain('shop.test')
    expect(
      await server.must(
        `find /etc /var /srv /opt /root -xdev -type f -size -20k -exec sha256sum {} + | grep -F '${key.slice(0, 64)}' || :`,
      ),
    ).toBe('')

    expect(await lineage('shop')).toBe(neighbours)
    expect((await served('shop')).certificate.fingerprint).toBe(before.certificate.fingerprint)
    await expect(served('blog')).rejects.toThrow(/unrecognized name/)
    // certbot renews the neighbour's, and is content with what it finds.
    await server.must(
      'systemd-run --quiet --wait -p PrivateTmp=true certbot -q renew --no-random-sleep-on-renew --force-renewal',
    )
    await expect
      .poll(async () => (await served('shop')).certificate.fingerprint, { timeout: 10_000 })
      .not.toBe(before.certificate.fingerprint)
  }, 300_000)

  test('gets a new one when it is deployed again, and goes as the last one with all that all share', async () => {
    const { good } = site('blog')
    expect((await good()).outputs.url).toBe('https://blog.test/')
    expect((await served('blog')).status).toBe(200)
    await site('shop').good({ command: 'destroy', 'destroy-data': 'shop', domain: '' })
    expect((await served('blog')).status).toBe(200)
    await good({ command: 'destroy', 'destroy-data': 'blog', domain: '' })
    expect(await traces('shop')).toBe('')
    expect(await traces('blog')).toBe('')
    expect(
      await server.must(
        'ls -d /opt/flask-deploy /var/lib/flask-deploy /etc/nginx/*/00-flask-deploy* 2>/dev/null || :',
      ),
    ).toBe('')
    expect(await server.must('nginx -t -q; systemctl is-active nginx; ls /etc/letsencrypt/renewal')).toBe(
      'active\n',
    )
  }, 300_000)
})
