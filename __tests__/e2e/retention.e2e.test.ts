import { afterEach, describe, expect, test } from 'vitest'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { act, reach } from './action.ts'
import { untilQuiet } from './look.ts'
import { tinyApp, tinyProject } from './projects.ts'
import { compareKept, keptOn } from './retained.ts'
import { slowUntil } from './settling.ts'
import { page, until } from './traces.ts'

const able = canBoot()

describe.skipIf(!able.ok)(`what is kept of many deploys ${able.ok ? '' : able.why}`, () => {
  let server: Server | undefined
  afterEach(async () => server?.stop())

  test('is no more than of a few: kept releases, nothing of failed ones, whatever the clocks say', async () => {
    server = await boot({ suite: 'bookworm' })
    const booted = server
    const project = tinyProject()
    // Each clock says another year each time, forwards and backwards.
    await server.must(`printf '%s\\n' '#!/bin/sh' 'exec /usr/bin/date -d "@$(cat /run/clock)" "$@"' >/usr/local/sbin/date
      chmod 0755 /usr/local/sbin/date`)
    const years = [2031, 2019, 2040, 1999, 2026]
    const made: string[] = []
    const deploy = async (turn: number, inputs: Readonly<Record<string, string>> = {}) => {
      project.commit({ 'app.py': tinyApp.replace('version 1', `version ${turn}`) })
      const year = years[turn % years.length] ?? 2026
      await booted.must(`echo ${Date.UTC(year, turn, 1) / 1000} >/run/clock`)
      const ran = await act({
        workspace: project.folder,
        inputs: { ...reach(booted), 'keep-releases': '3', ...inputs },
        environment: {
          NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(
            `const now=Date.now;Date=class extends Date{constructor(...a){a.length?super(...a):super(now()+${turn % 2 === 0 ? 1 : -1}*${turn}*86400e3*300)}}`,
          )}`,
        },
      })
      await untilQuiet(booted, 'hello')
      return ran
    }
    for (let turn = 1; turn <= 4; turn += 1) {
      const ran = await deploy(turn)
      expect(ran.outputs.result, ran.log).toBe('deployed')
      made.push(ran.outputs.release)
    }
    const few = await keptOn(server)
    for (let turn = 5; turn <= 8; turn += 1) {
      const fails = turn % 3 === 0
      const ran = await deploy(turn, fails ? { 'release-command': 'exit 1' } : {})
      expect(ran.outputs.result, ran.log).toBe(fails ? 'failed' : 'deployed')
      if (!fails) made.push(ran.outputs.release)
    }
    expect(compareKept(few, await keptOn(server))).toEqual([])
    const left = (await server.must('ls /srv/web-hello/releases')).trim().split('\n')
    expect(left.sort()).toEqual(made.slice(-3).sort())
  })

  test('goes only when its last request is answered, however many deploys have passed over it', async () => {
    server = await boot({ suite: 'bookworm' })
    const booted = server
    const project = tinyProject({ 'app.py': `${tinyApp}${slowUntil('answer')}` })
    const made: string[] = []
    const deploy = async (text: string) => {
      project.commit({ 'app.py': `${tinyApp.replace('version 1', text)}${slowUntil('answer')}` })
      const ran = await act({
        workspace: project.folder,
        inputs: { ...reach(booted), 'keep-releases': '2', timeout: '120s' },
      })
      expect(ran.outputs.result, ran.log).toBe('deployed')
      made.push(ran.outputs.release)
    }
    const left = async () => (await booted.must('ls /srv/web-hello/releases')).trim().split('\n').sort()
    await deploy('version 1')
    const [slow = ''] = made
    const answer = page(server, '/slow', 120_000)
    for (const text of ['version 2', 'version 3', 'version 4', 'version 5']) await deploy(text)
    // Nobody asks the others for anything.
    await until('they are gone', async () => (await left()).length === 3)
    expect(await left()).toEqual([slow, ...made.slice(-2)].sort())
    expect(await server.readFile('/srv/web-hello/state')).not.toContain(slow)
    await server.must('touch /var/lib/web-hello/answer')
    expect(await answer).toBe('at last')
    await untilQuiet(server, 'hello')
    expect(await left()).toEqual(made.slice(-2).sort())
    expect(await server.must(`find /etc /run /srv /var/cache -name '*${slow}*'`)).toBe('')
  })
})
