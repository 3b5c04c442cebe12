import { afterEach, describe, expect, test } from 'vitest'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { listing, modes, untilQuiet, visit } from './look.ts'
import { tinyApp, tinyProject } from './projects.ts'
import { type Run, runs } from './runs.ts'

const able = canBoot()

/** Path -> how it was changed, as the report has it. */
function drift({ report }: Run): Readonly<Record<string, string>> {
  return Object.fromEntries(report.drift.map(({ path, how, detail }) => [path, `${how} ${detail}`.trim()]))
}

function lines({ report }: Run, path: string): readonly string[] {
  return report.drift.find((one) => one.path === path)?.lines ?? []
}

describe.skipIf(!able.ok)(`changes by hand on the server ${able.ok ? '' : able.why}`, () => {
  let server: Server | undefined
  afterEach(async () => server?.stop())

  test('are noticed, shown without secrets, and replaced only with a kept copy', async () => {
    server = await boot({ suite: 'bookworm' })
    const on = server
    const project = tinyProject()
    const { good } = runs(server, project.folder, { env: 'GREETING=a long greeting\nOTHER=an other value' })
    const quiet = () => untilQuiet(on, 'hello')
    const first = await good()
    await quiet()
    expect((await good()).outputs.result).toBe('unchanged')

    // Nothing that we do by ourselves is taken for somebody's: another release, a rollback, a reboot.
    project.commit({ 'app.py': tinyApp.replace('version 1', 'version 2') })
    const second = await good()
    await quiet()
    expect(drift(second)).toEqual({})
    expect(drift(await good({ command: 'rollback' }))).toEqual({})
    await quiet()
    await on.reboot()
    const plan = await good({ command: 'plan' })
    expect(plan.report.drift, plan.log).toEqual([])
    await good({ command: 'rollback', release: second.release })
    await quiet()
    // A file's times alone are nothing: a server that was restored from a backup has others.
    await on.must(
      `touch /srv/web-hello/releases/${second.release}/app.py /etc/web-hello/${second.release}.env`,
    )
    const again = await good()
    expect(again.outputs.result, again.log).toBe('unchanged')
    expect(drift(again)).toEqual({})

    // Somebody is at work on the server.
    const id = second.release
    const root = `/srv/web-hello/releases/${id}`
    const unit = `/etc/systemd/system/web-hello-${id}.service`
    await on.must(`cd ${root}
      echo '# a hotfix' >> app.py
      echo 'left = "here"' > "debug me.py"
      sed -i 's/^timeout = .*/timeout = 7/' .deploy/gunicorn.conf.py
      sed -i 's/^GREETING=.*/GREETING=hidden-word/' /etc/web-hello/${id}.env
      echo 'ADDED_BY_HAND=not to be seen' >> /etc/web-hello/${id}.env
      echo 'MADE_BY_HAND=not to be seen' >> /etc/web-hello/generated.env
      sed -i 's/^TimeoutStopSec=.*/TimeoutStopSec=3/' ${unit}
      mkdir ${unit}.d; printf '[Service]\\nEnvironment=API=not-to-be-seen\\nNice=5\\n' > ${unit}.d/override.conf
      mkdir /etc/systemd/system/web-hello-.service.d; printf '[Service]\\nCPUWeight=77\\n' > /etc/systemd/system/web-hello-.service.d/all.conf
      sed -i '/client_max_body_size/s/.*/client_max_body_size 1g; # ::error::<b>/' /etc/nginx/sites-enabled/web-hello.conf
      sed -i '/access_log/s/.*/auth_basic_password not-to-be-seen;/' /etc/nginx/sites-enabled/web-hello.conf
      echo 'nonsense;' >> /etc/nginx/sites-enabled/00-flask-deploy-default.conf
      touch .venv/lib/python3.11/site-packages/left
      rm /etc/systemd/system/multi-user.target.wants/web-hello-${id}.service
      chmod 0777 /srv/web-hello; chown www-data: /srv/web-hello/releases; chmod 0644 /etc/web-hello/${id}.env
      usermod -s /bin/bash web-hello; usermod -aG adm web-hello
      systemctl disable -q nginx`)
    const before = await listing(on, '/etc', '/srv')
    const seen = await good({ command: 'plan' })
    expect(await listing(on, '/etc', '/srv')).toBe(before)
    expect(drift(seen)).toEqual({
      'nginx.service': 'disabled',
      '/etc/nginx/sites-enabled/web-hello.conf': 'edited',
      '/etc/nginx/sites-enabled/00-flask-deploy-default.conf': 'edited',
      [`/etc/systemd/system/multi-user.target.wants/web-hello-${id}.service`]: 'removed',
      [unit]: 'edited',
      [`${unit}.d/override.conf`]: 'added',
      '/etc/systemd/system/web-hello-.service.d/all.conf': 'added',
      [`/etc/web-hello/${id}.env`]: expect.stringMatching(
        /^(mode 0600,0644|variables ADDED_BY_HAND,GREETING)$/,
      ),
      '/etc/web-hello/generated.env': 'variables MADE_BY_HAND',
      [`${root}/app.py`]: 'edited',
      [`${root}/debug me.py`]: 'added',
      [`${root}/.deploy/gunicorn.conf.py`]: 'edited',
      [`${root}/.venv/lib/python3.11/site-packages`]: 'edited',
      '/srv/web-hello': 'mode 0751,0777',
      '/srv/web-hello/releases': 'owner root:root,www-data:www-data',
      'web-hello': expect.stringMatching(/^(shell \/bin\/bash|groups adm)$/),
    })
    expect(lines(seen, unit)).toEqual(
      expect.arrayContaining(['+TimeoutStopSec=3', expect.stringMatching(/^-TimeoutStopSec=/)]),
    )
    expect(lines(seen, `${unit}.d/override.conf`)).toEqual([
      '@@ -0,0 +1,3 @@',
      '+[Service]',
      '+Environment=API=***',
      '+Nice=5',
    ])
    expect(lines(seen, `${root}/app.py`)).toEqual([])
    for (const text of [seen.log, seen.summary, seen.outputs.report]) {
      expect(text).not.toContain('not-to-be-seen')
      expect(text).not.toContain('not to be seen')
      expect(text).not.toContain('hidden-word')
    }
    expect(seen.summary).toContain('### Changed by hand on the server')
    expect(seen.summary).toContain('+TimeoutStopSec=3')
    expect(seen.summary).not.toContain('<b>')
    expect(seen.log).not.toMatch(/^::error::</m)
    expect(seen.report.changes.map(({ what }) => what)).toContain('edited')
    expect(seen.report.warnings.find(({ code }) => code === 'drift')?.text).toContain('/srv/web-hello/edited')

    // Nothing is new in the project, and yet it is made anew as it has to be.
    const mended = await good()
    expect(mended.outputs.result, mended.log).toBe('deployed')
    await quiet()
    const kept = mended.report.changes.find(({ what }) => what === 'edited')?.detail ?? ''
    expect(kept).toBe('/srv/web-hello/edited/1')
    const copies = (await on.must(`cd ${kept} && find . ! -type d | sort`)).trim().split('\n')
    expect(copies).toEqual(
      [
        `.${root}/app.py`,
        `.${root}/debug me.py`,
        `.${root}/.deploy/gunicorn.conf.py`,
        `.${unit}`,
        `.${unit}.d/override.conf`,
        `./etc/web-hello/${id}.env`,
        './etc/nginx/sites-enabled/web-hello.conf',
        './etc/nginx/sites-enabled/00-flask-deploy-default.conf',
      ].toSorted(),
    )
    expect(
      await on.must(`tail -n 1 "${kept}${root}/app.py"; grep GREETING ${kept}/etc/web-hello/${id}.env`),
    ).toBe('# a hotfix\nGREETING=hidden-word\n')
    expect(
      await modes(
        on,
        '/srv/web-hello/edited',
        kept,
        `${kept}${root}/app.py`,
        '/srv/web-hello',
        '/srv/web-hello/releases',
        '/srv/web-hello/written',
      ),
    ).toEqual([
      '0700 root:root',
      '0700 root:root',
      '0600 root:root',
      '0751 root:root',
      '0751 root:root',
      '0700 root:root',
    ])
    expect(
      await on.must(`getent passwd web-hello | cut -d: -f7; grep -c client_max_body_size.16m /etc/nginx/sites-enabled/web-hello.conf
      systemctl is-enabled nginx; systemctl show -p CPUWeight --value web-hello-${mended.release}.service`),
    ).toBe('/usr/sbin/nologin\n1\nenabled\n77\n')
    expect((await visit(on)).body).toBe('version 2')

    // What a deploy leaves alone is told for as long as it is there, and makes no new release.
    const after = await good()
    expect(after.outputs.result, after.log).toBe('unchanged')
    expect(drift(after)).toEqual({
      '/etc/systemd/system/web-hello-.service.d/all.conf': 'added',
      'web-hello': 'groups adm',
    })
    expect(drift(await good({ command: 'status' }))).toEqual(drift(after))
    expect(first.report.drift).toEqual([])
  })
})
