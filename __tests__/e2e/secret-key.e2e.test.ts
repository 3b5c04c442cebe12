import { afterEach, describe, expect, test } from 'vitest'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { modes, visit } from './look.ts'
import { checkout } from './projects.ts'
import { runs } from './runs.ts'

const able = canBoot()

/** An app that shows every key it could take. */
const app = `import os
from flask import Flask
app = Flask(__name__)
app.config.from_prefixed_env()


@app.route("/")
def index():
    return " ".join([os.environ.get("SECRET_KEY", "-"), os.environ.get("FLASK_SECRET_KEY", "-"), app.secret_key or "-"])
`

describe.skipIf(!able.ok)(`the secret key${able.ok ? '' : ` (skipped: ${able.why})`}`, () => {
  let server: Server | undefined
  afterEach(async () => server?.stop())

  test('is made once, is the same in every release and process, and is told nobody', async () => {
    server = await boot({ suite: 'bookworm' })
    const project = checkout({ 'app.py': app, 'requirements.txt': 'flask\n' })
    const command = { 'release-command': 'printf %s "$SECRET_KEY" >"$HOME/key"' }
    const { good } = runs(server, project.folder, command)

    const plan = await good({ command: 'plan' })
    expect(plan.report.changes).toContainEqual({
      what: 'secret-key',
      detail: 'make one for SECRET_KEY, FLASK_SECRET_KEY, once, and keep it',
    })
    const one = await good()
    const page = (await visit(server)).body
    const [key = ''] = page.split(' ')
    expect(key).toMatch(/^k[0-9a-f]{64}$/)
    expect(page).toBe(`${key} ${key} ${key}`)
    expect(await server.readFile('/var/lib/web-hello/key')).toBe(key)
    expect(await modes(server, '/etc/web-hello/generated.env')).toEqual(['0600 root:root'])
    expect(one.report.found.find(({ what }) => what === 'secret key')?.detail).toContain('made on the server')

    project.commit({ 'more.txt': 'more\n' })
    const two = await good()
    expect(two.release).not.toBe(one.release)
    expect((await visit(server)).body).toBe(page)
    expect(two.report.found.find(({ what }) => what === 'secret key')?.detail).toContain('made earlier')
    expect((await good()).outputs.result).toBe('unchanged')

    // The workflow's own key is the only one, by whichever name the app asks for it (the entry module gives it to an app
    // that has none); without it the old one is back.
    const own = await good({ env: 'SECRET_KEY=its-own' })
    expect((await visit(server)).body).toBe('its-own - its-own')
    expect(own.report.found.map(({ what }) => what)).not.toContain('secret key')
    await good({ command: 'rollback' })
    expect((await visit(server)).body).toBe(page)

    const journal = await server.must('journalctl --no-pager -o cat; cat /run/flask-deploy/hello/*/events')
    for (const told of [plan, one, two, own].flatMap((ran) => [
      ran.log,
      ran.summary,
      JSON.stringify(ran.outputs),
    ]))
      expect(told).not.toContain(key)
    expect(journal).not.toContain(key)
  })
})
