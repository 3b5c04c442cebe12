import { afterEach, describe, expect, test } from 'vitest'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { listing, resting, serving, stateOf, units, untilStopped, visit } from './look.ts'
import { type Checkout, tinyProject } from './projects.ts'
import { runs } from './runs.ts'
import { visitors } from './traces.ts'

const able = canBoot()

/** An app that tells its code's version and its env's; `before` runs at import. */
function versioned(version: number, before = ''): string {
  return `import os

from flask import Flask

${before}
app = Flask(__name__)


@app.route("/")
def index():
    return "code ${version} env " + os.environ["VERSION"]
`
}

describe.skipIf(!able.ok)(`the rollback command${able.ok ? '' : ` (skipped: ${able.why})`}`, () => {
  const running: Server[] = []
  const start = async () => {
    const server = await boot({ suite: 'bookworm' })
    running.push(server)
    return server
  }
  afterEach(async () => {
    await Promise.all(running.splice(0).map((server) => server.stop()))
  })

  /** Deploys one release for each version; returns their IDs. */
  async function deployed(server: Server, project: Checkout, versions: readonly number[]): Promise<string[]> {
    const { good } = runs(server, project.folder)
    const releases: string[] = []
    for (const version of versions) {
      project.commit({ 'app.py': versioned(version) })
      releases.push((await good({ env: `VERSION=${version}` })).release)
    }
    return releases
  }

  test('goes back to the previous release with its code and its env, and forth again', async () => {
    const server = await start()
    const project = tinyProject()
    const [one = '', two = ''] = await deployed(server, project, [1, 2])
    const nginx = await server.must('pgrep -x nginx | sort')
    const { good } = runs(server, project.folder, { command: 'rollback', env: 'VERSION=2' })
    const back = await good()

    expect(back.outputs).toMatchObject({
      result: 'rolled-back',
      release: one,
      'previous-release': two,
      serving: one,
      'health-status': '200',
    })
    expect((await visit(server)).body).toBe('code 1 env 1')
    await untilStopped(server, 'hello', two)
    expect(await units(server, 'hello', one)).toMatchObject(serving)
    expect(await units(server, 'hello', two)).toEqual(resting)
    expect(await stateOf(server, 'hello')).toEqual(
      expect.arrayContaining([
        ['current', one],
        ['previous', two],
      ]),
    )
    expect(await server.must('pgrep -x nginx | sort')).toBe(nginx)
    // A reboot brings the release that was gone back to.
    await server.reboot()
    await expect.poll(async () => (await visit(server)).body, { timeout: 30_000 }).toBe('code 1 env 1')
    expect(await units(server, 'hello', two)).toEqual(resting)

    expect((await good()).outputs).toMatchObject({
      result: 'rolled-back',
      release: two,
      'previous-release': one,
    })
    expect((await visit(server)).body).toBe('code 2 env 2')
  })

  test('goes back to the release that is named, and takes the one that serves as it is', async () => {
    const server = await start()
    const project = tinyProject()
    const [one = '', two = '', three = ''] = await deployed(server, project, [1, 2, 3])
    const { good } = runs(server, project.folder, { command: 'rollback' })
    const back = await good({ release: one })

    expect(back.outputs).toMatchObject({ result: 'rolled-back', release: one, 'previous-release': three })
    expect((await visit(server)).body).toBe('code 1 env 1')
    const { service } = await units(server, 'hello', one)
    expect((await good({ release: one })).outputs).toMatchObject({
      result: 'unchanged',
      release: one,
      serving: one,
    })
    expect((await units(server, 'hello', one)).service.pid).toBe(service.pid)
    // Without a name it is the one that served before this one, not the one made before it.
    expect((await good()).release).toBe(three)
    expect((await visit(server)).body).toBe('code 3 env 3')
    expect(await server.must('ls /srv/web-hello/releases')).toBe(`${one}\n${two}\n${three}\n`)
    // The next deploy of what serves already finds nothing to do.
    expect((await runs(server, project.folder).good({ env: 'VERSION=3' })).outputs.result).toBe('unchanged')
  })

  test('refuses a release that the server has not, and names those that it has', async () => {
    const server = await start()
    const project = tinyProject()
    const { bad } = runs(server, project.folder, { command: 'rollback' })
    const never = await bad()
    expect(never.outputs).toMatchObject({ result: 'failed', serving: '' })
    expect(never.report.error).toMatchObject({ code: 'no-release' })

    const [one = ''] = await deployed(server, project, [1])
    const alone = await bad()
    expect(alone.report.error).toMatchObject({ code: 'no-release' })
    const [, two = ''] = [one, ...(await deployed(server, project, [2]))]
    const before = await listing(server, '/etc', '/srv', '/var/lib')
    const unknown = await bad({ release: '20200101000000-abcdef0' })

    expect(unknown.outputs).toMatchObject({ result: 'failed', 'failed-phase': 'facts', serving: two })
    expect(unknown.report.error).toMatchObject({ code: 'no-release', input: 'release' })
    for (const text of [unknown.log, unknown.summary, unknown.report.error?.cure]) {
      expect(text).toContain(one)
      expect(text).toContain(two)
    }
    expect(await listing(server, '/etc', '/srv', '/var/lib')).toBe(before)
    expect((await visit(server)).body).toBe('code 2 env 2')
  })

  test('of a release that no longer comes up leaves the current one serving', async () => {
    const server = await start()
    const project = tinyProject()
    const { good } = runs(server, project.folder)
    // The first release lives on a file that the second one takes away.
    project.commit({ 'app.py': versioned(1, 'open("instance/table").close()') })
    const one = await good({ env: 'VERSION=1', 'release-command': 'touch instance/table' })
    project.commit({ 'app.py': versioned(2) })
    const two = await good({ env: 'VERSION=2', 'release-command': 'rm instance/table' })
    await untilStopped(server, 'hello', one.release)
    const state = await stateOf(server, 'hello')
    const { service } = await units(server, 'hello', two.release)
    const seen = visitors(server)
    const back = await runs(server, project.folder).bad({ command: 'rollback', 'health-timeout': '10s' })

    expect(back.outputs).toMatchObject({
      result: 'failed',
      'failed-phase': 'health',
      release: one.release,
      serving: two.release,
    })
    expect(back.log).toContain("FileNotFoundError: [Errno 2] No such file or directory: 'instance/table'")
    expect(await seen.answers()).toEqual(['code 2 env 2'])
    expect(await units(server, 'hello', one.release)).toEqual(resting)
    const still = await units(server, 'hello', two.release)
    expect(still).toMatchObject(serving)
    expect(still.service.pid).toBe(service.pid)
    expect((await stateOf(server, 'hello')).slice(1)).toEqual(state.slice(1))

    // The release is still there: with its file back, so is it.
    await server.must('runuser -u web-hello -- touch /var/lib/web-hello/instance/table')
    expect((await good({ command: 'rollback' })).outputs).toMatchObject({
      result: 'rolled-back',
      serving: one.release,
    })
    expect((await visit(server)).body).toBe('code 1 env 1')
  })

  test('needs nothing of the checkout but its name', async () => {
    const server = await start()
    const project = tinyProject()
    const [one = ''] = await deployed(server, project, [1, 2])
    project.commit({ 'app.py': null, 'requirements.txt': null, 'README.md': 'The app is gone.\n' })
    const back = await runs(server, project.folder).good({ command: 'rollback' })
    expect(back.outputs).toMatchObject({ result: 'rolled-back', serving: one })
    expect((await visit(server)).body).toBe('code 1 env 1')
    // What is checked out now is not what serves.
    const commit = (release: string) =>
      server.must(
        `sed -n 's/^release ${release} [^ ]* [^ ]* [^ ]* \\([^ ]*\\) [^ ]*$/\\1/p' /srv/web-hello/state`,
      )
    expect(`${back.report.commit}\n`).toBe(await commit(one))
  })
})
