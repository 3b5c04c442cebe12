import { chmodSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { act, reach } from './action.ts'
import { visit } from './look.ts'
import { type Checkout, checkout, tinyApp, tinyProject } from './projects.ts'
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
const program = (what: string) => `#!/bin/sh\nlogger -t trap ${what}\nexec /usr/bin/python3 "$@"\n`

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
      'pip.py': trap('pip'),
      'uv.toml': 'python-preference = "only-system"\n',
      '.python-version': './evil\n',
      'pyproject.toml': '[tool.uv]\npython-preference = "only-system"\n',
      evil: program('python-version'),
      'static/style.css': 'body {}\n',
      Makefile: 'all:\n\tlogger -t trap make\n',
    })
    chmodSync(join(project.folder, 'evil'), 0o755)
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
      { env: 'COLOUR=blue' },
      { command: 'rollback' },
      { 'expect-text': 'no such text' },
    ]) {
      await act({ ...options, inputs: { ...options.inputs, ...change } })
    }
    await server.reboot()
    expect((await sprung(server)).filter((line) => line.endsWith(' 0'))).toEqual([])
    const releases = await server.must(
      `find /srv/web-hello/releases \\( -user web-hello -o -user web-hello-build -o -perm /022 ! -type l \\) | head`,
    )
    expect(releases).toBe('')
  })

  test('links that the app planted in its folders lead root and nginx nowhere', async () => {
    server = await boot({ suite: 'bookworm' })
    await server.must(
      `mkdir -m 0700 /root/secret && echo "root's own" > /root/secret/file && touch /etc/canary`,
    )
    const files = `
@app.route("/read/<path:name>")
def read(name):
    try:
        with open(name) as file:
            return file.read()
    except OSError as error:
        return type(error).__name__, 403
`
    const project = tinyProject({ 'app.py': `${tinyApp}${files}`, 'static/style.css': 'body {}\n' })
    const options = { workspace: project.folder, inputs: reach(server) }
    const good = await act(options)
    expect(good.status, good.log).toBe(0)
    const guarded = `sha256sum /etc/shadow /etc/passwd /root/secret/file; stat -c '%n %a %U %G' /etc /etc/shadow /root /root/secret /root/secret/file /etc/canary
      find /etc /root -newer /etc/canary \\( -path '*web-hello*' -o -path '*systemd/system*' -o -path '*nginx*' -o -name '*.dpkg*' \\) -prune -o -newer /etc/canary -type f -print`
    await server.must('sleep 0.05; touch /etc/canary')
    const before = await server.must(guarded)
    // What a taken-over app can do to the folders that are its own.
    await server.must(`cd / && setpriv --reuid web-hello --regid web-hello --clear-groups sh -euc '
      cd /var/lib/web-hello
      ln -s /etc/shadow shadow
      ln -s /root/secret secret
      ln -s /etc/new-file new
      mkdir -p deep && ln -s /root deep/er
      mkdir assets && ln -s /etc/passwd assets/passwd
      rm -rf instance && ln -s /etc instance
      ln -s /etc /var/cache/web-hello/etc
      ln -s /etc /var/log/web-hello/etc'`)
    // The next release brings content for all of these, and says that they outlive releases.
    project.commit({
      shadow: 'root::0:0:99999:7:::\n',
      'secret/file': 'overwritten\n',
      new: 'made by root\n',
      'deep/er/file': 'made by root\n',
      'instance/canary': 'overwritten\n',
      'app.py': `${tinyApp.replace('version 1', 'version 2')}${files}`,
    })
    const persist = 'shadow\nsecret\nnew\ndeep/er\ninstance\n'
    const ran = await act({ ...options, inputs: { ...options.inputs, persist } })
    expect(ran.status, ran.log).toBe(0)
    expect(await page(server)).toBe('version 2')
    expect(await server.must(guarded)).toBe(before)
    expect(await server.must('ls /etc/new-file /root/file 2>/dev/null || :')).toBe('')
    // Through the links the app gets what it may read by itself, and no more.
    for (const name of ['shadow', 'secret/file'])
      expect((await visit(server, `/read/${name}`)).status, name).toBe(403)
    for (const name of [
      'shadow',
      'secret/file',
      'instance/passwd',
      'assets/passwd',
      '../var/lib/web-hello/assets/passwd',
    ]) {
      const answer = await visit(server, `/${name}`)
      expect([400, 404], name).toContain(answer.status)
      expect(answer.body).not.toContain('root:')
    }
  })

  test('static folders that lead outside are not nginx’s to serve', async () => {
    server = await boot({ suite: 'bookworm' })
    const project = tinyProject({
      'static/style.css': 'body {}\n',
      'secret.txt': 'of the project\n',
      'public/page.txt': 'public\n',
    })
    symlinkSync('/etc/passwd', join(project.folder, 'static', 'passwd'))
    symlinkSync('../secret.txt', join(project.folder, 'public', 'secret.txt'))
    symlinkSync('/etc', join(project.folder, 'etc'))
    project.commit({})
    const inputs = { ...reach(server), static: '/static: static\n/public: public' }
    const ran = await act({ workspace: project.folder, inputs })
    expect(ran.status, ran.log).toBe(0)
    expect(ran.log.match(/a link leads out of it/g)).toHaveLength(2)
    expect(await server.must('ls -A /srv/web-hello/current/.public')).toBe('')
    // Flask has a static folder of its own and serves it by its own rules, as the app's user; it names the file.
    for (const path of ['/static/passwd', '/static/style.css']) {
      expect((await visit(server, path)).headers['content-disposition'], path).toContain('inline')
    }
    const paths = [
      '/etc/passwd',
      '/public/page.txt',
      '/public/secret.txt',
      '/public/../secret.txt',
      '/public/..%2fsecret.txt',
    ]
    for (const path of [
      ...paths,
      '/public../secret.txt',
      '/current/app.py',
      '/.public/public/page.txt',
      '/secret.txt',
    ]) {
      const answer = await visit(server, path)
      expect([400, 404], path).toContain(answer.status)
      expect(answer.body, path).not.toMatch(/root:|of the project|Flask/)
    }

    // Without those links nginx serves both, from the next release on.
    project.commit({ 'static/passwd': null, 'public/secret.txt': null })
    const clean = await act({ workspace: project.folder, inputs })
    expect(clean.status, clean.log).toBe(0)
    expect(await visit(server, '/public/page.txt')).toMatchObject({ status: 200, body: 'public\n' })
    const style = await visit(server, '/static/style.css')
    expect(style).toMatchObject({ status: 200, body: 'body {}\n' })
    expect(style.headers['content-disposition']).toBeUndefined()
  })

  test('a static folder that the app may write is refused before anything is touched', async () => {
    server = await boot({ suite: 'bookworm' })
    const project = tinyProject({ 'media/one.txt': 'one\n' })
    const inputs = { ...reach(server), static: '/media: media', persist: 'media' }
    const ran = await act({ workspace: project.folder, inputs })
    expect(ran.status).toBe(1)
    expect(ran.outputs).toMatchObject({ result: 'failed', 'failed-phase': 'inputs' })
    expect(ran.log).toContain('nginx serves nothing that the app may write')
    // Within a folder that is served, it is the app that serves what it may write.
    const inner = { ...reach(server), static: '/media: media', persist: 'media/uploads' }
    const good = await act({ workspace: project.folder, inputs: inner })
    expect(good.status, good.log).toBe(0)
    await server.must(
      `setpriv --reuid web-hello --regid web-hello --clear-groups ln -s /etc/passwd /var/lib/web-hello/media/uploads/passwd`,
    )
    expect((await visit(server, '/media/uploads/passwd')).body).not.toContain('root:')
    expect((await visit(server, '/media/one.txt')).status).toBe(404)
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
