import { afterEach, describe, expect, test } from 'vitest'
import { releasePaths } from '../../src/config/paths.ts'
import { type BootOptions, boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { resting, serving, stateOf, units, untilStopped, visit } from './look.ts'
import { tinyApp, tinyProject } from './projects.ts'
import { runs } from './runs.ts'

const able = canBoot()

/** An app that tells its variable. */
const tellingApp = `import os

from flask import Flask

app = Flask(__name__)


@app.route("/")
def index():
    return os.environ.get("GREETING", "nothing")
`

describe.skipIf(!able.ok)(`a redeploy${able.ok ? '' : ` (skipped: ${able.why})`}`, () => {
  const running: Server[] = []
  const start = async (options: BootOptions = { suite: 'bookworm' }) => {
    const server = await boot(options)
    running.push(server)
    return server
  }
  afterEach(async () => {
    await Promise.all(running.splice(0).map((server) => server.stop()))
  })

  test('of changed code brings the new release, drains the old one and keeps its files', async () => {
    const server = await start()
    const project = tinyProject()
    const { good: run } = runs(server, project.folder)
    const one = await run()
    project.commit({ 'app.py': tinyApp.replace('version 1', 'version 2') })
    const nginx = await server.must('pgrep -x nginx | sort')
    const two = await run()

    expect(two.outputs).toMatchObject({ 'previous-release': one.release, serving: two.release })
    expect(two.release).not.toBe(one.release)
    expect((await visit(server)).body).toBe('version 2')
    await untilStopped(server, 'hello', one.release)
    expect(await units(server, 'hello', two.release)).toMatchObject(serving)
    expect(await units(server, 'hello', one.release)).toEqual(resting)
    expect(await server.must(`cat ${releasePaths('hello', one.release).root}/app.py`)).toBe(tinyApp)
    expect(await stateOf(server, 'hello')).toEqual([
      ['generation', '2'],
      ['owner', '4711', 'someone/hello'],
      ['current', two.release],
      ['previous', one.release],
      ['release', one.release, ...Array.from({ length: 5 }, () => expect.any(String))],
      ['release', two.release, ...Array.from({ length: 5 }, () => expect.any(String))],
    ])
    // The site's file names no release, so nginx was not reloaded.
    expect(await server.must('pgrep -x nginx | sort')).toBe(nginx)
  })

  test.each<BootOptions>([{ suite: 'bullseye' }, { suite: 'trixie' }, { suite: 'sid', uutils: true }])(
    'and a rollback, pruning and a reboot go as well on $suite',
    async (options) => {
      const server = await start(options)
      const project = tinyProject({ 'static/a.txt': 'one\n' })
      const { good: run } = runs(server, project.folder, { 'keep-releases': '2', workers: '2' })
      const one = await run({ env: 'A="one # \\"$x\\""' })
      project.commit({ 'app.py': tinyApp.replace('version 1', 'version 2'), 'static/a.txt': 'two\n' })
      const two = await run()
      expect((await visit(server)).body).toBe('version 2')
      expect((await visit(server, '/static/a.txt')).body).toBe('two\n')
      expect((await run()).outputs.result).toBe('unchanged')
      expect((await run({ command: 'rollback' })).release).toBe(one.release)
      expect((await visit(server)).body).toBe('version 1')
      expect((await visit(server, '/static/a.txt')).body).toBe('one\n')
      project.commit({
        'app.py': tinyApp.replace('version 1', 'version 3'),
        'requirements.txt': 'flask\npeppercorn\n',
      })
      const three = await run()
      await untilStopped(server, 'hello', one.release)
      expect(await server.must('ls /srv/web-hello/releases')).toBe(`${one.release}\n${three.release}\n`)
      expect(await units(server, 'hello', one.release)).toEqual(resting)
      expect(await server.must(`find / -xdev -name '*${two.release}*' -not -path '/proc/*'`)).toBe('')
      await server.reboot()
      await expect.poll(async () => (await visit(server)).body, { timeout: 60_000 }).toBe('version 3')
      expect(await units(server, 'hello', three.release)).toMatchObject(serving)
      expect(await units(server, 'hello', one.release)).toEqual(resting)
      expect(await server.must('systemctl --failed --plain --no-legend')).toBe('')
    },
  )

  test('of changed env shares the environment, and the old release keeps its own env', async () => {
    const server = await start()
    const project = tinyProject({ 'app.py': tellingApp })
    const { good: run } = runs(server, project.folder)
    const one = await run({ env: 'GREETING=hello' })
    expect((await visit(server)).body).toBe('hello')
    const two = await run({ env: 'GREETING="good # morning"' })
    expect((await visit(server)).body).toBe('good # morning')

    expect(two.release).not.toBe(one.release)
    const file = '.venv/lib/python3*/site-packages/flask/app.py'
    const inodes = await server.must(
      `cd /srv/web-hello/releases && stat -c %i ${one.release}/${file} ${two.release}/${file}`,
    )
    expect(new Set(inodes.trim().split('\n')).size).toBe(1)
    expect(two.log).not.toContain('uv pip install')
    expect(await server.readFile(releasePaths('hello', one.release).env)).toContain('GREETING=hello\n')
  })

  test('of changed workers alone makes a release with that many processes', async () => {
    const server = await start()
    const project = tinyProject()
    const { good: run } = runs(server, project.folder)
    const one = await run({ workers: '1' })
    expect(await processes(server, one.release)).toBe(1)
    const two = await run({ workers: '3' })
    expect(two.release).not.toBe(one.release)
    await expect.poll(() => processes(server, two.release), { timeout: 20_000 }).toBe(3)
    // A restart, as after a crash, brings as many.
    await server.must(`systemctl restart ${releasePaths('hello', two.release).serviceUnit}`)
    await expect.poll(() => processes(server, two.release), { timeout: 20_000 }).toBe(3)
    expect((await visit(server)).body).toBe('version 1')
  })

  test('of changed dependencies builds a new environment', async () => {
    const server = await start()
    const project = tinyProject()
    const { good: run } = runs(server, project.folder)
    const one = await run()
    project.commit({
      'requirements.txt': 'flask\npeppercorn==0.6\n',
      'app.py': `import peppercorn\n${tinyApp.replace('"version 1"', 'peppercorn.__name__')}`,
    })
    const two = await run()
    expect((await visit(server)).body).toBe('peppercorn')
    const file = '.venv/lib/python3*/site-packages/flask/app.py'
    const inodes = await server.must(
      `cd /srv/web-hello/releases && stat -c %i ${one.release}/${file} ${two.release}/${file}`,
    )
    expect(new Set(inodes.trim().split('\n')).size).toBe(2)
    expect(
      await server.must(`ls -d /srv/web-hello/releases/*/.venv/lib/python3*/site-packages/peppercorn`),
    ).toMatch(new RegExp(`^[^\n]*/${two.release}/[^\n]*\n$`))
    // Nothing of it belongs to whom it was built by, nor is it for others to read.
    const { venv } = releasePaths('hello', two.release)
    expect(await server.must(`find ${venv} ! -user root -o ! -type l -perm /022 -o -type f -perm /007`)).toBe(
      '',
    )
  })

  test('outlives a reboot, and the next run finds nothing to do', async () => {
    const server = await start()
    const project = tinyProject()
    const { good: run } = runs(server, project.folder, { workers: '2' })
    const one = await run()
    project.commit({ 'app.py': tinyApp.replace('version 1', 'version 2') })
    const two = await run()
    await server.reboot()
    await expect.poll(async () => (await visit(server)).body, { timeout: 30_000 }).toBe('version 2')
    expect(await units(server, 'hello', two.release)).toMatchObject(serving)
    expect(await units(server, 'hello', one.release)).toEqual(resting)
    await expect.poll(() => processes(server, two.release), { timeout: 20_000 }).toBe(2)
    const { service } = await units(server, 'hello', two.release)
    expect((await run()).outputs).toMatchObject({ result: 'unchanged', serving: two.release })
    expect((await units(server, 'hello', two.release)).service.pid).toBe(service.pid)
  })

  test('runs the release command once for every new release, as its app, and for nothing else', async () => {
    const server = await start()
    const command = `echo "$(id -un) $GREETING $FLASK_APP $(pwd -P) $(cat marker) $(flask routes | grep -c index)" >>instance/ran`
    const project = tinyProject({ marker: 'code 1' })
    const { good: run } = runs(server, project.folder, { 'release-command': command })
    const ran = async () => (await server.must('cat /var/lib/web-hello/instance/ran')).trim().split('\n')
    const one = await run({ env: 'GREETING=hi' })
    const line = (release: string, greeting: string, marker: string) =>
      `web-hello ${greeting} app:app ${releasePaths('hello', release).root} ${marker} 1`
    expect(await ran()).toEqual([line(one.release, 'hi', 'code 1')])
    expect((await run({ env: 'GREETING=hi' })).outputs.result).toBe('unchanged')
    expect(await ran()).toHaveLength(1)
    project.commit({ marker: 'code 2' })
    const two = await run({ env: 'GREETING=ho' })
    expect(await ran()).toEqual([line(one.release, 'hi', 'code 1'), line(two.release, 'ho', 'code 2')])
    expect((await run({ command: 'rollback' })).outputs.result).toBe('rolled-back')
    expect(await ran()).toHaveLength(2)
  })

  test('prunes to keep-releases, but neither the current nor the previous release', async () => {
    const server = await start()
    const project = tinyProject()
    const { good: run } = runs(server, project.folder, { 'keep-releases': '2' })
    const made: string[] = []
    for (const version of [1, 2, 3]) {
      project.commit({ 'app.py': tinyApp.replace('version 1', `version ${version}`) })
      made.push((await run()).release)
    }
    const [first = '', second = '', third = ''] = made
    const kept = async () => (await server.must('ls /srv/web-hello/releases')).trim().split('\n')
    expect(await kept()).toEqual([second, third])
    const remains = await server.must(`find /etc/web-hello /etc/systemd /run/web-hello -name '*${first}*'`)
    expect(remains).toBe('')
    expect(await server.must(`systemctl list-units --all --plain --no-legend 'web-hello-${first}*'`)).toBe('')

    // The previous one is the older of the two now, and one is to be kept: both stay.
    await run({ command: 'rollback', 'keep-releases': '1' })
    expect(await kept()).toEqual([second, third])
    expect((await visit(server)).body).toBe('version 2')
    // A third one: what is neither current nor previous goes, though it is younger.
    project.commit({ 'app.py': tinyApp.replace('version 1', 'version 4') })
    const { release: fourth } = await run({ 'keep-releases': '1' })
    expect(await kept()).toEqual([second, fourth])
    expect((await visit(server)).body).toBe('version 4')
  })
})

/** How many worker processes a release has. */
async function processes(server: Server, release: string): Promise<number> {
  const { service } = await units(server, 'hello', release)
  return Number(await server.must(`pgrep -c -P ${service.pid} || :`))
}
