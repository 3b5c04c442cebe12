import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { reach, start } from './action.ts'
import { tinyProject } from './projects.ts'
import { runs, withoutMasks } from './runs.ts'
import { until } from './traces.ts'

const able = canBoot()

const app = `import os, sys, click
from flask import Flask
app = Flask(__name__)

@app.route("/")
def index():
    print("asked for the index", flush=True)
    return "fine"

@app.cli.command("tell")
@click.argument("word")
def tell(word):
    print("said", word, "in", os.getcwd(), "as", os.environ["HOME"])
    print("key", app.config.get("SECRET_KEY") or os.environ["SECRET_KEY"], "token", os.environ["TOKEN"])
    print("file", open(os.environ["CREDENTIALS_DIRECTORY"] + "/license").read())
    open("instance/told", "w").write(word)
`

describe.skipIf(!able.ok)(`a command${able.ok ? '' : ` (skipped: ${able.why})`}`, () => {
  let server: Server
  let release = ''
  const project = tinyProject({ 'app.py': app })
  beforeAll(async () => {
    server = await boot({ suite: 'bookworm' })
    const first = await runs(server, project.folder).good({
      env: 'TOKEN=sesame-open-1',
      'secret-files': 'license: "license-text-42"',
      processes: 'worker: while :; do echo at work; sleep 1; done',
    })
    release = first.release
  }, 120_000)
  afterAll(async () => server?.stop())

  test('runs in the release that serves: its environment, user, walls and secrets, which the log does not show', async () => {
    const { good } = runs(server, project.folder, { domain: '' })
    const before = await server.must(leftovers)
    const ran = await good({
      command: 'run',
      run: 'flask tell hello\nid -un\ntouch app.py 2>&1 || echo "no writing"',
    })
    expect(ran.outputs).toMatchObject({ result: 'done', serving: release })
    const output = ran.report.sections.find(({ title }) => title === 'Output')?.lines ?? []
    expect(output).toContain(`said hello in /srv/web-hello/releases/${release} as /var/lib/web-hello`)
    expect(output).toContain('web-hello')
    expect(output).toContain('no writing')
    expect(output).toContain('key *** token ***')
    expect(output).toContain('file ***')
    expect(ran.log).not.toContain('sesame-open-1')
    expect(await server.must('cat /var/lib/web-hello/instance/told')).toBe('hello')
    expect(await server.must(leftovers)).toBe(before)
  }, 60_000)

  test('that fails fails the job, with its status and last line', async () => {
    const { bad } = runs(server, project.folder, { domain: '' })
    const ran = await bad({ command: 'run', run: 'echo that was wrong; exit 7' })
    expect(ran.outputs).toMatchObject({ result: 'failed', serving: release, 'failed-phase': 'command' })
    expect(ran.report.error).toMatchObject({
      code: 'run',
      cause: 'The command failed (exit status 7); its last line is: that was wrong.',
    })
    const late = await bad({ command: 'run', run: 'sleep 60', 'command-timeout': '2s' })
    expect(late.report.error).toMatchObject({ code: 'command-timeout' })
  }, 60_000)

  test('is stopped by a cancel', async () => {
    const running = start({
      workspace: project.folder,
      inputs: { ...reach(server), command: 'run', run: 'echo here we go; sleep 300' },
    })
    await running.said(/^here we go$/m)
    running.process.kill('SIGTERM')
    const ran = await running.ended
    expect(ran.outputs, withoutMasks(ran.log)).toMatchObject({ result: 'cancelled', serving: release })
    await until('its process is gone', async () => (await server.run('pgrep -f "[s]leep 300"')).status !== 0)
  }, 60_000)

  test('logs shows the words of all its processes, and nginx’s errors', async () => {
    await fetch(`http://${server.address}/`)
    await server.must(
      'echo "2026/11/26 10:00:00 [error] sesame-open-1 upstream" >>/var/log/nginx/web-hello.error.log',
    )
    const ran = await runs(server, project.folder, { domain: '' }).good({ command: 'logs', lines: '50' })
    expect(ran.outputs).toMatchObject({ result: 'done', serving: release })
    const [own, nginx] = ran.report.sections.map(({ lines }) => lines.join('\n'))
    expect(own).toContain(`release ${release}`)
    expect(own).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z web: asked for the index$/m)
    expect(own).toMatch(/Z worker: at work$/m)
    expect(nginx).toBe('2026/11/26 10:00:00 [error] *** upstream')
    expect(ran.log).toContain('worker: at work')
  }, 60_000)

  test('of another repository is refused, and so is one for an app that is not there', async () => {
    const other = runs(
      server,
      project.folder,
      { domain: '' },
      { repositoryId: '99', repository: 'else/hello' },
    )
    expect((await other.bad({ command: 'run', run: 'id' })).report.error?.code).toBe('owner')
    expect((await other.bad({ command: 'logs' })).report.error?.code).toBe('owner')
    const { bad } = runs(server, project.folder, { domain: '', name: 'nothing' })
    expect((await bad({ command: 'logs' })).report.error?.code).toBe('no-app')
    expect((await bad({ command: 'run' })).report.error?.cause).toBe('`run` is missing.')
  }, 60_000)
})

const leftovers = `find /run/web-hello /run/flask-deploy/hello /srv/web-hello -name 'run-*' -o -name command | sort
systemctl list-units --all --plain --no-legend 'flask-deploy-*' | cut -d ' ' -f 1`
