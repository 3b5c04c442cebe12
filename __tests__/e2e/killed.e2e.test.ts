import { randomBytes } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { act } from './action.ts'
import { firstDeploy, killed, saying, slowLine, slowPage, stateOf, works } from './ended-early.ts'
import { type Build, build, limitsOf } from './liars/victim.ts'
import { lockIsFree, page, traces, tracesOnceDrained, until } from './traces.ts'

const able = canBoot()
let built: Build
beforeAll(() => {
  built = build()
})
afterAll(() => built.remove())

describe.skipIf(!able.ok)(`killed runners ${able.ok ? '' : able.why}`, () => {
  let server: Server | undefined
  afterEach(async () => server?.stop())

  test('the runner is killed, then `post` runs: the old release serves, the lock is free', async () => {
    server = await boot({ suite: 'bookworm' })
    const { project, options } = await firstDeploy(server)
    const before = await traces(server)
    project.commit({ 'app.py': saying('version 2') })
    const inputs = { ...options.inputs, 'release-command': 'echo asleep; sleep 60' }
    const state = await killed({ ...options, inputs }, 'asleep')
    expect(state.get('run')).toMatch(/^[0-9a-f]+$/)
    expect(await lockIsFree(server)).toBe(false)

    const post = await act({ ...options, inputs, environment: stateOf(state) })
    expect(post.status, post.log).toBe(0)
    expect(post.log).toMatch(/has been stopped; visitors get release [0-9a-f-]+/)
    expect(await lockIsFree(server)).toBe(true)
    expect(await traces(server)).toBe(before)
    expect(await page(server)).toBe('version 1')
    await works(server, options, 'version 2')
  })

  test('the runner is killed after the flip, then `post` runs: the old release is back', async () => {
    server = await boot({ suite: 'bookworm' })
    const { project, options } = await firstDeploy(server)
    const before = await traces(server)
    project.commit({ 'app.py': `${saying('version 2')}${slowPage}` })
    const inputs = { ...options.inputs, 'smoke-url': `http://${server.address}/slow` }
    const state = await killed({ ...options, inputs }, /Visitors get release/)
    expect(await page(server)).toBe('version 2')
    const post = await act({ ...options, inputs, environment: stateOf(state) })
    expect(post.status, post.log).toBe(0)
    expect(await page(server)).toBe('version 1')
    const booted = server
    await until('the lock is free', () => lockIsFree(booted), 20_000)
    expect(await tracesOnceDrained(server, before)).toBe(before)
  })

  test('`post` after a run that came to its end does nothing, and says nothing', async () => {
    server = await boot({ suite: 'bookworm' })
    const { options, good } = await firstDeploy(server)
    const sessions = 'journalctl -u ssh -o cat | grep -c Accepted || :'
    const before = await server.must(sessions)
    const post = await act({ ...options, environment: stateOf(good.state) })
    expect(post).toMatchObject({ status: 0, log: '', summary: '' })
    expect(await server.must(sessions)).toBe(before)
  })

  test('the runner is killed and nothing runs after it: during the upload the server goes back by itself', async () => {
    server = await boot({ suite: 'bookworm' })
    const { project, options } = await firstDeploy(server)
    const before = await traces(server)
    const line = await slowLine(server, 1_000_000)
    try {
      project.commit({
        'app.py': saying('version 2'),
        'large.bin': randomBytes(30_000_000).toString('latin1'),
      })
      const knownHosts = (options.inputs['known-hosts'] ?? '').replaceAll(
        server.address,
        `[127.0.0.1]:${line.port}`,
      )
      await killed(
        {
          ...options,
          // What does not come any more is waited for by an upload that may go on over another connection.
          entry: built.entry,
          environment: limitsOf({ others: { sentWaitMs: 5_000 } }),
          inputs: {
            ...options.inputs,
            host: '127.0.0.1',
            port: String(line.port),
            'known-hosts': knownHosts,
          },
        },
        /upload: [0-9.]+ of [0-9.]+ MB/,
      )
    } finally {
      line.close()
    }
    const booted = server
    await until('the lock is free', () => lockIsFree(booted))
    expect(await traces(server)).toBe(before)
    project.commit({ 'large.bin': null })
    await works(server, options, 'version 2')
  })

  test('runner and server-side program are both killed after the flip: the next deploy repairs what is left', async () => {
    server = await boot({ suite: 'bookworm' })
    const { project, options, good } = await firstDeploy(server)
    project.commit({ 'app.py': `${saying('version 2')}${slowPage}` })
    const inputs = { ...options.inputs, 'smoke-url': `http://${server.address}/slow` }
    const state = await killed({ ...options, inputs }, /Visitors get release/)
    await server.must(`systemctl kill -s KILL flask-deploy-hello-${state.get('run')}.service`)
    const booted = server
    // The end of the killed program's unit takes it back at once.
    await until('the old release is back', async () => (await page(booted)) === 'version 1', 5_000)
    project.commit({ 'app.py': saying('version 3') })
    const next = await act(options)
    expect(next.status, next.log).toBe(0)
    expect(next.log).toContain('An earlier deploy was cut off; repaired')
    expect(next.outputs['previous-release']).toBe(good.outputs.release)
    expect(await page(server)).toBe('version 3')
    // The killed one's last visitor is still on its slow page.
    const both = [good.outputs.release, next.outputs.release].sort().join('\n')
    const releases = async () => (await booted.must('ls /srv/web-hello/releases')).trim()
    await until('only the kept releases are left', async () => (await releases()) === both)
  })
})
