import { afterEach, describe, expect, test } from 'vitest'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { type ActionOptions, act, reach, start } from './action.ts'
import { tinyApp, tinyProject } from './projects.ts'
import { lockIsFree, page, traces } from './traces.ts'

const able = canBoot()

/** A deploy of its own run, so that the other one can name it. */
const ofRun = (
  options: ActionOptions,
  run: string,
  inputs: Readonly<Record<string, string>> = {},
): ActionOptions => ({
  ...options,
  inputs: { ...options.inputs, ...inputs },
  environment: { GITHUB_RUN_ID: run },
})

const runUrl = (run: string) => `https://github.com/someone/hello/actions/runs/${run}`

/** Writes down its beginning and its end where both releases see it. */
const diary = (word: string) =>
  `cd /var/lib/web-hello; echo "${word} begins" >> diary; echo asleep; sleep 2; echo "${word} ends" >> diary`

describe.skipIf(!able.ok)(`two deploys at once ${able.ok ? '' : able.why}`, () => {
  let server: Server | undefined
  afterEach(async () => server?.stop())

  test.each(['the first deploys', 'redeploys'] as const)(
    'of one app, %s: the second waits and says for whom; both end well, one after the other',
    async (which) => {
      server = await boot({ suite: 'bookworm' })
      const zero = tinyProject({ 'app.py': tinyApp.replace('version 1', 'version 0') })
      const one = tinyProject()
      const two = tinyProject({ 'app.py': tinyApp.replace('version 1', 'version 2') })
      const options: ActionOptions = { workspace: one.folder, inputs: reach(server) }
      if (which === 'redeploys') {
        const ran = await act({ ...options, workspace: zero.folder })
        expect(ran.status, ran.log).toBe(0)
      }
      const first = start(ofRun(options, '101', { 'release-command': diary('one') }))
      await first.said('asleep')
      const second = start(
        ofRun({ ...options, workspace: two.folder }, '102', { 'release-command': diary('two') }),
      )
      await second.said(`Waiting for ${runUrl('101')} (someone), which holds the lock.`)
      const [ranFirst, ranSecond] = await Promise.all([first.ended, second.ended])

      expect(ranFirst.status, ranFirst.log).toBe(0)
      expect(ranSecond.status, ranSecond.log).toBe(0)
      expect(ranFirst.outputs).toMatchObject({ result: 'deployed', serving: ranFirst.outputs.release })
      expect(ranSecond.outputs).toMatchObject({
        result: 'deployed',
        serving: ranSecond.outputs.release,
        'previous-release': ranFirst.outputs.release,
      })
      expect(await server.must('cat /var/lib/web-hello/diary')).toBe(
        'one begins\none ends\ntwo begins\ntwo ends\n',
      )
      expect(await page(server)).toBe('version 2')
      const state = await server.must('cat /srv/web-hello/state')
      expect(state).toContain(`current ${ranSecond.outputs.release}\nprevious ${ranFirst.outputs.release}\n`)
      expect(state).not.toContain('attempt')
      expect(await lockIsFreeSoon(server)).toBe(true)
    },
  )

  test('of one app with the same commit: the second finds nothing left to do', async () => {
    server = await boot({ suite: 'bookworm' })
    const options: ActionOptions = {
      workspace: tinyProject().folder,
      inputs: { ...reach(server), 'release-command': 'echo asleep; sleep 2' },
    }
    const first = start(ofRun(options, '101'))
    await first.said('asleep')
    const second = start(ofRun(options, '102'))
    const [ranFirst, ranSecond] = await Promise.all([first.ended, second.ended])
    expect(ranFirst.outputs, ranFirst.log).toMatchObject({ result: 'deployed' })
    expect(ranSecond.outputs, ranSecond.log).toMatchObject({
      result: 'unchanged',
      serving: ranFirst.outputs.release,
      release: ranFirst.outputs.release,
    })
    expect(ranSecond.status).toBe(0)
    expect((await server.must('ls /srv/web-hello/releases')).trim()).toBe(ranFirst.outputs.release)
  })

  test('a deploy and a rollback of one app: the second one works from what the first one left', async () => {
    server = await boot({ suite: 'bookworm' })
    const project = tinyProject()
    const options: ActionOptions = { workspace: project.folder, inputs: reach(server) }
    const zero = await act(options)
    expect(zero.status, zero.log).toBe(0)
    project.commit({ 'app.py': tinyApp.replace('version 1', 'version 2') })
    const first = start(ofRun(options, '101', { 'release-command': 'echo asleep; sleep 2' }))
    await first.said('asleep')
    const second = start(ofRun(options, '102', { command: 'rollback', release: zero.outputs.release }))
    const [ranFirst, ranSecond] = await Promise.all([first.ended, second.ended])
    expect(ranFirst.outputs, ranFirst.log).toMatchObject({ result: 'deployed' })
    // When it was planned, that release served; when its turn came, it did not.
    expect(ranSecond.status, ranSecond.log).toBe(0)
    expect(['rolled-back', 'unchanged']).toContain(ranSecond.outputs.result)
    const serving = (await server.must('readlink /srv/web-hello/current')).trim().replace('releases/', '')
    expect(ranSecond.outputs.serving).toBe(
      ranSecond.outputs.result === 'unchanged' ? zero.outputs.release : serving,
    )
  })

  test('of two repositories with one name for their apps: the second waits, looks again and is refused', async () => {
    server = await boot({ suite: 'bookworm' })
    const options: ActionOptions = { workspace: tinyProject().folder, inputs: reach(server) }
    const first = start(ofRun(options, '101', { 'release-command': 'echo asleep; sleep 4' }))
    // Nobody owns the name yet, as far as the second one can see.
    await first.said('Connected to')
    const other = tinyProject({ 'app.py': tinyApp.replace('version 1', 'somebody else') })
    const second = start({
      ...ofRun(options, '102', { name: 'hello' }),
      workspace: other.folder,
      repository: 'else/thing',
      repositoryId: '4712',
    })
    const [ranFirst, ranSecond] = await Promise.all([first.ended, second.ended])
    expect(ranFirst.outputs.result, ranFirst.log).toBe('deployed')
    expect(ranSecond.outputs, ranSecond.log).toMatchObject({ result: 'failed', 'failed-phase': 'facts' })
    expect(JSON.parse(ranSecond.outputs.report).error, ranSecond.log).toMatchObject({
      code: 'owner',
      input: 'name',
    })
    expect(await page(server)).toBe('version 1')
    expect((await server.must('ls /srv/web-hello/releases')).trim()).toBe(ranFirst.outputs.release)
  })

  test('the first is cancelled while the second waits: that one repairs nothing, and goes on', async () => {
    server = await boot({ suite: 'bookworm' })
    const project = tinyProject()
    const options: ActionOptions = { workspace: project.folder, inputs: reach(server) }
    const zero = await act(options)
    expect(zero.status, zero.log).toBe(0)
    project.commit({ 'app.py': tinyApp.replace('version 1', 'version 2') })
    const sleeping = { 'release-command': `${diary('one')}; sleep 60` }
    const first = start(ofRun(options, '101', sleeping))
    await first.said('asleep')
    const second = start(ofRun(options, '102', { 'release-command': diary('two') }))
    await second.said(`Waiting for ${runUrl('101')} (someone), which holds the lock.`)
    first.process.kill('SIGINT')
    const [ranFirst, ranSecond] = await Promise.all([first.ended, second.ended])
    expect(ranFirst.outputs, ranFirst.log).toMatchObject({
      result: 'cancelled',
      serving: zero.outputs.release,
    })
    expect(ranSecond.outputs, ranSecond.log).toMatchObject({
      result: 'deployed',
      serving: ranSecond.outputs.release,
      'previous-release': zero.outputs.release,
    })
    expect(await page(server)).toBe('version 2')
    const said = (await server.must('cat /var/lib/web-hello/diary')).trim().split('\n')
    expect(said.slice(-2)).toEqual(['two begins', 'two ends'])
    expect(said.slice(0, -2).every((line) => line.startsWith('one'))).toBe(true)
    const kept = (await server.must('ls /srv/web-hello/releases')).trim().split('\n')
    expect(kept).toEqual([zero.outputs.release, ranSecond.outputs.release].toSorted())
  })

  test('of two apps: neither waits for the other’s release command', async () => {
    server = await boot({ suite: 'bookworm' })
    const options: ActionOptions = {
      workspace: tinyProject().folder,
      inputs: { ...reach(server), domain: 'one.example' },
    }
    const first = start(ofRun(options, '101', { 'release-command': 'echo asleep; sleep 30' }))
    await first.said('asleep')
    const other = await act({
      ...ofRun(options, '102', { domain: 'two.example', name: 'other' }),
      workspace: tinyProject().folder,
    })
    expect(other.status, other.log).toBe(0)
    expect(other.log).not.toContain('Waiting for')
    first.process.kill('SIGINT')
    expect((await first.ended).outputs.result).toBe('cancelled')
  })

  test('the lock is held for longer than `lock-timeout`: the run names the holder and changes nothing', async () => {
    server = await boot({ suite: 'bookworm' })
    const project = tinyProject()
    const options: ActionOptions = { workspace: project.folder, inputs: reach(server) }
    const good = await act(options)
    expect(good.status, good.log).toBe(0)
    project.commit({ 'app.py': tinyApp.replace('version 1', 'version 2') })
    const holder = start(ofRun(options, '101', { 'release-command': 'echo asleep; sleep 60' }))
    await holder.said('asleep')
    const before = await traces(server)

    const late = await act(ofRun(options, '102', { 'lock-timeout': '1' }))
    expect(late.status, late.log).toBe(1)
    expect(late.outputs).toMatchObject({ result: 'failed', serving: good.outputs.release })
    const { error } = JSON.parse(late.outputs.report)
    expect(error).toMatchObject({ code: 'lock-timeout', input: 'lock-timeout' })
    expect(error.cause).toContain(`more than 1 s: ${runUrl('101')} (someone)`)
    expect(await traces(server)).toBe(before)
    const never = await act(ofRun(options, '103', { 'lock-timeout': '0' }))
    expect(JSON.parse(never.outputs.report).error, never.log).toMatchObject({
      code: 'lock-timeout',
      cause: expect.stringContaining(`more than 0 s: ${runUrl('101')} (someone)`),
    })
    expect(never.outputs).toMatchObject({ result: 'failed', serving: good.outputs.release })
    expect(await traces(server)).toBe(before)

    // Who was only waiting and is cancelled leaves the holder alone.
    const waiting = start(ofRun(options, '104'))
    await waiting.said('Waiting for')
    waiting.process.kill('SIGINT')
    expect((await waiting.ended).outputs).toMatchObject({
      result: 'cancelled',
      serving: good.outputs.release,
    })
    expect(await traces(server)).toBe(before)
    holder.process.kill('SIGINT')
    expect((await holder.ended).outputs.result).toBe('cancelled')
    expect(await page(server)).toBe('version 1')
  })
})

/** The lock outlives a run by the moment in which the old release is left to drain. */
async function lockIsFreeSoon(server: Server): Promise<boolean> {
  for (let tries = 0; tries < 50; tries += 1) {
    if (await lockIsFree(server)) return true
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  return false
}
