import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { commandEnvironment } from '../../src/config/command-environment.ts'
import { renderEntry } from '../../src/config/entry.ts'
import { releaseEnv, renderEnvFile } from '../../src/config/env-file.ts'
import { renderGunicorn } from '../../src/config/gunicorn.ts'
import { renderCatchAll, renderSite } from '../../src/config/nginx.ts'
import { paths, releasePaths, sourceFolder } from '../../src/config/paths.ts'
import { buildProperties, releaseProperties } from '../../src/config/sandbox.ts'
import type { ReleaseSettings } from '../../src/config/settings.ts'
import type { Property } from '../../src/config/unit-text.ts'
import { renderServiceUnit, renderSocketUnit } from '../../src/config/units.ts'
import { quote } from '../../src/quote.ts'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { releaseOf, siteOf } from './sample.ts'

const app = paths('shop')
const domains = ['shop.example', '2001:db8::7']
const first = '20261122184800-aaaaaaa'
const second = '20261122184900-bbbbbbb'
/** A folder that every parser on the way could stumble over. */
const source = `odd "dir" it's 100% $HOME ü`

/** A project with one factory; `mark` tells the two releases apart. */
function project(mark: string): ReadonlyMap<string, string> {
  return new Map([
    [
      'shop/__init__.py',
      `import os
from flask import Flask, Response, jsonify, request

def create_app(greeting, *, level=1):
    app = Flask(__name__)

    @app.get("/")
    def home():
        return jsonify(mark=${JSON.stringify(mark)}, greeting=greeting, level=level, cwd=os.getcwd(), pid=os.getpid(),
                       url=request.url_root, address=request.remote_addr, odd=os.environ["ODD"],
                       nonce=os.environ.get("FLASK_DEPLOY_NONCE"), headers=sorted(dict(request.headers)))

    @app.get("/stream")
    def stream():
        return Response((str(n) for n in range(5)), headers={"X-Frame-Options": "DENY"})

    @app.get("/embed")
    def embed():
        return Response("", headers={"Content-Security-Policy": "frame-ancestors *"})

    @app.post("/size")
    def size():
        return str(len(request.get_data()))

    @app.cli.command("where")
    def where():
        print("where", app.name, os.environ["ODD"], os.getcwd())

    return app
`,
    ],
    // Modules by these names must not be taken for gunicorn and its settings, nor for the tool's own.
    ['gunicorn.py', 'raise SystemExit("the project\'s gunicorn.py was imported")\n'],
    ['entry.py', 'raise SystemExit("never imported")\n'],
    ['shop/static/app.css', `/* ${mark} */\n`],
    [`shop/static/only-${mark}.txt`, `${mark} ä\n`],
    ['shop/static/module.mjs', 'export {}\n'],
    ['shop/static/.hidden', 'hidden\n'],
  ])
}

function settingsOf(release: string, systemd: number): ReleaseSettings {
  return releaseOf({
    release,
    source,
    target: {
      module: 'shop',
      attribute: 'create_app',
      factory: true,
      expression: `create_app("it's \\"5$\\" %n", level=[1])`,
      path: [''],
      reason: 'told',
    },
    systemd,
    nonce: release.endsWith('a') ? 'a'.repeat(32) : 'b'.repeat(32),
    env: new Map([['ODD', `it's "5$" \\ #;%n é\ntwo lines`]]),
  })
}

describe.skipIf(!canBoot().ok).each(['bookworm', 'bullseye', 'trixie', 'sid'] as const)('on %s', (suite) => {
  let server: Server
  let systemd = 0
  const put = (path: string, content: string, mode: string, owner = 'root:root') =>
    server.must(
      `mkdir -p "$(dirname ${quote(path)})"; cat >${quote(path)}; chown ${owner} ${quote(path)}; chmod ${mode} ${quote(path)}`,
      {
        stdin: content,
      },
    )
  const unit = (release: string) => releasePaths('shop', release)

  /** By hand what a deploy does: everything of one release is put where it belongs, and started. */
  async function release(id: string, mark: string) {
    const own = unit(id)
    const settings = settingsOf(id, systemd)
    for (const [file, content] of project(mark)) await put(`${own.root}/${source}/${file}`, content, '0640')
    await put(own.gunicorn, renderGunicorn(settings), '0640')
    await put(own.entry, renderEntry(settings), '0640')
    await put(own.env, renderEnvFile(releaseEnv(settings.env, settings.nonce), systemd), '0600')
    await put(own.socketUnitFile, renderSocketUnit(settings), '0644')
    await put(own.serviceUnitFile, renderServiceUnit(settings), '0644')
    await server.must(`
      cp -a /srv/venv ${own.venv}
      chown -hR root:${app.user} ${own.root}
      find ${own.root} -type d -exec chmod 0751 {} +
      mkdir ${own.public}
      chmod 0751 ${own.public}
      ln -s ${quote(`../${source}/shop/static`)} ${own.public}/static
      chmod -R o+rX ${quote(`${own.root}/${source}/shop/static`)}
      ln -s ${own.socket} ${own.socketLink}
      mkdir -p ${app.runtime}
      : >${own.firstStart}
      systemctl daemon-reload
      systemctl start ${own.socketUnit} ${own.serviceUnit} || { journalctl -u ${own.serviceUnit} -n 50; exit 1; }`)
  }
  const flip = (id: string) =>
    server.must(`cd ${app.app} && ln -sfn releases/${id} .next && mv -T .next current`)
  const curl = (path: string, ...options: string[]) =>
    server.must(
      `curl -sS --max-time 20 ${['-H', 'Host: shop.example', ...options].map(quote).join(' ')} ${quote(`http://127.0.0.1${path}`)}`,
    )
  /** Header names in lower case; a header that came twice has both values. */
  const headers = async (path: string, ...options: string[]) => {
    const lines = (await curl(path, '-o', '/dev/null', '-D', '-', ...options)).trim().split('\r\n').slice(1)
    const found: Record<string, string> = {}
    for (const line of lines) {
      const [name = '', value = ''] = line.split(/: (.*)/s)
      const key = name.toLowerCase()
      found[key] = key in found ? `${found[key]}, ${value}` : value
    }
    return found
  }
  const workers = async (id: string) =>
    Number(
      await server.must(`pgrep -c -P "$(systemctl show -p MainPID --value ${unit(id).serviceUnit})" || :`),
    )
  const untilWorkers = async (id: string, count: number) => {
    await expect.poll(() => workers(id), { timeout: 10_000 }).toBe(count)
  }
  /** What a command says in a transient unit, errors and all. */
  const transient = async (properties: readonly Property[], command: string) => {
    const words = properties.flatMap(([key, value]) => ['-p', quote(`${key}=${value}`)])
    const run = `systemd-run --quiet --wait --pipe ${words.join(' ')} -- /bin/sh -c ${quote(command)} 2>&1`
    return (await server.run(run)).stdout
  }

  beforeAll(async () => {
    server = await boot({ suite, packages: 'ready' })
    systemd = Number(/\d+/.exec(await server.must('systemctl --version'))?.[0])
    await server.must(
      `command -v pgrep >/dev/null || { apt-get -qq update; apt-get -qq -y install --no-install-recommends procps >/dev/null; }
      useradd --system --home-dir ${app.stateDir} --shell /usr/sbin/nologin ${app.user}
      useradd --system --home-dir ${app.buildCache} --shell /usr/sbin/nologin ${app.buildUser}
      install -d -m 0751 -o root -g ${app.user} ${app.app} ${app.releases}
      python3 -m venv /srv/venv
      /srv/venv/bin/pip -q install --disable-pip-version-check flask gunicorn
      rm -f /etc/nginx/sites-enabled/default`,
      { timeoutMs: 200_000 },
    )
    await put('/etc/nginx/sites-enabled/web-shop.conf', renderSite(siteOf({ domains })), '0644')
    await put('/etc/nginx/sites-enabled/00-flask-deploy-default.conf', renderCatchAll({ ipv6: true }), '0644')
    await release(first, 'one')
    await flip(first)
    await server.must('nginx -t -q; systemctl restart nginx')
  })
  afterAll(() => server?.stop())

  test('the first start is one worker, a signal or several bring the others, a restart starts all', async () => {
    await untilWorkers(first, 1)
    await server.must(
      `rm ${unit(first).firstStart}; kill -TTIN "$(systemctl show -p MainPID --value ${unit(first).serviceUnit})"`,
    )
    await untilWorkers(first, 3)
    const master = await server.must(`systemctl show -p MainPID --value ${unit(first).serviceUnit}`)
    await server.must(`for n in 1 2 3 4 5; do kill -TTIN ${master.trim()}; done; sleep 1`)
    await untilWorkers(first, 3)
    await server.must(`systemctl restart ${unit(first).serviceUnit}`)
    await untilWorkers(first, 3)
  })

  test('a page is served through nginx, with everything odd as it was written', async () => {
    const page = JSON.parse(
      await curl('/', '-H', 'X-Forwarded-For: 192.0.2.9', '-H', 'X-Forwarded-Prefix: //evil'),
    )
    expect(page).toMatchObject({
      mark: 'one',
      greeting: `it's "5$" %n`,
      level: [1],
      cwd: sourceFolder(unit(first).root, source),
      url: 'http://shop.example/',
      address: '127.0.0.1',
      odd: `it's "5$" \\ #;%n é\ntwo lines`,
      nonce: null,
    })
    expect(page.headers).not.toContain('X-Flask-Deploy-Nonce')
  })

  test('names: addresses are answered, unknown ones get no answer', async () => {
    const ask = (host: string) =>
      server.run(`curl -s -o /dev/null -w '%{http_code}' -H ${quote(`Host: ${host}`)} http://127.0.0.1/`)
    expect((await ask('[2001:db8::7]')).stdout).toBe('200')
    expect(await ask('other.example')).toMatchObject({ stdout: '000', status: 52 })
    expect(
      (await server.run(`curl -s -o /dev/null -w '%{http_code}' 'http://[::1]/' -H 'Host: shop.example'`))
        .stdout,
    ).toBe('200')
  })

  test('only who knows the nonce is told the release', async () => {
    expect(await headers('/')).not.toHaveProperty('x-flask-deploy-release')
    expect(await headers('/', '-H', `X-Flask-Deploy-Nonce: ${'b'.repeat(32)}`)).not.toHaveProperty(
      'x-flask-deploy-release',
    )
    const known = await headers('/', '-H', `X-Flask-Deploy-Nonce: ${'a'.repeat(32)}`)
    expect(known['x-flask-deploy-release']).toBe(first)
    expect(known['x-flask-deploy-worker']).toMatch(/^\d+$/)
    expect(await curl('/stream', '-H', `X-Flask-Deploy-Nonce: ${'a'.repeat(32)}`)).toBe('01234')
  })

  test('headers for safety are sent once, and the app’s own word counts', async () => {
    expect(await headers('/')).toMatchObject({
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'SAMEORIGIN',
      'referrer-policy': 'strict-origin-when-cross-origin',
      server: 'nginx',
    })
    expect((await headers('/stream'))['x-frame-options']).toBe('DENY')
    expect(await headers('/embed')).not.toHaveProperty('x-frame-options')
    expect((await headers('/static/app.css'))['x-content-type-options']).toBe('nosniff')
  })

  test('bodies up to the limit reach the app', async () => {
    await server.must('head -c 5000000 /dev/zero >/tmp/five; head -c 17000000 /dev/zero >/tmp/seventeen')
    expect(await curl('/size', '--data-binary', '@/tmp/five')).toBe('5000000')
    expect(
      await curl('/size', '-o', '/dev/null', '-w', '%{http_code}', '--data-binary', '@/tmp/seventeen'),
    ).toBe('413')
  })

  test('nginx serves what is public, and the app is asked for all else', async () => {
    const isNginx = async (path: string) => 'etag' in (await headers(path, '--path-as-is'))
    expect(await headers('/static/app.css')).toMatchObject({
      'content-type': 'text/css',
      'cache-control': 'max-age=3600',
    })
    expect(await headers('/static/only-one.txt')).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
    })
    expect((await headers('/static/module.mjs'))['content-type']).toMatch(/^text\/javascript/)
    expect(await curl('/static/only-one.txt')).toBe('one ä\n')
    expect((await headers('/static/.hidden'))['cache-control']).toBe('no-cache')
    for (const path of [
      '/static/',
      '/static../gunicorn.py',
      '/static/../gunicorn.py',
      '/current/app.py',
      '/.public/static/app.css',
      '/gunicorn.py',
      '/.deploy/gunicorn.conf.py',
    ]) {
      expect([path, await curl(path, '--path-as-is', '-o', '/dev/null', '-w', '%{http_code}')]).toEqual([
        path,
        '404',
      ])
    }
    expect(await isNginx('/')).toBe(false)
  })

  test('the units are sound, and the service is walled in', async () => {
    const own = unit(first)
    expect(
      await server.must(`systemd-analyze verify ${own.serviceUnitFile} ${own.socketUnitFile} 2>&1`),
    ).not.toContain('web-shop')
    const [, score = '99'] =
      /exposure level for \S+ ([\d.]+)/.exec(
        await server.must(`systemd-analyze security --no-pager ${own.serviceUnit}`),
      ) ?? []
    console.log(`${suite}: systemd ${systemd}: security ${score}`)
    expect(Number(score)).toBeLessThanOrEqual(1.6)
    const modes = await server.must(
      `stat -c '%a %U:%G %n' ${app.stateDir} ${app.cacheDir} ${app.logDir} ${own.socket}`,
    )
    expect(modes).toBe(
      `750 web-shop:web-shop ${app.stateDir}\n750 web-shop:web-shop ${app.cacheDir}\n750 web-shop:web-shop ${app.logDir}\n660 root:www-data ${own.socket}\n`,
    )
  })

  test('a command of the project’s runs as the release does', async () => {
    const settings = settingsOf(first, systemd)
    const properties = releaseProperties({ ...settings, environment: commandEnvironment(settings) })
    const folder = sourceFolder(unit(first).root, source)
    const said = await transient(
      [...properties, ['WorkingDirectory', unit(first).root]],
      `cd ${quote(folder)}; id -un; python -m flask where; ls /srv; touch /srv/web-shop/x ~/mine; ls ~; cat /etc/web-shop/*.env`,
    )
    expect(said).toContain(`web-shop\nwhere shop it's "5$" \\ #;%n é\ntwo lines ${folder}\nweb-shop\n`)
    expect(said).toMatch(/touch: .*x.*: Read-only file system/)
    expect(said).toContain('\nmine\n')
    expect(said).toMatch(/cat: .*: Permission denied/)
  })

  test('a build reads its release, writes its environment, and finds no state', async () => {
    const own = unit(first)
    await server.must(
      `mkdir -p ${own.root}/.new /srv/web-other; chown ${app.buildUser} ${own.root}/.new; echo secret >${app.stateDir}/data; chown ${app.user}: ${app.stateDir}/data; chmod 0640 ${app.stateDir}/data`,
    )
    const said = await transient(
      buildProperties({
        name: 'shop',
        systemd,
        readable: [own.root],
        writable: [`${own.root}/.new`],
        environment: new Map([['UV_SYSTEM_CERTS', '1']]),
      }),
      `id -un; ls /srv /srv/web-shop/releases; head -c 6 ${own.gunicorn}; echo; touch ${own.root}/.new/made ${own.root}/no; cat ${app.stateDir}/data; echo "$UV_CACHE_DIR"; mkdir -p "$UV_CACHE_DIR"; echo ended`,
    )
    expect(said).toContain(`web-shop-build\n/srv:\nweb-shop\n\n/srv/web-shop/releases:\n${first}\nimport\n`)
    expect(said).toMatch(/touch: .*no.*: Read-only file system/)
    expect(said).not.toContain('secret')
    expect(said).toContain('/var/cache/web-shop-build/uv\nended\n')
    expect(await server.must(`stat -c %U ${own.root}/.new/made; stat -c %a ${app.buildCache}`)).toBe(
      'web-shop-build\n700\n',
    )
  })

  test('a flip changes page and files at once, and the old release’s files stay to be had', async () => {
    await release(second, 'two')
    await server.must(`ln -s ../${first} ${unit(second).previous}`)
    expect(JSON.parse(await curl('/')).mark).toBe('one')
    await flip(second)
    expect(JSON.parse(await curl('/')).mark).toBe('two')
    expect(await curl('/static/app.css')).toBe('/* two */\n')
    expect(await curl('/static/only-one.txt')).toBe('one ä\n')
    expect(
      (await headers('/', '-H', `X-Flask-Deploy-Nonce: ${'b'.repeat(32)}`))['x-flask-deploy-release'],
    ).toBe(second)
    for (let flips = 0; flips < 10; flips += 1) {
      for (const [id, mark] of [
        [first, 'one'],
        [second, 'two'],
      ] as const) {
        await flip(id)
        expect(await curl('/static/app.css')).toBe(`/* ${mark} */\n`)
      }
    }
    await server.must(
      `systemctl stop ${unit(first).socketUnit} ${unit(first).serviceUnit}; test ! -e ${unit(first).socket}`,
    )
    expect(JSON.parse(await curl('/')).mark).toBe('two')
    await server.must(`systemctl start ${unit(first).socketUnit} ${unit(first).serviceUnit}`)
    await flip(first)
    expect(JSON.parse(await curl('/')).mark).toBe('one')
  })

  test('no request fails while releases take turns', async () => {
    const asker = `
import collections, http.client, sys, threading, time
end = time.monotonic() + 4
found = collections.Counter()
def ask(keep, paths):
    connection = None
    while time.monotonic() < end:
        for path in paths:
            try:
                connection = connection or http.client.HTTPConnection("127.0.0.1", timeout=20)
                connection.request("GET", path, headers={"Host": "shop.example"})
                answer = connection.getresponse()
                answer.read()
                found[answer.status] += 1
            except OSError as error:
                found[repr(error)] += 1
                connection = None
            if not keep and connection:
                connection.close()
                connection = None
shared = ["/static/app.css", "/", "/static/only-one.txt", "/static/only-two.txt", "/static/module.mjs"]
for keep in (True, False, True, False):
    threading.Thread(target=ask, args=(keep, shared)).start()
for thread in threading.enumerate():
    if thread is not threading.current_thread():
        thread.join()
print(*["%s=%d" % pair for pair in found.items()])
`
    await server.must(`ln -sfn ../${second} ${unit(first).previous}`)
    const asked = server.must('cat >/tmp/ask.py; python3 /tmp/ask.py', { stdin: asker })
    for (let flips = 0; flips < 20; flips += 1) {
      await flip(flips % 2 === 0 ? second : first)
      await new Promise((done) => setTimeout(done, 150))
    }
    const answers = (await asked).trim()
    console.log(`${suite}: 20 flips under load: ${answers}`)
    expect(answers).toMatch(/^200=\d+$/)
  })

  test.runIf(suite === 'bookworm')('gixy finds nothing in the sites, and would find something', async () => {
    await server.must(
      'python3 -m venv /tmp/gixy && /tmp/gixy/bin/pip -q install --disable-pip-version-check gixy-ng==0.2.59',
      { timeoutMs: 200_000 },
    )
    const http = (inner: string) =>
      `events {}\nhttp {\ninclude /etc/nginx/mime.types;\nserver_tokens off;\n${inner}\n}\n`
    const ours = await server.must(
      'cat /etc/nginx/sites-enabled/00-flask-deploy-default.conf /etc/nginx/sites-enabled/web-shop.conf',
    )
    await put('/tmp/ours.conf', http(ours), '0644')
    await put(
      '/tmp/theirs.conf',
      http('server { location /i { alias /srv/; } return 301 http://x$uri; }'),
      '0644',
    )
    const found = await server.run('/tmp/gixy/bin/gixy -f json /tmp/ours.conf')
    const control = await server.run('/tmp/gixy/bin/gixy -f json /tmp/theirs.conf')
    expect(JSON.parse(control.stdout || '[]')).not.toEqual([])
    expect(JSON.parse(found.stdout || '[]')).toEqual([])
  })
})
