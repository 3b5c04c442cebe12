import { afterEach, describe, expect, test } from 'vitest'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { act, reach, start } from './action.ts'
import { tinyProject } from './projects.ts'

/** Debian packages on the server: what is missing is installed, whatever state apt and dpkg are in. */
describe.skipIf(!canBoot().ok)('packages', () => {
  let server: Server | undefined
  afterEach(async () => await server?.stop())

  test('a lock that another program holds is waited for', async () => {
    server = await boot({ suite: 'bookworm' })
    // apt's lists have a lock of their own, for which apt itself does not wait.
    await server.must(`
      cat >/root/hold.py <<'END'
import fcntl, time
files = [open(path, "w") for path in ("/var/lib/apt/lists/lock", "/var/lib/dpkg/lock-frontend")]
for file in files:
    fcntl.lockf(file, fcntl.LOCK_EX)
time.sleep(600)
END
      systemd-run --quiet --unit=hold python3 /root/hold.py
      sleep 0.5`)
    const running = start({
      workspace: tinyProject().folder,
      inputs: { ...reach(server), packages: 'ncal' },
    })
    await running.said('another program is using apt')
    await server.must('systemctl stop hold')
    const ran = await running.ended
    expect(ran.status, ran.log).toBe(0)
    expect(await server.must("dpkg-query -W -f '${db:Status-Status}' ncal")).toBe('installed')
  })

  test('an interrupted dpkg is repaired', async () => {
    server = await boot({ suite: 'bookworm' })
    await server.must(
      'cd /tmp && apt-get -qq update && apt-get -qq download tree && dpkg --unpack tree_*.deb && dpkg --audit | grep -q tree',
    )
    const ran = await act({
      workspace: tinyProject().folder,
      inputs: { ...reach(server), packages: 'ncal' },
    })
    expect(ran.status, ran.log).toBe(0)
    expect(await server.must('dpkg --audit')).toBe('')
    expect(ran.summary).toContain('ncal')
  })

  test('a package that does not exist fails before anything else, by its name', async () => {
    server = await boot({ suite: 'bookworm' })
    const ran = await act({
      workspace: tinyProject().folder,
      inputs: { ...reach(server), packages: 'no-such-package' },
    })
    expect(ran.outputs).toMatchObject({ result: 'failed', 'failed-phase': 'packages', serving: '' })
    expect(ran.log).toMatch(/::error.*no-such-package/)
    expect(await server.must('ls /srv')).toBe('')
  })

  test('long work says every few seconds what is running', async () => {
    server = await boot({ suite: 'bookworm' })
    const project = tinyProject()
    const action = start({
      workspace: project.folder,
      inputs: { ...reach(server), 'release-command': 'sleep 11' },
    })
    await action.said(/still: the release command \(8 s\)/)
    expect((await action.ended).status).toBe(0)
  })
})
