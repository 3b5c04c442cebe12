import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { act, reach } from './action.ts'
import { type Checkout, checkout, tinyApp } from './projects.ts'
import { page } from './traces.ts'

const able = canBoot()

/**
 * Python that says in the journal that it ran. The journal takes down itself, from the socket's credentials, whose
 * process said so: nothing that runs can lie about its user, and no sandbox is in the way of it.
 */
const trap = (what: string) => `import socket as _s
try:
    _s.socket(_s.AF_UNIX, _s.SOCK_DGRAM).sendto(b"<13>trap: ${what}", "/dev/log")
except OSError:
    pass
`

/** The same for a program. */
const program = (what: string, real = '/usr/bin/python3') =>
  `#!/bin/sh\n/usr/bin/logger -t trap ${what}\nexec ${real} "$@"\n`

/** Programs that a deploy uses, in the project's root. */
const programs = ['sh', 'env', 'find', 'gzip', 'python3', 'systemctl', 'tar', 'uv']

/** Variables by which programs, shells and the loader are told to run something. */
const orders = `PATH=/srv/web-hello/current:/srv/web-hello/current/.venv/bin:/usr/bin:/bin
PYTHONPATH=/srv/web-hello/current/hook
PYTHONSTARTUP=/srv/web-hello/current/hook/sitecustomize.py
BASH_ENV=/srv/web-hello/current/profile
ENV=/srv/web-hello/current/profile
LD_PRELOAD=/srv/web-hello/current/preload.so
`

/** Which trap went off, by which user's ID: `WHAT UID` lines, each once. */
async function sprung(server: Server): Promise<readonly string[]> {
  const text = await server.must(`journalctl --sync; journalctl -t trap -o json --no-pager | python3 -c '
import json, sys
print("\\n".join(sorted({"%s %s" % (e["MESSAGE"], e["_UID"]) for e in map(json.loads, sys.stdin)})))'`)
  return text.split('\n').filter((line) => line !== '')
}

const idOf = async (server: Server, user: string) => (await server.must(`id -u ${user}`)).trim()

describe.skipIf(!able.ok)(`nothing of the project runs as root ${able.ok ? '' : able.why}`, () => {
  let server: Server | undefined
  afterEach(async () => server?.stop())

  test('modules, programs, packages and .pth files of a project run as its own users, or not at all', async () => {
    server = await boot({ suite: 'bookworm' })
    const project = checkout({
      'app.py': `${trap('app')}${tinyApp}`,
      'requirements.txt': 'flask\n./vendor/bomb-1.0-py3-none-any.whl\n./vendor/shell\n',
      'vendor/shell/setup.py': `${trap('setup.py')}from setuptools import setup\nsetup(name="shell", version="1.0", py_modules=["shell"])\n`,
      'vendor/shell/shell.py': trap('shell'),
      'compileall.py': trap('compileall'),
      'sitecustomize.py': trap('sitecustomize'),
      'usercustomize.py': trap('usercustomize'),
      'gunicorn.py': trap('gunicorn'),
      'gunicorn.conf.py': trap('gunicorn.conf'),
      'conftest.py': trap('conftest'),
      'setup.py': trap('setup.py of the root'),
      'setup.cfg': '[metadata]\nname = evil\n',
      'pip.conf': '[global]\npython = ./evil\n',
      profile: '/usr/bin/logger -t trap profile\n',
      'hook/sitecustomize.py': trap('hook'),
      ...Object.fromEntries(programs.map((name) => [name, program(name, `/bin/${name}`)])),
      'pip.py': trap('pip'),
      'uv.toml': 'python-preference = "only-system"\n',
      '.python-version': './evil\n',
      'pyproject.toml': '[tool.uv]\npython-preference = "only-system"\n',
      evil: program('python-version'),
      'static/style.css': 'body {}\n',
      Makefile: 'all:\n\tlogger -t trap make\n',
    })
    for (const name of ['evil', ...programs]) chmodSync(join(project.folder, name), 0o755)
    await addWheel(server, project, 'vendor/bomb-1.0-py3-none-any.whl')
    const options = {
      workspace: project.folder,
      inputs: { ...reach(server), 'release-command': 'python -c "import shell"' },
    }
    const ran = await act(options)
    expect(ran.status, ran.log).toBe(0)
    expect(await page(server)).toBe('version 1')

    const [app, build] = [await idOf(server, 'web-hello'), await idOf(server, 'web-hello-build')]
    const first = await sprung(server)
    // The traps work where a project is meant to run ...
    expect(first).toEqual(
      expect.arrayContaining([
        `app ${app}`,
        `shell ${app}`,
        `pth ${app}`,
        `setup.py ${build}`,
        `sitecustomize ${app}`,
      ]),
    )
    // ... and nowhere else.
    expect(first.filter((line) => !line.endsWith(` ${app}`) && !line.endsWith(` ${build}`))).toEqual([])
    expect(first.filter((line) => line.endsWith(` ${build}`))).not.toContain(`app ${build}`)
    expect(first.join()).not.toContain('python-version')
    expect(first.join()).not.toContain('compileall')
    for (const name of programs) expect(first).not.toContain(`${name} ${build}`)

    // What is installed from the project's own folders is installed anew when it changes.
    project.commit({ 'vendor/shell/shell.py': trap('changed shell') })
    const changed = await act(options)
    expect(changed.status, changed.log).toBe(0)
    expect(await sprung(server)).toContain(`changed shell ${app}`)

    // Every later way of a deploy: unchanged, new code, new environment, rollback, and a failing one.
    project.commit({ 'app.py': `${trap('app')}${tinyApp.replace('version 1', 'version 2')}` })
    for (const change of [
      {},
      { command: 'plan' },
      { env: orders, 'release-command': 'python -c "import shell"; sh -c "exit 0"' },
      { command: 'rollback' },
      { 'expect-text': 'no such text' },
    ]) {
      await act({ ...options, inputs: { ...options.inputs, ...change } })
    }
    await server.reboot()
    const all = await sprung(server)
    console.log(`whose code ran as whom:\n  ${all.join('\n  ')}`)
    expect(all).toEqual(expect.arrayContaining([`hook ${app}`, `sh ${app}`]))
    expect(all.filter((line) => line.endsWith(' 0'))).toEqual([])
    // The loader complains about a file that is not there in every program that is given the variable.
    const loaded = `journalctl -o json --no-pager | grep 'from LD_PRELOAD' | grep -o '"_UID":"[0-9]*"' | sort -u`
    expect(await server.must(loaded)).toBe(`"_UID":"${app}"\n`)
    const releases = await server.must(
      `find /srv/web-hello/releases \\( -user web-hello -o -user web-hello-build -o -perm /022 ! -type l \\) | head`,
    )
    expect(releases).toBe('')
  })
})

/** Builds a wheel whose installation drops a .pth file, which every Python of the environment runs at its start. */
async function addWheel(server: Server, project: Checkout, path: string): Promise<void> {
  const base64 = await server.must('python3 -', {
    stdin: `
import base64, io, zipfile
trap = ${JSON.stringify(trap('pth'))}
files = {
    "bomb.pth": "import bomb\\n",
    "bomb.py": trap,
    "bomb-1.0.dist-info/METADATA": "Metadata-Version: 2.1\\nName: bomb\\nVersion: 1.0\\n",
    "bomb-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
}
files["bomb-1.0.dist-info/RECORD"] = "".join(name + ",,\\n" for name in [*files, "bomb-1.0.dist-info/RECORD"])
out = io.BytesIO()
with zipfile.ZipFile(out, "w") as wheel:
    for name, text in files.items():
        wheel.writestr(name, text)
print(base64.b64encode(out.getvalue()).decode())
`,
  })
  writeFileSync(join(project.folder, path), Buffer.from(base64, 'base64'))
  project.commit({})
}
