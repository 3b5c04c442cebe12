import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { quote } from '../../src/quote.ts'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { visit } from './look.ts'
import { type Checkout, checkout, checkoutOf } from './projects.ts'
import { type Run, runs } from './runs.ts'
import { page, until } from './traces.ts'

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


@app.get("/run")
def run():
    done = subprocess.run(["sh", "-c", request.args["run"]], capture_output=True, text=True)
    return f"{done.returncode} {done.stdout}{done.stderr}"
`

/** To install both services, and to compile the driver, takes a busy machine minutes. */
const installMs = 600_000

describe.skipIf(!able.ok)(`services${able.ok ? '' : ` (skipped: ${able.why})`}`, () => {
  let server: Server
  let project: Checkout
  let first: Run
  const shop = () => runs(server, project.folder, inputs)
  const neighbour = () =>
    runs(
      server,
      checkout({ 'app.py': neighbourApp, 'requirements.txt': 'flask\n' }).folder,
      { name: 'neighbour', domain: 'neighbour.example', services: 'postgresql\nredis' },
      { repository: 'someone/neighbour', repositoryId: '2' },
    )
  beforeAll(async () => {
    server = await boot({ suite: 'bookworm', disk: 'copy' })
    project = checkoutOf(example)
    first = await shop().good()
  }, installMs)
  afterAll(() => server?.stop())

  test('keep what visitors ordered, and the worker does its tasks', async () => {
    expect(first.report.found).toContainEqual({
      what: 'PostgreSQL',
      detail: 'version 15: database web-shop, which the app owns; the app finds it by DATABASE_URL',
    })
    await order(server, 'a lamp')
    await untilPacked(server, 'a lamp')
    expect(await as(server, 'web-shop', `${database} 'SELECT thing, packed IS NOT NULL FROM orders'`)).toBe(
      '0 a lamp|t\n',
    )
    // The driver was compiled here, against the server's own libpq.
    const driver = '/srv/web-shop/current/.venv/lib/python3*/site-packages/psycopg2/_psycopg*.so'
    expect(await server.must(`ldd ${driver}`)).toMatch(/libpq\.so\.5 => \/lib\//)
  })

  test('are reached without a password and by no port', async () => {
    const passwords = 'SELECT count(rolpassword) FROM pg_authid'
    expect(await as(server, 'postgres', `psql -XAtq -c ${quote(passwords)}`)).toBe('0 0\n')
    // The distribution's own Redis, which the package starts, would be there for everybody.
    expect((await server.run('systemctl is-enabled redis-server')).stdout).toBe('disabled\n')
    expect(await server.must('ss -Hltn')).not.toContain(':6379')
  })

  test('let in nobody but their app: no neighbour, from within its walls or without', async () => {
    await neighbour().good()
    const own = 'postgresql://web-neighbour@/web-neighbour?host=/var/run/postgresql'
    expect((await visit(server, '/', 'neighbour.example')).body).toBe(own)
    const attack = async (run: string) => [
      (await visit(server, `/run?run=${encodeURIComponent(run)}`, 'neighbour.example')).body,
      await as(server, 'web-neighbour', run),
      await as(server, 'nobody', run),
    ]
    for (const said of await attack(`${database} 'SELECT * FROM orders'`))
      expect(said).toMatch(/permission denied for database "web-shop"|role "nobody" does not exist/)
    for (const said of await attack(`${database.replace('-d', '-U web-shop -d')} 'SELECT * FROM orders'`))
      expect(said).toMatch(/Peer authentication failed for user "web-shop"/)
    for (const said of await attack(`${redis} PING`)) expect(said).toMatch(/Permission denied/)
    for (const said of await attack('ls /var/lib/web-shop.redis')) expect(said).toMatch(/Permission denied/)
    // The same words where they are allowed, so that the refusals mean something.
    expect(await as(server, 'web-shop', `${redis} PING`)).toBe('0 PONG\n')
    expect((await attack('psql -XAtq -c "SELECT 1" "$DATABASE_URL"'))[0]).toBe('0 1\n')
  })

  test('give way to env', async () => {
    const ran = await neighbour().good({ env: 'DATABASE_URL=sqlite:///own.db' })
    expect(ran.report.found).toContainEqual({
      what: 'PostgreSQL',
      detail: 'version 15: database web-neighbour, which the app owns; env names another one to the app',
    })
    expect((await visit(server, '/', 'neighbour.example')).body).toBe('sqlite:///own.db')
  })

  test('outlive releases: the next one, one that fails, a rollback, and one that does without them', async () => {
    const { good, bad } = shop()
    const instance = await server.must('systemctl show -p MainPID web-shop.redis')
    project.commit({ 'more.txt': 'more\n' })
    await good()
    await bad({ 'release-command': 'false' })
    await good({ command: 'rollback' })
    const asked = { 'health-path': '/orders', 'expect-status': '405' }
    const elsewhere = 'DATABASE_URL=sqlite://\nREDIS_URL=redis://localhost'
    await good({ ...asked, services: '', env: elsewhere, 'release-command': '', processes: 'none' })
    await good()
    expect((await visit(server)).body).toContain('a lamp: packed')
    expect(await server.must('systemctl show -p MainPID web-shop.redis')).toBe(instance)
  })

  test('come back after a boot with what was in the queue', async () => {
    await server.must('systemctl stop "web-shop-*.worker.service"')
    await order(server, 'a chair')
    // Redis writes down what it took within a second.
    await sleep(1500)
    await server.reboot()
    await until('the shop is back', async () => (await page(server)).includes('a chair'))
    await untilPacked(server, 'a chair')
    expect((await visit(server)).body).toContain('a lamp: packed')
    expect(await server.must('systemctl --failed --plain --no-legend')).toBe('')
  })
})

describe.skipIf(!able.ok)('a server whose PostgreSQL lets nobody in by its users', () => {
  let server: Server | undefined
  afterEach(async () => server?.stop())

  test(
    'keeps its site as it is',
    async () => {
      server = await boot({ suite: 'trixie' })
      const files = { 'app.py': neighbourApp, 'requirements.txt': 'flask\n' }
      const { good, bad } = runs(server, checkout(files).folder, { services: 'postgresql' })
      await good()
      expect((await visit(server)).body).toContain('/web-hello?')
      await server.must(`sed -i 's/^local *all *all .*/local all all scram-sha-256/' /etc/postgresql/*/main/pg_hba.conf
        systemctl reload postgresql`)
      const failed = await bad({ env: 'A=1' })
      expect(failed.report.error?.code).toBe('postgresql-refused')
      expect((await visit(server)).body).toContain('/web-hello?')
    },
    installMs,
  )
})

/** Runs a command as one of the server's users, outside all walls. @returns its status and what it said */
async function as(server: Server, user: string, command: string): Promise<string> {
  const { status, stdout, stderr } = await server.run(`cd /; runuser -u ${user} -- sh -c ${quote(command)}`)
  return `${status} ${stdout}${stderr}`
}

/** Orders a thing as a browser does. */
async function order(server: Server, thing: string): Promise<void> {
  const answer = await fetch(`http://${server.address}/orders`, {
    method: 'POST',
    body: new URLSearchParams({ thing }),
    redirect: 'manual',
  })
  expect(answer.status, await answer.text()).toBe(302)
}

async function untilPacked(server: Server, thing: string): Promise<void> {
  await until(`${thing} is packed`, async () => (await page(server)).includes(`<li>${thing}: packed</li>`))
}
