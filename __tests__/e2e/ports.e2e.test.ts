import { afterEach, describe, expect, test } from 'vitest'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { listing, visit } from './look.ts'
import { tinyApp, tinyProject } from './projects.ts'
import { type Run, runs } from './runs.ts'

const able = canBoot()

/** Everything that a deploy writes to. */
const written = ['/etc', '/srv', '/var/lib', '/var/cache', '/opt', '/usr/local', '/run/systemd/system']

/** A web server of the least kind: perl is on every Debian. */
const perl = (family: string) =>
  `use IO::Socket::IP; my $s = IO::Socket::IP->new(LocalHost => "${family}", LocalPort => 80, Listen => 5, ReuseAddr => 1, V6Only => 1) or die $@; while (1) { my $c = $s->accept or next; sysread $c, my $asked, 4096; print $c "HTTP/1.0 200 OK\\r\\n\\r\\nmine\\n"; close $c }`

describe.skipIf(!able.ok)(
  `a server whose ports or names are somebody else’s ${able.ok ? '' : able.why}`,
  () => {
    let server: Server | undefined
    afterEach(async () => server?.stop())

    /** A run that has to fail before anything is touched. */
    async function refused(on: Server, run: () => Promise<Run>, code: string): Promise<string> {
      const before = await listing(on, ...written)
      const { outputs, report, log, summary } = await run()
      expect(report.error?.code, log).toBe(code)
      expect(outputs).toMatchObject({ result: 'failed', 'failed-phase': 'facts' })
      expect(await listing(on, ...written)).toBe(before)
      expect(summary).toContain('The server was not touched')
      return report.error?.faults.map(({ cause, cure }) => `${cause} ${cure}`).join('\n') ?? ''
    }

    test('a bare one, where apt’s nginx could not start: said before a package is installed', async () => {
      server = await boot({ suite: 'bookworm', packages: 'bare' })
      const started = await server.run(
        `cat > /root/listen.pl; systemd-run -q --unit=old-site perl /root/listen.pl
      for try in $(seq 50); do grep -q ':0050 ' /proc/net/tcp && exit 0; sleep 0.1; done; exit 1`,
        {
          stdin: perl('0.0.0.0')
            .replace('IO::Socket::IP;', 'IO::Socket::INET;')
            .replaceAll('IO::Socket::IP->', 'IO::Socket::INET->')
            .replace(', V6Only => 1', ''),
        },
      )
      expect(started.status, started.stderr).toBe(0)
      const { bad } = runs(server, tinyProject().folder)
      for (const command of ['plan', 'deploy']) {
        const said = await refused(server, () => bad({ command }), 'port-taken')
        expect(said).toMatch(
          /^Port 80 of the server is taken by `perl` \(old-site\.service\), so nginx could not/,
        )
        expect(said).toContain('`systemctl disable --now old-site.service`')
      }
      expect((await visit(server)).body).toBe('mine\n')
    })

    test('each of them is named with its cure, and with nothing changed; then the deploy goes through', async () => {
      server = await boot({ suite: 'bookworm' })
      const project = tinyProject()
      const { good, bad } = runs(server, project.folder)
      const on = server
      const deploy =
        (inputs = {}) =>
        () =>
          bad(inputs)

      // Apache, as it is on many a fresh server; one that is stopped, but not for good, comes back with the server.
      await on.must(
        'systemctl stop nginx; apt-get -qq update; DEBIAN_FRONTEND=noninteractive apt-get -qq -y install --no-install-recommends apache2',
        { timeoutMs: 120_000 },
      )
      expect(await refused(on, deploy(), 'port-taken')).toMatch(/taken by `apache2` \(apache2\.service\)/)
      await on.must('systemctl stop apache2')
      expect(await refused(on, deploy(), 'web-server-waits')).toContain('`systemctl disable apache2.service`')
      await on.must('systemctl disable -q apache2')

      // Somebody's nginx, started by hand: systemd's would not come up beside it.
      await on.must('systemd-run -q --scope --unit=by-hand nginx')
      expect(await refused(on, deploy(), 'port-taken')).toContain('It was not started by `nginx.service`')
      await on.must('nginx -s stop; while pgrep -x nginx >/dev/null; do sleep 0.05; done')

      await on.must('systemctl mask -q nginx.service')
      expect(await refused(on, deploy(), 'nginx-masked')).toContain('`systemctl unmask nginx.service`')
      await on.must('systemctl unmask -q nginx.service; systemctl disable -q nginx.service')

      // Only IPv6, and only on one address.
      await on.must(
        'cat > /root/listen.py; systemd-run -q --unit=six python3 /root/listen.py; for try in $(seq 50); do grep -q ":0050 " /proc/net/tcp6 && exit 0; sleep 0.1; done; exit 1',
        {
          stdin: `import socket\ns = socket.socket(socket.AF_INET6)\ns.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)\ns.bind(("::1", 80))\ns.listen()\nwhile True: s.accept()[0].close()\n`,
        },
      )
      expect(await refused(on, deploy(), 'port-taken')).toMatch(/taken by `python3` \(six\.service\)/)
      await on.must('systemctl stop six')

      // Other sites: of the same name, in a file that an included file includes; and one that answers for every name.
      await on.must(`mkdir /etc/nginx/more; echo 'include more/*.site;' > /etc/nginx/conf.d/more.conf
      printf 'server {\\n  listen 80; listen [::]:80;\\n  location / { return 200 "{;#"; }\\n  server_name\\n    other.example # ours\\n    Shop.Example;\\n}\\n' > /etc/nginx/more/shop.site
      printf 'server { listen 443; server_name deep.example; }\\n' > /etc/nginx/more/tls.site`)
      const named = await refused(
        on,
        deploy({ domain: 'www.shop.example\nshop.example', tls: 'off' }),
        'site-taken',
      )
      expect(named).toMatch(/has the name shop\.example already \(\/etc\/nginx\/more\/shop\.site, line 6\)/)
      await on.must(
        `sed -i 's/listen 80;/listen 80 default_server;/' /etc/nginx/more/shop.site; rm /etc/nginx/sites-enabled/default`,
      )
      const any = await refused(on, deploy({ domain: '_' }), 'site-taken')
      expect(any).toMatch(
        /answers for every name that has no site already \(\/etc\/nginx\/more\/shop\.site, line 1\)/,
      )

      // The distribution's own is nobody's.
      await on.must(`sed -i 's/listen 80 default_server;/listen 80;/' /etc/nginx/more/shop.site
      ln -s /etc/nginx/sites-available/default /etc/nginx/sites-enabled/default`)
      expect((await good({ command: 'plan', domain: '_' })).outputs.result).toBe('planned')

      // Names of our own, on ports that are nobody's: nginx, which was stopped and out of the boot, is brought back.
      const first = await good({ domain: `${on.address}\ndeep.example`, tls: 'off' })
      expect(first.outputs.result, first.log).toBe('deployed')
      expect(await visit(on)).toMatchObject({ status: 200, body: 'version 1' })
      expect((await on.run('systemctl is-enabled nginx; systemctl is-active nginx')).stdout).toBe(
        'enabled\nactive\n',
      )

      // Of a site that is up it is a warning.
      await on.must('systemctl enable -q apache2')
      project.commit({ 'app.py': tinyApp.replace('version 1', 'version 2') })
      const second = await good({ domain: `${on.address}\ndeep.example`, tls: 'off' })
      expect(second.report.warnings.map(({ code }) => code)).toContain('web-server-waits')

      // Somebody stops nginx: nothing is new, and yet there is something to be done.
      await on.must('systemctl stop nginx')
      const third = await good({ domain: `${on.address}\ndeep.example`, tls: 'off' })
      expect(third.outputs.result, third.log).toBe('deployed')
      expect(await visit(on)).toMatchObject({ status: 200, body: 'version 2' })
    })
  },
)
