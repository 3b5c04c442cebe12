import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { act, type Ran, reach } from './action.ts'
import { type Checkout, tinyApp, tinyProject } from './projects.ts'

const able = canBoot()

/** A package of our own as a file, `/root/debs/NAME.deb`. */
const deb = (name: string, control = '', postinst = 'exit 0') => `
  mkdir -p /root/debs/${name}/DEBIAN
  printf '%s\\n' 'Package: ${name}' 'Version: 1' 'Architecture: all' 'Maintainer: nobody <nobody@example.org>' 'Description: a trial' ${control === '' ? '' : `'${control}'`} >/root/debs/${name}/DEBIAN/control
  printf '%s\\n' '#!/bin/sh' '${postinst}' >/root/debs/${name}/DEBIAN/postinst
  chmod 0755 /root/debs/${name}/DEBIAN/postinst
  dpkg-deb --build /root/debs/${name} /root/debs/${name}.deb >/dev/null`

/** What apt and dpkg suffer from on servers that live for years: one server, one trouble at a time. */
describe.skipIf(!able.ok)(`trouble with apt ${able.ok ? '' : able.why}`, () => {
  let server: Server
  let project: Checkout
  let turn = 0
  const deploy = async (packages: string): Promise<Ran> => {
    turn += 1
    project.commit({ 'app.py': tinyApp.replace('version 1', `version ${turn}`) })
    return await act({ workspace: project.folder, inputs: { ...reach(server), packages } })
  }
  const status = async (name: string) =>
    (await server.run(`dpkg-query -W -f '\${db:Status-Status}' ${name} 2>/dev/null`)).stdout
  const refused = (ran: Ran, code: string) => {
    expect(ran.outputs, ran.log).toMatchObject({ result: 'failed', 'failed-phase': 'packages' })
    const { error } = JSON.parse(ran.outputs.report)
    expect(error.code, ran.log).toBe(code)
    return error as { readonly cause: string; readonly cure: string }
  }

  beforeAll(async () => {
    server = await boot({ suite: 'bookworm' })
    project = tinyProject()
    await server.must('apt-get -qq update')
  })
  afterAll(async () => server?.stop())
  afterEach(async () => {
    await server?.must(`rm -f /etc/apt/sources.list.d/trial*
      for name in trial-bad trial-lacks trial-alone trial-guard; do
        rm -f "/var/lib/dpkg/info/$name.postinst"
        dpkg --purge --force-all "$name" >/dev/null 2>&1 || :
      done
      [ -z "$(dpkg --audit)" ]`)
  })

  test('a lock: who holds it is said by name and process, and waited for', async () => {
    await server.must(`
      printf '%s\\n' '#!/usr/bin/python3' 'import fcntl, time' \
        'files = [open(path, "w") for path in ("/var/lib/apt/lists/lock", "/var/lib/dpkg/lock-frontend")]' \
        'for file in files: fcntl.lockf(file, fcntl.LOCK_EX)' 'open("/run/held", "w")' 'time.sleep(6)' >/usr/local/sbin/nightly-job
      chmod 0755 /usr/local/sbin/nightly-job
      systemd-run --quiet --unit=hold /usr/local/sbin/nightly-job
      until [ -e /run/held ]; do sleep 0.1; done`)
    const pid = (await server.must('systemctl show -p MainPID --value hold.service')).trim()
    const ran = await deploy('ncal')
    expect(ran.outputs.result, ran.log).toBe('deployed')
    expect(ran.log).toMatch(
      new RegExp(
        `another program is using apt: waiting for nightly-job \\(process ${pid}\\) for [0-9]+ s at most`,
      ),
    )
    expect(await status('ncal')).toBe('installed')
  })

  test('a package of somebody else that cannot be configured: named in a warning, and not in the way', async () => {
    await server.must(`${deb('trial-bad', '', 'exit 3')}
      ! dpkg -i /root/debs/trial-bad.deb >/dev/null 2>&1`)
    expect(await status('trial-bad')).toBe('half-configured')
    const ran = await deploy('ncal\nbc')
    expect(ran.outputs.result, ran.log).toBe('deployed')
    expect(ran.log).toMatch(/::warning title=packages-unfinished::`trial-bad` on the server/)
    expect(await status('bc')).toBe('installed')
    expect(await status('trial-bad')).toBe('half-configured')
  })

  test('one that is wanted and cannot be configured: the deploy fails with its name', async () => {
    await server.must(`${deb('trial-bad', '', 'echo no such luck; exit 3')}
      cd /root/debs
      { cat trial-bad/DEBIAN/control
        echo 'Filename: ./trial-bad.deb'
        echo "Size: $(stat -c %s trial-bad.deb)"
        echo "SHA256: $(sha256sum trial-bad.deb | cut -d ' ' -f 1)"; } >Packages
      chmod -R a+rX /root /root/debs
      echo 'deb [trusted=yes] file:/root/debs ./' >/etc/apt/sources.list.d/trial.list`)
    const ran = await deploy('trial-bad')
    const { cause, cure } = refused(ran, 'packages-broken')
    expect(cause).toMatch(/^`trial-bad` on the server cannot be configured/)
    expect(cure).toContain('apt-get purge trial-bad')
    expect(ran.log).toContain('no such luck')
  })

  test('one without what it depends on: that is installed, and the deploy goes on', async () => {
    await server.must(`${deb('trial-lacks', 'Depends: tree')}
      dpkg --unpack /root/debs/trial-lacks.deb >/dev/null 2>&1
      ! apt-get -qq check 2>/dev/null`)
    const ran = await deploy('ncal\nbc\ndc')
    expect(ran.outputs.result, ran.log).toBe('deployed')
    expect([await status('tree'), await status('trial-lacks'), await status('dc')]).toEqual([
      'installed',
      'installed',
      'installed',
    ])
  })

  test('one whose dependencies nobody has: apt would remove it, so the deploy fails with its name', async () => {
    await server.must(`${deb('trial-alone', 'Depends: no-such-package')}
      dpkg --unpack /root/debs/trial-alone.deb >/dev/null 2>&1`)
    const { cause } = refused(await deploy('sl'), 'packages-removals')
    expect(cause).toContain('only by removing `trial-alone`')
    expect(await status('trial-alone')).toBe('unpacked')
  })

  test('one that is there excludes one that is wanted: it is not removed, but named', async () => {
    await server.must(`${deb('trial-guard', 'Conflicts: sl')}
      dpkg -i /root/debs/trial-guard.deb >/dev/null 2>&1`)
    const { cause } = refused(await deploy('sl'), 'packages-removals')
    expect(cause).toContain('only if `trial-guard` were removed')
    expect(await status('trial-guard')).toBe('installed')
  })

  test('a broken list of sources: its file is named', async () => {
    await server.must(`echo 'deb http//archive.example bookworm main' >/etc/apt/sources.list.d/trial.list`)
    const { cause, cure } = refused(await deploy('sl'), 'packages-sources')
    expect(cause).toContain('/etc/apt/sources.list.d/trial.list')
    expect(cure).toContain('/etc/apt/sources.list.d/trial.list')
  })
})
