import { afterEach, describe, expect, test } from 'vitest'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { startLoad } from './load.ts'
import { change, versionedProject } from './load-project.ts'
import { resting, serving, units, untilQuiet, visit } from './look.ts'
import { checkout, tinyProject } from './projects.ts'
import { runs } from './runs.ts'

const able = canBoot()

const app = (version: number) =>
  `from flask import Flask\n\napp = Flask(__name__)\n\n\n@app.get("/")\ndef index():\n    return "version ${version}"\n`

describe.skipIf(!able.ok)(`a server of the project's own${able.ok ? '' : ` (skipped: ${able.why})`}`, () => {
  let server: Server | undefined
  afterEach(async () => {
    await server?.stop()
    server = undefined
  })
  const start = async (suite: 'bookworm' | 'bullseye' | 'sid' = 'bookworm') => {
    server = await boot({ suite })
    return server
  }

  test.each(['bookworm', 'bullseye', 'sid'] as const)(
    'waitress on $PORT, and back to gunicorn, on %s',
    async (suite) => {
      const on = await start(suite)
      const project = checkout({ 'app.py': app(1), 'requirements.txt': 'flask\nwaitress\n' })
      const web = { 'web-command': 'waitress-serve --listen=127.0.0.1:$PORT app:app', env: 'PORT=1' }
      const { good } = runs(on, project.folder)
      const one = (await good(web)).release
      expect((await visit(on)).body).toBe('version 1')
      expect((await visit(on)).headers['server']).toMatch(/nginx/)
      expect(await units(on, 'hello', one)).toMatchObject(serving)
      const main = await on.must(
        `cat /proc/$(systemctl show -p MainPID --value web-hello-${one})/cmdline | tr '\\0' ' '`,
      )
      expect(main).toMatch(/waitress-serve --listen=127\.0\.0\.1:2\d{4} app:app/)
      expect(await on.must(`ls /srv/web-hello/releases/${one}/.venv/bin`)).not.toMatch(/^gunicorn$/m)
      expect((await good(web)).outputs.result).toBe('unchanged')
      const verified = await on.run(`systemd-analyze verify /etc/systemd/system/web-hello-${one}.* 2>&1`)
      expect(verified.stdout.split('\n').filter((line) => line.includes('web-hello'))).toEqual([])
      for (const unit of [`web-hello-${one}.service`, `web-hello-${one}.web.proxy.service`]) {
        const score = await on.must(`systemd-analyze security --no-pager ${unit} | tail -n 1`)
        expect(Number(/([0-9.]+) OK/.exec(score)?.[1]), unit).toBeLessThanOrEqual(1.6)
      }

      project.commit({ 'app.py': app(2) })
      const two = (await good(web)).release
      expect((await visit(on)).body).toBe('version 2')
      await untilQuiet(on, 'hello')
      expect(await units(on, 'hello', one)).toEqual(resting)
      const ports = await on.must('cat /srv/web-hello/releases/*/.deploy/web.env')
      expect(new Set(ports.trim().split('\n')).size).toBe(2)

      const three = (await good({ env: 'A=1' })).release
      expect(await on.must(`systemctl cat web-hello-${three}.service`)).toContain('gunicorn')
      const back = await good({ command: 'rollback' })
      expect(back.outputs).toMatchObject({ result: 'rolled-back', serving: two })
      expect((await visit(on)).body).toBe('version 2')
      await on.reboot()
      // Whoever comes before nginx is up is refused; who comes before the app waits.
      await on.must(
        'for try in $(seq 150); do systemctl --quiet is-active nginx && exit 0; sleep 0.1; done; exit 1',
      )
      expect((await visit(on)).body).toBe('version 2')
      const forth = await good({ command: 'rollback', release: three })
      expect(forth.outputs.serving).toBe(three)
    },
  )

  test('a script of its own on a unix socket, with a module that gunicorn could not import', async () => {
    const on = await start()
    const serve = `import http.server, os, socketserver


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = ("own server, " + self.headers["X-Forwarded-Host"]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self):
        return "unix"


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    pass


Server(os.environ["SOCKET"], Handler).serve_forever()
`
    const project = checkout({ 'serve.py': serve, 'requirements.txt': 'flask\n' })
    const { good } = runs(on, project.folder, { 'web-command': 'SOCKET=$SOCKET python serve.py' })
    const ran = await good()
    expect(ran.report.found).toContainEqual({
      what: 'app',
      detail: 'none was found; `web-command` serves',
    })
    expect((await visit(on)).body).toBe(`own server, ${on.address}`)
    expect(await on.must(`stat -c '%a %U' /run/web-hello.${ran.release}`)).toBe('750 web-hello\n')
  })

  test('one that takes the socket itself as descriptor 3', async () => {
    const on = await start()
    const project = checkout({ 'app.py': app(1), 'requirements.txt': 'flask\nhypercorn\n' })
    const web = { 'web-command': 'hypercorn --bind fd://3 app:app' }
    const { good } = runs(on, project.folder, web)
    const { release } = await good()
    expect((await visit(on)).body).toBe('version 1')
    expect(await on.must(`ls /etc/systemd/system | grep web-hello`)).toBe(
      `web-hello-${release}.service\nweb-hello-${release}.socket\n`,
    )
  })

  test('one that does not come up, or answers badly, leaves the old release where it is', async () => {
    const on = await start()
    const project = checkout({ 'app.py': app(1), 'requirements.txt': 'flask\nwaitress\n' })
    const { good, bad } = runs(on, project.folder, { 'health-timeout': '10' })
    const { release } = await good()
    const gone = await bad({ 'web-command': 'python -c "import time; time.sleep(1); raise SystemExit(3)"' })
    expect(gone.report.error?.code).toBe('app-exited')
    expect(gone.outputs).toMatchObject({ 'failed-phase': 'health', serving: release })
    const deaf = await bad({ 'web-command': 'sleep 60' })
    expect(deaf.report.error?.code).toBe('health-timeout')
    const wrong = await bad({
      'web-command': 'waitress-serve --listen=127.0.0.1:$PORT app:app',
      'health-path': '/nowhere',
    })
    expect(wrong.report.error?.code).toBe('health-status')
    await untilQuiet(on, 'hello')
    expect((await visit(on)).body).toBe('version 1')
    expect(await on.must('ls /srv/web-hello/releases')).toBe(`${release}\n`)
    expect(await on.must("systemctl list-units --all --plain --no-legend 'web-hello-*' | wc -l")).toBe('2\n')
  })

  test.each([
    [
      'starts a server of its own',
      'from wsgiref.simple_server import make_server\nmake_server("127.0.0.1", 8089, app).serve_forever()\n',
      'own-server',
      'configure',
    ],
    [
      'starts a server of its own, where it is not probed',
      'import os\nfrom wsgiref.simple_server import make_server\nif "SERVER_SOFTWARE" in os.environ:\n    make_server("127.0.0.1", 8089, app).serve_forever()\n',
      'own-server',
      'health',
    ],
    [
      'exits when its arguments are not those that it knows',
      'import argparse\nparser = argparse.ArgumentParser()\nparser.add_argument("--port", required=True)\nparser.parse_args()\n',
      'app-import',
      'health',
    ],
    ['ends its process without a word', 'import os\nos._exit(0)\n', 'worker-restarted', 'health'],
  ])(
    'a module that %s cannot be hosted by gunicorn, and that is said in seconds',
    async (_, end, code, phase) => {
      const on = await start()
      const project = tinyProject()
      const { good, bad } = runs(on, project.folder, { 'health-timeout': '120', app: 'app:app' })
      const { release } = await good()
      project.commit({ 'app.py': `${app(2)}\n${end}` })
      const began = performance.now()
      const failed = await bad()
      expect(performance.now() - began).toBeLessThan(25_000)
      expect(failed.report.error).toMatchObject({ code, cure: expect.stringContaining('`web-command`') })
      expect(failed.outputs).toMatchObject({ 'failed-phase': phase, serving: release })
      expect((await visit(on)).body).toBe('version 1')
    },
  )

  test('a redeploy under load loses nothing, though the server would drop what it is at', async () => {
    const on = await start()
    const project = versionedProject('1')
    project.commit({ 'requirements.txt': 'flask\nwaitress\n' })
    const { good } = runs(on, project.folder, {
      'web-command': 'waitress-serve --threads=16 --listen=127.0.0.1:$PORT app:app',
    })
    const first = await good()
    const load = startLoad(on.address)
    project.commit(change('1', '2'))
    await good()
    await untilQuiet(on, 'hello')
    const visits = await load.end()
    const faults = visits.filter(({ fault }) => fault !== '')
    expect(faults.map(({ kind, fault }) => `${kind}: ${fault}`)).toEqual([])
    expect(visits.filter(({ kind }) => kind === 'slow').length).toBeGreaterThan(4)
    expect(new Set(visits.map(({ version }) => version))).toEqual(new Set(['1', '2']))
    expect(await units(on, 'hello', first.release)).toEqual(resting)
  })
})
