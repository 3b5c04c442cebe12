import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { type ActionOptions, act, start } from './action.ts'
import { type First, firstDeploy, saying } from './ended-early.ts'
import { resting, serving, stateOf, units } from './look.ts'
import { booms, dies, hangs, left, slowUntil, untilSettled, wellUnless } from './settling.ts'
import { page, until, visitors } from './traces.ts'

const able = canBoot()

describe.skipIf(!able.ok)(`the settle time ${able.ok ? '' : able.why}`, () => {
  let server: Server
  let first: First
  /** The release that is known to be good, and what its page says. */
  let good = { release: '', text: 'version 1' }
  beforeAll(async () => {
    server = await boot({ suite: 'bookworm' })
    first = await firstDeploy(server)
    good = { ...good, release: first.good.outputs.release }
  })
  afterAll(async () => server?.stop())

  /** How to deploy a page, with more of a program, and with inputs. */
  const options = (text: string, more = '', inputs: Readonly<Record<string, string>> = {}): ActionOptions => {
    first.project.commit({ 'app.py': `${saying(text)}${more}` })
    return {
      ...first.options,
      inputs: { ...first.options.inputs, 'settle-time': '8s', 'health-timeout': '3s', ...inputs },
    }
  }
  const state = async () =>
    new Map((await stateOf(server, 'hello')).map(([key, ...words]) => [key, words.join(' ')]))

  /** The good release serves, and nothing is left of another one, nor of the watch. */
  const expectBack = async (gone: string) => {
    await until('it serves', async () => (await page(server)) === good.text)
    await until('nothing is left of it', async () => (await left(server, gone)) === '')
    expect(await units(server, 'hello', good.release)).toMatchObject(serving)
    const now = await state()
    expect(now.get('current')).toBe(good.release)
    expect(now.has('settling')).toBe(false)
  }

  test('a release that lives is settled: until then the one before it runs on, and then it ends', async () => {
    const ran = await act(options('version 2'))
    expect(ran.outputs.result, ran.log).toBe('deployed')
    const { release } = ran.outputs
    expect(ran.summary).toMatch(
      /The server goes on watching it for 8 s: should it die, release .*, which runs on until then, serves again/,
    )
    expect((await state()).get('settling')).toBe(`${release} ${good.release} running`)
    expect(await units(server, 'hello', good.release)).toMatchObject(serving)
    await untilSettled(server)
    await until('it ended', async () => (await units(server, 'hello', good.release)).service.pid === '0')
    expect(await units(server, 'hello', good.release)).toEqual(resting)
    expect(await units(server, 'hello', release)).toMatchObject(serving)
    expect(await left(server, 'watch')).toBe('')
    expect(await page(server)).toBe('version 2')
    good = { release, text: 'version 2' }
  })

  test('a web process that ends some seconds later: the server goes back, and a job that waits fails', async () => {
    const seen = visitors(server)
    const ran = await act(options('version 3', dies(5), { 'wait-settled': 'true' }))
    expect(ran.status, ran.log).toBe(1)
    expect(ran.outputs).toMatchObject({ result: 'reverted', serving: good.release, 'failed-phase': 'report' })
    expect(ran.summary).toContain('The new release died after the switch')
    expect(ran.log).toMatch(/died after the switch, because its web process ended/)
    expect(ran.summary).toContain('I have had enough')
    await expectBack(ran.outputs.release)
    // Whoever was in it when it ended got an error of nginx's, and nobody waits for ever.
    const strange = (await seen.answers()).filter((one) => !/^(version [123]$|502 )/.test(one))
    expect(strange).toEqual([])
    expect(await server.must(`journalctl -o cat -u 'web-hello-${ran.outputs.release}*'`)).toContain(
      'had enough',
    )
  })

  test('one that hangs, when the runner is gone: the next run says that the server went back, and why', async () => {
    const running = start(options('version 4', hangs(4)))
    await running.said('is kept')
    running.process.kill('SIGKILL')
    await running.ended
    const hung = (await state()).get('current') ?? ''
    expect(hung).not.toBe(good.release)
    await until('it is back', async () => (await state()).get('current') === good.release, 40_000)
    await expectBack(hung)

    const plan = await act({
      ...options('version 4', hangs(4)),
      inputs: { ...first.options.inputs, command: 'plan' },
    })
    expect(plan.outputs.result, plan.log).toBe('planned')
    expect(plan.summary).toMatch(/died after the switch, because its health page gave no answer in time/)
    expect(plan.summary).toContain(hung)
    // Until the next release is kept.
    const next = await act(options('version 5', '', { 'settle-time': '0s' }))
    expect(next.summary).toContain('died after the switch')
    expect((await state()).has('taken-back')).toBe(false)
    good = { release: next.outputs.release, text: 'version 5' }
  })

  test('a process that dies at a request is replaced; three within a minute are a crash loop', async () => {
    const running = start(options('version 6', dies(), { 'wait-settled': 'true', 'settle-time': '15s' }))
    await running.said('settle time of')
    expect(await page(server, '/boom')).toMatch(/^502/)
    await until('it was replaced', async () => (await page(server)) === 'version 6')
    await sleep(2000)
    expect((await state()).has('settling')).toBe(true)
    await booms(server)
    const ran = await running.ended
    expect(ran.outputs, ran.log).toMatchObject({ result: 'reverted', serving: good.release })
    expect(ran.log).toContain('its worker processes died 3 times within a minute')
    await expectBack(ran.outputs.release)
  })

  test('where the old release is not well either, the new one stays, and that is said', async () => {
    const old = await act(options('version 7', wellUnless('broken'), { 'settle-time': '0s' }))
    expect(old.outputs.result, old.log).toBe('deployed')
    const running = start(options('version 8', wellUnless('broken'), { 'wait-settled': 'true' }))
    await running.said('settle time of')
    await server.must('touch /var/lib/web-hello/broken')
    const ran = await running.ended
    await server.must('rm /var/lib/web-hello/broken')
    expect(ran.outputs, ran.log).toMatchObject({ result: 'failed', serving: ran.outputs.release })
    expect(ran.log).toMatch(/answered 503, three times in a row; the release before it is not well either/)
    expect(await page(server)).toBe('version 8')
    expect((await state()).get('taken-back')).toMatch(/ stays health-status 503$/)
    const { release } = old.outputs
    await until('it ended', async () => (await units(server, 'hello', release)).service.pid === '0')
    expect(await units(server, 'hello', release)).toEqual(resting)
    good = { release: ran.outputs.release, text: 'version 8' }
  })

  test('a deploy that fails leaves the watch alone, the next one that is kept ends it, and a rollback goes back at once', async () => {
    const before = good
    const one = await act(options('version 9', '', { 'settle-time': '60s' }))
    const bad = await act(options('version 10', '', { 'settle-time': '60s', 'expect-text': 'version 9' }))
    expect(bad.outputs.result, bad.log).toBe('reverted')
    expect((await state()).get('settling')).toBe(`${one.outputs.release} ${before.release} running`)
    expect(await units(server, 'hello', before.release)).toMatchObject(serving)

    const two = await act(options('version 11', '', { 'settle-time': '60s' }))
    expect(two.outputs.result, two.log).toBe('deployed')
    expect((await state()).get('settling')).toBe(`${two.outputs.release} ${one.outputs.release} running`)
    await until('it ended', async () => (await units(server, 'hello', before.release)).service.pid === '0')
    expect(await units(server, 'hello', before.release)).toEqual(resting)
    expect(await server.must('systemctl is-active web-hello.watch.service')).toBe('active\n')

    const pid = (await units(server, 'hello', one.outputs.release)).service.pid
    const back = await act({
      ...first.options,
      inputs: { ...first.options.inputs, command: 'rollback', 'settle-time': '60s' },
    })
    expect(back.outputs, back.log).toMatchObject({ result: 'rolled-back', release: one.outputs.release })
    expect((await units(server, 'hello', one.outputs.release)).service.pid).toBe(pid)
    expect((await state()).has('settling')).toBe(false)
    await until('the watch is gone', async () => (await left(server, 'watch')) === '')
    expect(await page(server)).toBe('version 9')
    good = { release: one.outputs.release, text: 'version 9' }
  })

  test('a release that had waited for another one finishes what it has, though it is pruned by then', async () => {
    const inputs = { 'keep-releases': '2', timeout: '120s' }
    const old = await act(options('version 20', slowUntil('answer'), { ...inputs, 'settle-time': '0s' }))
    expect(old.outputs.result, old.log).toBe('deployed')
    const answer = page(server, '/slow', 120_000)
    await act(options('version 21', slowUntil('answer'), { ...inputs, 'settle-time': '60s' }))
    const ran = await act(options('version 22', '', { ...inputs, 'settle-time': '0s' }))
    expect(ran.outputs.result, ran.log).toBe('deployed')
    expect(await server.must('ls /srv/web-hello/releases')).toContain(old.outputs.release)
    await server.must('touch /var/lib/web-hello/answer')
    expect(await answer).toBe('at last')
    await until('it is gone', async () => (await left(server, old.outputs.release)) === '')
    good = { release: ran.outputs.release, text: 'version 22' }
  })

  test('what runs beside the web process moves at the verdict, and comes back with the old release', async () => {
    const processes = { processes: 'worker: sleep 1000', cron: 'tick: @daily true', 'settle-time': '0s' }
    const old = await act(options('version 12', '', processes))
    expect(old.outputs.result, old.log).toBe('deployed')
    good = { release: old.outputs.release, text: 'version 12' }
    const running = start(
      options('version 13', dies(), { ...processes, 'settle-time': '15s', 'wait-settled': 'true' }),
    )
    await running.said('settle time of')
    const active = async () =>
      (
        await server.must(
          "systemctl list-units --plain --no-legend --state=active 'web-hello-*.worker.service' 'web-hello-*.timer'",
        )
      )
        .split('\n')
        .map((line) => line.split(' ')[0] ?? '')
        .filter((line) => line !== '')
    const now = (await state()).get('current') ?? ''
    await until('they moved', async () => (await active()).length === 2)
    expect((await active()).every((unit) => unit.includes(now))).toBe(true)
    await booms(server)
    const ran = await running.ended
    expect(ran.outputs.result, ran.log).toBe('reverted')
    await expectBack(ran.outputs.release)
    await until('they are back', async () => (await active()).length === 2)
    expect((await active()).every((unit) => unit.includes(good.release))).toBe(true)
    // At the next boot as well; and it is nobody's change by hand.
    expect(await server.must(`systemctl is-enabled ${(await active()).join(' ')}`)).toBe('enabled\nenabled\n')
    const plan = await act({ ...first.options, inputs: { ...first.options.inputs, command: 'plan' } })
    expect(plan.log).not.toContain('changed by hand')
  })

  test('a job that is cancelled while it waits leaves the release and the watch', async () => {
    const running = start(options('version 14', '', { 'wait-settled': 'true', 'settle-time': '15s' }))
    await running.said('settle time of')
    running.process.kill('SIGINT')
    const ran = await running.ended
    expect(ran.outputs, ran.log).toMatchObject({ result: 'cancelled', serving: ran.outputs.release })
    expect(ran.log).toContain('cancelled after its release was kept')
    expect((await state()).get('settling')).toBe(`${ran.outputs.release} ${good.release} running`)
    await untilSettled(server)
    expect(await page(server)).toBe('version 14')
  })
})
