import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { quote } from '../../src/quote.ts'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { visit } from './look.ts'
import { checkout, checkoutOf } from './projects.ts'
import { runs } from './runs.ts'
import { until } from './traces.ts'

const able = canBoot()
const example = join(import.meta.dirname, '..', '..', 'examples', 'shop')

/** What the example's workflow asks for. */
const inputs = {
  name: 'shop',
  services: 'postgresql\nredis',
  'release-command': 'flask db upgrade',
  processes: 'worker: rq worker --url "$REDIS_URL"',
}

/** Where psql and redis-cli find the shop's data, and what they say to whom they do not let in. */
const database = 'psql -XAtq -h /var/run/postgresql -d web-shop -c'
const redis = 'redis-cli -s /run/web-shop.redis/redis.sock'

/** An app that tells which database it was given, and takes what it is told to Redis and PostgreSQL of another app. */
const neighbourApp = `import os
import subprocess

from flask import Flask, request

app = Flask(__name__)


@app.get("/")
def index():
    return os.environ.get("DATABASE_URL", "-")


@app.post("/")
def run():
    done = subprocess.run(["sh", "-c", request.form["run"]], capture_output=True, text=True)
    return f"{done.returncode} {done.stdout}{done.stderr}"
`

describe.skipIf(!able.ok)(`services${able.ok ? '' : ` (skipped: ${able.why})`}`, () => {
  let server: Server | undefined
  afterEach(async () => server?.stop())

  test('keep what visitors ordered, for this app alone, and the worker does its tasks', async () => {
    const booted = await boot({ suite: 'bookworm', disk: 'copy' })
    server = booted
    const project = checkoutOf(example)
    const { good, bad } = runs(booted, project.folder, inputs)
    const shopping = shopOf(booted)

    const first = await good()
    expect(first.report.found).toContainEqual({
      what: 'PostgreSQL',
      detail: 'version 15: database web-shop, which the app owns; the app finds it by DATABASE_URL',
    })
    await shopping.order('a lamp')
    await shopping.untilPacked('a lamp')
    expect(await as(booted, 'web-shop', `${database} 'SELECT thing, packed IS NOT NULL FROM orders'`)).toBe(
      '0 a lamp|t\n',
    )
    // The driver was compiled here, against the server's own libpq.
    const driver = '/srv/web-shop/current/.venv/lib/python3*/site-packages/psycopg2/_psycopg*.so'
    expect(await booted.must(`ldd ${driver}`)).toMatch(/libpq\.so\.5 => \/lib\//)
    // No password exists, the distribution's own Redis is not there for all, and nothing listens on a port.
    expect(await as(booted, 'postgres', `${quoted('SELECT rolpassword IS NULL FROM pg_authid')}`)).toContain(
      't',
    )
    expect((await booted.run('systemctl is-enabled redis-server')).stdout).toBe('disabled\n')
    expect(await booted.must('ss -Hltn')).not.toContain(':6379')

    // Neither another app of ours may connect, from within its walls and without, nor anybody else.
    const other = runs(
      booted,
      checkout({ 'app.py': neighbourApp, 'requirements.txt': 'flask\n' }).folder,
      { name: 'neighbour', domain: 'neighbour.example', services: 'postgresql\nredis' },
      { repository: 'someone/neighbour', repositoryId: '2' },
    )
    await other.good()
    const own = 'postgresql://web-neighbour@/web-neighbour?host=/var/run/postgresql'
    expect((await visit(booted, '/', 'neighbour.example')).body).toBe(own)
    const attack = async (run: string) => {
      const within = await booted.must(
        `curl -sS -H 'Host: neighbour.example' --data-urlencode ${quote(`run=${run}`)} http://127.0.0.1/`,
      )
      return [within, await as(booted, 'web-neighbour', run), await as(booted, 'nobody', run)]
    }
    for (const said of await attack(`${database} 'SELECT * FROM orders'`))
      expect(said).toMatch(/permission denied for database "web-shop"|role "nobody" does not exist/)
    for (const said of await attack(`${database.replace('-d', '-U web-shop -d')} 'SELECT * FROM orders'`))
      expect(said).toMatch(/Peer authentication failed for user "web-shop"/)
    for (const said of await attack(`${redis} KEYS '*'`)) expect(said).toMatch(/Permission denied/)
    for (const said of await attack('cat /var/lib/web-shop.redis/appendonlydir/*'))
      expect(said).toMatch(/Permission denied/)
    // The same words where they are allowed, so that the refusals mean something.
    expect(await as(booted, 'web-shop', `${redis} PING`)).toBe('0 PONG\n')

    // A second release, one that fails, a rollback and a deploy without the services leave the data where it is.
    project.commit({ 'more.txt': 'more\n' })
    const instance = await booted.must('systemctl show -p MainPID web-shop.redis')
    await good()
    expect(await booted.must('systemctl show -p MainPID web-shop.redis')).toBe(instance)
    await bad({ 'release-command': 'false' })
    await good({ command: 'rollback' })
    const elsewhere = 'DATABASE_URL=sqlite://\nREDIS_URL=redis://localhost'
    const asked = { 'health-path': '/orders', 'expect-status': '405' }
    await good({ ...asked, services: '', env: elsewhere, 'release-command': '', processes: 'none' })
    await good()
    expect((await visit(booted)).body).toContain('a lamp: packed')

    // env has the last word on where the data is.
    expect((await other.good({ env: 'DATABASE_URL=sqlite:///own.db' })).report.found).toContainEqual({
      what: 'PostgreSQL',
      detail: 'version 15: database web-neighbour, which the app owns; env names another one to the app',
    })
    expect((await visit(booted, '/', 'neighbour.example')).body).toBe('sqlite:///own.db')

    // What is in a queue outlives a boot, and so do the orders.
    await good()
    await booted.must('systemctl stop "web-shop-*.worker.service"')
    await shopping.order('a chair')
    await booted.reboot()
    await until(
      'the shop is back',
      async () => (await booted.run('curl -fsS http://127.0.0.1/')).status === 0,
    )
    await shopping.untilPacked('a chair')
    expect((await visit(booted)).body).toContain('a lamp: packed')
    expect(await booted.must('systemctl --failed --plain --no-legend')).toBe('')
  })

  test('a server whose PostgreSQL lets nobody in by peer keeps its site as it is', async () => {
    server = await boot({ suite: 'trixie' })
    const { good, bad } = runs(
      server,
      checkout({ 'app.py': neighbourApp, 'requirements.txt': 'flask\n' }).folder,
      { services: 'postgresql' },
    )
    await good()
    expect((await visit(server)).body).toContain('/web-hello?')
    await server.must(`sed -i 's/^local *all *all .*/local all all scram-sha-256/' /etc/postgresql/*/main/pg_hba.conf
      systemctl reload postgresql`)
    const failed = await bad({ env: 'A=1' })
    expect(failed.report.error?.code).toBe('postgresql-refused')
    expect((await visit(server)).body).toContain('/web-hello?')
  })
})

function quoted(sql: string): string {
  return `psql -XAtq -c ${quote(sql)}`
}

/** Runs a command as one of the server's users, outside all walls. @returns its status and what it said */
async function as(server: Server, user: string, command: string): Promise<string> {
  const { status, stdout, stderr } = await server.run(`cd /; runuser -u ${user} -- sh -c ${quote(command)}`)
  return `${status} ${stdout}${stderr}`
}

/** What visitors of the shop do. */
function shopOf(server: Server) {
  return {
    order: async (thing: string): Promise<void> => {
      const answer = await fetch(`http://${server.address}/orders`, {
        method: 'POST',
        body: new URLSearchParams({ thing }),
        redirect: 'manual',
      })
      expect(answer.status, await answer.text()).toBe(302)
    },
    untilPacked: (thing: string) =>
      until(`${thing} is packed`, async () =>
        (await visit(server)).body.includes(`<li>${thing}: packed</li>`),
      ),
  }
}
