import { afterEach, describe, expect, test } from 'vitest'
import { releasePaths } from '../../src/config/paths.ts'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { visit } from './look.ts'
import { checkout, tinyApp, tinyProject } from './projects.ts'
import { runs } from './runs.ts'

const able = canBoot()

/** Blueprints, a static folder of another name, and pages below a login wall. */
const pieces = `from flask import Blueprint, Flask, request, redirect

app = Flask(__name__, static_folder="assets", static_url_path="/a")
shop = Blueprint("shop", __name__, url_prefix="/shop", static_folder="shop-files", static_url_path="/files")
members = Blueprint("members", __name__, url_prefix="/members", static_folder="members-only")


@members.before_request
def only_members():
    if "member" not in request.cookies:
        return redirect("/")


@app.get("/")
def index():
    return "pieces"


app.register_blueprint(shop)
app.register_blueprint(members)
`

describe.skipIf(!able.ok)(`the probe${able.ok ? '' : ` (skipped: ${able.why})`}`, () => {
  const running: Server[] = []
  const start = async (suite: 'bookworm' | 'bullseye' | 'trixie' | 'sid' = 'bookworm') => {
    const server = await boot({ suite })
    running.push(server)
    return server
  }
  afterEach(async () => {
    await Promise.all(running.splice(0).map((server) => server.stop()))
  })

  /** Who serves these: `nginx` from its files, or the `app`? */
  const servedBy = async (server: Server, ...paths: readonly string[]) =>
    await Promise.all(
      paths.map(async (path) => {
        const { status, headers } = await visit(server, path)
        if (status !== 200) return String(status)
        return headers['content-disposition'] === undefined ? 'nginx' : 'app'
      }),
    )

  test.each(['bookworm', 'bullseye', 'trixie', 'sid'] as const)(
    'has nginx serve what the app itself serves to everybody, on %s',
    async (suite) => {
      const server = await start(suite)
      const project = tinyProject({
        'app.py': pieces,
        'assets/style.css': 'body {}\n',
        'assets/deep/er/x.txt': 'deep\n',
        'shop-files/shop.js': 'shop()\n',
        'members-only/list.txt': 'members\n',
        'static/not-flasks.txt': 'nobody asked\n',
      })
      const ran = await runs(server, project.folder).good()
      expect(ran.log).not.toContain('probe-unfinished')
      expect(await servedBy(server, '/a/style.css', '/a/deep/er/x.txt', '/shop/files/shop.js')).toEqual([
        'nginx',
        'nginx',
        'nginx',
      ])
      expect(await servedBy(server, '/members/members-only/list.txt', '/static/not-flasks.txt')).toEqual([
        '302',
        '404',
      ])
      const { root } = releasePaths('hello', ran.release)
      expect(await server.must(`cd ${root}/.public; find . -type l | sort`)).toBe('./a\n./shop/files\n')
      expect(await server.must('ls -A /srv/web-hello /var/lib/web-hello')).not.toContain('probe')
    },
  )

  test('leaves to the app a static folder with secrets in it, and one that it writes into', async () => {
    const server = await start()
    const project = tinyProject({
      'app.py': `import os
from flask import Blueprint, Flask

app = Flask(__name__)
app.config["UPLOAD_FOLDER"] = os.path.join(app.root_path, "static", "uploads")
os.makedirs(app.config["UPLOAD_FOLDER"], exist_ok=True)
for name in ("gen", "img"):
    os.makedirs(os.path.join(app.static_folder, name), exist_ok=True)
with open(os.path.join(app.static_folder, "gen", "made.css"), "w") as file:
    file.write("made {}")
keys = Blueprint("keys", __name__, static_folder="keys", static_url_path="/keys")
app.register_blueprint(keys)


@app.get("/upload/<name>")
def upload(name):
    with open(os.path.join(app.config["UPLOAD_FOLDER"], name), "w") as file:
        file.write(name)
    return "uploaded"
`,
      'static/style.css': 'body {}\n',
      'static/img/a.txt': 'a\n',
      'static/uploads/first.txt': 'first\n',
      'keys/public.txt': 'public\n',
      'keys/private.pem': 'not for everybody\n',
    })
    const { good } = runs(server, project.folder)
    const one = await good()
    expect(
      await servedBy(
        server,
        '/static/style.css',
        '/static/img/a.txt',
        '/static/gen/made.css',
        '/keys/public.txt',
      ),
    ).toEqual(['nginx', 'nginx', 'app', 'app'])
    expect((await visit(server, '/upload/second.txt')).body).toBe('uploaded')
    project.commit({ 'static/style.css': 'body { color: red }\n' })
    await good()
    expect(await servedBy(server, '/static/style.css', '/static/uploads/second.txt')).toEqual([
      'nginx',
      'app',
    ])
    expect((await visit(server, '/static/uploads/first.txt')).body).toBe('first\n')
    expect(await server.must('ls /var/lib/web-hello/static/uploads; ls -A /var/lib/web-hello')).toBe(
      'first.txt\nsecond.txt\ninstance\nstatic\n',
    )
    // What is one release's alone goes with it.
    for (const version of [3, 4, 5, 6, 7]) {
      project.commit({ 'static/style.css': `body { order: ${version} }\n` })
      await good({ 'keep-releases': '2' })
    }
    const holes = (await server.must('ls /var/cache/web-hello/releases')).trim().split('\n')
    expect(holes).toHaveLength(2)
    expect(holes).not.toContain(one.release)
    expect((await visit(server, '/static/gen/made.css')).body).toBe('made {}')
  })

  test('passes over what turns out to be no app', async () => {
    const server = await start()
    const project = checkout({
      'requirements.txt': 'flask\n',
      // By reading alone it could be one.
      'wsgi.py': 'from shop.web import application\n',
      'shop/__init__.py': '',
      'shop/web.py': 'def application():\n    return "a page"\n',
      'app.py': tinyApp,
    })
    const { report } = await runs(server, project.folder).good()
    expect((await visit(server)).body).toBe('version 1')
    expect(report.found.filter(({ what }) => what === 'app').at(-1)?.detail).toContain('app:app')
  })

  test.each([
    [
      'a package that no file lists',
      'import yaml\n',
      "No module named 'yaml'",
      'Add `PyYAML` to requirements.txt',
    ],
    [
      'a name that Werkzeug no longer has',
      'from werkzeug import url_quote\n',
      "cannot import name 'url_quote' from 'werkzeug'",
      'Pin `werkzeug`',
    ],
    ['a line that is no Python', 'def (:\n', 'SyntaxError', 'Correct the line'],
  ])('says before the start what is missing: %s', async (_, line, cause, cure) => {
    const server = await start()
    const project = tinyProject({ 'app.py': `${tinyApp}\n${line}` })
    const ran = await runs(server, project.folder).bad()
    expect(ran.outputs).toMatchObject({ result: 'failed', 'failed-phase': 'configure' })
    expect(ran.report.error).toMatchObject({ code: 'app-import', file: 'app.py' })
    expect(ran.report.error?.cause).toContain(cause)
    expect(ran.report.error?.cure).toContain(cure)
    expect(await server.must('ls /srv/web-hello/releases; ls -A /srv/web-hello')).not.toMatch(/probe|\d{14}/)
  })

  test('builds the project where its folder alone cannot be imported', async () => {
    const server = await start()
    const project = checkout({
      'pyproject.toml': `[project]
name = "shop"
version = "4.5"
dependencies = ["flask"]
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
[tool.setuptools]
packages = ["shop"]
`,
      'setup.py': `import os
from setuptools import setup
from setuptools.command.build_py import build_py


class Build(build_py):
    def run(self):
        super().run()
        with open(os.path.join(self.build_lib, "shop", "_made.py"), "w") as file:
            file.write("WORD = 'built'\\n")


setup(cmdclass={"build_py": Build})
`,
      'shop/__init__.py': `from importlib.metadata import version
from flask import Flask
from shop._made import WORD

app = Flask(__name__)


@app.get("/")
def index():
    return WORD + " " + version("shop")
`,
      'shop/static/a.txt': 'a\n',
    })
    const { good } = runs(server, project.folder)
    await good()
    expect((await visit(server)).body).toBe('built 4.5')
    expect((await good()).outputs.result).toBe('unchanged')
  })

  test('has text sent packed, and what has a hash in its name kept by browsers for good', async () => {
    const server = await start()
    const text = 'body { color: red }\n'.repeat(200)
    const project = tinyProject({
      'static/plain.css': text,
      'static/app.3f9a01bc.css': text,
      'static/small.css': 'body {}\n',
    })
    const { release } = await runs(server, project.folder).good()
    const { root } = releasePaths('hello', release)
    expect(await server.must(`cd ${root}/static; ls`)).toBe(
      'app.3f9a01bc.css\napp.3f9a01bc.css.gz\nplain.css\nplain.css.gz\nsmall.css\n',
    )
    const head = async (path: string) =>
      await server.must(
        `curl -s -D - -o /tmp/body -H 'Accept-Encoding: gzip' 'http://${server.address}${path}' | tr -d '\\r'`,
      )
    const plain = await head('/static/plain.css')
    expect(plain).toMatch(/^Content-Encoding: gzip$/m)
    expect(plain).toMatch(/^Cache-Control: max-age=3600$/m)
    // Level 9, made once: the bytes are those of the file.
    expect(await server.must(`cmp /tmp/body ${root}/static/plain.css.gz && gunzip -c /tmp/body`)).toBe(text)
    const hashed = await head('/static/app.3f9a01bc.css')
    expect(hashed).toMatch(/^Cache-Control: max-age=31536000$/m)
    expect(hashed).toMatch(/^Cache-Control: immutable$/m)
    expect(await head('/x.3f9a01bc.css')).not.toContain('immutable')
  })
})
