import { describe, expect, test } from 'vitest'
import { releasePaths } from '../../src/config/paths.ts'
import { type BootOptions, boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { listing, modes, serving, stateOf, units, visit } from './look.ts'
import { tinyProject } from './projects.ts'
import { type Run, runs } from './runs.ts'

const able = canBoot()

const servers: readonly BootOptions[] = [
  { suite: 'bookworm' },
  { suite: 'bullseye' },
  { suite: 'trixie' },
  { suite: 'sid' },
  { suite: 'sid', uutils: true },
]

/** Everything that a deploy may have put on the server, but for logs and caches. */
const ours = ['/etc', '/srv', '/var/lib', '/opt', '/usr/local']

describe.skipIf(!able.ok)(`a first deploy${able.ok ? '' : ` (skipped: ${able.why})`}`, () => {
  test.each(servers)('makes a site of a bare server: $suite, uutils: $uutils', async (options) => {
    const server = await boot({ ...options, packages: 'bare' })
    try {
      const project = tinyProject({ 'static/site.css': 'body { color: green }\n' })
      const { good: deploy } = runs(server, project.folder, { env: 'SECRET_KEY="a b$c"' })
      const { release, outputs } = await deploy()
      expect(outputs).toMatchObject({
        result: 'deployed',
        'failed-phase': '',
        'previous-release': '',
        'health-status': '200',
        url: `http://${server.address}/`,
      })
      expect(outputs.serving).toBe(release)

      await servedByGunicornBehindNginx(server, release)
      await answersUnknownNamesWithNothing(server)
      await keepsItsFilesToItself(server, release)
      await leavesNoSecretInRun(server)
      await doesNothingTheSecondTime(server, deploy, release)
    } finally {
      await server.stop()
    }
  })
})

async function servedByGunicornBehindNginx(server: Server, release: string): Promise<void> {
  const page = await visit(server)
  expect(page).toMatchObject({ status: 200, body: 'version 1' })
  expect(page.headers.server).toMatch(/^nginx/)
  const file = await visit(server, '/static/site.css')
  expect(file).toMatchObject({ status: 200, body: 'body { color: green }\n' })

  expect(await units(server, 'hello', release)).toMatchObject(serving)
  expect(await server.must('systemctl is-active nginx && systemctl is-enabled nginx')).toBe(
    'active\nenabled\n',
  )
  const { serviceUnit, venv } = releasePaths('hello', release)
  const { service } = await units(server, 'hello', release)
  const command = await server.must(
    `tr '\\0' ' ' </proc/${service.pid}/cmdline; ps -o user= -p ${service.pid}`,
  )
  expect(command).toContain(`${venv}/bin/python -m gunicorn.app.wsgiapp`)
  expect(command).toContain('web-hel')
  const exposure = /([0-9.]+) [A-Z]+ /.exec(
    await server.must(`systemd-analyze security --no-pager ${serviceUnit} | tail -n 1`),
  )?.[1]
  expect(Number(exposure)).toBeGreaterThan(0)
  expect(Number(exposure)).toBeLessThanOrEqual(1.6)
  expect(await server.must('systemctl --failed --plain --no-legend')).toBe('')
}

async function answersUnknownNamesWithNothing(server: Server): Promise<void> {
  await expect(visit(server, '/', 'nobody.example')).rejects.toThrow('socket hang up')
  expect(await server.must('ls /etc/nginx/sites-enabled')).toBe(
    '00-flask-deploy-default.conf\nweb-hello.conf\n',
  )
}

async function keepsItsFilesToItself(server: Server, release: string): Promise<void> {
  const own = releasePaths('hello', release)
  expect(
    await modes(
      server,
      '/srv/web-hello',
      '/srv/web-hello/releases',
      own.root,
      own.venv,
      own.deploy,
      `${own.root}/static`,
    ),
  ).toEqual([
    '0751 root:root',
    '0751 root:root',
    '0751 root:web-hello',
    '0751 root:web-hello',
    expect.stringMatching(/^075[01] root:web-hello$/),
    '0755 root:web-hello',
  ])
  expect(
    await modes(server, `${own.root}/app.py`, own.gunicorn, own.entry, `${own.root}/static/site.css`),
  ).toEqual(['0640 root:web-hello', '0640 root:web-hello', '0640 root:web-hello', '0644 root:web-hello'])
  expect(await modes(server, own.env, '/etc/web-hello', '/srv/web-hello/state')).toEqual([
    '0600 root:root',
    '0700 root:root',
    '0600 root:root',
  ])
  expect(await modes(server, '/var/lib/web-hello', '/var/cache/web-hello', '/var/log/web-hello')).toEqual(
    new Array(3).fill('0750 web-hello:web-hello'),
  )
  // Nothing of a release is writable for anybody but root, nor readable for others unless nginx serves it.
  expect(await server.must(`find ${own.root} ! -user root -o ! -type l -perm /022`)).toBe('')
  expect(await server.must(`find ${own.root} -type f -perm /004`)).toBe(`${own.root}/static/site.css\n`)

  const state = await stateOf(server, 'hello')
  expect(state).toEqual([
    ['generation', '1'],
    ['owner', '4711', 'someone/hello'],
    ['current', release],
    [
      'release',
      release,
      expect.any(String),
      expect.any(String),
      expect.any(String),
      expect.stringMatching(/^[0-9a-f]{40}$/),
      expect.stringMatching(/^[0-9]{10}$/),
    ],
  ])
  expect((await server.must('readlink /srv/web-hello/current')).trim()).toBe(`releases/${release}`)
}

async function leavesNoSecretInRun(server: Server): Promise<void> {
  expect(await server.must('stat -c %a /run/flask-deploy')).toBe('700\n')
  expect(
    await server.must('find /run/flask-deploy -name program -o -name check.json -o -name build.env'),
  ).toBe('')
  // grep's status 1: found nowhere. The env file's own form of the value is among what is looked for.
  const found = await server.run(
    "grep -rlE 'a b[$]c|a.{1,2}b.{1,2}c|'\"$(sed -n 's/^FLASK_DEPLOY_NONCE=//p' /etc/web-hello/*.env)\" /run/flask-deploy /var/lib/flask-deploy",
  )
  expect(found).toMatchObject({ status: 1, stdout: '' })
  // Nothing of the bundle stays: how nginx's shared files were written, that the stock site has given way, and the kit.
  expect(
    await server.must(
      "find /var/lib/flask-deploy -type f ! -path '*/written/00-flask-deploy-default*.conf' ! -path '*/default-site' ! -path '*/kits/*'",
    ),
  ).toBe('')
}

async function doesNothingTheSecondTime(
  server: Server,
  again: () => Promise<Run>,
  release: string,
): Promise<void> {
  const seen = async () => ({
    files: await listing(server, ...ours),
    app: await units(server, 'hello', release),
    // A reload gives nginx new workers.
    nginx: await server.must('pgrep -x nginx | sort'),
  })
  const before = await seen()
  const second = await again()
  expect(second.outputs).toMatchObject({
    result: 'unchanged',
    release,
    serving: release,
    'previous-release': release,
  })
  expect(await seen()).toEqual(before)
  expect((await visit(server)).body).toBe('version 1')
}
