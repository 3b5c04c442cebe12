import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { visit } from './look.ts'
import { tinyProject } from './projects.ts'
import { type Run, runs } from './runs.ts'

const able = canBoot()

describe.skipIf(!able.ok)(`doctor${able.ok ? '' : ` (skipped: ${able.why})`}`, () => {
  let server: Server
  const project = tinyProject()
  const doctor = (inputs: Readonly<Record<string, string>> = {}) =>
    runs(server, project.folder, { domain: '' }).good({ command: 'doctor', ...inputs })
  beforeAll(async () => {
    server = await boot({ suite: 'bookworm' })
    await server.must('mkdir -p /var/log/journal')
  }, 60_000)
  afterAll(async () => server?.stop())

  test('says that all is well when it is, and what is not there', async () => {
    expect(codes(await doctor())).toEqual(['app-absent'])
    await runs(server, project.folder).good()
    const run = await doctor()
    expect(run.log).toContain('All is well.')
    expect(run.summary).toContain('All is well, and nothing was changed.')
    expect(codes(run)).toEqual([])
  }, 60_000)

  test('names what is broken, each with its cure, and ends well', async () => {
    const release = await server.must('readlink /srv/web-hello/current | cut -d / -f 2')
    const unit = `web-hello-${release.trim()}`
    await server.must(`
      systemctl disable --now nginx
      echo 'nonsense here;' >/etc/nginx/conf.d/broken.conf
      rm -f /etc/systemd/system/multi-user.target.wants/${unit}.service
      rm -f /run/web-hello/${release.trim()}.sock
      : >/run/reboot-required
      sed -i 's/^\\[Service\\]/[Service]\\nEnvironment=A=b/' /etc/systemd/system/${unit}.service
      systemd-run --quiet --unit=other-web python3 -m http.server 80
      for try in $(seq 50); do curl -s -o /dev/null localhost && break; sleep 0.1; done
    `)
    const run = await doctor()
    expect(run.outputs.result).toBe('done')
    expect(codes(run)).toEqual(
      expect.arrayContaining([
        'nginx-down',
        'nginx-unsound',
        'nginx-not-enabled',
        'port-of-another',
        'missing',
        'not-enabled',
        'app-unwell',
        'reboot-due',
        'units-stale',
      ]),
    )
    expect(run.summary).toContain('nonsense')
    expect(run.log).toContain('Port 80 belongs to another program than nginx: the unit `other-web.service`.')
    await server.must(`
      systemctl stop other-web
      rm /etc/nginx/conf.d/broken.conf /run/reboot-required
      systemctl enable --now nginx
      systemctl enable ${unit}.service
      systemctl restart ${unit}.socket ${unit}.service`)
    // The edited unit is there still.
    expect(new Set(codes(await doctor()))).toEqual(new Set(['drift']))
  }, 60_000)

  test('finds a Python that an upgrade took away, and an ordinary deploy builds anew', async () => {
    const release = (await server.must('readlink -f /srv/web-hello/current')).trim()
    // As after an upgrade: the release was made with a Python that is gone, and the server has another one now.
    await server.must(`cd ${release}/.venv
      ln -sf /usr/bin/python3.10 bin/python
      mv lib/python3.11 lib/python3.10
      echo '${'0'.repeat(64)} 1790000000' >../.deploy/environment`)
    const found = await doctor()
    expect(codes(found)).toContain('python-gone')
    expect(found.log).toContain('`/usr/bin/python3.10`, is gone, as after an upgrade of the distribution')

    const run = await runs(server, project.folder).good()
    expect(run.outputs.result).toBe('deployed')
    expect((await visit(server)).body).toBe('version 1')
    expect(await server.must('readlink /srv/web-hello/current/.venv/bin/python')).toBe(
      '/usr/bin/python3.11\n',
    )
    expect(codes(await doctor())).toEqual([])
  }, 60_000)

  test('sees a failed process of the app', async () => {
    await runs(server, project.folder).good({ processes: 'worker: sleep 7; exit 3', refresh: 'true' })
    await server.must(`unit=$(systemctl list-units --plain --no-legend 'web-hello-*.worker.service' | cut -d ' ' -f 1)
      printf '[Service]\\nRestart=no\\n' | SYSTEMD_EDITOR=tee systemctl edit --runtime "$unit" 2>/dev/null ||
        { mkdir -p "/run/systemd/system/$unit.d"; printf '[Service]\\nRestart=no\\n' >"/run/systemd/system/$unit.d/a.conf"; }
      systemctl daemon-reload
      for try in $(seq 100); do systemctl is-failed --quiet "$unit" && exit 0; sleep 0.2; done; exit 1`)
    const run = await doctor()
    expect(codes(run)).toContain('unit-failed')
    expect(run.report.warnings.find(({ code }) => code === 'unit-failed')?.text).toMatch(
      /worker\.service` has failed \(exit-code\)\. See its last lines with/,
    )
  }, 90_000)
})

function codes({ report }: Run): readonly string[] {
  return report.warnings.map(({ code }) => code)
}
