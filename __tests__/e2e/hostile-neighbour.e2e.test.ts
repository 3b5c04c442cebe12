import { afterEach, describe, expect, test } from 'vitest'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import {
  attackerProgram,
  attackOnceAs,
  expectUnharmed,
  judge,
  leaveOpen,
  siegeOf,
  victim,
} from './attacks.ts'
import { listing, visit } from './look.ts'
import { tinyProject } from './projects.ts'
import { runs } from './runs.ts'
import { until } from './traces.ts'

const able = canBoot()

/** An app of this action's that attacks another one from within its own walls, and abuses nginx by its answers. */
const neighbourApp = `import os
import subprocess
import sys

from flask import Flask, request

app = Flask(__name__)
home = os.path.expanduser("~")


@app.route("/")
def index():
    return "neighbour"


@app.route("/begin")
def begin():
    folders = [f"{home}/siege", f"{home}/open"]
    subprocess.Popen([sys.executable, "attacker.py", "victim", "victim.example", *folders])
    return "begun"


@app.route("/redirect")
def redirect():
    return "its own answer", {"X-Accel-Redirect": request.args["to"]}
`

describe.skipIf(!able.ok)(`a hostile app beside ours ${able.ok ? '' : able.why}`, () => {
  let server: Server | undefined
  afterEach(async () => server?.stop())

  test('reads, reaches and blocks nothing of another app, within its walls and without', async () => {
    server = await boot({ suite: 'bookworm' })
    const booted = server
    const files = { 'app.py': neighbourApp, 'attacker.py': attackerProgram, 'static/open.txt': 'open\n' }
    const domain = 'neighbour.example'
    const of = { repository: 'someone/neighbour', repositoryId: '2' }
    const own = await runs(server, tinyProject(files).folder, { name: 'neighbour', domain }, of).good()
    const home = '/var/lib/web-neighbour'
    await leaveOpen(server, `${home}/open`)
    expect((await visit(server, '/begin', domain)).body).toBe('begun')

    const project = victim.project()
    const { good, bad } = runs(server, project.folder, victim.inputs, victim.repository)
    const first = await good()
    project.commit(victim.version(2))
    await good()
    project.commit(victim.version(3))
    expect((await bad({ 'expect-text': 'version 2' })).outputs.result).toBe('reverted')
    expect((await good({ command: 'rollback' })).release).toBe(first.release)
    const quiet = () => listing(booted, '/srv/web-victim', '/etc/web-victim', '/var/lib/web-victim')
    const before = await quiet()
    await server.must(`touch ${home}/siege/stop`)
    await until('the attacker is done', async () => {
      const { status } = await booted.run(`[ -e ${home}/siege/outcomes.json ]`)
      return status === 0
    })
    const siege = siegeOf(await server.readFile(`${home}/siege/outcomes.json`))
    judge('an app within its walls', siege, { cannot: ['open: trace'] })
    expect(siege.rounds).toBeGreaterThan(5)
    // Should the walls fall, users and modes stay.
    await leaveOpen(server, '/var/attack/open')
    for (const user of ['web-neighbour', 'web-neighbour-build']) {
      judge(`the user ${user} without walls`, await attackOnceAs(server, user, '/var/attack/open'))
    }

    await expectUnharmed(server, 1)
    expect(await quiet()).toBe(before)
    expect((await visit(server, '/', domain)).body).toBe('neighbour')

    // nginx follows an app's X-Accel-Redirect within the app's own site, and there to what is public.
    const redirected = async (to: string) =>
      (await visit(booted, `/redirect?to=${encodeURIComponent(to)}`, domain)).body
    expect(await redirected('/static/open.txt')).toBe('open\n')
    for (const to of [
      '/app.py',
      '/current/app.py',
      `/releases/${own.release}/app.py`,
      '/current/.public/static/open.txt',
      '/current/.previous/app.py',
      '/state',
      '/../web-victim/current/.public/static/a.txt',
      '/static/../../../web-victim/current/.public/static/a.txt',
      '/static/%2e%2e/%2e%2e/%2e%2e/web-victim/current/.public/static/a.txt',
      '/static../current/app.py',
      '@app',
      '@again',
      'http://127.0.0.1/',
    ]) {
      expect(await redirected(to), to).not.toMatch(/^(?:a|open)\n|Flask\(|generation|version/)
    }
  })
})
