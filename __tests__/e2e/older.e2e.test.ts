import { afterEach, describe, expect, test } from 'vitest'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { type ActionOptions, reach, start } from './action.ts'
import { tinyApp, tinyProject } from './projects.ts'
import { type Run, runs, withoutMasks } from './runs.ts'
import { page, traces } from './traces.ts'

const able = canBoot()

const app = (version: number) => ({ 'app.py': tinyApp.replace('version 1', `version ${version}`) })
/** Seconds since 1970, an hour apart. */
const at = (hour: number) => 1_793_000_000 + hour * 3600
/** As GitHub starts a run that somebody asked for on the Actions page. */
const byHand = { GITHUB_EVENT_NAME: 'workflow_dispatch' }
const push = { GITHUB_EVENT_NAME: 'push' }

describe.skipIf(!able.ok)(`commits out of order${able.ok ? '' : ` (skipped: ${able.why})`}`, () => {
  let server: Server | undefined
  afterEach(async () => server?.stop())

  test('two branches, the newer first: the older one takes its place only where that is asked for', async () => {
    server = await boot({ suite: 'bookworm' })
    const older = tinyProject()
    older.commit(app(1), 'older', at(1))
    const newer = tinyProject()
    newer.commit(app(2), 'newer', at(2))
    const old = runs(server, older.folder, {}, { environment: push })
    const fresh = runs(server, newer.folder, {}, { environment: push })
    const two = await fresh.good()

    const before = await traces(server)
    const refused = await old.bad()
    expect(refused.outputs).toMatchObject({ result: 'failed', serving: two.release, 'failed-phase': 'facts' })
    expect(refused.report.error).toMatchObject({ code: 'older-commit', input: 'allow-older' })
    expect(refused.report.error?.cause).toContain(`commit ${two.report.commit.slice(0, 7)} of 2026-10-`)
    expect(await traces(server)).toBe(before)
    expect(await page(server)).toBe('version 2')

    const plan = await old.good({ command: 'plan' })
    expect(plan.outputs.result).toBe('planned')
    expect(plan.report.changes.map(({ what }) => what)).toContain('release')
    // Nothing else: what a deploy leaves is no drift.
    expect(warned(plan)).toEqual(['would-be-refused'])
    expect(await traces(server)).toBe(before)

    const hand = runs(server, older.folder, {}, { environment: byHand })
    expect(warned(await hand.good({ command: 'plan' }))).not.toContain('would-be-refused')
    expect((await hand.good()).outputs).toMatchObject({ result: 'deployed', 'previous-release': two.release })
    expect(await page(server)).toBe('version 1')

    // What serves is what counts, so the newer one may come back, and a rollback may go to any.
    const again = await fresh.good()
    expect(again.outputs.result).toBe('deployed')
    expect((await fresh.good({ command: 'rollback' })).outputs.result).toBe('rolled-back')
    expect(await page(server)).toBe('version 1')
    newer.commit(app(3), 'newest', at(3))
    expect((await fresh.good()).outputs.result).toBe('deployed')
    expect((await old.good({ 'allow-older': 'true' })).outputs.result).toBe('deployed')
    expect(await page(server)).toBe('version 1')
  })

  test('two runs at once, the newer first: the one that waited looks again, and is refused', async () => {
    const booted = await boot({ suite: 'bookworm' })
    server = booted
    const zero = tinyProject()
    zero.commit(app(0), 'first', at(0))
    const older = tinyProject()
    older.commit(app(1), 'older', at(1))
    const newer = tinyProject()
    newer.commit(app(2), 'newer', at(2))
    const options = (workspace: string, run: string, inputs = {}): ActionOptions => ({
      workspace,
      inputs: { ...reach(booted), ...inputs },
      environment: { ...push, GITHUB_RUN_ID: run },
    })
    await runs(booted, zero.folder).good()
    const slow = { 'release-command': 'echo asleep; until [ -e ~/go ]; do sleep 0.1; done' }
    const first = start(options(newer.folder, '102', slow))
    await first.said('asleep')
    const second = start(options(older.folder, '101'))
    await second.said('Waiting for https://github.com/someone/hello/actions/runs/102 (someone)')
    await booted.must('touch /var/lib/web-hello/go')
    const [ranFirst, ranSecond] = await Promise.all([first.ended, second.ended])
    expect(ranFirst.outputs.result, ranFirst.log).toBe('deployed')
    const log = withoutMasks(ranSecond.log)
    expect(log).toContain('Another deploy changed the server meanwhile')
    expect(ranSecond.outputs, log).toMatchObject({
      result: 'failed',
      serving: ranFirst.outputs.release,
      'failed-phase': 'facts',
    })
    expect(JSON.parse(ranSecond.outputs.report).error, log).toMatchObject({ code: 'older-commit' })
    expect(await page(booted)).toBe('version 2')
    // Nothing of it is left, its bundle neither.
    expect((await booted.must('ls /srv/web-hello/releases')).trim().split('\n')).toHaveLength(2)
    expect((await booted.must('ls /var/lib/flask-deploy/incoming')).trim()).toBe('')
  })
})

function warned({ report }: Run): readonly string[] {
  return report.warnings.map(({ code }) => code)
}
