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
})
