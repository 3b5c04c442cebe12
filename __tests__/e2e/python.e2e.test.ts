import { afterEach, describe, expect, test } from 'vitest'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { act, reach } from './action.ts'
import { visit } from './look.ts'
import { tinyProject } from './projects.ts'

const able = canBoot()

/** Tells its own Python. */
const app = `import sys
from flask import Flask

app = Flask(__name__)


@app.get("/")
def index():
    return "%d.%d %s" % (*sys.version_info[:2], sys.base_prefix)
`

/** Which Python an app gets: the server's own, another one of its distribution, or why there is none. */
describe.skipIf(!able.ok)(`the Python of an app${able.ok ? '' : ` (skipped: ${able.why})`}`, () => {
  let server: Server | undefined
  afterEach(async () => await server?.stop())

  test('above what the server has, with no way to a download: told in seconds, with nothing left behind', async () => {
    server = await boot({ suite: 'bookworm' })
    // Whatever this machine can reach, the server cannot reach that.
    await server.must('echo 127.0.0.9 github.com releases.astral.sh >>/etc/hosts')
    const project = tinyProject({
      'pyproject.toml': '[project]\nname = "x"\nversion = "1"\nrequires-python = ">=3.14"\n',
    })
    const planned = await act({ workspace: project.folder, inputs: { ...reach(server), command: 'plan' } })
    expect(planned.summary).toMatch(/python.*(decided on the server|download 3\.1\d)/)
    const begin = performance.now()
    const ran = await act({ workspace: project.folder, inputs: reach(server) })
    expect(ran.outputs, ran.log).toMatchObject({
      result: 'failed',
      'failed-phase': 'dependencies',
      serving: '',
    })
    expect(ran.log).toMatch(/::error.*python-unreachable/)
    expect(ran.log).toMatch(/requires-python >=3\.14 in pyproject\.toml, but the server's own is 3\.11/)
    expect(ran.log).toMatch(/github\.com.*newer distribution/)
    expect(performance.now() - begin).toBeLessThan(40_000)
    expect(await server.must('find /opt/flask-deploy/python /srv/web-hello/releases -mindepth 1')).toBe('')

    const forbidden = await act({
      workspace: project.folder,
      inputs: { ...reach(server), 'python-download': 'false' },
    })
    expect(forbidden.outputs).toMatchObject({ result: 'failed' })
    expect(forbidden.log).toMatch(/::error.*python-forbidden/)
  })

  test('one that is only liked gives way, with a warning, and costs no second try', async () => {
    server = await boot({ suite: 'bookworm' })
    await server.must('echo 127.0.0.9 github.com releases.astral.sh >>/etc/hosts')
    const project = tinyProject({ 'app.py': app, '.python-version': '3.13.2\n' })
    const ran = await act({ workspace: project.folder, inputs: reach(server) })
    expect(ran.outputs.result, ran.log).toBe('deployed')
    expect((await visit(server)).body).toBe('3.11 /usr')
    expect(ran.log).toMatch(/::warning.*Python 3\.11, because 3\.13, which \.python-version names/)
    expect(ran.log).toContain('uv python install 3.13')

    project.commit({ 'app.py': `${app}\n` })
    const again = await act({ workspace: project.folder, inputs: reach(server) })
    expect(again.outputs.result, again.log).toBe('deployed')
    expect(again.log).not.toContain('uv python install')
    expect(again.log).toMatch(/the environment of \S+ is shared/)
  })

  test('another one of the distribution is installed and used', async () => {
    server = await boot({ suite: 'sid' })
    await server.must('apt-get -qq update')
    const own = (await server.must('readlink -f /usr/bin/python3')).trim().replace('/usr/bin/python', '')
    const others = (await server.must('apt-cache pkgnames python3.')).match(/^python3\.\d+$/gm) ?? []
    const other = others.map((name) => name.slice(6)).find((version) => version !== own)
    // Between two changes of its default a distribution has one Python only.
    if (other === undefined) return
    const ran = await act({
      workspace: tinyProject({ 'app.py': app }).folder,
      inputs: { ...reach(server), python: other },
    })
    expect(ran.outputs.result, ran.log).toBe('deployed')
    expect((await visit(server)).body).toBe(`${other} /usr`)
    expect(ran.summary).toMatch(new RegExp(`the distribution.*s ${other}`))
  })
})
