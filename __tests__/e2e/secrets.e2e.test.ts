import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { helperCommand } from '../../src/apply/helper-command.ts'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { act, type Ran, start } from './action.ts'
import { expectNone, made, meanwhile } from './made-for-secrets.ts'
import { type Marked, marked } from './marked.ts'
import { tinyApp, tinyProject } from './projects.ts'
import { withoutMasks } from './runs.ts'
import { lookAtRunner, searcher } from './search.ts'
import { page, until } from './traces.ts'

const able = canBoot()

/** An app that proves what it got by its hash, and can crash where a core dump would find place. */
const proving = `${tinyApp.replace('from flask', 'import hashlib, os\n\nfrom flask').replace(
  'return "version 1"',
  `folder = os.environ["CREDENTIALS_DIRECTORY"]
    texts = [os.environ[name] for name in ("TOKEN", "ODD", "LINES")]
    texts += [open(os.path.join(folder, name)).read() for name in sorted(os.listdir(folder))]
    return hashlib.sha256("".join(texts).encode()).hexdigest()`,
)}

@app.route("/crash")
def crash():
    os.chdir(os.environ["HOME"])
    os.abort()
`

/** The Python that prints all that an app or a release command knows. */
const telling = `import os
folder = os.environ["CREDENTIALS_DIRECTORY"]
told = [open(os.path.join(folder, name)).read() for name in sorted(os.listdir(folder))]
print(sorted(os.environ.items()), *told, flush=True)
`

/** A release command that tells the same in every way it can think of. */
const tellingAll = `env | sort; env | base64 -w 0; echo
cat "$CREDENTIALS_DIRECTORY"/*; base64 -w 0 "$CREDENTIALS_DIRECTORY"/key.pem
python -c "import os, urllib.parse; print(urllib.parse.urlencode(os.environ))"
python -c "import json, os; print(json.load(open(os.environ['CREDENTIALS_DIRECTORY'] + '/account.json')))"`

/** Where what an app says of itself is kept: only root reads these (and, on most servers, the group adm). */
const ownWords =
  /^stdout of web-hello-\S+\.service$|^\/run\/flask-deploy\/hello\/\w+\/events$|^\/(run|var)\/log\/journal\//

describe.skipIf(!able.ok)(`secrets ${able.ok ? '' : able.why}`, () => {
  let server: Server | undefined
  let folders: Readonly<Record<string, string>> = {}
  beforeEach(() => {
    const folder = mkdtempSync(join(tmpdir(), 'runner-'))
    const names = ['RUNNER_TEMP', 'TMPDIR', 'HOME']
    folders = Object.fromEntries(names.map((name) => [name, join(folder, name)]))
    for (const one of Object.values(folders)) mkdirSync(one)
  })
  afterEach(async () => {
    await server?.stop()
    rmSync(dirname(folders['HOME'] ?? ''), { recursive: true, force: true })
  })

  test('of a good deploy are nowhere but in the files made for them, nor in a core dump of the app', async () => {
    server = await boot({ suite: 'bookworm' })
    const secret = await marked(server, await emptyIndex(server))
    const search = await searcher(server, secret)
    const seen = search.watch()
    const workspace = tinyProject({ 'app.py': proving }).folder
    const ran = await act({ ...secret.options, environment: folders, workspace })
    const processes = await seen()
    expect(ran.status, withoutMasks(ran.log)).toBe(0)
    expect(await page(server)).toBe(proof(secret))
    // The action's own secret, by which a release proves itself.
    const nonce = (await server.must('sed -n s/^FLASK_DEPLOY_NONCE=//p /etc/web-hello/*.env')).trim()
    expect(nonce).toMatch(/^[0-9a-f]{32}$/)
    expect(JSON.stringify(ran)).not.toContain(nonce)
    const kept = await search.look([['nonce', Buffer.from(nonce)]])
    expectNone('a good deploy', [lookAtRunner([ran], folders, secret), processes, kept], made)

    expect(await page(server, '/crash')).toMatch(/^502 /)
    const crashed = server
    await until('the app is back', async () => (await page(crashed)) === proof(secret))
    expect((await search.look()).cores).toEqual([])
    // The same crash without the unit's limit leaves one.
    await server.run(`cd /var/lib/web-hello; ulimit -c unlimited
      setpriv --reuid web-hello --regid web-hello --clear-groups python3 -c 'import os; os.abort()'`)
    expect((await search.look()).cores).toEqual([expect.stringMatching('^/var/lib/web-hello/core')])
  })

  test('of failed deploys are in no log, whatever the app says of them, and go with the release', async () => {
    server = await boot({ suite: 'bookworm' })
    const secret = await marked(server)
    const search = await searcher(server, secret)
    const project = tinyProject({ 'app.py': `${tinyApp}raise RuntimeError("broken")\n` })
    const base = { ...secret.options, environment: folders, workspace: project.folder }
    const failing = async (phase: string, inputs: Readonly<Record<string, string>> = {}) => {
      const ran = await act({ ...base, inputs: { ...base.inputs, ...inputs } })
      expect(ran.status, withoutMasks(ran.log)).toBe(1)
      expect(ran.outputs['failed-phase'], withoutMasks(ran.log)).toBe(phase)
      return ran
    }
    const seen = search.watch()
    const silent = [await failing('health')]
    const processes = await seen()
    silent.push(
      await failing('facts', { 'sudo-password': `${secret.secrets.get('sudo-password')}x` }),
      await failing('connect', { user: 'nobody-here' }),
    )
    project.commit({ 'requirements.txt': 'flask\nflask==0.0.1\n' })
    const index = `UV_INDEX_URL=http://user:${secret.secrets.get('INDEX')}@${await emptyIndex(server)}/simple`
    silent.push(await failing('dependencies', { env: `${base.inputs['env']}\n${index}` }))
    expectNone('failed deploys', [lookAtRunner(silent, folders, secret), processes, await search.look()])

    // The app and its release command say all they know.
    const error = 'raise RuntimeError(str(dict(os.environ)), told)\n'
    project.commit({ 'app.py': telling + tinyApp + error, 'requirements.txt': 'flask\n' })
    const broken = [await failing('health', { 'release-command': tellingAll })]
    project.commit({ 'app.py': telling + tinyApp.replace('"version 1"', 'str(dict(os.environ)), 500') })
    broken.push(
      await failing('health'),
      await failing('release-command', { 'release-command': `${tellingAll}\nfalse` }),
    )
    expect(broken.map(({ log }) => log).join()).toMatch(/TOKEN=[\s\S]*RuntimeError/)
    expectNone('failed deploys that tell their secrets', [lookAtRunner(broken, folders, secret)])
    const words = (await search.look()).hits
    expect(words.length).toBeGreaterThan(0)
    for (const { where, readers = [] } of words) {
      expect.soft(where).toMatch(ownWords)
      expect.soft(readers, where).toEqual([])
    }
  })

  test('of a plan are nowhere at all', async () => {
    server = await boot({ suite: 'bookworm' })
    const secret = await marked(server)
    const search = await searcher(server, secret)
    const inputs = { ...secret.options.inputs, command: 'plan' }
    const ran = await act({ inputs, environment: folders, workspace: tinyProject().folder })
    expect(ran.status, withoutMasks(ran.log)).toBe(0)
    expect(ran.summary).toContain('.files/account.json')
    expectNone('a plan', [lookAtRunner([ran], folders, secret), await search.look()])
  })

  test('of a cancelled deploy are gone with it, and of one whose line was cut', async () => {
    server = await boot({ suite: 'bookworm' })
    const secret = await marked(server, await emptyIndex(server))
    const search = await searcher(server, secret)
    const inputs = { ...secret.options.inputs, 'release-command': 'echo asleep; sleep 60' }
    const running = start({ inputs, environment: folders, workspace: tinyProject().folder })
    await running.said('asleep')
    const asleep = await search.look()
    running.process.kill('SIGINT')
    const ran = await running.ended
    expect(ran.outputs.result).toBe('cancelled')
    // The app itself has not started, and HTTPS is the last step.
    const later = ['its copy in memory', 'certificate and key of the site']
    const there = [...made.filter(({ what }) => !later.includes(what)), ...meanwhile]
    expectNone('a deploy at work', [asleep], there)
    expectNone('a cancelled deploy', [lookAtRunner([ran], folders, secret), await search.look()])

    // Half a program arrives: a compressed text whose end is missing.
    const program = gzipSync(`# ${secret.secrets.get('TOKEN')}\n`.repeat(99), { level: 0 })
    const helper = helperCommand({ name: 'hello', run: 'feed', nonce: 'abc', packages: [] })
    const half = Buffer.concat([Buffer.from('file program 10000\n'), program.subarray(0, 900)])
    await server.run(helper, { stdin: half })
    expectNone('a connection that was cut', [await search.look()])
  })

  test('are not in what is said of faulty inputs', async () => {
    server = await boot({ suite: 'bookworm' })
    const secret = await marked(server)
    const token = secret.secrets.get('TOKEN') ?? ''
    const workspace = tinyProject().folder
    const changes = [
      { env: `TOKEN=${token}\nnot a variable ${token}\n` },
      { env: `TOKEN="${token}` },
      { 'ssh-key': `-----BEGIN OPENSSH PRIVATE KEY-----\n${token}\n-----END OPENSSH PRIVATE KEY-----\n` },
      { 'ssh-key': token, 'ssh-key-passphrase': '' },
      { 'ssh-key-passphrase': `wrong ${token}` },
      { 'secret-files': `one: ${token}\n${token}: x` },
      { 'secret-files': `one: "${token}\n` },
    ]
    const runs: Ran[] = []
    for (const change of changes) {
      const inputs = { ...secret.options.inputs, ...change }
      runs.push(await act({ inputs, environment: folders, workspace }))
    }
    expect(runs.map(({ status }) => status)).toEqual(changes.map(() => 1))
    expectNone('faulty inputs', [lookAtRunner(runs, folders, secret)])
  })
})

/** A package index on the server that has nothing: packages come from the next one, after its password was sent. */
async function emptyIndex(server: Server): Promise<string> {
  await server.must(
    'mkdir /srv/empty; systemd-run --quiet python3 -m http.server 8099 --bind 127.0.0.1 --directory /srv/empty',
  )
  return '127.0.0.1:8099'
}

/** What {@link proving} answers where every secret arrived to the byte. */
function proof({ secrets, secretFiles }: Marked): string {
  const files = Object.keys(secretFiles)
    .toSorted()
    .map((name) => secretFiles[name] ?? '')
  const texts = [...['TOKEN', 'ODD', 'LINES'].map((name) => secrets.get(name) ?? ''), ...files]
  return createHash('sha256').update(texts.join('')).digest('hex')
}
