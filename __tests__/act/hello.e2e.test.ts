import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Checkout } from '../e2e/projects.ts'
import { installTimeoutMs } from '../house/tools.ts'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { Runner, type WorkflowRun } from './act.ts'
import { repositoryOf, settingsFor } from './example.ts'

const able = canBoot()

describe.skipIf(!able.ok)('the workflow of examples/hello', () => {
  let runner: Runner
  const running: Server[] = []
  const start = async () => {
    const server = await boot({ suite: 'bookworm' })
    running.push(server)
    return server
  }
  beforeAll(async () => {
    runner = await Runner.start()
  }, installTimeoutMs)
  afterAll(() => runner?.stop())
  afterEach(async () => {
    await Promise.all(running.splice(0).map((server) => server.stop()))
  })

  test('a push deploys the site; the next step knows what visitors get, and the job has a summary', async () => {
    const server = await start()
    const { folder } = repositoryOf('hello')

    const run = await runner.run(folder, { event: 'push', ...settingsFor(server) })

    expect(run).toMatchObject({ succeeded: true })
    expect(await page(server)).toContain('Hello, World!')
    const release = await current(server)
    expect(run.log).toContain(`\ndeployed, http://${server.address}/ serves ${release}\n`)
    const summary = /Summary - ([\s\S]*?)\n⭐/.exec(run.log)?.[1]
    expect(summary).toMatch(/^## .*hello: deployed\n/)
    expect(summary).toContain(`| Visitors get | <code>${release}</code> |`)
    expect(summary).toMatch(/\| Health check \|.*<code>\/<\/code>/)
  })

  test('a push of other code replaces the site', async () => {
    const server = await start()
    const repository = repositoryOf('hello')
    const push = { event: 'push', ...settingsFor(server) } as const
    expect(await runner.run(repository.folder, push)).toMatchObject({ succeeded: true })
    const first = await current(server)
    repository.commit({ 'app.py': greeting(repository, 'Good day') })

    const run = await runner.run(repository.folder, push)

    expect(said(run)).toBe(`deployed, http://${server.address}/ serves ${await current(server)}`)
    expect(await current(server)).not.toBe(first)
    expect(await page(server)).toContain('Good day, World!')
  })

  test('run by hand with nothing new, it restarts nothing', async () => {
    const server = await start()
    const { folder } = repositoryOf('hello')
    expect(await runner.run(folder, { event: 'push', ...settingsFor(server) })).toMatchObject({
      succeeded: true,
    })
    const release = await current(server)
    const before = await server.must('pgrep -u web-hello')

    const run = await runner.run(folder, byHand(server, { command: 'deploy', release: '' }))

    expect(run).toMatchObject({ succeeded: true })
    expect(said(run)).toBe(`unchanged, http://${server.address}/ serves ${release}`)
    expect(await server.must('pgrep -u web-hello')).toBe(before)
  })

  test('run by hand with `plan`, it says what a deploy would do and leaves the server alone', async () => {
    const server = await start()
    const { folder } = repositoryOf('hello')

    const run = await runner.run(folder, byHand(server, { command: 'plan', release: '' }))

    expect(run).toMatchObject({ succeeded: true })
    expect(said(run)).toBe(`planned, http://${server.address}/ serves nothing`)
    expect((await server.run('ls -d /srv/web-* /etc/web-*; getent passwd web-hello')).stdout).toBe('')
  })

  test('run by hand with `rollback`, it goes back, and forth again to a release that is named', async () => {
    const server = await start()
    const repository = repositoryOf('hello')
    const push = { event: 'push', ...settingsFor(server) } as const
    expect(await runner.run(repository.folder, push)).toMatchObject({ succeeded: true })
    const first = await current(server)
    repository.commit({ 'app.py': greeting(repository, 'Good day') })
    expect(await runner.run(repository.folder, push)).toMatchObject({ succeeded: true })
    const second = await current(server)

    const back = await runner.run(repository.folder, byHand(server, { command: 'rollback', release: '' }))
    expect(said(back)).toBe(`rolled-back, http://${server.address}/ serves ${first}`)
    expect(await current(server)).toBe(first)
    expect(await page(server)).toContain('Hello, World!')

    const forth = await runner.run(
      repository.folder,
      byHand(server, { command: 'rollback', release: second }),
    )
    expect(said(forth)).toBe(`rolled-back, http://${server.address}/ serves ${second}`)
    expect(await current(server)).toBe(second)
    expect(await page(server)).toContain('Good day, World!')
  })

  test('its other workflow looks after the app: status, a command, the log, and the end', async () => {
    const server = await start()
    const { folder } = repositoryOf('hello')
    const manage = (inputs: Readonly<Record<string, string>>) =>
      runner.run(folder, {
        ...byHand(server, { run: '', 'destroy-data': '', ...inputs }),
        workflow: 'manage',
      })
    expect(await runner.run(folder, { event: 'push', ...settingsFor(server) })).toMatchObject({
      succeeded: true,
    })
    const release = await current(server)

    const status = await manage({ command: 'status' })
    expect(status).toMatchObject({ succeeded: true })
    expect(status.log).toMatch(/Summary - ## .*hello: status/)
    expect(status.log).toContain(`release ${release}`)
    expect((await manage({ command: 'run', run: 'flask routes' })).log).toContain('Endpoint  Methods')
    expect(await manage({ command: 'run', run: 'exit 3' })).toMatchObject({ succeeded: false })
    expect((await manage({ command: 'logs' })).log).toContain('Listening at')
    expect(await manage({ command: 'destroy', 'destroy-data': 'hello' })).toMatchObject({ succeeded: true })
    expect(await server.must('ls -d /srv/web-* /etc/web-* 2>/dev/null || :')).toBe('')
  }, 120_000)

  test('a push of code that does not start fails the job, and visitors keep the site', async () => {
    const server = await start()
    const repository = repositoryOf('hello')
    const push = { event: 'push', ...settingsFor(server) } as const
    expect(await runner.run(repository.folder, push)).toMatchObject({ succeeded: true })
    const release = await current(server)
    repository.commit({ 'app.py': `import flask_that_is_not_there\n${greeting(repository, 'Hello')}` })

    const run = await runner.run(repository.folder, push)

    expect(run).toMatchObject({ succeeded: false })
    expect(said(run)).toBe(`failed, http://${server.address}/ serves ${release}`)
    expect(run.log).toMatch(/::error .*file=app\.py,line=1.*No module named 'flask_that_is_not_there'/)
    expect(run.log).toMatch(/Summary - ## .*hello: failed/)
    expect(await current(server)).toBe(release)
    expect(await page(server)).toContain('Hello, World!')
  })
})

function byHand(server: Server, inputs: Readonly<Record<string, string>>) {
  return { event: 'workflow_dispatch', inputs, ...settingsFor(server) } as const
}

/** What the workflow's last step printed. */
function said(run: WorkflowRun): string {
  return /^.*, http:.* serves .*$/m.exec(run.log)?.[0] ?? run.log
}

async function page(server: Server): Promise<string> {
  return await (await fetch(`http://${server.address}/`)).text()
}

async function current(server: Server): Promise<string> {
  return (await server.must('basename "$(readlink /srv/web-hello/current)"')).trim()
}

/** The example's code with another greeting. */
function greeting({ folder }: Checkout, words: string): string {
  return readFileSync(join(folder, 'app.py'), 'utf8').replace('<h1>Hello,', `<h1>${words},`)
}
