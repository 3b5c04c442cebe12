import { afterEach, describe, expect, test } from 'vitest'
import { releasePaths } from '../../src/config/paths.ts'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { visit } from './look.ts'
import { checkout, tinyApp } from './projects.ts'
import { runs } from './runs.ts'

const able = canBoot()

const requirements = 'flask\n'

const factory = `from flask import Flask, render_template


def create_app():
    app = Flask(__name__)

    @app.route("/")
    def index():
        return render_template("index.html", path=app.instance_path)

    return app
`

const template = 'KIND {{ path }}\n'

const pyproject = (more = '') => `[project]
name = "shop"
version = "1.0"
dependencies = ["flask>=3"]
${more}`

const buildable = `
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
`

/** What each kind of project is, and what its page says; PATH stands for the folder below the release. */
const kinds: readonly { kind: string; files: Readonly<Record<string, string>>; page: string }[] = [
  {
    kind: 'one file, app.py',
    files: { 'app.py': tinyApp, 'requirements.txt': requirements },
    page: 'version 1',
  },
  {
    kind: 'wsgi.py beside the code',
    files: {
      'wsgi.py': 'from server import app as application\n',
      'server.py': tinyApp.replace('version 1', 'by wsgi'),
      'requirements.txt': requirements,
    },
    page: 'by wsgi',
  },
  {
    kind: 'a package with create_app',
    files: {
      'shop/__init__.py': factory,
      'shop/templates/index.html': template.replace('KIND', 'flat'),
      'requirements.txt': requirements,
    },
    page: 'flat RELEASE/instance',
  },
  {
    kind: 'a package below src',
    files: {
      'src/shop/__init__.py': factory,
      'src/shop/templates/index.html': template.replace('KIND', 'src'),
      'pyproject.toml': pyproject(buildable),
    },
    page: 'src RELEASE/src/instance',
  },
  {
    kind: 'pyproject.toml alone',
    files: { 'app.py': tinyApp.replace('version 1', 'pyproject'), 'pyproject.toml': pyproject() },
    page: 'pyproject',
  },
  {
    kind: 'its own gunicorn',
    files: {
      'app.py': `import gunicorn\n${tinyApp.replace('"version 1"', '"gunicorn " + gunicorn.__version__')}`,
      'requirements.txt': 'flask\ngunicorn==21.2.0\n',
    },
    page: 'gunicorn 21.2.0',
  },
  {
    kind: 'a folder, by a chained Procfile',
    files: {
      Procfile: 'web: cd backend && python check.py && gunicorn -w 2 shop:site\n',
      'backend/shop.py': tinyApp.replaceAll(/\bapp\b/g, 'site').replace('version 1', 'by Procfile'),
      'backend/check.py': 'import pathlib, shop\nassert pathlib.Path("shop.py").exists()\n',
      'backend/requirements.txt': requirements,
      'frontend/package.json': '{}',
      'seed.py': 'from shop import site\n',
    },
    page: 'by Procfile',
  },
  {
    kind: 'a factory that an entry script gives an argument',
    files: {
      Dockerfile: 'FROM python:3.12\nENTRYPOINT ["/srv/docker/entry.sh"]\n',
      'docker/entry.sh': `#!/bin/sh\nset -e\nexec gunicorn "shop:create_app('flat')"\n`,
      'shop/__init__.py': factory
        .replace('create_app()', 'create_app(kind)')
        .replace('path=', 'kind=kind, path='),
      'shop/templates/index.html': '{{ kind }} {{ path }}\n',
      'requirements.txt': requirements,
    },
    page: 'flat RELEASE/instance',
  },
]

describe.skipIf(!able.ok)(
  `with nothing said but where to, deploys${able.ok ? '' : ` (skipped: ${able.why})`}`,
  () => {
    const running: Server[] = []
    const start = async () => {
      const server = await boot({ suite: 'bookworm' })
      running.push(server)
      return server
    }
    afterEach(async () => {
      await Promise.all(running.splice(0).map((server) => server.stop()))
    })

    test.each(kinds)('$kind', async ({ files, page }) => {
      const server = await start()
      const { good } = runs(server, checkout(files).folder)
      const { release } = await good()
      const { root } = releasePaths('hello', release)
      expect(await visit(server)).toMatchObject({ status: 200, body: page.replace('RELEASE', root) })
      expect((await good()).outputs.result).toBe('unchanged')
    })

    test('a sub-folder, with its static files', async () => {
      const server = await start()
      const project = checkout({
        'backend/app.py': tinyApp.replace('version 1', 'from the backend'),
        'backend/requirements.txt': requirements,
        'backend/static/a.txt': 'static\n',
        'frontend/big.bin': 'not needed\n',
      })
      const { release } = await runs(server, project.folder).good({ source: 'backend' })
      expect((await visit(server)).body).toBe('from the backend')
      expect((await visit(server, '/static/a.txt')).body).toBe('static\n')
      expect(await server.must(`ls ${releasePaths('hello', release).root}`)).not.toContain('frontend')
    })

    test('requirements with a hash for every file, and nothing that the hashes do not name', async () => {
      const server = await start()
      const plain = checkout({ 'app.py': tinyApp, 'requirements.txt': requirements })
      const { good, bad } = runs(server, plain.folder)
      const first = await good()
      const hashed = await server.must(
        `cd /tmp && echo flask | UV_SYSTEM_CERTS=1 HOME=/tmp /opt/flask-deploy/uv-*/bin/uv pip compile --quiet --no-cache \\
        --generate-hashes --no-header --python /usr/bin/python3 -`,
      )
      expect(hashed).toMatch(/^ {4}--hash=sha256:/m)
      plain.commit({ 'requirements.txt': hashed, 'app.py': tinyApp.replace('version 1', 'hashed') })
      await good()
      expect((await visit(server)).body).toBe('hashed')

      const forged = hashed.replaceAll(/sha256:[0-9a-f]{4}/g, 'sha256:0000')
      plain.commit({ 'requirements.txt': forged, 'app.py': tinyApp.replace('version 1', 'forged') })
      const refused = await bad()
      expect(refused.outputs).toMatchObject({ result: 'failed', 'failed-phase': 'dependencies' })
      expect(refused.outputs.release).not.toBe(refused.outputs.serving)
      expect(refused.report.error?.cause).toMatch(/hash/i)
      expect((await visit(server)).body).toBe('hashed')
      expect(await server.must('ls /srv/web-hello/releases')).toContain(first.release)
      expect(await server.must('ls /srv/web-hello/releases')).not.toContain(refused.release)
    })
  },
)
