import { afterEach, describe, expect, test } from 'vitest'
import { releasePaths } from '../../src/config/paths.ts'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { visit } from './look.ts'
import { tinyProject } from './projects.ts'
import { runs } from './runs.ts'

const able = canBoot()

/** Blueprints, a static folder of another name, and pages below a login wall. */
const pieces = `from flask import Blueprint, Flask, request, redirect

app = Flask(__name__, static_folder="assets", static_url_path="/a")
shop = Blueprint("shop", __name__, url_prefix="/shop", static_folder="shop-files", static_url_path="/files")
members = Blueprint("members", __name__, url_prefix="/members", static_folder="members-only")


@members.before_request
def only_members():
    if "member" not in request.cookies:
        return redirect("/")


@app.get("/")
def index():
    return "pieces"


app.register_blueprint(shop)
app.register_blueprint(members)
`

describe.skipIf(!able.ok)(`the probe${able.ok ? '' : ` (skipped: ${able.why})`}`, () => {
  const running: Server[] = []
  const start = async (suite: 'bookworm' | 'bullseye' | 'trixie' | 'sid' = 'bookworm') => {
    const server = await boot({ suite })
    running.push(server)
    return server
  }
  afterEach(async () => {
    await Promise.all(running.splice(0).map((server) => server.stop()))
  })

  /** Who serves these: `nginx` from its files, or the `app`? */
  const servedBy = async (server: Server, ...paths: readonly string[]) =>
    await Promise.all(
      paths.map(async (path) => {
        const { status, headers } = await visit(server, path)
        if (status !== 200) return String(status)
        return headers['content-disposition'] === undefined ? 'nginx' : 'app'
      }),
    )

  test.each(['bookworm', 'bullseye', 'trixie', 'sid'] as const)(
    'has nginx serve what the app itself serves to everybody, on %s',
    async (suite) => {
      const server = await start(suite)
      const project = tinyProject({
        'app.py': pieces,
        'assets/style.css': 'body {}\n',
        'assets/deep/er/x.txt': 'deep\n',
        'shop-files/shop.js': 'shop()\n',
        'members-only/list.txt': 'members\n',
        'static/not-flasks.txt': 'nobody asked\n',
      })
      const ran = await runs(server, project.folder).good()
      expect(ran.log).not.toContain('probe-unfinished')
      expect(await servedBy(server, '/a/style.css', '/a/deep/er/x.txt', '/shop/files/shop.js')).toEqual([
        'nginx',
        'nginx',
        'nginx',
      ])
      expect(await servedBy(server, '/members/members-only/list.txt', '/static/not-flasks.txt')).toEqual([
        '302',
        '404',
      ])
      const { root } = releasePaths('hello', ran.release)
      expect(await server.must(`cd ${root}/.public; find . -type l | sort`)).toBe('./a\n./shop/files\n')
      expect(await server.must('ls -A /srv/web-hello /var/lib/web-hello')).not.toContain('probe')
    },
  )
})
