import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { reach, start } from './action.ts'
import { untilAtRest, visit } from './look.ts'
import { tinyProject } from './projects.ts'
import { runs } from './runs.ts'
import { until } from './traces.ts'

const able = canBoot()

const app = `import os
from flask import Flask
app = Flask(__name__)
os.makedirs("instance", exist_ok=True)

@app.route("/")
def index():
    with open("instance/visits", "a") as file:
        file.write("x")
    return "%d visits" % os.path.getsize("instance/visits")
`

const everything = { processes: 'worker: sleep infinity', cron: 'tidy: @daily true', 'health-path': '/' }

describe.skipIf(!able.ok)(`destroy${able.ok ? '' : ` (skipped: ${able.why})`}`, () => {
  let server: Server
  const project = tinyProject({ 'app.py': app })
  const neighbour = tinyProject()
  beforeAll(async () => {
    server = await boot({ suite: 'bookworm' })
  }, 60_000)
  afterAll(async () => server?.stop())

  test('with destroy-data leaves the server as it was before the first deploy', async () => {
    const before = await tree(server)
    const { good } = runs(server, project.folder)
    await good(everything)
    project.commit({ 'more.txt': 'more' })
    await good(everything)
    const run = await runs(server, project.folder, { domain: '' }).good({
      command: 'destroy',
      'destroy-data': 'hello',
    })
    expect(run.outputs).toMatchObject({ result: 'done', serving: '' })
    expect(run.report.changes.map(({ what }) => what)).toContain('removed')
    expect(await tree(server)).toBe(before)
    const again = await runs(server, project.folder, { domain: '' }).good({ command: 'destroy' })
    expect(again.report.found).toContainEqual({ what: 'removed', detail: expect.stringContaining('nothing') })
    expect(await tree(server)).toBe(before)
  }, 180_000)

  test('while a release settles ends the watch too, and the release that waits', async () => {
    const before = await tree(server)
    const { good } = runs(server, project.folder, { 'settle-time': '60s' })
    await good(everything)
    project.commit({ 'more.txt': 'still more' })
    await good(everything)
    expect(await server.readFile('/srv/web-hello/state')).toContain('\nsettling ')
    expect(await server.must('systemctl is-active web-hello.watch.service')).toBe('active\n')
    await good({ command: 'destroy', 'destroy-data': 'hello', ...nothing })
    expect(await tree(server)).toBe(before)
    expect(await server.must('pgrep -fa [w]eb-hello || :')).toBe('')
  }, 180_000)

  test('waits for a deploy that is at work, or gives up and leaves all as it is', async () => {
    const before = await tree(server)
    const { good, bad } = runs(server, project.folder)
    await good(everything)
    project.commit({ 'more.txt': 'more and more' })
    const untilTold = 'echo asleep; until [ -e instance/go ]; do sleep 0.1; done'
    const options = { workspace: project.folder, inputs: reach(server) }
    const deploy = start({
      ...options,
      inputs: { ...options.inputs, ...everything, 'release-command': untilTold },
    })
    await deploy.said('asleep')
    const late = await bad({ command: 'destroy', 'lock-timeout': '1s', ...nothing })
    expect(late.report.error).toMatchObject({ code: 'lock-timeout', input: 'lock-timeout' })
    expect(late.report.changes).toEqual([])
    expect((await visit(server)).body).toMatch(/visits$/)

    const destroy = start({
      ...options,
      inputs: { ...options.inputs, command: 'destroy', 'destroy-data': 'hello', ...nothing },
    })
    await destroy.said(/Waiting for .*actions\/runs\/1/)
    await server.must('touch /var/lib/web-hello/instance/go')
    const deployed = await deploy.ended
    const destroyed = await destroy.ended
    expect(destroyed.outputs.result, destroyed.log).toBe('done')
    expect(deployed.outputs.result, deployed.log).toBe('deployed')
    await untilAtRest(server)
    expect(await tree(server)).toBe(before)
  }, 180_000)

  test('keeps the data unless its name is typed out, and the next deploy finds it again', async () => {
    const { good, bad } = runs(server, project.folder, everything)
    await good()
    const visits = (await visit(server)).body
    const user = await server.must('id -u web-hello; sed -n s/^SECRET_KEY=//p /etc/web-hello/generated.env')
    const refused = await bad({ command: 'destroy', 'destroy-data': 'helo', ...nothing })
    expect(refused.report.error).toMatchObject({ code: 'bad-inputs', input: 'destroy-data' })
    const other = runs(server, project.folder, {}, { repository: 'else/hello', repositoryId: '99' })
    expect((await other.bad({ command: 'destroy' })).report.error?.code).toBe('owner')
    expect((await visit(server)).body).not.toBe(visits)

    const run = await good({ command: 'destroy', ...nothing })
    expect(run.report.found).toContainEqual({ what: 'kept', detail: '`/var/lib/web-hello`' })
    expect(
      await server.must('ls /srv/web-hello /etc/web-hello; ls /etc/systemd/system | grep web-hello || :'),
    ).toBe('/etc/web-hello:\ngenerated.env\n\n/srv/web-hello:\nstate\n')
    // The distribution's own site, which had been there before.
    expect((await visit(server)).body).toContain('Welcome to nginx')
    // Nobody else gets it.
    expect((await other.bad()).report.error?.code).toBe('owner')

    await good()
    expect(Number.parseInt((await visit(server)).body, 10)).toBeGreaterThan(Number.parseInt(visits, 10))
    expect(await server.must('id -u web-hello; sed -n s/^SECRET_KEY=//p /etc/web-hello/generated.env')).toBe(
      user,
    )
  }, 180_000)

  test('leaves neighbours alone, also one whose name begins with its own', async () => {
    const near = runs(server, neighbour.folder, { name: 'hello-2', domain: 'two.example.com', tls: 'off' })
    await near.good(everything)
    await untilAtRest(server)
    const own = await server.must(ofNeighbour)
    await runs(server, project.folder).good({ command: 'destroy', 'destroy-data': 'hello' })
    expect(await server.must(ofNeighbour)).toBe(own)
    expect((await visit(server, '/', 'two.example.com')).body).toBe('version 1')
    expect(await server.must('ls /etc/nginx/sites-enabled; ls -d /opt/flask-deploy/uv-*')).toContain(
      '00-flask-deploy-default.conf',
    )
  }, 180_000)

  test('takes database and Redis only with destroy-data', async () => {
    const { good } = runs(server, project.folder, { services: 'postgresql\nredis' })
    await good()
    const databases = `runuser -u postgres -- psql -XAtqc "SELECT datname FROM pg_database WHERE datname LIKE 'web-%' UNION SELECT rolname FROM pg_roles WHERE rolname LIKE 'web-%'"`
    expect(await server.must(databases)).toBe('web-hello\n')
    const kept = await good({ command: 'destroy', services: '' })
    expect(kept.report.found.map(({ detail }) => detail)).toEqual(
      expect.arrayContaining(['the database `web-hello`', '`/var/lib/web-hello.redis`']),
    )
    expect(await server.must(databases)).toBe('web-hello\n')
    expect(await server.must(`systemctl list-units --plain --no-legend 'web-hello.*'`)).toBe('')
    await good({ command: 'destroy', 'destroy-data': 'hello', services: '' })
    expect(await server.must(databases)).toBe('')
    expect(await server.must('ls -d /var/lib/web-hello* | grep -v hello-2 || :')).toBe('')
  }, 240_000)

  test('that is cut in the middle is ended by the next one, and a deploy in its place works', async () => {
    const { good } = runs(server, project.folder)
    for (const [step, next] of [
      ['forget_releases', 'deploy'],
      ['remove_data', 'destroy'],
    ] as const) {
      await good()
      await server.must(cutAt(step))
      const { bad } = runs(server, project.folder, nothing)
      const data = step === 'remove_data' ? { 'destroy-data': 'hello' } : {}
      await bad({ command: 'destroy', ...data })
      await server.must('rm -f /usr/local/sbin/rm /usr/local/sbin/mv')
      if (next === 'deploy') await good()
      await good({ command: 'destroy', 'destroy-data': 'hello', ...nothing })
      expect(
        await server.must(
          'ls -d /srv/web-hello* /etc/web-hello /var/*/web-hello* 2>/dev/null | grep -v hello-2 || :',
        ),
      ).toBe('')
      await until('no user is left', async () => (await server.run('id web-hello')).status !== 0)
    }
  }, 240_000)

  test('stops where nginx is broken, before anything is gone', async () => {
    const { good, bad } = runs(server, project.folder)
    await good()
    await server.must('echo "nonsense here;" >/etc/nginx/conf.d/broken.conf')
    const run = await bad({ command: 'destroy' })
    expect(run.report.error?.code).toBe('nginx-broken')
    expect((await visit(server)).body).toMatch(/visits$/)
    await server.must('rm /etc/nginx/conf.d/broken.conf')
    await good({ command: 'destroy', 'destroy-data': 'hello' })
  }, 120_000)
})

const nothing = { domain: '', processes: '', cron: '', 'health-path': '' }

/** Kills the program at a moment of its work: the first call of a program that a step makes. */
function cutAt(step: string): string {
  const [program, words] = {
    forget_releases: ['rm', '/srv/web-hello/current'],
    remove_data: ['mv', '/srv/web-hello'],
  }[step] ?? ['', '']
  return `cat >/usr/local/sbin/${program} <<'SHIM'
#!/bin/sh
for word; do
  case $word in '${words}') kill -s KILL $PPID; exit 1 ;; esac
done
exec /usr/bin/${program} "$@"
SHIM
chmod 0755 /usr/local/sbin/${program}`
}

const ofNeighbour = `find /srv/web-hello-2 /etc/web-hello-2 /var/*/web-hello-2* /etc/systemd/system /etc/nginx \\( -path '*web-hello-2' -o -path '*web-hello-2[-./]*' \\) -printf '%p %m %u %s %l\\n' 2>/dev/null | sort
systemctl list-units --all --plain --no-legend 'web-hello-2-*' | sort`

/** Every file of the server but for what every login, boot or log changes. */
async function tree(server: Server): Promise<string> {
  return await server.must(`
    find / -xdev \\( -path /proc -o -path /sys -o -path /tmp -o -path /run -o -path /dev -o -path /var/log -o -path /var/lib/systemd \\
      -o -path /root/.cache -o -path /opt/flask-deploy -o -path /var/lib/flask-deploy -o -path /etc/.pwd.lock \\) -prune -o -printf '%y %m %u:%g %p %l\\n' |
      grep -vE ' /etc/(passwd|group|shadow|gshadow|subuid|subgid)-' | sort -k4
    cat /etc/passwd /etc/group
    ls /var/log /var/log/nginx
    systemctl list-units --all --plain --no-legend 'web-*'
  `)
}
