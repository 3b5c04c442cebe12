import { afterEach, describe, expect, test } from 'vitest'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { serving, units, visit } from './look.ts'
import { checkout } from './projects.ts'
import { runs } from './runs.ts'

const able = canBoot()

/** The layout of Flask's own tutorial: a package with a factory, SQLite in `instance`, and an `init-db` that drops. */
const tutorial = {
  'pyproject.toml': `[project]
name = "flaskr"
version = "1.0.0"
dependencies = ["flask"]

[build-system]
requires = ["flit_core<4"]
build-backend = "flit_core.buildapi"
`,
  'flaskr/__init__.py': `import os
import sqlite3

import click
from flask import Flask, request


def create_app(test_config=None):
    app = Flask(__name__, instance_relative_config=True)
    database = os.path.join(app.instance_path, "flaskr.sqlite")
    os.makedirs(app.instance_path, exist_ok=True)

    @app.cli.command("init-db")
    def init_db():
        with sqlite3.connect(database) as connection:
            connection.executescript("DROP TABLE IF EXISTS post; CREATE TABLE post (body TEXT)")
        click.echo("Initialized the database.")

    @app.get("/")
    def index():
        with sqlite3.connect(database) as connection:
            return str(connection.execute("SELECT count(*) FROM post").fetchone()[0])

    @app.get("/add")
    def add():
        with sqlite3.connect(database) as connection:
            connection.execute("INSERT INTO post VALUES (?)", [request.args.get("body", "")])
        return "added"

    return app
`,
}

describe.skipIf(!able.ok)(`the project's commands${able.ok ? '' : ` (skipped: ${able.why})`}`, () => {
  let server: Server | undefined
  afterEach(async () => {
    await server?.stop()
    server = undefined
  })
  const start = async () => {
    server = await boot({ suite: 'bookworm' })
    return server
  }

  test('what drops the tables runs once, and a second deploy keeps the data', async () => {
    const on = await start()
    const project = checkout(tutorial)
    const { good } = runs(on, project.folder, { 'first-deploy-command': 'flask init-db' })
    const first = await good()
    expect(first.report.changes).toContainEqual({ what: 'first-deploy-command', detail: 'done' })
    expect(first.log).toContain('Initialized the database.')
    expect((await visit(on)).body).toBe('0')
    await visit(on, '/add?body=one')

    project.commit({ 'notes.txt': 'two' })
    const second = await good()
    expect(second.report.changes).not.toContainEqual({ what: 'first-deploy-command', detail: 'done' })
    expect(second.report.found).toContainEqual({
      what: 'first-deploy-command',
      detail: 'not run: it ran once already',
    })
    expect((await visit(on)).body).toBe('1')
    const planned = await good({ command: 'plan', env: 'A=1' })
    expect(planned.report.changes.map(({ what }) => what)).not.toContain('first-deploy-command')
  })

  test('it counts as run though its release failed; one that failed itself is tried again', async () => {
    const on = await start()
    const project = checkout(tutorial)
    const { good, bad } = runs(on, project.folder)
    const broken = await bad({ 'first-deploy-command': 'echo no such luck; exit 9' })
    expect(broken.report.error).toMatchObject({
      code: 'first-deploy-command',
      cause: expect.stringMatching(/exit status 9.*no such luck/),
      input: 'first-deploy-command',
    })
    expect(await on.must('cat /srv/web-*/state')).not.toContain('initialised')

    // What it drops is not dropped again, whatever became of the release that it ran for.
    const unwell = { 'first-deploy-command': 'flask init-db', 'health-path': '/nowhere' }
    expect((await bad(unwell)).report.error?.code).toBe('health-status')
    expect(await on.must('cat /srv/web-*/state')).toContain('initialised yes')
    const next = await good({ 'first-deploy-command': 'flask init-db' })
    expect(next.log).not.toContain('Initialized the database.')
    expect((await visit(on)).body).toBe('0')
  })

  test('set for an app that was deployed before, it is not run, and that is said', async () => {
    const on = await start()
    const project = checkout(tutorial)
    const { good } = runs(on, project.folder)
    await good({ 'release-command': 'flask init-db' })
    await visit(on, '/add?body=one')
    const late = await good({ 'first-deploy-command': 'flask init-db' })
    expect(late.report.found).toContainEqual({
      what: 'first-deploy-command',
      detail: expect.stringMatching(/^not run: the app had been deployed before/),
    })
    expect((await visit(on)).body).toBe('1')
  })

  test('one that does not end is ended, and named with the input that gives it longer', async () => {
    const on = await start()
    const project = checkout(tutorial)
    const { good, bad } = runs(on, project.folder)
    const { release } = await good({ 'release-command': 'flask init-db' })
    const began = performance.now()
    const late = await bad({ 'release-command': 'echo waiting; sleep 600', 'command-timeout': '2' })
    expect(performance.now() - began).toBeLessThan(20_000)
    expect(late.report.error).toMatchObject({
      code: 'command-timeout',
      cause: '`release-command` was not done after 2 s, and was stopped; its last line is: waiting.',
      cure: expect.stringContaining('`command-timeout`'),
      input: 'command-timeout',
    })
    expect(late.outputs).toMatchObject({ 'failed-phase': 'release-command', serving: release })
    expect(await units(on, 'hello', release)).toMatchObject(serving)
  })

  test('a locked database is tried again twice, then named', async () => {
    const on = await start()
    const project = checkout(tutorial)
    const { good, bad } = runs(on, project.folder)
    const tries = 'echo once >>instance/tries; test "$(wc -l <instance/tries)" -gt'
    const locked = 'sqlite3.OperationalError: database is locked'
    const twice = await good({
      'release-command': `${tries} 2 || { echo '${locked}'; exit 1; }\nflask init-db`,
    })
    expect(twice.log.match(/OperationalError: database is locked$/gm)).toHaveLength(2)
    expect(twice.report.changes).toContainEqual({ what: 'release-command', detail: 'done' })

    const ever = await bad({ 'release-command': `echo '${locked}' >&2; exit 1` })
    expect(ever.report.error).toMatchObject({
      code: 'database-locked',
      cause: expect.stringContaining('found its SQLite database locked, three times'),
    })
    expect(ever.log.match(/OperationalError: database is locked$/gm)?.length).toBeGreaterThanOrEqual(3)
  })
})
