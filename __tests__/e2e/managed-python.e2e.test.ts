import { afterEach, describe, expect, test } from 'vitest'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { act, reach } from './action.ts'
import { visit } from './look.ts'
import { tinyProject } from './projects.ts'

const able = canBoot()

/** Its own Python, and whether a C extension of the library's works in it. */
const app = `import sqlite3
import sys
from flask import Flask

app = Flask(__name__)


@app.get("/")
def index():
    return "%d.%d %s" % (*sys.version_info[:2], sys.base_prefix)
`

/** A Python that no package of the server's distribution brings, fetched by uv. */
describe.skipIf(!able.ok)(`a downloaded Python${able.ok ? '' : ` (skipped: ${able.why})`}`, () => {
  let server: Server | undefined
  afterEach(async () => await server?.stop())

  // GitHub's releases can be reached from its own runners: a job of ci.yml sets the variable.
  const fetched = process.env['FLASK_DEPLOY_TEST_DOWNLOAD'] === '1'
  test.skipIf(!fetched)(
    `comes from where uv takes it${fetched ? '' : ' (skipped: FLASK_DEPLOY_TEST_DOWNLOAD is not 1)'}`,
    async () => {
      server = await boot({ suite: 'bookworm' })
      const project = tinyProject({
        'app.py': app,
        'pyproject.toml': '[project]\nname = "x"\nversion = "1"\nrequires-python = ">=3.13,<3.14"\n',
      })
      const ran = await act({ workspace: project.folder, inputs: reach(server) })
      expect(ran.outputs.result, ran.log).toBe('deployed')
      expect((await visit(server)).body).toBe('3.13 /opt/flask-deploy/python/3.13')
      await expectRoots(server, '3.13')
    },
    300_000,
  )

  test('comes from a mirror, becomes root’s, and is there for the next app', async () => {
    server = await boot({ suite: 'sid' })
    const version = await mirror(server)
    // Between two changes of its default the distribution has one Python only.
    if (version === undefined) return
    const project = tinyProject({ 'app.py': app })
    const inputs = {
      ...reach(server),
      python: version,
      env: 'UV_PYTHON_DOWNLOADS_JSON_URL=http://127.0.0.1:8123/pythons.json',
    }
    const ran = await act({ workspace: project.folder, inputs })
    expect(ran.outputs.result, ran.log).toBe('deployed')
    expect((await visit(server)).body).toBe(`${version} /opt/flask-deploy/python/${version}`)
    expect(ran.summary).toMatch(/Python.*uv.*s 3\.\d+/)
    await expectRoots(server, version)

    const other = await act({
      workspace: project.folder,
      repository: 'someone/other',
      repositoryId: '2',
      inputs: { ...inputs, env: '', domain: 'other.example', tls: 'off' },
    })
    expect(other.outputs.result, other.log).toBe('deployed')
    expect(other.log).not.toContain('uv python install')
    expect((await visit(server, '/', 'other.example')).body).toContain(`/opt/flask-deploy/python/${version}`)
  })

  test('that is not what it should be is not used', async () => {
    server = await boot({ suite: 'sid' })
    const version = await mirror(server, 'echo more >>/root/www/python.tar.gz')
    if (version === undefined) return
    const ran = await act({
      workspace: tinyProject().folder,
      inputs: {
        ...reach(server),
        python: version,
        env: 'UV_PYTHON_DOWNLOADS_JSON_URL=http://127.0.0.1:8123/pythons.json',
      },
    })
    expect(ran.outputs, ran.log).toMatchObject({ result: 'failed', 'failed-phase': 'dependencies' })
    expect(await server.must('find /opt/flask-deploy/python -mindepth 1')).toBe('')
  })
})

/** Nobody but root may change it, and nothing of the download is left. */
async function expectRoots(server: Server, version: string): Promise<void> {
  const folder = `/opt/flask-deploy/python/${version}`
  expect(
    await server.must(`find ${folder} \\( ! -user root -o -perm /022 -a ! -type l -o -perm /6000 \\) -print`),
  ).toBe('')
  expect((await server.must('ls -A /opt/flask-deploy/python')).trim()).toBe(version)
}

/**
 * Serves, on the server itself, a Python in the form that uv fetches: made of the distribution's own packages, which apt
 * then does not give any more.
 * @param after sh, once the archive is hashed
 * @returns its version; undefined where the distribution has none beside its own
 */
async function mirror(server: Server, after = ''): Promise<string | undefined> {
  const made = await server.must(
    `apt-get -qq update
    own=$(readlink -f /usr/bin/python3)
    other=$(apt-cache pkgnames python3. | grep -E '^python3\\.[0-9]+$' | grep -vx "\${own##*/}" | head -n 1)
    [ -n "$other" ] || exit 0
    mkdir -p /root/www/python/bin /root/debs && cd /root/debs
    apt-get -qq download "$other" "$other-minimal" "lib$other-stdlib" "lib$other-minimal" >/dev/null 2>&1
    for deb in *.deb; do dpkg -x "$deb" all; done
    cp "all/usr/bin/$other" /root/www/python/bin/
    cp -R all/usr/lib /root/www/python/
    find /root/www/python -type l -delete
    ln -s "$other" /root/www/python/bin/python3
    printf 'Package: %s*\\nPin: release *\\nPin-Priority: -1\\n' "$other" >/etc/apt/preferences.d/none
    full=$(dpkg-deb -f "$(ls "$other"_*.deb)" Version | sed 's/[-~+].*//')
    cd /root/www && tar -czf python.tar.gz python && sum=$(sha256sum <python.tar.gz | cut -c 1-64)
    /usr/bin/python3 - "$full" "$sum" <<'END' >pythons.json
import json, sys
full, digest = sys.argv[1:]
major, minor, patch = map(int, full.split("."))
print(json.dumps({f"cpython-{full}-linux-x86_64-gnu": {
    "name": "cpython", "arch": {"family": "x86_64", "variant": None}, "os": "linux", "libc": "gnu",
    "major": major, "minor": minor, "patch": patch, "prerelease": "", "variant": None, "build": "20260101",
    "url": "http://127.0.0.1:8123/python.tar.gz", "sha256": digest,
}}))
END
    ${after}
    systemd-run --quiet --unit=mirror --working-directory=/root/www python3 -m http.server 8123 --bind 127.0.0.1
    echo "\${other#python}"`,
  )
  return /^3\.\d+$/m.exec(made)?.[0]
}
