import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { boot } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { act, reach } from './action.ts'
import { type Build, build, limitsOf } from './liars/victim.ts'
import { visit } from './look.ts'
import { tinyApp, tinyProject } from './projects.ts'
import { runs } from './runs.ts'

/*
 * An honest server that is too slow: what the runner does about a phase that goes over, with the real program on a booted
 * server. That no server can hold it up is in lying-server.e2e.test.ts.
 */

const able = canBoot()
let built: Build

beforeAll(() => {
  built = build()
})
afterAll(() => built.remove())

describe.skipIf(!able.ok)(`a phase that goes over${able.ok ? '' : ` (skipped: ${able.why})`}`, () => {
  test('is stopped on the server: the old release serves, and the run says so', async () => {
    const server = await boot({ suite: 'bookworm', packages: 'ready' })
    try {
      const project = tinyProject()
      const { release } = await runs(server, project.folder).good()
      project.commit({ 'app.py': tinyApp.replace('version 1', 'version 2') })
      const ran = await act({
        workspace: project.folder,
        inputs: { ...reach(server), 'release-command': 'echo begun; exec sleep 600' },
        entry: built.entry,
        // What `command-timeout` adds by itself is taken off.
        environment: limitsOf({ phases: { 'release-command': 3_000 - 600_000 } }),
      })
      expect(ran.status, ran.log).toBe(1)
      expect(ran.log).toContain('::error title=phase-timeout::')
      expect(ran.outputs).toMatchObject({
        result: 'failed',
        'failed-phase': 'release-command',
        serving: release,
      })
      expect(await visit(server)).toMatchObject({ status: 200, body: 'version 1' })
      expect(await server.must('ls /srv/web-hello/releases')).toBe(`${release}\n`)
      expect(await server.must('pgrep -c -x sleep || :')).toBe('0\n')
    } finally {
      await server.stop()
    }
  })
})
