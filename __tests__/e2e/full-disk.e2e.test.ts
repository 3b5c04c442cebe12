import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { act, type Ran, reach } from './action.ts'
import { untilQuiet } from './look.ts'
import { type Checkout, tinyApp, tinyProject } from './projects.ts'
import { page, traces } from './traces.ts'

const able = canBoot()

/** Fills a file system to its last byte, and again whatever is freed, until the mark of it goes. */
const fill = (folder: string) => `
  touch /run/filling
  fallocate -l $(($(df --output=avail -B1 ${folder} | tail -n 1) - 100000)) ${folder}/fill0
  (i=0; while [ -e /run/filling ]; do i=$((i + 1)); dd if=/dev/zero of=${folder}/fill$i bs=512; sleep 0.02; done) &
  sleep 0.1`
const many = (folder: string) =>
  `mkdir ${folder}/fill; cd ${folder}/fill; python3 -Ic 'for i in range(99999): open(str(i), "w").close()'`

/** Each place that gets full: when, by what command on the server, and what the run then says. */
const places = [
  ['the release, while the bundle is unpacked', 'tar', '*', fill('/srv'), 'disk', '/srv'],
  ['the release, while its environment is built', 'systemd-run', '*-build*', fill('/srv'), 'disk', '/srv'],
  ['the scratch copy of the probe', 'install', '*probe/lib*', fill('/srv'), 'disk', '/srv'],
  ['the release, before it starts', 'chown', '*probe/files*', fill('/srv'), 'disk', '/srv'],
  ['the state file and the link', 'nginx', '*', fill('/srv'), 'disk', '/srv'],
  ['the env files', 'tar', '*', fill('/etc/web-hello'), 'disk', '/etc/web-hello'],
  ['the unit files', 'tar', '*', fill('/etc/systemd/system'), 'disk', '/etc/systemd/system'],
  ["nginx's files", 'tar', '*', fill('/etc/nginx'), 'disk', '/etc/nginx'],
  ['where the run itself is kept', 'tar', '*', fill('/run'), 'disk', '/run'],
  ['a disk without inodes', 'tar', '*', many('/srv'), 'inodes', '/srv'],
  [
    'a disk that becomes read-only',
    'install',
    '*probe/lib*',
    'mount -o remount,ro /srv',
    'server-read-only',
    '/srv',
  ],
] as const

describe.skipIf(!able.ok)(`a disk that gets full in the middle ${able.ok ? '' : able.why}`, () => {
  let server: Server
  let project: Checkout
  let before = ''
  let serving = ''
  let turn = 1
  const deploy = async (inputs: Readonly<Record<string, string>> = {}): Promise<Ran> =>
    await act({
      workspace: project.folder,
      inputs: { ...reach(server), 'max-body-size': `${turn}m`, 'python-download': 'false', ...inputs },
    })

  beforeAll(async () => {
    server = await boot({ suite: 'bookworm' })
    // Disks of their own, each small.
    await server.must(`set -e
      mount -t tmpfs -o size=400m,nr_inodes=9000,mode=0755 tmpfs /srv
      mount -o remount,size=40m /run
      for folder in /etc/nginx /etc/systemd/system; do
        cp -a $folder /var/copy; mount -t tmpfs -o size=4m,mode=0755 tmpfs $folder; cp -a /var/copy/. $folder; rm -rf /var/copy
      done`)
    project = tinyProject()
    const first = await deploy()
    if (first.outputs.result !== 'deployed') throw new Error(first.log)
    serving = first.outputs.release
    await untilQuiet(server, 'hello')
    await server.must(
      'cp -a /etc/web-hello /var/copy; mount -t tmpfs -o size=4m,mode=0700 tmpfs /etc/web-hello; cp -a /var/copy/. /etc/web-hello; rm -rf /var/copy',
    )
    before = await traces(server)
  })
  afterAll(async () => server?.stop())
  beforeEach(() => {
    turn += 1
    project.commit({
      'app.py': tinyApp.replace('version 1', `version ${turn}`),
      'requirements.txt': `flask\n# ${turn}\n`,
    })
  })

  test.each(places)(
    '%s: the run fails, says so, and nothing is changed',
    async (_, program, when, how, code, folder) => {
      await server.must(`cat >/usr/local/sbin/${program} <<'SHIM'
#!/bin/sh
case "$*" in ${when}) rm -f /usr/local/sbin/${program}; (${how}) >/dev/null 2>&1 </dev/null 3>&- 8>&- 9>&- ;; esac
exec /usr/bin/env PATH=/usr/sbin:/usr/bin:/sbin:/bin ${program} "$@"
SHIM
      chmod 0755 /usr/local/sbin/${program}`)
      const ran = await deploy()
      await server.must(
        `rm -f /run/filling; sleep 0.2; mount -o remount,rw /srv; rm -rf /srv/fill* /run/fill* /etc/web-hello/fill* /etc/systemd/system/fill* /etc/nginx/fill*; ! ls /usr/local/sbin/${program}`,
      )
      expect(ran.outputs.result, ran.log).toBe('failed')
      const { error } = JSON.parse(ran.outputs.report)
      expect(error, ran.log).toMatchObject({ code })
      expect(error.cause).toContain(folder)
      expect(await page(server)).toBe('version 1')
      await untilQuiet(server, 'hello')
      if (code !== 'server-read-only') expect(await traces(server)).toBe(before)
    },
  )

  test.each([
    ['/run', fill('/run'), 'disk'],
    // (without any, nobody can log in)
    [
      'the inodes of /run',
      'mount -o remount,nr_inodes=$(($(df --output=iused /run | tail -n 1) + 40)) /run',
      'inodes',
    ],
  ])('before the run begins, %s: it says so at once, and nothing is changed', async (_, how, code) => {
    // An attempt on a disk that had become read-only may have left something, up to the next deploy.
    const there = await traces(server)
    await server.must(`(${how}) >/dev/null 2>&1 </dev/null || :`)
    const began = performance.now()
    const ran = await deploy()
    const ms = performance.now() - began
    await server.must('rm -rf /run/filling /run/fill*; mount -o remount,nr_inodes=100000 /run')
    expect(ran.outputs.result, ran.log).toBe('failed')
    const { error } = JSON.parse(ran.outputs.report)
    expect(error, ran.log).toMatchObject({ code, cause: expect.stringContaining('/run') })
    expect(error.cure).toMatch(/\/run\b/)
    expect(ran.outputs.serving).toBe(serving)
    expect(ms).toBeLessThan(20_000)
    expect(await page(server)).toBe('version 1')
    await untilQuiet(server, 'hello')
    expect(await traces(server)).toBe(there)
  })

  test('with space again the next deploy succeeds, and nothing of the failed ones is left', async () => {
    const ran = await deploy()
    expect(ran.outputs.result, ran.log).toBe('deployed')
    expect(await page(server)).toBe(`version ${turn}`)
    await untilQuiet(server, 'hello')
    expect(await server.must('find /srv /etc/web-hello /etc/nginx /etc/systemd/system -name "*.new*"')).toBe(
      '',
    )
    expect((await server.must('ls /srv/web-hello/releases')).trim().split('\n')).toHaveLength(2)
  })
})
