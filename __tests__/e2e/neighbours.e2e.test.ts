import { afterEach, describe, expect, test } from 'vitest'
import { releasePaths } from '../../src/config/paths.ts'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { listing, serving, stateOf, units, visit } from './look.ts'
import { tinyApp, tinyProject } from './projects.ts'
import { runs } from './runs.ts'

const able = canBoot()

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

  test('are served each under its own names, by users of their own', async () => {
    const server = await start()
    const app = (text: string) =>
      tinyProject({ 'app.py': tinyApp.replace('version 1', text), 'static/a.txt': `${text}\n` })
    const hello = await runs(server, app('hello').folder, { domain: 'hello.example' }, one).good()
    const other = await runs(
      server,
      app('other').folder,
      { domain: 'other.example\nwww.other.example' },
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

    for (const [name, { release }] of [
      ['hello', hello],
      ['other', other],
    ] as const) {
      const { serviceUnit } = releasePaths(name, release)
      const pid = `"$(systemctl show -p MainPID --value ${serviceUnit})"`
      expect(await server.must(`ps -o user:20= -p ${pid}`)).toBe(`web-${name}\n`)
    }
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
