import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { type ActionOptions, act, type Ran, reach, start } from './action.ts'
import { tinyApp, tinyProject } from './projects.ts'

const able = canBoot()

/** A text that nothing else in the world holds; a letter first, so that it is no number. */
const marker = (length: number) =>
  `q${randomBytes(length)
    .toString('hex')
    .slice(0, length - 1)}`

/** A login whose every secret is a marker, and an `env` of them. */
interface Secrets {
  readonly options: ActionOptions
  /** name -> marker */
  readonly markers: ReadonlyMap<string, string>
}

describe.skipIf(!able.ok)(`secrets ${able.ok ? '' : able.why}`, () => {
  let server: Server | undefined
  afterEach(async () => server?.stop())

  test('none is in log, summary, outputs or state: of a good deploy, a redeploy, a broken one, a plan, a wrong password', async () => {
    server = await boot({ suite: 'bookworm' })
    const { options, markers } = await secretive(server)
    const project = tinyProject()
    const base = { ...options, workspace: project.folder }
    const good = await act(base)
    expect(good.status, good.log).toBe(0)
    expectSilent(good, markers)
    await expectHidden(server, markers)

    // The app and its release command say all they know.
    const talks = `import os, sys\nprint(sorted(os.environ.items()), flush=True)\n`
    const tells =
      'env | sort; env | base64 -w 0; echo; python -c "import os, urllib.parse; print(urllib.parse.urlencode(os.environ))"'
    project.commit({ 'app.py': `${talks}raise RuntimeError(str(dict(os.environ)))\n${tinyApp}` })
    const broken = await act({ ...base, inputs: { ...base.inputs, 'release-command': tells } })
    expect(broken.status).toBe(1)
    expect(broken.log).toContain('TOKEN=')
    expectSilent(broken, markers)

    project.commit({ 'app.py': tinyApp.replace('"version 1"', 'str(dict(__import__("os").environ)), 500') })
    const wrong = await act(base)
    expect(wrong.status).toBe(1)
    expectSilent(wrong, markers)

    project.commit({ 'requirements.txt': 'flask\nflask==0.0.1\n' })
    const index = `https://user:${markers.get('INDEX_PASSWORD')}@index.example/simple`
    const failing = await act({
      ...base,
      inputs: { ...base.inputs, env: `${base.inputs['env']}\nUV_INDEX_URL=${index}` },
    })
    expect(failing.status).toBe(1)
    expect(failing.outputs['failed-phase'], failing.log).toBe('dependencies')
    expectSilent(failing, markers)

    for (const change of [
      { command: 'plan' },
      { 'sudo-password': `${markers.get('sudo-password')}x` },
      { user: 'nobody-here' },
    ]) {
      expectSilent(await act({ ...base, inputs: { ...base.inputs, ...change } }), markers)
    }
  })

  test('none is in log, summary, outputs or state of a cancelled deploy, nor in what a killed one leaves on the server', async () => {
    server = await boot({ suite: 'bookworm' })
    const { options, markers } = await secretive(server)
    const project = tinyProject()
    const inputs = { ...options.inputs, 'release-command': 'env; echo asleep; sleep 60' }
    const running = start({ ...options, inputs, workspace: project.folder })
    await running.said('asleep')
    await expectHidden(server, markers)
    running.process.kill('SIGINT')
    const ran = await running.ended
    expect(ran.outputs.result).toBe('cancelled')
    expectSilent(ran, markers)
    await expectHidden(server, markers)
  })

  test('none is in what is said of faulty inputs', async () => {
    server = await boot({ suite: 'bookworm' })
    const { options, markers } = await secretive(server)
    const token = markers.get('TOKEN') ?? ''
    for (const change of [
      { env: `TOKEN=${token}\nnot a variable ${token}\n` },
      { env: `TOKEN="${token}` },
      { 'ssh-key': `-----BEGIN OPENSSH PRIVATE KEY-----\n${token}\n-----END OPENSSH PRIVATE KEY-----\n` },
      { 'ssh-key': token },
      { 'ssh-key-passphrase': `wrong ${token}` },
    ]) {
      const ran = await act({
        ...options,
        workspace: tinyProject().folder,
        inputs: { ...options.inputs, ...change },
      })
      expect(ran.status).toBe(1)
      expectSilent(ran, markers)
    }
  })
})

/** A user whose key, passphrase, SSH and sudo passwords are fresh. */
async function secretive(server: Server): Promise<Secrets> {
  const markers = new Map([
    ['passphrase', marker(12)],
    ['password', marker(14)],
    ['sudo-password', marker(10)],
    ['TOKEN', marker(40)],
    ['SHORT', marker(4)],
    ['FIVE', marker(5)],
    ['SEVEN', marker(7)],
    ['QUOTED', `${marker(6)} "${marker(6)}"'$`],
    ['LINES', `${marker(9)}\n${marker(9)}`],
    ['INDEX_PASSWORD', marker(16)],
  ])
  const of = (name: string) => markers.get(name) ?? ''
  const folder = mkdtempSync(join(tmpdir(), 'key-'))
  const file = join(folder, 'key')
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', of('passphrase'), '-C', 'test', '-f', file])
  const [privateKey, publicKey] = [readFileSync(file, 'utf8'), readFileSync(`${file}.pub`, 'utf8')]
  rmSync(folder, { recursive: true })
  for (const [at, line] of privateKey.trim().split('\n').slice(1, -1).entries())
    markers.set(`key ${at}`, line)
  await server.must(
    `printf 'asker:%s\\n' '${of('sudo-password')}' | chpasswd; cat > /home/asker/.ssh/authorized_keys`,
    { stdin: publicKey },
  )
  const [first = '', second = ''] = of('LINES').split('\n')
  const env = [
    ...['TOKEN', 'SHORT', 'FIVE', 'SEVEN'].map((name) => `${name}=${of(name)}`),
    `QUOTED="${of('QUOTED').replaceAll('"', '\\"').replaceAll('$', '\\$')}"`,
    `LINES="${first}\\n${second}"`,
    'DEBUG=1',
  ].join('\n')
  const inputs = {
    ...reach(server),
    user: 'asker',
    'ssh-key': privateKey,
    'ssh-key-passphrase': of('passphrase'),
    password: of('password'),
    'sudo-password': of('sudo-password'),
    env,
  }
  return { options: { workspace: '', inputs }, markers }
}

/** No marker, and no line, word or encoding of one, in anything that people or later steps get to see. */
function expectSilent(ran: Ran, markers: ReadonlyMap<string, string>): void {
  // GitHub takes these lines out of the log: they are what it masks by.
  const log = ran.log.replaceAll(/^::add-mask::.*$/gm, '')
  const places = {
    log,
    summary: ran.summary,
    outputs: JSON.stringify(ran.outputs),
    state: JSON.stringify([...ran.state]),
  }
  for (const [place, text] of Object.entries(places)) {
    for (const [name, value] of markers) {
      for (const part of value.split(/[\n"'$ ]+/).filter((one) => one.length >= 4)) {
        expect.soft(text.includes(part), `${name} in ${place}: ${around(text, part)}`).toBe(false)
        const encoded = Buffer.from(part).toString('base64').replace(/=+$/, '').slice(0, -1)
        if (part.length >= 8) expect.soft(text.includes(encoded), `${name} in base64 in ${place}`).toBe(false)
      }
    }
  }
}

function around(text: string, part: string): string {
  const at = text.indexOf(part)
  return at < 0 ? '' : text.slice(Math.max(0, at - 80), at + 80)
}

/** No marker where other users of the server can see it: processes, units, the journal of units, files. */
async function expectHidden(server: Server, markers: ReadonlyMap<string, string>): Promise<void> {
  const seen = await server.must(`
    setpriv --reuid nobody --regid nogroup --clear-groups sh -c '
      cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr "\\0" "\\n"
      systemctl show "web-hello*" "flask-deploy*"
      cat /etc/systemd/system/web-hello* /etc/nginx/sites-enabled/*
      find /etc /srv /var /run /tmp /home -type f -newer /etc/hostname -readable -print0 2>/dev/null |
        xargs -0 cat 2>/dev/null' || :
    journalctl --sync; journalctl -o cat _PID=1`)
  expect(seen, 'it looked at processes and at the journal').toMatch(/sshd[\s\S]*Started /)
  for (const [name, value] of markers) {
    for (const part of value.split(/[\n"'$ ]+/).filter((one) => one.length >= 6)) {
      expect.soft(seen.includes(part), `${name} on the server: ${around(seen, part)}`).toBe(false)
    }
  }
}
