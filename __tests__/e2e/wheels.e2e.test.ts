import { chmodSync, existsSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { act, reach } from './action.ts'
import { visit } from './look.ts'
import { tinyProject } from './projects.ts'
import { type RunnerIndex, startRunnerIndex } from './runner-index.ts'

const able = canBoot()

const PACKAGES = [
  'flask==3.1.2',
  'markupsafe==3.0.3',
  'markupsafe==3.0.2',
  'gunicorn==27.0.1',
  'packaging==26.2',
]

/** `dependencies: wheels`: a server that reaches no index and no archive gets everything from the runner. */
describe.skipIf(!able.ok)(`an offline server${able.ok ? '' : ` (skipped: ${able.why})`}`, () => {
  let server: Server | undefined
  let index: RunnerIndex | undefined
  afterEach(async () => {
    index?.stop()
    await server?.stop()
  })

  const app = (greeting: string) => `
import markupsafe
from flask import Flask
app = Flask(__name__)
@app.get("/")
def index(): return "${greeting} " + markupsafe._native.__name__ if not hasattr(markupsafe, "_speedups") else "${greeting} by " + markupsafe._speedups.__name__
`

  test('gets wheels and uv once, installs them without an index, and keeps them while a release is built of them', async () => {
    server = await boot({ suite: 'bookworm' })
    index = await startRunnerIndex(PACKAGES, '3.11')
    await cutOff(server)
    // As a server where nothing of ours ran yet.
    await server.must('rm -rf /opt/flask-deploy')
    const project = tinyProject({
      'app.py': app('moin'),
      'requirements.txt': 'flask==3.1.2\nmarkupsafe==3.0.3\n',
    })
    const options = {
      workspace: project.folder,
      inputs: { ...reach(server), dependencies: 'wheels', env: `UV_DEFAULT_INDEX=${index.url}` },
    }
    const first = await act(options)
    expect(first.outputs.result, first.log).toBe('deployed')
    expect((await visit(server)).body).toBe('moin by markupsafe._speedups')
    const kept = await stored(server)
    expect(kept.filter((file) => file.startsWith('markupsafe-3.0.3-cp311'))).toHaveLength(1)
    expect(kept.filter((file) => file.startsWith('uv-'))).toEqual([])
    expect(await server.must('/opt/flask-deploy/uv-*/bin/uv --version')).toContain('uv ')
    expect(await server.must('ls /var/lib/flask-deploy/incoming')).toBe('')

    // Nothing changed: nobody asks the index.
    index.forget()
    const same = await act(options)
    expect(same.outputs.result, same.log).toBe('unchanged')
    // Code changed: the environment is shared, and the wheels stay.
    project.commit({ 'app.py': app('servus') })
    const code = await act(options)
    expect(code.outputs.result, code.log).toBe('deployed')
    expect(code.log).toContain('the environment of')
    expect((await visit(server)).body).toContain('servus')
    expect(index.asked()).toEqual([])
    expect(await stored(server)).toEqual(kept)

    // The list changed, the packages did not: they are looked for, and none is sent again.
    project.commit({ 'requirements.txt': '# the same\nflask==3.1.2\nmarkupsafe==3.0.3\n' })
    const list = await act(options)
    expect(list.outputs.result, list.log).toBe('deployed')
    expect(list.log).toMatch(/\d wheels, 0 of them to be sent/)
    expect(list.summary).not.toContain('markupsafe-3.0.3')
    expect(await stored(server)).toEqual(kept)
  })

  test('whose Python comes with this deploy, or changes, gets the wheels in a second program', async () => {
    server = await boot({ suite: 'bookworm', packages: 'bare' })
    index = await startRunnerIndex(PACKAGES, '3.11')
    const hashed = (wrong: string) => `flask==3.1.2 --hash=sha256:${wrong || index?.hash('flask')}
${['markupsafe', 'jinja2', 'werkzeug', 'click', 'itsdangerous', 'blinker'].map((name) => `${name}==${index?.version(name)} --hash=sha256:${index?.hash(name)}`).join('\n')}
`
    const project = tinyProject({ 'app.py': app('moin'), 'requirements.txt': hashed('') })
    const options = {
      workspace: project.folder,
      // The server's own way to an index is cut off: only apt gets out.
      inputs: { ...reach(server), dependencies: 'wheels', env: `UV_DEFAULT_INDEX=${index.url}` },
    }
    const first = await act(options)
    expect(first.outputs.result, first.log).toBe('deployed')
    expect(first.log).toContain('The server needs wheels: looking again')
    expect((await visit(server)).body).toBe('moin by markupsafe._speedups')

    // The same requirements, but the environment was made by another interpreter, or another uv.
    await server.must('for one in /srv/web-hello/releases/*/.deploy/environment; do echo 0 0 >"$one"; done')
    project.commit({ 'app.py': app('servus') })
    const second = await act(options)
    expect(second.outputs.result, second.log).toBe('deployed')
    expect(second.log).toContain('The server needs wheels: looking again')
    expect(second.log).toContain('0 of them to be sent')
    expect((await visit(server)).body).toContain('servus')

    // What no release is built of goes with the last one that was.
    const older = await stored(server)
    project.commit({ 'requirements.txt': 'flask==3.1.2\nmarkupsafe==3.0.2\n' })
    const newer = { ...options, inputs: { ...options.inputs, 'keep-releases': '2' } }
    expect((await act(newer)).outputs.result).toBe('deployed')
    project.commit({ 'app.py': app('ahoi') })
    expect((await act(newer)).outputs.result).toBe('deployed')
    const kept = await stored(server)
    expect(older.filter((file) => file.startsWith('markupsafe-3.0.3'))).toHaveLength(1)
    expect(kept.filter((file) => /^markupsafe-/i.test(file))).toEqual([
      expect.stringMatching(/^MarkupSafe-3\.0\.2-cp311-/),
    ])

    // A hash that no file of the index has: refused on the runner, and nothing changes.
    project.commit({ 'requirements.txt': hashed('0'.repeat(64)) })
    const wrong = await act(options)
    expect(wrong.outputs.result, wrong.log).toBe('failed')
    expect(wrong.log).toMatch(
      /title=wheels-hash,file=requirements\.txt::The wheel that the server needs of flask 3\.1\.2/,
    )
    expect((await visit(server)).body).toContain('ahoi')
  })

  test('has nothing of the project run on the runner', async () => {
    server = await boot({ suite: 'bookworm' })
    index = await startRunnerIndex(PACKAGES, '3.11')
    const trap = join(mkdtempSync(join(tmpdir(), 'trap-')), 'sprung')
    const script = `#!/bin/sh\ntouch ${trap}\n`
    const project = tinyProject({
      'app.py': app('moin'),
      'requirements.txt': '',
      'setup.py': `open(${JSON.stringify(trap)}, "w")\nfrom setuptools import setup\nsetup(install_requires=open("x").read())\n`,
      'pyproject.toml':
        '[build-system]\nrequires = ["setuptools"]\n[project]\nname = "x"\nversion = "1"\ndynamic = ["dependencies"]\n[tool.uv]\npython-preference = "only-managed"\n',
      '.python-version': './python3\n',
      'uv.toml': 'index-url = "http://127.0.0.1:9/"\n',
      python3: script,
      '.venv/bin/python3': script,
      '.venv/bin/python': script,
      '.venv/pyvenv.cfg': '',
    })
    for (const file of ['python3', '.venv/bin/python3', '.venv/bin/python'])
      chmodSync(join(project.folder, file), 0o755)
    const options = {
      workspace: project.folder,
      inputs: { ...reach(server), dependencies: 'wheels', env: `UV_DEFAULT_INDEX=${index.url}` },
    }
    const dynamic = await act(options)
    expect(dynamic.outputs.result, dynamic.log).toBe('failed')
    expect(dynamic.log).toContain('title=wheels-source,')
    project.commit({ 'requirements.txt': 'flask==3.1.2\nmarkupsafe==3.0.3\n' })
    const good = await act(options)
    expect(good.outputs.result, good.log).toBe('deployed')
    expect(existsSync(trap)).toBe(false)
  })

  test('says which Debian packages it lacks, at once', async () => {
    server = await boot({ suite: 'bookworm', packages: 'bare' })
    index = await startRunnerIndex(PACKAGES, '3.11')
    await cutOff(server)
    const began = performance.now()
    const ran = await act({
      workspace: tinyProject().folder,
      inputs: { ...reach(server), dependencies: 'wheels', env: `UV_DEFAULT_INDEX=${index.url}` },
    })
    expect(ran.outputs.result, ran.log).toBe('failed')
    expect(ran.log).toMatch(/title=packages-offline::.*nginx.*python3/)
    expect(performance.now() - began).toBeLessThan(60_000)
    expect(index.asked()).toEqual([])
  })
})

/** The way out is gone; the runner, which is the next hop, still reaches it. */
async function cutOff(server: Server): Promise<void> {
  await server.must('ip route del default')
}

/** The files in the server's store of wheels. */
async function stored(server: Server): Promise<readonly string[]> {
  const found = await server.must('find /var/lib/flask-deploy/wheels -type f -printf "%f\\n" | sort')
  return found.split('\n').filter((line) => line !== '')
}
