import { generateKeyPairSync } from 'node:crypto'
import { afterEach, describe, expect, test } from 'vitest'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { modes, untilQuiet, visit } from './look.ts'
import { tinyApp, tinyProject } from './projects.ts'
import { runs } from './runs.ts'
import { page, traces, until } from './traces.ts'

const able = canBoot()

/** An app that shows its secret files: where, whose, what. */
const showing = `import base64, json, os

from flask import Flask

app = Flask(__name__)
folder = os.environ["CREDENTIALS_DIRECTORY"]


@app.route("/")
def index():
    found = {name: open(os.path.join(folder, name), "rb").read() for name in sorted(os.listdir(folder))}
    return json.dumps([folder, {name: base64.b64encode(content).decode() for name, content in found.items()}])
`

/** The same from the release command, into the app's own folder. */
const telling =
  'cat "$CREDENTIALS_DIRECTORY/key.pem" > "$HOME/seen"; cat "$CREDENTIALS_DIRECTORY/odd" >> "$HOME/seen"'

const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
const contents = {
  'key.pem': pem,
  odd: ' \r\n\t"\'\\$(id) `x` %n é \u{1f600} \u0081\u0088\x7f\x01 ',
  large: `${'x'.repeat(60_000)}\n`,
}
const input = (files: Readonly<Record<string, string>>) =>
  Object.entries(files)
    .map(([name, content]) => `${name}: ${JSON.stringify(content)}\n`)
    .join('')

describe.skipIf(!able.ok)(`secret files ${able.ok ? '' : able.why}`, () => {
  let server: Server | undefined
  afterEach(async () => server?.stop())

  async function shown(
    from: Server,
  ): Promise<{ readonly folder: string; readonly files: Record<string, string> }> {
    const [folder, files] = JSON.parse(await page(from)) as [string, Record<string, string>]
    const text = (content: string) => Buffer.from(content, 'base64').toString()
    return {
      folder,
      files: Object.fromEntries(Object.entries(files).map(([name, one]) => [name, text(one)])),
    }
  }

  test('reach app and release command to the byte as credentials, belong to a release, and go with it', async () => {
    server = await boot({ suite: 'bookworm' })
    const project = tinyProject({ 'app.py': showing })
    const { good, bad } = runs(server, project.folder, { 'keep-releases': '2', 'release-command': telling })

    const planned = await good({ 'secret-files': input(contents), command: 'plan' })
    expect(planned.summary).toMatch(/write \/etc\/web-hello\/\S+\.files\/key\.pem/)
    expect(planned.log + planned.summary).not.toContain('BEGIN PRIVATE KEY')

    const first = await good({ 'secret-files': input(contents) })
    expect(await shown(server)).toEqual({
      folder: `/run/credentials/web-hello-${first.release}.service`,
      files: contents,
    })
    expect(await server.readFile('/var/lib/web-hello/seen')).toBe(contents['key.pem'] + contents.odd)
    const folder = `/etc/web-hello/${first.release}.files`
    expect(await modes(server, '/etc/web-hello', folder, `${folder}/key.pem`)).toEqual([
      '0700 root:root',
      '0700 root:root',
      '0600 root:root',
    ])
    const score = await server.must(
      `systemd-analyze security --no-pager web-hello-${first.release}.service | tail -n 1`,
    )
    expect(score).toContain('1.5')
    // Nobody else can read the copies either.
    const tries = await server.run(
      `setpriv --reuid nobody --regid nogroup --clear-groups cat /run/credentials/web-hello-*/* ${folder}/*`,
    )
    expect(tries.stdout).toBe('')

    expect((await good({ 'secret-files': input(contents) })).outputs.result).toBe('unchanged')
    const second = await good({ 'secret-files': input({ odd: 'new', 'key.pem': 'other' }) })
    expect(second.outputs.result).toBe('deployed')
    expect((await shown(server)).files).toEqual({ odd: 'new', 'key.pem': 'other' })

    // A release that fails takes its files with it.
    await untilQuiet(server, 'hello')
    const before = await traces(server)
    project.commit({ 'app.py': 'raise RuntimeError\n' })
    await bad({ 'secret-files': input({ ...contents, odd: 'broken' }) })
    await untilQuiet(server, 'hello')
    expect(await traces(server)).toBe(before)

    await good({ command: 'rollback' })
    expect((await shown(server)).files).toEqual(contents)
    await server.reboot()
    const rebooted = server
    await until('the app is back', async () => (await page(rebooted)).startsWith('['))
    expect((await shown(server)).files).toEqual(contents)

    // The third release pushes the oldest one that is not in use out, with its files.
    project.commit({ 'app.py': tinyApp })
    const third = await good({ 'release-command': '' })
    await untilQuiet(server, 'hello')
    expect(await page(server)).toBe('version 1')
    const left = (await server.must('ls /etc/web-hello')).trim().split('\n')
    expect(left.toSorted()).toEqual(
      [`${first.release}.env`, `${first.release}.files`, `${third.release}.env`, 'generated.env'].toSorted(),
    )
  })

  test('of a program that was killed while it wrote one are cleared by the next', async () => {
    server = await boot({ suite: 'bookworm' })
    const project = tinyProject({ 'app.py': showing })
    const { good } = runs(server, project.folder, {
      'secret-files': input({ token: 'a' }),
      'release-command': 'true',
    })
    const { release } = await good()
    const stray = '20200101000000-abc1234'
    await server.must(`cd /etc/web-hello; mkdir ${stray}.files; echo x > ${stray}.files/token.4711.new
      echo x > ${stray}.env.4711.new; echo x > /etc/systemd/system/web-hello-${stray}.service.4711.new`)
    await good({ 'secret-files': input({ token: 'b' }) })
    await untilQuiet(server, 'hello')
    expect(await traces(server)).toContain(release)
    expect(await traces(server)).not.toContain(stray)
  })

  test('are files that the app’s group can read where systemd is too old for credentials', async () => {
    server = await boot({ suite: 'bookworm' })
    // Only what it says of itself is old: the files and the walls are the real ones.
    await server.must(`cat > /usr/local/sbin/systemctl <<'END'
#!/bin/sh
[ "$*" != --version ] || { echo 'systemd 245 (245.4-4ubuntu3)'; exit 0; }
exec /usr/bin/systemctl "$@"
END
chmod 0755 /usr/local/sbin/systemctl`)
    const { good } = runs(server, tinyProject({ 'app.py': showing }).folder, {
      'secret-files': input(contents),
      'release-command': telling,
    })
    const { release } = await good()
    const folder = `/etc/web-hello/${release}.files`
    expect(await shown(server)).toEqual({ folder, files: contents })
    expect(await server.readFile('/var/lib/web-hello/seen')).toBe(contents['key.pem'] + contents.odd)
    expect(
      await modes(server, '/etc/web-hello', folder, `${folder}/odd`, `/etc/web-hello/${release}.env`),
    ).toEqual(['0710 root:web-hello', '0750 root:web-hello', '0640 root:web-hello', '0600 root:root'])
    for (const user of ['nobody', 'www-data', 'web-hello-build']) {
      const { stdout } = await server.run(
        `setpriv --reuid ${user} --regid "$(id -g ${user})" --init-groups cat ${folder}/odd`,
      )
      expect(stdout, user).toBe('')
    }
    expect((await visit(server)).status).toBe(200)
  })
})
