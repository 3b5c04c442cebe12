import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
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
    console.log(status.log)
    expect(status.outputs).toMatchObject({ result: 'done', serving: '' })
    expect(cells(status)).toContain('`hello` is not on this server')
    expect(await everything(server)).toBe(before)
  })

  test('tells what there is and changes nothing', async () => {
    const { good } = runs(server, project.folder)
    const first = await good({ processes: 'worker: sleep infinity', cron: 'tidy: @daily true' })
    project.commit({ 'app.py': tinyApp.replace('version 1', 'version 2') })
    const second = await good({ processes: 'worker: sleep infinity', cron: 'tidy: @daily true' })
    await new Promise((resolve) => setTimeout(resolve, 3000))
    const before = await everything(server)
    const status = await runs(server, project.folder, { domain: '' }).good({ command: 'status' })
    console.log(status.log, status.summary)
    expect(status.outputs).toMatchObject({ result: 'done', serving: second.release })
    expect(cells(status)).toContain(`\`${first.release}\``)
    expect(await everything(server)).toBe(before)
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
