import { afterEach, describe, expect, test } from 'vitest'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { act, start } from './action.ts'
import { firstDeploy, saying, works } from './ended-early.ts'
import { resting, serving, units } from './look.ts'
import { booms, dies, left, untilSettled } from './settling.ts'
import { page, until, visitors } from './traces.ts'

const able = canBoot()

describe.skipIf(!able.ok)(`the settle time of a server ${able.ok ? '' : able.why}`, () => {
  let server: Server | undefined
  afterEach(async () => server?.stop())

  test('that boots meanwhile: both releases come up, and the watch goes on', async () => {
    server = await boot({ suite: 'trixie', disk: 'copy' })
    const { project, options, good } = await firstDeploy(server)
    project.commit({ 'app.py': `${saying('version 2')}${dies()}` })
    const ran = await act({
      ...options,
      inputs: { ...options.inputs, 'settle-time': '20s', 'health-timeout': '5s' },
    })
    expect(ran.outputs.result, ran.log).toBe('deployed')
    await server.reboot()
    const booted = server
    await until('it serves', async () => (await page(booted)) === 'version 2')
    expect(await units(server, 'hello', good.outputs.release)).toMatchObject(serving)
    expect(await units(server, 'hello', ran.outputs.release)).toMatchObject(serving)
    await booms(server)
    await until('it is back', async () => (await page(booted)) === 'version 1')
    await until('nothing is left of it', async () => (await left(booted, ran.outputs.release)) === '')
  })

  test('whose rollback is killed after its switch while the watch waits: nobody gets an error, and all of it is taken back', async () => {
    server = await boot({ suite: 'bookworm' })
    const { project, options } = await firstDeploy(server)
    const deploy = async (text: string, inputs: Readonly<Record<string, string>>) => {
      project.commit({ 'app.py': saying(text) })
      const ran = await act({ ...options, inputs: { ...options.inputs, ...inputs } })
      expect(ran.outputs.result, ran.log).toBe('deployed')
      return ran.outputs.release
    }
    const waits = await deploy('version 2', { 'settle-time': '0s' })
    const release = await deploy('version 3', { 'settle-time': '15s' })
    const seen = visitors(server)
    const running = start({ ...options, inputs: { ...options.inputs, command: 'rollback' } })
    await running.said('Visitors get release')
    // No verdict comes.
    running.process.kill('SIGSTOP')
    const booted = server
    const watch = '/sys/fs/cgroup/system.slice/web-hello.watch.service/cgroup.procs'
    const waiting = `for pid in $(cat ${watch}); do cat /proc/$pid/comm; done | grep -qx flock`
    await until('the watch waits for the lock', async () => (await booted.run(waiting)).status === 0)
    await server.must(`systemctl kill -s KILL --kill-who=main 'flask-deploy-hello-*.service'`)
    running.process.kill('SIGCONT')
    const ran = await running.ended
    expect(ran.outputs, ran.log).toMatchObject({ result: 'reverted', serving: release })
    expect(await page(server)).toBe('version 3')
    await until(
      'the one that waited ended',
      async () => (await units(booted, 'hello', waits)).service.pid === '0',
    )
    await untilSettled(server)
    expect((await seen.answers()).filter((one) => !/^version [23]$/.test(one))).toEqual([])
    expect(await units(server, 'hello', release)).toMatchObject(serving)
    expect(await server.must('ls -A /srv/web-hello')).not.toMatch(/^(?:journal|guard|watch)$/m)
    project.commit({ 'app.py': saying('version 4') })
    await works(server, options, 'version 4')
  })

  test('that has too little memory for two: the old release is stopped, and started before the way back', async () => {
    server = await boot({ suite: 'bookworm' })
    const { project, options, good } = await firstDeploy(server)
    // As the kernel of a small machine would say it.
    await server.must(`printf 'MemTotal: 512000 kB\nMemAvailable: 50000 kB\nSwapFree: 0 kB\n' >/run/meminfo
      mount --bind /run/meminfo /proc/meminfo`)
    project.commit({ 'app.py': `${saying('version 2')}${dies(8)}` })
    const inputs = { ...options.inputs, 'settle-time': '15s', 'wait-settled': 'true' }
    const running = start({ ...options, inputs })
    await running.said('Memory is short for both, so that one was stopped')
    const { release } = good.outputs
    const booted = server
    await until('it stops', async () => (await units(booted, 'hello', release)).service.pid === '0')
    expect(await units(server, 'hello', release)).toEqual(resting)
    const ran = await running.ended
    expect(ran.outputs, ran.log).toMatchObject({ result: 'reverted', serving: release })
    expect(await page(server)).toBe('version 1')
    expect(await units(server, 'hello', release)).toMatchObject(serving)
  })
})
