import { expect } from 'vitest'
import { renderEntry } from '../../src/config/entry.ts'
import { releaseEnv, renderEnvFile } from '../../src/config/env-file.ts'
import { renderGunicorn } from '../../src/config/gunicorn.ts'
import { renderCatchAll, renderSite } from '../../src/config/nginx.ts'
import { paths, releasePaths } from '../../src/config/paths.ts'
import type { ReleaseSettings } from '../../src/config/settings.ts'
import type { Property } from '../../src/config/unit-text.ts'
import { renderServiceUnit, renderSocketUnit } from '../../src/config/units.ts'
import { quote } from '../../src/quote.ts'
import { boot, type Server } from '../server/boot.ts'
import type { Suite } from '../server/suites.ts'
import { releaseOf, siteOf } from './sample.ts'

export const app = paths('shop')
const domains = ['shop.example', '2001:db8::7']
/** The IDs of the two releases. */
export const first = '20261122184800-aaaaaaa'
export const second = '20261122184900-bbbbbbb'
/** A folder that every parser on the way could stumble over. */
export const source = `odd "dir" it's 100% $HOME ü`

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

/** What the files of one release of that project are rendered from. */
export function settingsOf(release: string, systemd: number): ReleaseSettings {
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

/** Everything of one release of that project. */
export function unit(release: string) {
  return releasePaths('shop', release)
}

/** A server on which the rendered files were put where they belong by hand, with the release `first` serving. */
export type HandMade = Awaited<ReturnType<typeof makeByHand>>

/** Boots a server and does by hand what a deploy does, so that the files alone are on trial. */
export async function makeByHand(suite: Suite) {
  const server = await boot({ suite, packages: 'ready' })
  try {
    return await serve(server)
  } catch (error) {
    await server.stop()
    throw error
  }
}

async function serve(server: Server) {
  const systemd = Number(/\d+/.exec(await server.must('systemctl --version'))?.[0])
  const put = (path: string, content: string, mode: string, owner = 'root:root') =>
    server.must(
      `mkdir -p "$(dirname ${quote(path)})"; cat >${quote(path)}; chown ${owner} ${quote(path)}; chmod ${mode} ${quote(path)}`,
      {
        stdin: content,
      },
    )

  /** By hand what a deploy does: everything of one release is put where it belongs, and started. */
  async function release(id: string, mark: string) {
    const own = unit(id)
    const settings = settingsOf(id, systemd)
    for (const [file, content] of project(mark)) await put(`${own.root}/${source}/${file}`, content, '0640')
    await put(own.gunicorn, renderGunicorn(settings), '0640')
    await put(own.entry, renderEntry(settings), '0640')
    await put(app.generated, 'SECRET_KEY=generated\n', '0600')
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
  return { server, systemd, put, release, flip, curl, headers, untilWorkers, transient }
}
