import { afterEach, describe, expect, test } from 'vitest'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { visit } from './look.ts'
import { checkout } from './projects.ts'
import { runs } from './runs.ts'

const able = canBoot()

const shop = `import os
import sqlite3

import click
from flask import Flask

app = Flask(__name__)
database = os.path.join(os.path.dirname(__file__), "shop.db")


@app.cli.command("make-tables")
def make_tables():
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS orders (body TEXT)")
    click.echo("tables are made")


@app.get("/")
def index():
    with sqlite3.connect(database) as connection:
        return str(connection.execute("SELECT count(*) FROM orders").fetchone()[0])
`

const worker = `import sqlite3, time
from shop import database

while True:
    with sqlite3.connect(database) as connection:
        connection.execute("INSERT INTO orders VALUES ('one')")
    time.sleep(1)
`

const procfile = `web: flask make-tables && npm run build && gunicorn --workers 3 --bind 0.0.0.0:$PORT shop:app
worker: python -u worker.py
`

describe.skipIf(!able.ok)(`a Procfile${able.ok ? '' : ` (skipped: ${able.why})`}`, () => {
  let server: Server | undefined
  afterEach(async () => server?.stop())

  test('tells the app, what comes before it and what runs beside it, and nothing has to be set', async () => {
    server = await boot({ suite: 'bookworm' })
    const project = checkout({
      'shop.py': shop,
      'worker.py': worker,
      'requirements.txt': 'flask\n',
      Procfile: procfile,
    })
    const { good } = runs(server, project.folder)
    const { report, log, release } = await good()
    expect(log).toContain('tables are made')
    expect(report.changes).toContainEqual({ what: 'release-command', detail: 'done' })
    expect(report.changes).toContainEqual({ what: 'process', detail: 'worker started' })
    expect(report.found.find(({ what }) => what === 'app')?.detail).toContain('the web line of Procfile')
    expect(report.warnings.map(({ text }) => text).join('\n')).toContain('npm run build')
    // The database is the app's own, beside its code, and the worker has written into it.
    expect(await server.must('readlink /srv/web-hello/current/shop.db')).toBe('/var/lib/web-hello/shop.db\n')
    expect(Number((await visit(server)).body)).toBeGreaterThan(0)
    expect(await server.must(`systemctl is-active web-hello-${release}.worker`)).toBe('active\n')
  })
})
