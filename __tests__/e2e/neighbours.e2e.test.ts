import { afterEach, describe, expect, test } from 'vitest'
import { releasePaths } from '../../src/config/paths.ts'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { listing, serving, stateOf, units, visit } from './look.ts'
import { tinyApp, tinyProject } from './projects.ts'
import { runs } from './runs.ts'

const able = canBoot()

/** An app that reports what comes of reading, listing, writing and connecting to a path, from within its process. */
const prober = `import os
import socket

from flask import Flask, request

app = Flask(__name__)


def read(path):
    with open(path) as file:
        return file.read()


def write(path):
    with open(path, "w") as file:
        file.write("x")


def connect(path):
    with socket.socket(socket.AF_UNIX) as one:
        one.connect(path)


WAYS = {"read": read, "list": os.listdir, "write": write, "connect": connect}


@app.route("/")
def index():
    return "OWN"


@app.route("/try/<way>")
def attempt(way):
    try:
        WAYS[way](request.args["path"])
        return "done"
    except OSError as error:
        return type(error).__name__
`

const one = { repository: 'someone/hello', repositoryId: '1' }
const two = { repository: 'someone/other', repositoryId: '2' }

describe.skipIf(!able.ok)(`apps on one server${able.ok ? '' : ` (skipped: ${able.why})`}`, () => {
  const running: Server[] = []
  const start = async () => {
    const server = await boot({ suite: 'bookworm' })
    running.push(server)
    return server
  }
  afterEach(async () => {
    await Promise.all(running.splice(0).map((server) => server.stop()))
  })

  test('are served each under its own names, and see nothing of each other', async () => {
    const server = await start()
    const app = (text: string) =>
      tinyProject({ 'app.py': prober.replace('OWN', text), 'static/a.txt': `${text}\n` })
    const hello = await runs(
      server,
      app('hello').folder,
      { domain: 'hello.example', env: 'SECRET=one' },
      one,
    ).good()
    const other = await runs(
      server,
      app('other').folder,
      { domain: 'other.example\nwww.other.example', env: 'SECRET=two' },
      two,
    ).good()

    expect((await visit(server, '/', 'hello.example')).body).toBe('hello')
    expect((await visit(server, '/', 'other.example')).body).toBe('other')
    expect((await visit(server, '/', 'www.other.example')).body).toBe('other')
    expect((await visit(server, '/static/a.txt', 'hello.example')).body).toBe('hello\n')
    expect((await visit(server, '/static/a.txt', 'other.example')).body).toBe('other\n')
    for (const host of [server.address, 'nobody.example', 'hello.example.evil.example']) {
      await expect(visit(server, '/', host), host).rejects.toThrow('socket hang up')
    }

    // From within the app's own process.
    const own = releasePaths('hello', hello.release)
    const foreign = releasePaths('other', other.release)
    await server.must('echo secret >/var/lib/web-other/notes; chown web-other: /var/lib/web-other/notes')
    const { service } = await units(server, 'other', other.release)
    const attempts: readonly (readonly [way: string, path: string, result: string])[] = [
      ['read', `${own.root}/app.py`, 'done'],
      ['write', `${own.root}/app.py`, 'OSError'],
      ['write', '/var/lib/web-hello/notes', 'done'],
      ['read', own.env, 'PermissionError'],
      ['list', '/srv/web-other', 'FileNotFoundError'],
      ['read', `${foreign.root}/app.py`, 'FileNotFoundError'],
      ['read', foreign.env, 'PermissionError'],
      ['list', '/var/lib/web-other', 'PermissionError'],
      ['read', '/var/lib/web-other/notes', 'PermissionError'],
      ['list', '/var/log/web-other', 'PermissionError'],
      ['list', '/var/cache/web-hello-build', 'PermissionError'],
      ['read', '/srv/web-hello/state', 'PermissionError'],
      ['list', '/run/flask-deploy', 'PermissionError'],
      ['connect', foreign.socket, 'PermissionError'],
      ['read', `/proc/${service.pid}/status`, 'FileNotFoundError'],
      ['write', '/etc/hosts', 'OSError'],
    ]
    const results: (readonly [string, string, string])[] = []
    for (const [way, path] of attempts) {
      const { body } = await visit(server, `/try/${way}?path=${encodeURIComponent(path)}`, 'hello.example')
      results.push([way, path, body])
    }
    expect(results).toEqual(attempts)

    // And by the user's rights alone, without the sandbox; so too for the user that builds.
    const secrets = [
      `${foreign.root}/app.py`,
      foreign.entry,
      foreign.env,
      '/var/lib/web-other/notes',
      '/srv/web-other/state',
    ]
    for (const user of ['web-hello', 'web-hello-build', 'nobody', 'www-data']) {
      for (const path of secrets) {
        expect(await server.run(`runuser -u ${user} -- cat ${path}`), `${user} ${path}`).toMatchObject({
          status: 1,
          stdout: '',
          stderr: expect.stringContaining('Permission denied'),
        })
      }
    }
    expect(
      await server.must(`ps -o user:20= -p "$(systemctl show -p MainPID --value ${foreign.serviceUnit})"`),
    ).toBe('web-other\n')
  })

  test('change without touching each other', async () => {
    const server = await start()
    const project = tinyProject()
    const other = runs(server, tinyProject().folder, { domain: 'other.example' }, two)
    const { release } = await other.good()
    const hello = runs(server, project.folder, { domain: 'hello.example' }, one)
    await hello.good()
    const before = await listing(server, '/srv/web-other', '/etc/web-other', '/var/lib/web-other')
    const { service } = await units(server, 'other', release)
    project.commit({ 'app.py': tinyApp.replace('version 1', 'version 2') })
    await hello.good()
    expect((await hello.good({ command: 'rollback' })).outputs.result).toBe('rolled-back')
    expect(await listing(server, '/srv/web-other', '/etc/web-other', '/var/lib/web-other')).toBe(before)
    const still = await units(server, 'other', release)
    expect(still).toMatchObject(serving)
    expect(still.service.pid).toBe(service.pid)
    expect((await other.good()).outputs.result).toBe('unchanged')
  })

  test('called postgresql and deploy take over nothing of that name', async () => {
    const server = await start()
    // `deploy` is a user of the test servers already.
    await server.must(`
      useradd --system --home-dir /var/lib/postgresql postgres
      useradd --system postgresql
      mkdir -p /srv/deploy /etc/postgresql /opt/deploy
      install -d -m 0700 -o postgres -g postgres /var/lib/postgresql
      echo data >/var/lib/postgresql/data
      echo config >/etc/postgresql/config
      echo code | tee /srv/deploy/code >/opt/deploy/code
      chown -R postgres: /var/lib/postgresql /etc/postgresql
      chown -R deploy: /srv/deploy /opt/deploy`)
    const everything = async () =>
      (await listing(
        server,
        ...['/var/lib/postgresql', '/etc/postgresql', '/srv/deploy', '/opt/deploy', '/home/deploy'],
      )) +
      (await server.must(`for user in postgres postgresql deploy; do getent passwd $user; getent group $user; id $user; done
        find /etc /usr/lib/systemd -name '*postgresql*' -o -name '*deploy*' | grep -vE 'web-|/00-flask-deploy-default' | sort`))
    const before = await everything()
    for (const [index, name] of ['postgresql', 'deploy'].entries()) {
      const domain = `${name}.example`
      const project = tinyProject({ 'app.py': tinyApp.replace('version 1', name) })
      const repository = { repository: `someone/${name}`, repositoryId: `${index + 1}` }
      const { release } = await runs(server, project.folder, { domain }, repository).good()
      expect(await units(server, name, release)).toMatchObject(serving)
      expect((await visit(server, '/', domain)).body).toBe(name)
    }
    expect(await everything()).toBe(before)
  })

  test('are not made where somebody else has anything of that name', async () => {
    const server = await start()
    const { good, bad } = runs(server, tinyProject().folder)
    const everything = async () =>
      (await listing(server, '/etc', '/srv', '/var/lib', '/var/cache', '/opt')) +
      (await server.must('cat /etc/passwd'))
    for (const [what, make, remove] of [
      ['user web-hello', 'useradd --system web-hello', 'userdel web-hello'],
      ['group web-hello', 'groupadd --system web-hello', 'groupdel web-hello'],
      ['user web-hello-build', 'useradd --system web-hello-build', 'userdel web-hello-build'],
      ['/srv/web-hello', 'mkdir /srv/web-hello; echo mine >/srv/web-hello/mine', 'rm -r /srv/web-hello'],
      ['/etc/web-hello', 'mkdir /etc/web-hello', 'rmdir /etc/web-hello'],
      ['/var/lib/web-hello', 'ln -s /home/deploy /var/lib/web-hello', 'rm /var/lib/web-hello'],
      ['/var/cache/web-hello-build', 'mkdir /var/cache/web-hello-build', 'rmdir /var/cache/web-hello-build'],
      [
        '/etc/nginx/sites-enabled/web-hello.conf',
        'echo "# mine" >/etc/nginx/sites-enabled/web-hello.conf',
        'rm /etc/nginx/sites-enabled/web-hello.conf',
      ],
    ] as const) {
      await server.must(make)
      const before = await everything()
      const ran = await bad()
      expect(ran.outputs, what).toMatchObject({ result: 'failed', 'failed-phase': 'facts', serving: '' })
      expect(ran.report.error, what).toMatchObject({ code: 'owner', input: 'name' })
      expect(ran.report.error?.cause).toContain(what)
      expect(ran.summary, what).toContain('The server was not touched.')
      expect(await everything(), what).toBe(before)
      await server.must(remove)
    }
    await good()
    expect((await visit(server)).body).toBe('version 1')
  })

  test('stay with their repository: another one of the name is refused, a renamed one goes on', async () => {
    const server = await start()
    const project = tinyProject()
    const { release } = await runs(server, project.folder, {}, one).good()
    const before = await listing(server, '/srv', '/etc', '/var/lib')
    for (const command of ['deploy', 'plan', 'rollback']) {
      const ran = await runs(
        server,
        project.folder,
        { command },
        { repository: 'else/hello', repositoryId: '2' },
      ).bad()
      expect(ran.report.error, command).toMatchObject({ code: 'owner', input: 'name' })
      expect(ran.report.error?.cause).toContain('someone/hello')
    }
    expect(await listing(server, '/srv', '/etc', '/var/lib')).toBe(before)

    project.commit({ 'app.py': tinyApp.replace('version 1', 'version 2') })
    const renamed = await runs(
      server,
      project.folder,
      { name: 'hello' },
      { repository: 'elsewhere/greeting', repositoryId: one.repositoryId },
    ).good()
    expect(renamed.outputs).toMatchObject({ result: 'deployed', 'previous-release': release })
    expect((await visit(server)).body).toBe('version 2')
    expect(await stateOf(server, 'hello')).toContainEqual(['owner', '1', 'elsewhere/greeting'])
  })
})
