import { afterEach, describe, expect, test } from 'vitest'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { stateOf, visit } from './look.ts'
import { checkout, tinyProject } from './projects.ts'
import { runs } from './runs.ts'

const able = canBoot()

/** It writes into its own folder as soon as it is imported, as most programs do. */
const scribe = `import logging
import os
import sqlite3

from flask import Flask

app = Flask(__name__)
here = os.path.dirname(os.path.abspath(__file__))
os.makedirs(os.path.join(here, "logs"), exist_ok=True)
logging.basicConfig(filename=os.path.join(here, "logs", "app.log"), level=logging.INFO)
logging.info("imported")


def connect():
    return sqlite3.connect(os.path.join(here, "app.db"))


with connect() as db:
    db.execute("create table if not exists visit (number integer primary key)")


@app.get("/")
def index():
    with connect() as db:
        db.execute("insert into visit default values")
        return str(db.execute("select count(*) from visit").fetchone()[0])
`

/** The layout of Flask's own tutorial: a package with a factory, its database in the instance folder. */
const tutorial = `import os
import sqlite3

from flask import Flask


def create_app(test_config=None):
    app = Flask(__name__, instance_relative_config=True)
    app.config.from_mapping(SECRET_KEY="dev", DATABASE=os.path.join(app.instance_path, "shop.sqlite"))
    os.makedirs(app.instance_path, exist_ok=True)

    @app.cli.command("init-db")
    def init_db():
        with sqlite3.connect(app.config["DATABASE"]) as db:
            db.executescript("drop table if exists visit; create table visit (number integer primary key)")

    @app.get("/")
    def index():
        with sqlite3.connect(app.config["DATABASE"]) as db:
            db.execute("create table if not exists visit (number integer primary key)")
            db.execute("insert into visit default values")
            return str(db.execute("select count(*) from visit").fetchone()[0])

    return app
`

describe.skipIf(!able.ok)(`what the app writes${able.ok ? '' : ` (skipped: ${able.why})`}`, () => {
  const running: Server[] = []
  const start = async () => {
    const server = await boot({ suite: 'bookworm' })
    running.push(server)
    return server
  }
  afterEach(async () => {
    await Promise.all(running.splice(0).map((server) => server.stop()))
  })

  test('into its own folder as it is imported is there after three deploys and a reboot', async () => {
    const server = await start()
    const project = tinyProject({ 'app.py': scribe })
    const { good } = runs(server, project.folder)
    const first = await good()
    expect(first.report.found.find(({ what }) => what === 'persist')?.detail).toContain('app.db, logs')
    expect((await visit(server)).body).toMatch(/^[1-9]/)
    let count = Number((await visit(server)).body)
    for (const version of [2, 3]) {
      project.commit({ 'app.py': `${scribe}# ${version}\n` })
      await good()
      const next = Number((await visit(server)).body)
      expect(next).toBeGreaterThan(count)
      count = next
    }
    await server.reboot()
    expect(Number((await visit(server)).body)).toBeGreaterThan(count)
    expect(await server.must('grep -c imported /var/lib/web-hello/logs/app.log')).toMatch(/^[3-9]|\d\d/)
    expect(await server.must('readlink /srv/web-hello/current/app.db')).toBe('/var/lib/web-hello/app.db\n')
    const kept = (await stateOf(server, 'hello')).filter(([key]) => key?.startsWith('persist'))
    expect(kept).toEqual([
      ['persist-file', 'app.db'],
      ['persist', 'logs'],
    ])
  })

  test.each([
    ['flat', ''],
    ['src', 'src/'],
  ])('into its instance folder is in the same place, %s layout', async (_, folder) => {
    const server = await start()
    const project = checkout({
      [`${folder}shop/__init__.py`]: tutorial,
      'pyproject.toml': '[project]\nname = "shop"\nversion = "1"\ndependencies = ["flask"]\n',
    })
    const { good } = runs(server, project.folder)
    const ran = await good()
    expect(ran.log).toContain("app's secret key is shorter")
    expect((await visit(server)).status).toBe(200)
    project.commit({ [`${folder}shop/__init__.py`]: `${tutorial}# two\n` })
    await good()
    expect(Number((await visit(server)).body)).toBeGreaterThan(2)
    expect(await server.must('ls /var/lib/web-hello/instance')).toContain('shop.sqlite')
  })

  test('when it is first asked is found in its log: by the health check, else by the next deploy', async () => {
    const server = await start()
    const app = `import os

from flask import Flask

app = Flask(__name__)


def note(folder, name):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "a") as file:
        file.write("x")
    with open(os.path.join(folder, name)) as file:
        return str(len(file.read()))


@app.get("/")
def index():
    return note(os.path.join(app.root_path, "visits"), "count")


@app.get("/later")
def later():
    return note("later", "count")


@app.get("/code")
def code():
    return note("templates", "page.html")
`
    const project = tinyProject({ 'app.py': app, 'templates/base.html': 'base\n' })
    const { good } = runs(server, project.folder)
    const ran = await good()
    expect(ran.log).toContain('Read-only file system')
    expect(Number((await visit(server)).body)).toBeGreaterThan(3)
    expect((await visit(server, '/later')).status).toBe(500)
    expect((await visit(server, '/code')).status).toBe(500)
    const count = Number((await visit(server)).body)
    project.commit({ 'app.py': `${app}# two\n` })
    await good()
    expect((await visit(server, '/later')).body).toBe('1')
    expect(Number((await visit(server)).body)).toBeGreaterThan(count)
    // What a log says makes no code writable.
    expect((await visit(server, '/code')).status).toBe(500)
    expect(await server.must('ls -A /var/lib/web-hello')).toBe('instance\nlater\nvisits\n')
  })

  test('by migrating in its factory is safe with four workers', async () => {
    const server = await start()
    const project = tinyProject({
      'app.py': `import os
import sqlite3
import time

from flask import Flask


def create_app():
    app = Flask(__name__)
    with sqlite3.connect(os.path.join(app.root_path, "shop.db")) as db:
        if not db.execute("select 1 from sqlite_master where name = 'ware'").fetchone():
            time.sleep(0.3)
            db.execute("create table ware (number integer)")
            db.execute("insert into ware values (1)")

    @app.get("/")
    def index():
        with sqlite3.connect(os.path.join(app.root_path, "shop.db")) as db:
            return str(db.execute("select count(*) from ware").fetchone()[0])

    return app
`,
    })
    const { release } = await runs(server, project.folder, { workers: '4' }).good()
    expect((await visit(server)).body).toBe('1')
    await server.must(`for try in $(seq 100); do
      [ "$(pgrep -c -P "$(systemctl show -p MainPID --value web-hello-${release}.service)")" = 4 ] && exit 0
      sleep 0.1
    done
    exit 1`)
    expect(await server.must(`journalctl -u web-hello-${release}.service -o cat`)).not.toMatch(
      /already exists|locked/,
    )
  })

  test('below what nginx serves, or in a folder that only .gitkeep keeps, and never over what is there', async () => {
    const server = await start()
    const project = tinyProject({
      'app.py': `import os

from flask import Flask

app = Flask(__name__)


@app.get("/")
def index():
    with open("exports/list.csv", "a") as file:
        file.write("x")
    return str(os.path.getsize("exports/list.csv"))
`,
      'exports/.gitkeep': '',
      'migrations/versions/.gitkeep': '',
    })
    const { good } = runs(server, project.folder)
    await good()
    const count = Number((await visit(server)).body)
    expect(count).toBeGreaterThan(3)
    project.commit({ 'exports/list.csv': 'of the project\n', 'exports/other.csv': 'of the project\n' })
    await good()
    expect(Number((await visit(server)).body)).toBeGreaterThan(count)
    expect(await server.must('ls -A /var/lib/web-hello /var/lib/web-hello/exports')).not.toMatch(
      /versions|other/,
    )
  })

  test('is not kept with `persist: none`, and a database in a release is a doubt', async () => {
    const server = await start()
    const app = `import os

from flask import Flask

app = Flask(__name__)
app.config["DATABASE"] = os.path.join(app.root_path, "shop.db")
app.config["CACHE_DATABASE"] = "/tmp/cache.sqlite3"


@app.get("/")
def index():
    return "here"
`
    const ran = await runs(server, tinyProject({ 'app.py': app }).folder, { persist: 'none' }).good()
    const codes = ran.report.warnings.map(({ code }) => code)
    expect(codes).toEqual(expect.arrayContaining(['database-in-release', 'database-temporary']))
    expect(await server.must('ls -A /var/lib/web-hello')).toBe('')
  })
})
