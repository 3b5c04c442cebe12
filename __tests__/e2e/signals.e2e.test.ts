import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { type Checkout, tinyApp, tinyProject } from './projects.ts'
import { runs } from './runs.ts'
import { page } from './traces.ts'

const able = canBoot()

/** What a signal ends is no success, and not an exit status that nobody gave: the message has the signal's name. */
describe.skipIf(!able.ok)(`ended by a signal ${able.ok ? '' : able.why}`, () => {
  let server: Server
  let project: Checkout
  let serving = ''
  const failure = async (inputs: Readonly<Record<string, string>> = {}) => {
    const ran = await runs(server, project.folder).bad(inputs)
    expect(ran.outputs.serving, ran.log).toBe(serving)
    expect(await page(server)).toBe('version 1')
    return ran.report.error
  }

  beforeAll(async () => {
    server = await boot({ suite: 'bookworm' })
    project = tinyProject()
    serving = (await runs(server, project.folder).good()).outputs.release
  })
  afterAll(async () => server?.stop())

  test('a release command, whose last line is told too', async () => {
    project.commit({ 'app.py': tinyApp.replace('version 1', 'version 2') })
    expect(await failure({ 'release-command': 'echo so far\nkill -9 $$' })).toMatchObject({
      code: 'release-command',
      cause: expect.stringMatching(
        /^The release command was ended by SIGKILL: .*; its last line is: so far\.$/,
      ),
      input: 'release-command',
    })
  })

  test('a program within one, and one by `command: run`', async () => {
    const crash = `python -c 'import os, signal; os.kill(os.getpid(), signal.SIGSEGV)'`
    const ended = /^The (?:release )?command was ended by SIGSEGV: it crashed/
    expect(await failure({ 'release-command': crash })).toMatchObject({ cause: expect.stringMatching(ended) })
    expect(await failure({ command: 'run', run: crash })).toMatchObject({
      cause: expect.stringMatching(ended),
    })
  })

  test('the installation of packages', async () => {
    project.commit({
      'requirements.txt': 'flask\n./deadly\n',
      'deadly/setup.py': 'import os\nos.kill(os.getppid(), 9)\n',
    })
    expect(await failure()).toMatchObject({
      code: 'build-killed',
      cause: expect.stringContaining('requirements.txt was ended by SIGKILL'),
    })
    project.commit({ 'requirements.txt': 'flask\n', 'deadly/setup.py': null })
  })

  test('an app that crashes when it is imported, and one that crashes only when it is started', async () => {
    const crash = 'import os, signal, sys\n'
    project.commit({ 'app.py': `${crash}os.kill(os.getpid(), signal.SIGSEGV)\n${tinyApp}` })
    expect(await failure()).toMatchObject({
      code: 'app-killed',
      cause: expect.stringMatching(/^The new release, when it was imported, was ended by SIGSEGV/),
    })
    project.commit({
      'app.py': `${crash}if "gunicorn" in sys.modules: os.kill(os.getpid(), signal.SIGSEGV)\n${tinyApp}`,
    })
    expect(await failure()).toMatchObject({
      code: expect.stringMatching(/^(?:worker-restarted|app-exited)$/),
      cause: expect.stringContaining('was ended by SIGSEGV'),
    })
  })
})
