import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { releasePaths } from '../../src/config/paths.ts'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { visit } from './look.ts'
import { checkout, tinyApp, tinyProject } from './projects.ts'
import { runs } from './runs.ts'

const able = canBoot()

/** An app that writes files of its own, and tells which it has. */
const writingApp = `import json
import os

from flask import Flask

app = Flask(__name__)


@app.route("/write/<text>")
def write(text):
    os.makedirs(app.instance_path, exist_ok=True)
    with open(os.path.join(app.instance_path, "notes"), "a") as file:
        file.write(text + "\\n")
    with open("data/uploads/" + text, "w") as file:
        file.write(text)
    return "written"


@app.route("/read")
def read():
    with open(os.path.join(app.instance_path, "notes")) as file:
        return json.dumps({"notes": file.read().split(), "uploads": sorted(os.listdir("data/uploads"))})
`

describe.skipIf(!able.ok)(`a release${able.ok ? '' : ` (skipped: ${able.why})`}`, () => {
  const running: Server[] = []
  const start = async () => {
    const server = await boot({ suite: 'bookworm' })
    running.push(server)
    return server
  }
  afterEach(async () => {
    await Promise.all(running.splice(0).map((server) => server.stop()))
  })

  test('has nginx serve the static files of the new release and those that only the previous one had', async () => {
    const server = await start()
    const project = tinyProject({ 'static/site.css': 'one\n', 'static/old.js': 'old()\n' })
    const { good: run } = runs(server, project.folder)
    const one = await run()
    project.commit({
      'static/site.css': 'two\n',
      'static/old.js': null,
      'static/new.js': 'new()\n',
      'app.py': `${tinyApp}#\n`,
    })
    const two = await run()
    const { serviceUnit, socketUnit, root } = releasePaths('hello', two.release)
    // Without the app, whatever is answered is answered by nginx.
    await server.must(`systemctl stop ${socketUnit} ${serviceUnit}`)
    expect((await visit(server)).status).toBe(502)
    const css = await visit(server, '/static/site.css')
    expect(css).toMatchObject({ status: 200, body: 'two\n' })
    expect(css.headers['content-type']).toBe('text/css')
    expect(css.headers.server).toBe('nginx')
    expect(await visit(server, '/static/new.js')).toMatchObject({ status: 200, body: 'new()\n' })
    expect(await visit(server, '/static/old.js')).toMatchObject({ status: 200, body: 'old()\n' })
    // What is not static is the app's, which is not there.
    for (const path of [
      '/app.py',
      '/current/app.py',
      '/static/',
      '/static../app.py',
      '/static/..%2fapp.py',
      '/.public/static/site.css',
    ]) {
      expect(await visit(server, path), path).toMatchObject({ status: 502 })
    }
    expect(await server.must(`readlink ${root}/.previous`)).toBe(`../${one.release}\n`)
  })

  test('keeps what the app wrote into persisted folders', async () => {
    const server = await start()
    const project = tinyProject({ 'app.py': writingApp, 'data/uploads/first': 'from the repository\n' })
    const { good: run } = runs(server, project.folder, { persist: 'instance\ndata/uploads' })
    const one = await run()
    expect((await visit(server, '/write/a')).body).toBe('written')
    project.commit({ 'app.py': `${writingApp}# two\n`, 'data/uploads/first': 'changed\n' })
    const two = await run()
    expect((await visit(server, '/write/b')).body).toBe('written')
    expect(JSON.parse((await visit(server, '/read')).body)).toEqual({
      notes: ['a', 'b'],
      uploads: ['a', 'b', 'first'],
    })
    expect(await server.must('cat /var/lib/web-hello/data/uploads/first')).toBe('from the repository\n')
    expect(
      await server.must('stat -c %U:%G /var/lib/web-hello/instance /var/lib/web-hello/data/uploads/first'),
    ).toBe('web-hello:web-hello\nweb-hello:web-hello\n')
    for (const { release } of [one, two]) {
      const { root } = releasePaths('hello', release)
      expect(await server.must(`readlink -f ${root}/instance ${root}/data/uploads`)).toBe(
        '/var/lib/web-hello/instance\n/var/lib/web-hello/data/uploads\n',
      )
    }
  })

  test('carries symlinks, exec bits, odd names and submodules as git has them', async () => {
    const server = await start()
    const project = tinyProject({ 'tools/run.sh': '#!/bin/sh\necho ran\n', 'docs/ä ö"$(x)\'.txt': 'odd\n' })
    const inner = checkout({ 'lib.py': 'NAME = "from the submodule"\n' })
    chmodSync(join(project.folder, 'tools/run.sh'), 0o755)
    symlinkSync('../docs', join(project.folder, 'tools/docs'))
    execFileSync(
      'git',
      ['-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', inner.folder, 'vendored'],
      {
        cwd: project.folder,
        stdio: 'pipe',
      },
    )
    project.commit({ 'app.py': `from vendored import lib\n${tinyApp.replace('"version 1"', 'lib.NAME')}` })
    mkdirSync(join(project.folder, 'untracked'))
    writeFileSync(join(project.folder, 'untracked/secret.txt'), 'never sent')
    const { release } = await runs(server, project.folder).good()

    expect((await visit(server)).body).toBe('from the submodule')
    const { root } = releasePaths('hello', release)
    expect(await server.must(`stat -c '%A %N' ${root}/tools/run.sh ${root}/tools/docs`)).toBe(
      `-rwxr-x--- '${root}/tools/run.sh'\nlrwxrwxrwx '${root}/tools/docs' -> '../docs'\n`,
    )
    expect(await server.must(`cat ${root}/tools/docs/ä*; runuser -u web-hello -- ${root}/tools/run.sh`)).toBe(
      'odd\nran\n',
    )
    expect(await server.must(`ls -A ${root}`)).not.toContain('untracked')
    expect(await server.must(`ls -A ${root}`)).not.toMatch(/^\.git$/m)
    rmSync(inner.folder, { recursive: true })
  })
})
