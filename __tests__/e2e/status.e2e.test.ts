import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { reach, start } from './action.ts'
import { untilQuiet } from './look.ts'
import { tinyApp, tinyProject } from './projects.ts'
import { type Run, runs } from './runs.ts'

const able = canBoot()

describe.skipIf(!able.ok)(`status${able.ok ? '' : ` (skipped: ${able.why})`}`, () => {
  let server: Server
  const project = tinyProject()
  beforeAll(async () => {
    server = await boot({ suite: 'bookworm' })
  }, 60_000)
  afterAll(async () => server?.stop())

  test('of a server without the app says so, and leaves nothing', async () => {
    const before = await everything(server)
    const status = await runs(server, project.folder, { domain: '' }).good({ command: 'status' })
    expect(status.outputs).toMatchObject({ result: 'done', serving: '' })
    expect(cells(status)).toContain('`hello` is not on this server')
    expect(await everything(server)).toBe(before)
  })

  test('tells what there is and changes nothing', async () => {
    const { good } = runs(server, project.folder)
    const first = await good({ processes: 'worker: sleep infinity', cron: 'tidy: @daily true' })
    project.commit({ 'app.py': tinyApp.replace('version 1', 'version 2') })
    const second = await good({ processes: 'worker: sleep infinity', cron: 'tidy: @daily true' })
    await untilQuiet(server, 'hello')
    const before = await everything(server)
    const status = await runs(server, project.folder, { domain: '' }).good({ command: 'status' })
    expect(status.outputs).toMatchObject({ result: 'done', serving: second.release })
    expect(cells(status)).toEqual(
      expect.arrayContaining([
        `\`${first.release}\``,
        `\`${second.release}\``,
        `\`${second.release}.service\``,
        '✅ active (running)',
        '`worker`',
        '`tidy`',
      ]),
    )
    expect(cells(status).filter((cell) => /^✅ 200 in \d+ ms$/.test(cell))).toHaveLength(2)
    expect(await everything(server)).toBe(before)
  }, 120_000)

  test('waits for no deploy, and says which one is at work', async () => {
    const slow = start({
      workspace: project.folder,
      inputs: {
        ...reach(server),
        'release-command': 'while [ ! -e ~/go ]; do sleep 0.2; done',
        refresh: 'true',
      },
    })
    await slow.said('the release command')
    const status = await runs(server, project.folder, { domain: '' }).good({ command: 'status' })
    await server.must('touch /var/lib/web-hello/go')
    expect(cells(status)).toContain('https://github.com/someone/hello/actions/runs/1 (someone)')
    expect((await slow.ended).status).toBe(0)
  }, 120_000)

  test('tells what it can of a broken server', async () => {
    await untilQuiet(server, 'hello')
    const id = (await server.must('basename $(readlink /srv/web-hello/current)')).trim()
    await server.must(`systemctl stop nginx 'web-hello-*'
      rm -rf /srv/web-hello/releases/*/.deploy /etc/web-hello /srv/web-hello/current
      mkdir /srv/web-hello/journal
      userdel -f web-hello 2>/dev/null || :
      mv /usr/bin/nginx /usr/bin/nginx.away 2>/dev/null || mv /usr/sbin/nginx /usr/sbin/nginx.away`)
    const status = await runs(server, project.folder, { domain: '' }).good({ command: 'status' })
    expect(status.outputs).toMatchObject({ result: 'done', serving: '' })
    expect(cells(status)).toContain(`go back to release \`${id}\``)
    const doctor = await runs(server, project.folder, { domain: '' }).good({ command: 'doctor' })
    expect(doctor.report.warnings.map(({ code }) => code)).toEqual(
      expect.arrayContaining(['link-astray', 'missing', 'nginx-absent', 'repair-due']),
    )
  }, 120_000)
})

/** All cells of all tables. */
function cells({ report }: Run): readonly string[] {
  return report.sections.flatMap(({ rows }) => rows.flat())
}

/** Every file of the server with its time and content's size, but for those that a login itself changes. */
async function everything(server: Server): Promise<string> {
  return await server.must(`
    find / -xdev \\( -path /proc -o -path /sys -o -path /tmp -o -path '/run/systemd' -o -path /run/user -o -path /var/log \\) -prune -o \\
      -printf '%y %m %u:%g %s %T@ %p %l\\n' | grep -vE ' /(run|dev)(/| )|utmp|/var/lib/systemd' | sort -k6
    systemctl list-units --all --plain --no-legend 'web-*' 'nginx*' | sort
    systemctl show -p NRestarts,MainPID 'web-*'
  `)
}
