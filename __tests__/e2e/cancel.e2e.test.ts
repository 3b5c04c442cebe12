import { randomBytes } from 'node:crypto'
import { afterEach, describe, expect, test } from 'vitest'
import { boot, type Server } from '../server/boot.ts'
import { startRelay } from '../server/relay.ts'
import { canBoot } from '../server/requirements.ts'
import { act, reach, start } from './action.ts'
import {
  CANCEL_MS,
  cancelled,
  expectCancelled,
  firstDeploy,
  saying,
  slowLine,
  slowPage,
  works,
} from './ended-early.ts'
import { tinyApp, tinyProject } from './projects.ts'
import { lockIsFree, page, traces, tracesOnceDrained, until, visitors } from './traces.ts'

const able = canBoot()

/** A moment at which the second deploy is cancelled, while the first one's release serves. */
interface Moment {
  readonly phase: string
  readonly files: Readonly<Record<string, string>>
  readonly inputs?: Readonly<Record<string, string>>
  /** Said in the log when the moment has come. */
  readonly said: string | RegExp
  /** Done on the server before. */
  readonly prepare?: string
  /** Done on the server after the cancel. */
  readonly release?: string
}

const moments: readonly Moment[] = [
  {
    phase: 'packages',
    files: {},
    inputs: { packages: 'bc' },
    said: 'apt-get install bc',
    prepare: `systemd-run --quiet --unit=other-apt python3 -c '
import fcntl, time
lock = open("/var/lib/dpkg/lock-frontend", "w")
fcntl.lockf(lock, fcntl.LOCK_EX)
time.sleep(600)'
until [ -n "$(find /proc/[0-9]*/fd -lname /var/lib/dpkg/lock-frontend 2>/dev/null)" ]; do sleep 0.1; done`,
    release: 'systemctl stop other-apt',
  },
  {
    phase: 'dependencies',
    files: {
      'requirements.txt': 'flask\n./slow\n',
      'slow/setup.py':
        'import time\ntime.sleep(60)\nfrom setuptools import setup\nsetup(name="slow", version="1")\n',
    },
    said: 'uv pip install -r',
  },
  {
    phase: 'configure',
    files: { 'app.py': `import time\ntime.sleep(60)\n${tinyApp}` },
    said: 'the probe: importing the app',
  },
  {
    phase: 'release-command',
    files: {},
    inputs: { 'release-command': 'echo asleep; sleep 60' },
    said: 'asleep',
  },
  {
    phase: 'start or health',
    files: { 'app.py': `import time\ntime.sleep(60)\n${tinyApp}` },
    said: '::group::health',
  },
  {
    phase: 'cutover',
    files: {},
    // Another app's deploy is at work on nginx.
    inputs: { 'max-body-size': '7m' },
    prepare: 'systemd-run --quiet --unit=other-app flock /run/flask-deploy/lock sleep 600; sleep 0.5',
    said: 'Waiting for another app of this server',
    release: 'systemctl stop other-app',
  },
]

describe.skipIf(!able.ok)(`cancel ${able.ok ? '' : able.why}`, () => {
  let server: Server | undefined
  afterEach(async () => server?.stop())

  test.each(moments)('in the phase $phase: the old site serves on, and nothing is left', async (moment) => {
    server = await boot({ suite: 'bookworm' })
    const { project, options, good } = await firstDeploy(server)
    const before = await traces(server)
    if (moment.prepare !== undefined) await server.must(moment.prepare)

    project.commit({ 'app.py': saying('version 2'), ...moment.files })
    const visits = visitors(server)
    const { ran, ms } = await cancelled(
      { ...options, inputs: { ...options.inputs, ...moment.inputs } },
      moment.said,
    )
    expect(await visits.answers()).toEqual(['version 1'])
    expectCancelled(ran, ms, good.outputs.release)
    expect(await traces(server)).toBe(before)
    expect(await lockIsFree(server)).toBe(true)

    if (moment.release !== undefined) await server.must(moment.release)
    project.commit({ 'app.py': saying('version 3'), 'requirements.txt': 'flask\n' })
    await works(server, options, 'version 3')
  })

  test('while apt is at work: it is not stopped half-way, what it installs stays, and that is said', async () => {
    server = await boot({ suite: 'bookworm' })
    const { project, options, good } = await firstDeploy(server)
    const before = await traces(server)
    await server.must(`echo 'pre-invoke=sleep 8' >/etc/dpkg/dpkg.cfg.d/slow`)
    project.commit({ 'app.py': saying('version 2') })
    const inputs = { ...options.inputs, packages: 'bc' }
    const running = start({ ...options, inputs })
    const booted = server
    await until('dpkg is at work', async () => (await booted.run('pgrep -x dpkg')).status === 0, 60_000)
    const at = performance.now()
    running.process.kill('SIGTERM')
    const ran = await running.ended
    expectCancelled(ran, performance.now() - at, good.outputs.release)
    expect(ran.outputs['failed-phase']).toBe('packages')
    expect(JSON.parse(ran.outputs.report).warnings, ran.log).toContainEqual(
      expect.objectContaining({ code: 'packages-go-on', text: expect.stringContaining('bc') }),
    )
    const apt = "systemctl list-units --plain --no-legend 'flask-deploy-apt.*'"
    await until('apt has ended', async () => (await booted.must(apt)) === '', 60_000)
    expect(await server.must('rm /etc/dpkg/dpkg.cfg.d/slow; dpkg --audit')).toBe('')
    expect(await server.must("dpkg-query -W -f '${db:Status-Status}' bc")).toBe('installed')
    expect(await traces(server)).toBe(before)
    await works(server, options, 'version 2')
  })

  test('before the server greets, and while a login file hangs: the server is not touched', async () => {
    server = await boot({ suite: 'bookworm' })
    const { options, good } = await firstDeploy(server)
    const before = await traces(server)
    const relay = await startRelay({ to: { host: server.address, port: 22 }, rttMs: 0 })
    try {
      const inputs = { ...options.inputs, host: '127.0.0.1', port: String(relay.port) }
      relay.unplug()
      const connecting = await cancelled({ ...options, inputs }, '::group::connect')
      expect(connecting.ran.status).toBe(1)
      expect(connecting.ms).toBeLessThan(CANCEL_MS)
      expect(connecting.ran.outputs).toMatchObject({
        result: 'cancelled',
        'failed-phase': 'connect',
        serving: 'unknown',
      })
      expect(connecting.ran.summary).toContain('The server was not touched')
    } finally {
      await relay.close()
    }
    await server.must('echo "sleep 600" > /root/.bashrc')
    const asking = await cancelled(options, '::group::facts')
    expect(asking.ran.status).toBe(1)
    expect(asking.ms).toBeLessThan(CANCEL_MS)
    expect(asking.ran.outputs).toMatchObject({
      result: 'cancelled',
      'failed-phase': 'facts',
      serving: 'unknown',
    })
    expect(await traces(server)).toBe(before)
    expect(await page(server)).toBe('version 1')
    await server.must('rm /root/.bashrc')
    const next = await act(options)
    expect(next.outputs, next.log).toMatchObject({ result: 'unchanged', serving: good.outputs.release })
  })

  test('while the bundle is on its way over a slow line', async () => {
    server = await boot({ suite: 'bookworm' })
    const { project, options, good } = await firstDeploy(server)
    const before = await traces(server)
    const line = await slowLine(server, 1_000_000)
    try {
      project.commit({
        'app.py': saying('version 2'),
        'large.bin': randomBytes(30_000_000).toString('latin1'),
      })
      const { port } = line
      const knownHosts = (options.inputs['known-hosts'] ?? '').replaceAll(
        server.address,
        `[127.0.0.1]:${port}`,
      )
      const inputs = { ...options.inputs, host: '127.0.0.1', port: String(port), 'known-hosts': knownHosts }
      const { ran, ms } = await cancelled({ ...options, inputs }, /upload: [0-9.]+ of [0-9.]+ MB/)
      expectCancelled(ran, ms, good.outputs.release)
      expect(ran.outputs['failed-phase']).toBe('upload')
    } finally {
      line.close()
    }
    const booted = server
    await until('the lock is free', () => lockIsFree(booted), 20_000)
    expect(await traces(server)).toBe(before)
    expect(await page(server)).toBe('version 1')
    project.commit({ 'large.bin': null })
    await works(server, options, 'version 2')
  })

  test('after the flip, while the smoke test waits: the old release is back', async () => {
    server = await boot({ suite: 'bookworm' })
    const { project, options, good } = await firstDeploy(server)
    const before = await traces(server)
    project.commit({ 'app.py': `${saying('version 2')}${slowPage}` })
    const inputs = { ...options.inputs, 'smoke-url': `http://${server.address}/slow` }
    const { ran, ms } = await cancelled({ ...options, inputs }, /Visitors get release/)
    expectCancelled(ran, ms, good.outputs.release)
    expect(ran.outputs['failed-phase']).toBe('smoke')
    expect(await page(server)).toBe('version 1')
    const booted = server
    await until('the lock is free', () => lockIsFree(booted), 20_000)
    expect(await tracesOnceDrained(server, before)).toBe(before)
    await works(server, options, 'version 2')
  })

  test('after the verdict: the new release serves, and the old one is drained', async () => {
    server = await boot({ suite: 'bookworm' })
    const { project, options } = await firstDeploy(server)
    project.commit({ 'app.py': saying('version 2') })
    const { ran, ms } = await cancelled(options, /Release [0-9a-f-]+ is kept/)
    expect(ms).toBeLessThan(CANCEL_MS)
    expect(ran.status, ran.log).toBe(1)
    expect(ran.outputs).toMatchObject({ result: 'cancelled', serving: ran.outputs.release })
    expect(await page(server)).toBe('version 2')
    const booted = server
    const old = ran.outputs['previous-release']
    await until('the old release is drained', async () => {
      const units = await booted.must(`systemctl list-units --plain --no-legend 'web-hello-${old}*'
        find /etc/systemd/system/*.wants -name 'web-hello-${old}*'`)
      return units === ''
    })
    project.commit({ 'app.py': saying('version 3') })
    await works(server, options, 'version 3')
  })

  test('a first deploy, cancelled: no site, and the next one works', async () => {
    server = await boot({ suite: 'bookworm' })
    const project = tinyProject()
    const options = { workspace: project.folder, inputs: reach(server) }
    const inputs = { ...options.inputs, 'release-command': 'echo asleep; sleep 60' }
    const { ran, ms } = await cancelled({ ...options, inputs }, 'asleep')
    expectCancelled(ran, ms, '')
    await works(server, options, 'version 1')
  })
})
