import { afterEach, describe, expect, test } from 'vitest'
import type { Change } from '../../src/report/report.ts'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { listing, units, untilQuiet, visit } from './look.ts'
import { tinyApp, tinyProject } from './projects.ts'
import { runs } from './runs.ts'

const able = canBoot()

/** Everything that a deploy writes to, units and nginx's files among it. */
const written = ['/etc', '/srv', '/var/lib', '/var/cache', '/opt', '/usr/local', '/run/systemd/system']

/** The words that plan and deploy have in common: see report/describe-plan.ts. */
const common = [
  'packages',
  'folder',
  'user',
  'release',
  'uv',
  'environment',
  'persist',
  'release-command',
  'nginx',
  'pruned',
]

describe.skipIf(!able.ok)(`plan${able.ok ? '' : ` (skipped: ${able.why})`}`, () => {
  const running: Server[] = []
  const start = async (packages: 'bare' | 'ready') => {
    const server = await boot({ suite: 'bookworm', packages })
    running.push(server)
    return server
  }
  afterEach(async () => {
    await Promise.all(running.splice(0).map((server) => server.stop()))
  })

  test('changes nothing on a bare server, and says what deploy then does', async () => {
    const server = await start('bare')
    const project = tinyProject()
    const { good } = runs(server, project.folder)
    const before = await everything(server)
    const plan = await good({ command: 'plan' })
    expect(plan.outputs).toMatchObject({ result: 'planned', serving: '', 'previous-release': '' })
    expect(await everything(server)).toBe(before)
    expect(await server.run('id web-hello')).toMatchObject({ status: 1 })

    const deploy = await good()
    expect(words(plan.report.changes)).toEqual(words(deploy.report.changes))
    expect(details(plan.report.changes, 'packages')).toEqual(details(deploy.report.changes, 'packages'))
    expect(details(plan.report.changes, 'packages')).toContain('nginx')
    expect(details(plan.report.changes, 'user')).toEqual(details(deploy.report.changes, 'user'))
    for (const { what, detail } of plan.report.changes) {
      expect(plan.summary).toContain(`| ${what} |`)
      if (what === 'packages') expect(plan.summary).toContain(detail.split(' ').at(-1))
    }
  })

  test('changes nothing beside a release that serves, and says what deploy then does', async () => {
    const server = await start('ready')
    const project = tinyProject()
    const { good } = runs(server, project.folder, { 'keep-releases': '2' })
    const releases: string[] = []
    for (const version of [1, 2]) {
      project.commit({ 'app.py': tinyApp.replace('version 1', `version ${version}`) })
      releases.push((await good()).release)
    }
    const [one = '', two = ''] = releases
    const { service } = await units(server, 'hello', two)
    project.commit({
      'app.py': tinyApp.replace('version 1', 'version 3'),
      'requirements.txt': 'flask\nitsdangerous\n',
    })
    const wish = { 'release-command': 'true', domain: `${server.address}\nsite.example` }
    const before = await everything(server)
    const plan = await good({ command: 'plan', ...wish })
    expect(plan.outputs).toMatchObject({ result: 'planned', serving: two, 'previous-release': two })
    expect(await everything(server)).toBe(before)
    expect((await units(server, 'hello', two)).service.pid).toBe(service.pid)
    expect((await visit(server)).body).toBe('version 2')

    const deploy = await good(wish)
    expect(words(plan.report.changes)).toEqual(words(deploy.report.changes))
    expect(words(plan.report.changes)).toEqual([
      'environment',
      'nginx',
      'pruned',
      'release',
      'release-command',
    ])
    expect(plan.report.changes).toContainEqual({ what: 'pruned', detail: `remove ${one}` })
    expect(deploy.report.changes).toContainEqual({ what: 'pruned', detail: one })
    expect(plan.report.changes.find(({ what }) => what === 'environment')?.detail).toMatch(/^build/)
    expect(deploy.report.changes.find(({ what }) => what === 'environment')?.detail).toMatch(/^built/)
  })

  test('says of a change of env that the environment is shared and nginx stays as it is', async () => {
    const server = await start('ready')
    const project = tinyProject()
    const { good } = runs(server, project.folder)
    const { release } = await good()
    const plan = await good({ command: 'plan', env: 'A=1' })
    const deploy = await good({ env: 'A=1' })
    expect(words(plan.report.changes)).toEqual(['environment', 'release'])
    expect(words(deploy.report.changes)).toEqual(['environment', 'release'])
    for (const { report } of [plan, deploy]) {
      expect(report.changes.find(({ what }) => what === 'environment')?.detail).toMatch(
        new RegExp(`share.*${release}`),
      )
    }
  })

  test('says that nothing is to be done where deploy would do nothing', async () => {
    const server = await start('ready')
    const project = tinyProject()
    const { good } = runs(server, project.folder)
    const { release } = await good()
    const before = await everything(server)
    const plan = await good({ command: 'plan' })
    expect(plan.outputs).toMatchObject({ result: 'planned', release, serving: release })
    expect(plan.report.changes.map(({ what }) => what)).toEqual(['nothing'])
    expect((await good()).outputs.result).toBe('unchanged')
    expect(await everything(server)).toBe(before)
  })
})

/** Files, users and processes. */
async function everything(server: Server): Promise<string> {
  await untilQuiet(server, 'hello')
  const files = await listing(server, ...written)
  const rest = await server.must(`sha256sum /etc/passwd /etc/group /var/lib/dpkg/status
    find /run -path '*flask-deploy*' -o -path '*web-*' | sort
    systemctl list-units --all --plain --no-legend 'web-*' 'flask-deploy-*'
    pgrep -x nginx || :`)
  return files + rest
}

/** The words for what is changed, each once; `persist` is told by a plan whether the folder is there already or not. */
function words(changes: readonly Change[]): readonly string[] {
  const seen = new Set(changes.map(({ what }) => what).filter((what) => common.includes(what)))
  seen.delete('persist')
  return [...seen].sort()
}

/** The names in the details of one kind of change, without the verbs. */
function details(changes: readonly Change[], kind: string): readonly string[] {
  return changes
    .filter(({ what }) => what === kind)
    .flatMap(({ detail }) => detail.replace(/^(?:install|make) /, '').split(/,? /))
    .sort()
}
