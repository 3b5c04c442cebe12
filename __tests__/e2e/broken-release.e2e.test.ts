import { afterEach, describe, expect, test } from 'vitest'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { act, reach } from './action.ts'
import { untilAtRest } from './look.ts'
import { tinyApp, tinyProject } from './projects.ts'
import { page, traces, visitors } from './traces.ts'

const able = canBoot()

/** A release that does not come up, and what the run has to say of it. */
interface Broken {
  readonly what: string
  readonly files: Readonly<Record<string, string>>
  readonly inputs?: Readonly<Record<string, string>>
  readonly phase: string
  readonly code: string
  /** What the cause has to name. */
  readonly cause: readonly RegExp[]
  /** A line of the app's or the tool's that log and summary have to show. */
  readonly line: string
}

const later = (text: string, extra: string) =>
  `import os, sys, threading, time\n${tinyApp.replace('version 1', text)}\n${extra}`

const releases: readonly Broken[] = [
  {
    what: 'a module that is not there',
    files: { 'app.py': `import nowhere_to_be_found\n${tinyApp}` },
    phase: 'configure',
    code: 'app-import',
    cause: [/ModuleNotFoundError: No module named 'nowhere_to_be_found'/, /app\.py, line 1/],
    line: "ModuleNotFoundError: No module named 'nowhere_to_be_found'",
  },
  {
    what: 'a name that its module does not have, two modules down',
    files: { 'app.py': `import views\n${tinyApp}`, 'views.py': 'import os\nfrom flask import Nothing\n' },
    phase: 'configure',
    code: 'app-import',
    cause: [/ImportError: cannot import name 'Nothing' from 'flask'/, /views\.py, line 2/],
    line: "ImportError: cannot import name 'Nothing' from 'flask'",
  },
  {
    what: 'sys.exit() with a text at import',
    files: { 'app.py': `import sys\n${tinyApp}\nsys.exit("set the DATABASE first")\n` },
    phase: 'health',
    code: 'app-import',
    cause: [/sys\.exit/, /set the DATABASE first/, /app\.py, line 11/],
    line: 'set the DATABASE first',
  },
  {
    what: 'sys.exit(1) at import, so that its worker would be started for ever',
    files: { 'app.py': `import sys\n${tinyApp}\nsys.exit(1)\n` },
    phase: 'health',
    code: 'app-import',
    cause: [/sys\.exit\(1\)/, /app\.py, line 11/],
    line: 'sys.exit(1)',
  },
  {
    what: 'a page that always answers 500',
    files: { 'app.py': tinyApp.replace('return "version 1"', 'return {}["colour"]') },
    phase: 'health',
    code: 'health-status',
    cause: [/`\/` answered 500/, /KeyError: 'colour'/, /app\.py, line 8/],
    line: "KeyError: 'colour'",
  },
  {
    what: 'an import that never ends',
    files: { 'app.py': `import time\nprint("waiting for nobody", flush=True)\ntime.sleep(3600)\n${tinyApp}` },
    inputs: { 'health-timeout': '4' },
    phase: 'health',
    code: 'health-timeout',
    cause: [/within 4 s/, /app\.py, line 3/],
    line: 'waiting for nobody',
  },
  {
    what: 'a process that dies right after its first answer',
    files: {
      'app.py': later(
        'mortal',
        `@app.after_request
def die(response):
    def end():
        time.sleep(0.05)
        print("out of my depth", flush=True)
        os._exit(1)
    threading.Thread(target=end).start()
    return response
`,
      ),
    },
    phase: 'health',
    code: 'worker-restarted',
    cause: [/answers and then dies|died/, /out of my depth/],
    line: 'out of my depth',
  },
  {
    what: 'a worker that exits for ever before it answers',
    files: { 'app.py': later('never', 'print("no way", flush=True)\nos._exit(1)\n') },
    phase: 'health',
    code: 'worker-restarted',
    cause: [/died/, /no way/],
    line: 'no way',
  },
  {
    what: 'a release command that fails',
    files: { 'app.py': tinyApp.replace('version 1', 'never') },
    inputs: { 'release-command': 'echo looking for the table\necho "no such table: posts" >&2\nexit 3' },
    phase: 'release-command',
    code: 'release-command',
    cause: [/exit status 3/, /no such table: posts/],
    line: 'looking for the table',
  },
  {
    what: 'a requirement that no index can meet',
    files: { 'requirements.txt': 'flask\nflask==0.0.999\n' },
    phase: 'dependencies',
    code: 'dependencies',
    cause: [/flask==0\.0\.999/],
    line: 'flask==0.0.999',
  },
]

/** The text that GitHub shows for a summary. */
const plain = (markdown: string) =>
  markdown.replace(/&#([0-9]+);/g, (_, code) => String.fromCodePoint(Number(code)))

describe.skipIf(!able.ok)(`broken releases ${able.ok ? '' : able.why}`, () => {
  let server: Server | undefined
  afterEach(async () => server?.stop())

  test.each(releases)('$what: the old one serves on, and nothing is left of it', async (broken) => {
    server = await boot({ suite: 'bookworm' })
    const project = tinyProject()
    const options = { workspace: project.folder, inputs: reach(server) }
    const good = await act(options)
    expect(good.status, good.log).toBe(0)
    await untilAtRest(server)
    const before = await traces(server)

    project.commit(broken.files)
    const visits = visitors(server)
    const bad = await act({ ...options, inputs: { ...options.inputs, ...broken.inputs } })
    expect(await visits.answers()).toEqual(['version 1'])

    expect(bad.status, bad.log).toBe(1)
    expect(bad.outputs).toMatchObject({
      result: 'failed',
      'failed-phase': broken.phase,
      serving: good.outputs.release,
      'previous-release': good.outputs.release,
    })
    const report = JSON.parse(bad.outputs.report)
    expect(report.error.code, bad.log).toBe(broken.code)
    for (const part of broken.cause) expect(report.error.cause).toMatch(part)
    expect(report.error.cure).not.toBe('')
    expect(bad.log).toContain(broken.line)
    expect(plain(bad.summary)).toContain(broken.line)
    expect(bad.summary).toContain('still serves')
    expect(await traces(server)).toBe(before)

    project.commit({ 'app.py': tinyApp.replace('version 1', 'version 2'), 'requirements.txt': 'flask\n' })
    const next = await act(options)
    expect(next.status, next.log).toBe(0)
    expect(await page(server)).toBe('version 2')
  })

  test('a broken first deploy says so, leaves no site, and the next one works', async () => {
    server = await boot({ suite: 'bookworm' })
    const project = tinyProject({ 'app.py': `import nowhere_to_be_found\n${tinyApp}` })
    const options = { workspace: project.folder, inputs: reach(server) }
    const bad = await act(options)
    expect(bad.status, bad.log).toBe(1)
    expect(bad.outputs).toMatchObject({
      result: 'failed',
      'failed-phase': 'configure',
      serving: '',
      'previous-release': '',
    })
    expect(bad.log).toContain("No module named 'nowhere_to_be_found'")
    expect(bad.summary).toContain('No release serves yet')
    const left = await server.must(`ls -A /srv/web-hello/releases /etc/web-hello
      find /etc/systemd/system /etc/nginx -name '*web-hello*'
      systemctl list-units --all --plain --no-legend 'web-hello-*'
      readlink /srv/web-hello/current || :`)
    // The secret key is the app's, and not the release's.
    expect(left).toBe('/etc/web-hello:\ngenerated.env\n\n/srv/web-hello/releases:\n')

    project.commit({ 'app.py': tinyApp })
    const good = await act(options)
    expect(good.status, good.log).toBe(0)
    expect(await page(server)).toBe('version 1')
  })
})
