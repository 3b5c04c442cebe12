import { afterEach, describe, expect, test } from 'vitest'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { act, reach } from './action.ts'
import { visit } from './look.ts'
import { tinyProject } from './projects.ts'

const able = canBoot()

/** An app whose page is a Python expression. */
const page = (expression: string, imports: string) =>
  `${imports}\nfrom flask import Flask\n\napp = Flask(__name__)\n\n\n@app.get("/")\ndef index():\n    return ${expression}\n`

/** What projects need of the distribution beside their Python packages, on servers that have a Python and no more. */
describe.skipIf(!able.ok)(`system packages${able.ok ? '' : ` (skipped: ${able.why})`}`, () => {
  let server: Server | undefined
  afterEach(async () => await server?.stop())

  test('psycopg2 is compiled against libpq, though nothing names a compiler', async () => {
    server = await boot({ suite: 'bookworm' })
    expect((await server.run('command -v gcc pg_config')).status).not.toBe(0)
    const ran = await act({
      workspace: tinyProject({
        'requirements.txt': 'flask\npsycopg2\n',
        'app.py': page('psycopg2.__version__', 'import psycopg2'),
      }).folder,
      inputs: reach(server),
    })
    expect(ran.outputs.result, ran.log).toBe('deployed')
    expect((await visit(server)).body).toMatch(/^2\..*dt dec pq3/)
    expect(ran.summary).toMatch(/system packages.*libpq-dev.*psycopg2 has to be compiled/)
  })

  test('a program that is called at import is installed when its absence is told', async () => {
    server = await boot({ suite: 'bookworm' })
    const call = 'import subprocess\nsaid = subprocess.check_output(["git", "--version"], text=True)'
    const project = tinyProject({ 'app.py': page('said', call) })
    const ran = await act({ workspace: project.folder, inputs: reach(server) })
    expect(ran.outputs.result, ran.log).toBe('deployed')
    expect((await visit(server)).body).toMatch(/^git version /)
    expect(ran.summary).toMatch(
      /git, because the program git was not found; to have it from the start, add to.*packages.*git/,
    )
  })

  test('GitPython brings git along', async () => {
    server = await boot({ suite: 'bookworm' })
    const ran = await act({
      workspace: tinyProject({
        'requirements.txt': 'flask\nGitPython\n',
        'app.py': page('str(git.Git().version_info[0])', 'import git'),
      }).folder,
      inputs: reach(server),
    })
    expect(ran.outputs.result, ran.log).toBe('deployed')
    expect((await visit(server)).body).toBe('2')
    // Known by its name: nothing had to fail first.
    expect(ran.summary).toMatch(/git \(gitpython uses it\)/)
    expect(ran.summary).not.toContain('from the start')
  })

  test('a source distribution gets the compiler and the headers that its build asks for', async () => {
    server = await boot({ suite: 'bookworm' })
    const ran = await act({
      workspace: tinyProject({
        'requirements.txt': '--no-binary cffi\nflask\ncffi\n',
        'app.py': page('str(cffi.FFI().sizeof("int"))', 'import cffi'),
      }).folder,
      inputs: reach(server),
    })
    expect(ran.outputs.result, ran.log).toBe('deployed')
    expect((await visit(server)).body).toBe('4')
    expect(ran.summary).toMatch(/gcc, .*because there was no C compiler/)
    expect(await server.must("dpkg-query -W -f '${db:Status-Status}' libffi-dev")).toBe('installed')
  })
})
