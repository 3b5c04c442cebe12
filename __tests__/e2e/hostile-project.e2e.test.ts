import { mkdirSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { quote } from '../../src/quote.ts'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { act, reach } from './action.ts'
import { haveSecrets, outcomesOf, outside } from './attacks.ts'
import { visit } from './look.ts'
import { type Checkout, checkout, tinyApp, tinyProject } from './projects.ts'
import { runs } from './runs.ts'
import { page } from './traces.ts'

const able = canBoot()

/** An app that says what it gets by reading a path; 403 and why, where it gets nothing. */
const readingApp = `${tinyApp}

@app.route("/read/<path:name>")
def read(name):
    try:
        with open(name) as file:
            return file.read()
    except OSError as error:
        return type(error).__name__, 403
`

describe.skipIf(!able.ok)(`a hostile project ${able.ok ? '' : able.why}`, () => {
  let server: Server | undefined
  afterEach(async () => server?.stop())
  const tell = outcomesOf('a hostile project')

  test('links that it brings lead root, uv and nginx nowhere', async () => {
    server = await boot({ suite: 'bookworm' })
    await haveSecrets(server)
    const project = tinyProject({ 'app.py': readingApp })
    const { good } = runs(server, project.folder)
    await good()
    const before = await outside(server)
    const links: Readonly<Record<string, string>> = {
      // Root compiles what ends in `.py`: it would read here, and print the line that is no Python.
      'settings.py': '/root/secret/settings.py',
      'shadow.py': '/root/secret/shadow',
      'other.py': '/srv/web-other/current/app.py',
      'package/config.py': '../../../../../root/secret/settings.py',
      // And write here.
      __pycache__: '/root/bag',
      'package/__pycache__': '/srv/web-other/current',
      // What outlives releases.
      instance: '/root/secret',
      uploads: '/root/secret/shadow',
      'data/notes': '/root/secret/shadow',
      // What no step is about.
      root: '/root',
      loop: 'loop',
      '-rf': '/',
      up: '../../../..',
    }
    project.commit({ 'app.py': readingApp.replace('version 1', 'version 2'), 'package/__init__.py': '' })
    link(project, links)
    const ran = await good({ persist: 'instance\nuploads\ndata' })
    expect(await page(server)).toBe('version 2')

    expect(await outside(server)).toBe(before)
    expect(ran.log).not.toContain('of-root')
    expect(await server.must('grep -rlF of-root /srv/web-hello /var/lib/web-hello || :')).toBe('')
    const through = ['root/secret/shadow', 'up/root/secret/shadow', '-rf/etc/shadow', 'instance/shadow']
    for (const [path, target] of Object.entries(links))
      tell(`link ${path} to ${target}`, 'nothing read by root, nothing written')
    for (const path of [...Object.keys(links), ...through]) {
      const { status, body } = await visit(server, `/read/${path}`)
      tell(`link ${path}, read by the app`, body)
      expect(status, path).toBe(403)
    }
    // Its own code is there, and compiled.
    expect((await visit(server, '/read/app.py')).body).toContain('version 2')
    expect(await server.must('ls /srv/web-hello/current/package/__pycache__')).toMatch(/^__init__\..*pyc\n$/)
  })

  test('links that the app planted in its folders lead root and nginx nowhere', async () => {
    server = await boot({ suite: 'bookworm' })
    await haveSecrets(server)
    const project = tinyProject({ 'app.py': readingApp, 'static/style.css': 'body {}\n' })
    const { good } = runs(server, project.folder)
    await good()
    const before = await outside(server)
    // What a taken-over app can do to the folders that are its own.
    await server.must(`cd / && setpriv --reuid web-hello --regid web-hello --clear-groups sh -euc '
      cd /var/lib/web-hello
      ln -s /etc/shadow shadow
      ln -s /etc fresh.new
      mkdir -p half.new/of-a-copy-that-was-cut
      mkfifo pipe
      ln -s /root/secret secret
      ln -s /etc/new-file new
      mkdir -p deep && ln -s /root deep/er
      mkdir assets && ln -s /etc/passwd assets/passwd
      rm -rf instance && ln -s /etc instance
      ln -s /etc /var/cache/web-hello/etc
      ln -s /etc /var/log/web-hello/etc'`)
    // The next release brings content for all of these, and says that they outlive releases.
    const brought = [
      'shadow',
      'secret/file',
      'new',
      'deep/er/file',
      'fresh/file',
      'half/file',
      'pipe',
      'instance/passwd',
    ]
    project.commit({
      ...Object.fromEntries(brought.map((path) => [path, 'of the project\n'])),
      'app.py': readingApp.replace('version 1', 'version 2'),
    })
    await good({ persist: 'shadow\nsecret\nnew\ndeep/er\nfresh\nhalf\npipe\ninstance\n' })
    expect(await page(server)).toBe('version 2')
    expect(await outside(server)).toBe(before)
    expect(await server.must('cd /var/lib/web-hello; grep -rl project | sort; ls half')).toBe(
      'fresh/file\nhalf/file\nfile\n',
    )
    // Through the links the app gets what it may read by itself, and no more.
    for (const name of ['shadow', 'secret/shadow']) {
      const { status, body } = await visit(server, `/read/${name}`)
      tell(`link ${name} planted in the state folder, read by the app`, body)
      expect(status, name).toBe(403)
    }
    for (const path of brought)
      tell(`root is to write ${path}, which is planted`, 'nothing outside is written')
    for (const name of [
      'shadow',
      'secret/file',
      'instance/passwd',
      'assets/passwd',
      '../var/lib/web-hello/assets/passwd',
    ]) {
      const answer = await visit(server, `/${name}`)
      tell(`nginx is asked for /${name}, which is planted`, String(answer.status))
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
    link(project, {
      'static/passwd': '/etc/passwd',
      'public/secret.txt': 'other.txt',
      'public/other.txt': '../secret.txt',
      'public/own.txt': 'page.txt',
      etc: '/etc',
    })
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
      tell(`nginx is asked for ${path}, where static folders lead outside`, String(answer.status))
      expect([400, 404], path).toContain(answer.status)
      expect(answer.body, path).not.toMatch(/root:|of the project|Flask/)
    }

    // Without those links nginx serves both, from the next release on.
    project.commit({ 'static/passwd': null, 'public/other.txt': null, 'public/secret.txt': null })
    const clean = await act({ workspace: project.folder, inputs })
    expect(clean.status, clean.log).toBe(0)
    for (const path of ['/public/page.txt', '/public/own.txt'])
      expect(await visit(server, path), path).toMatchObject({ status: 200, body: 'public\n' })
    // What is no folder of its own is not even planned.
    const etc = await act({ workspace: project.folder, inputs: { ...inputs, static: '/etc: etc' } })
    expect(etc.outputs).toMatchObject({ result: 'failed', 'failed-phase': 'project' })
    tell('`static` names a link to /etc', 'refused, nothing is sent')
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
    tell('`static` names what the app may write', 'refused, the server is not touched')
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

  test('names that mean something to a shell, to systemd or to uv are only names', async () => {
    server = await boot({ suite: 'bookworm' })
    const odd = `-n "ü" $(touch owned) ;'%n%\${HOME}$$&|>x`
    const project = checkout({
      [`${odd}/größe/__init__.py`]: '',
      [`${odd}/größe/web.py`]: `from flask import Flask


def create_app(text):
    app = Flask("größe")
    app.add_url_rule("/", view_func=lambda: text)
    return app
`,
      [`${odd}/lists ${odd}/${odd}.txt`]: 'flask\n./vendor\n',
      [`${odd}/lists ${odd}/vendor/setup.py`]:
        'from setuptools import setup\nsetup(name="vendored", version="1")\n',
      [`${odd}/public ${odd}/${odd}.txt`]: 'public\n',
      [`${odd}/state ${odd}/${odd}.txt`]: 'kept\n',
      // The compiler names what it cannot compile.
      [`${odd}/new\n1.0 end 0\n/etc/b.py`]: 'x = (\n',
    })
    const { good } = runs(server, project.folder)
    const ran = await good({
      source: odd,
      app: `größe.web:create_app(${JSON.stringify(odd)})`,
      requirements: `lists ${odd}/${odd}.txt`,
      persist: `state ${odd}`,
      static: `/${quiet}: public ${odd}`,
      'release-command': `test "$(flask routes | grep -c /)" -gt 0; echo ${quote(odd)}`,
    })
    expect(ran.log).toContain(`${odd}\n`)
    expect(await page(server)).toBe(odd)
    const file = encodeURIComponent(`${odd}.txt`)
    expect((await visit(server, `/${encodeURIComponent(quiet)}/${file}`)).body).toBe('public\n')
    expect(await server.must(`cat /var/lib/web-hello/${quote(`state ${odd}/${odd}.txt`)}`)).toBe('kept\n')
    expect(await server.must(`cat /srv/web-hello/current/${quote(`state ${odd}/${odd}.txt`)}`)).toBe('kept\n')
    expect(await server.must('ls -A /var/lib/web-hello')).toBe(`state ${odd}\n`)
    expect(await server.must('find / -xdev -name owned')).toBe('')
    tell(
      `files, folders, lists and arguments called ${odd}`,
      'served, kept, installed and handed over as they are',
    )
  })
})

/** A URL path of odd characters, as far as nginx takes them. */
const quiet = `p "ü" $(x) ;'&|>`

/** Commits symlinks: path -> target. */
function link(project: Checkout, links: Readonly<Record<string, string>>): void {
  for (const [path, target] of Object.entries(links)) {
    mkdirSync(dirname(join(project.folder, path)), { recursive: true })
    symlinkSync(target, join(project.folder, path))
  }
  project.commit({})
}
