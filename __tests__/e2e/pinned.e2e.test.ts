import { afterEach, describe, expect, test } from 'vitest'
import { remoteFile } from '../../src/remote.ts'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { act, type Ran, reach } from './action.ts'
import { visit } from './look.ts'
import { sprung, startIndex } from './package-index.ts'
import { tinyApp, tinyProject } from './projects.ts'

const able = canBoot()

/** What is installed on a server is what somebody has seen: by hash, or signed; anything else is refused or named. */
describe.skipIf(!able.ok)(`pinned packages${able.ok ? '' : ` (skipped: ${able.why})`}`, () => {
  let server: Server | undefined
  afterEach(async () => await server?.stop())

  test('a package with other bytes than its hash says is refused, and visitors keep the old release', async () => {
    server = await boot({ suite: 'bookworm' })
    const project = tinyProject()
    const options = { workspace: project.folder, inputs: reach(server) }
    const loose = await act(options)
    expect(loose.status, loose.log).toBe(0)
    expect(loose.log).toContain('1 not pinned by hash')
    expect(loose.summary).toContain('In <code>requirements.txt</code>: <code>flask</code>')

    // As the documentation says it.
    const hashed = await server.must(
      'cd "$(mktemp -d)" && echo flask > requirements.in && UV_SYSTEM_CERTS=1 /opt/flask-deploy/uv-*/bin/uv pip compile --quiet --generate-hashes requirements.in',
    )
    project.commit({ 'requirements.txt': hashed })
    const good = await act(options)
    expect(good.outputs.result, good.log).toBe('deployed')
    expect(`${good.log}${good.summary}`).not.toMatch(/not pinned by hash/i)

    // Somebody changed the list: no file has this hash.
    const [, first = ''] = /^click==[\s\S]*?--hash=sha256:([0-9a-f]{64})/m.exec(hashed) ?? []
    expect(first).not.toBe('')
    const wrong = hashed.replaceAll(/^click==[\s\S]*?(?=^\S)/gm, (lines) =>
      lines.replaceAll(/(?<=sha256:)[0-9a-f]{64}/g, '0'.repeat(64)),
    )
    project.commit({ 'requirements.txt': wrong })
    refused(
      await act(options),
      good,
      'dependencies',
      /The file of click==\S+ that the index sent is not the one whose hash is in requirements\.txt/,
    )

    // Somebody changed the file: the index of `env` sends other bytes under the right name.
    const [, version = ''] = /^click==(\S+)/m.exec(hashed) ?? []
    const index = await startIndex(server, [`click-${version}-py3-none-any.whl`])
    project.commit({ 'requirements.txt': hashed })
    const env = `UV_INDEX_URL=https://pypi.org/simple\nUV_INDEX=${index.url}\nUV_NO_VERIFY_HASHES=1\nUV_NO_CACHE=1`
    const tampered = { ...options, inputs: { ...options.inputs, env } }
    refused(
      await act(tampered),
      good,
      'dependencies',
      /The file of click==\S+ that the index sent is not the one whose hash is in requirements\.txt/,
    )
    expect(await index.asked()).toContain(`/simple/click/click-${version}-py3-none-any.whl`)
    expect(await visit(server)).toMatchObject({ status: 200, body: 'version 1' })
    expect(await server.must('ls /srv/web-hello/releases | wc -l')).toBe('2\n')
    expect(await sprung(server)).toBe(0)

    // The trap works: without hashes the same file is installed, as the build user, and the summary has said so.
    project.commit({ 'requirements.txt': 'flask\n' })
    const taken = await act(tampered)
    expect(taken.summary).toContain('### Not pinned by hash: 1')
    expect(await sprung(server)).toBeGreaterThan(0)
  })

  test('gunicorn with other bytes than the action knows is refused', async () => {
    server = await boot({ suite: 'bookworm' })
    const wheels = pinned('gunicorn.txt').map(([name, version]) => `${name}-${version}-py3-none-any.whl`)
    const index = await startIndex(server, wheels)
    const env = `UV_INDEX_URL=${index.url}\nUV_NO_VERIFY_HASHES=1\nUV_REQUIRE_HASHES=0`
    const options = { workspace: tinyProject().folder, inputs: { ...reach(server), env } }
    const said =
      /title=gunicorn::gunicorn, .*sent other bytes than those whose hashes the action brings along/
    refused(await act(options), undefined, 'dependencies', said)
    // Nor is it taken from the cache where the first try has left it.
    refused(await act(options), undefined, 'dependencies', said)
    expect((await index.asked()).filter((path) => path.endsWith('.whl'))).not.toEqual([])
    expect(await server.must('ls -A /srv/web-hello/releases')).toBe('')
    expect(await sprung(server)).toBe(0)
  })

  test('uv with other bytes than the action knows is refused, and `env` does not decide where root takes it from', async () => {
    server = await boot({ suite: 'bookworm' })
    const project = tinyProject()
    const [[, version] = ['', '']] = pinned('uv.txt')
    const tags = ['x86_64', 'aarch64'].flatMap((machine) => [
      `manylinux_2_17_${machine}.manylinux2014_${machine}`,
      `musllinux_1_1_${machine}`,
    ])
    const index = await startIndex(
      server,
      tags.map((tag) => `uv-${version}-py3-none-${tag}.whl`),
    )
    const inputs = reach(server)
    const program = `/opt/flask-deploy/uv-${version}/bin/uv`
    const genuine = (await server.must(`sha256sum < ${program}`)).trim()
    await server.must('rm -rf /opt/flask-deploy')
    const env = `PIP_INDEX_URL=${index.url}\nPIP_EXTRA_INDEX_URL=${index.url}\nPIP_NO_DEPS=0\nPIP_CONFIG_FILE=/dev/null`
    const good = await act({ workspace: project.folder, inputs: { ...inputs, env } })
    expect(good.outputs.result, good.log).toBe('deployed')
    expect((await server.must(`sha256sum < ${program}`)).trim()).toBe(genuine)
    expect(await index.asked()).toEqual([])

    // What root itself has set up on the server does decide it, and yet not what is taken.
    await server.must(
      `rm -rf /opt/flask-deploy; printf '[global]\\nindex-url = ${index.url}\\n' > /etc/pip.conf`,
    )
    project.commit({ 'app.py': tinyApp.replace('version 1', 'version 2') })
    const ran = await act({ workspace: project.folder, inputs: { ...inputs, env } })
    refused(
      ran,
      good,
      'dependencies',
      /title=uv::uv .*sent other bytes than those whose hashes the action brings along/,
    )
    expect((await index.asked()).filter((path) => path.endsWith('.whl'))).not.toEqual([])
    expect(await server.must(`ls ${program} 2>/dev/null || :`)).toBe('')
    expect(await visit(server)).toMatchObject({ status: 200, body: 'version 1' })
    expect(await sprung(server)).toBe(0)
  })

  test.each([
    ['a second name for a file', 'build-tampered', 'os.path.exists(own + "2") or os.link(own, own + "2")'],
    [
      'files for everybody to write, and links',
      '',
      'os.chmod(own, 0o777); os.path.lexists(own + "2") or os.symlink("/etc/shadow", own + "2")',
    ],
    ['a program that runs as its owner', 'dependencies', 'os.chmod(own, 0o4755)'],
  ])('what a build leaves in the environment is no way to root: %s', async (_, code, trick) => {
    server = await boot({ suite: 'bookworm' })
    const project = tinyProject({
      'requirements.txt': 'flask\n./shell\n',
      'shell/setup.py': `import glob, os
from setuptools import setup
for venv in glob.glob("/srv/web-hello/releases/*/.venv"):
    own = os.path.join(venv, "planted")
    open(own, "w").close()
    ${trick}
setup(name="shell", version="1.0", py_modules=["shell"])
`,
      'shell/shell.py': '',
    })
    const shadow = 'stat -c "%a %U %G" /etc/shadow'
    const before = await server.must(shadow)
    const ran = await act({ workspace: project.folder, inputs: reach(server) })
    if (code !== '') {
      refused(ran, undefined, 'dependencies', new RegExp(`title=${code}\\b`))
      expect(await server.must('ls -A /srv/web-hello/releases')).toBe('')
    } else {
      expect(ran.outputs.result, ran.log).toBe('deployed')
      const planted = '/srv/web-hello/current/.venv/planted'
      expect(await server.must(`stat -c '%04a %U:%G' ${planted}; stat -c '%U:%G' ${planted}2`)).toBe(
        '0750 root:web-hello\nroot:web-hello\n',
      )
    }
    expect(await server.must(shadow)).toBe(before)
  })

  test('a Debian package from an archive that nobody signed is refused', async () => {
    server = await boot({ suite: 'bookworm' })
    await server.must(`
      mkdir -p /opt/archive/loose/DEBIAN && cd /opt/archive
      printf 'Package: loose\\nVersion: 1\\nArchitecture: all\\nMaintainer: nobody <nobody@example.org>\\nDescription: unsigned\\n' > loose/DEBIAN/control
      printf '#!/bin/sh\\nlogger -t trap tampered\\n' > loose/DEBIAN/postinst
      chmod 755 loose/DEBIAN/postinst
      dpkg-deb --build loose >/dev/null
      { cat loose/DEBIAN/control; echo "Filename: ./loose.deb"; echo "Size: $(stat -c %s loose.deb)"; echo "SHA256: $(sha256sum < loose.deb | cut -d' ' -f1)"; } > Packages
      echo 'deb file:/opt/archive ./' > /etc/apt/sources.list.d/loose.list`)
    const project = tinyProject()
    const ran = await act({ workspace: project.folder, inputs: { ...reach(server), packages: 'loose' } })
    refused(ran, undefined, 'packages', /title=packages::/)
    expect(await server.must('dpkg-query -W loose 2>/dev/null || :')).toBe('')
    expect(await sprung(server)).toBe(0)
    // The archive is a sound one, once root trusts it.
    await server.must(`
      echo 'deb [trusted=yes] file:/opt/archive ./' > /etc/apt/sources.list.d/loose.list`)
    const trusted = await act({ workspace: project.folder, inputs: { ...reach(server), packages: 'loose' } })
    expect(trusted.outputs.result, trusted.log).toBe('deployed')
    expect(await sprung(server)).toBe(1)
  })
})

/** A run that failed in a phase with one sentence, and left visitors what they had. */
function refused(ran: Ran, before: Ran | undefined, phase: string, said: RegExp): void {
  expect(ran.status, ran.log).toBe(1)
  expect(ran.outputs, ran.log).toMatchObject({
    result: 'failed',
    'failed-phase': phase,
    serving: before?.outputs.release ?? '',
  })
  expect(ran.log).toMatch(said)
}

/** What a file of remote/ pins: name and version, newest Python first. */
function pinned(file: string): readonly (readonly [string, string])[] {
  return Array.from(remoteFile(file).matchAll(/^([\w-]+)==([\w.]+)/gm), ([, name = '', version = '']) => [
    name,
    version,
  ])
}
