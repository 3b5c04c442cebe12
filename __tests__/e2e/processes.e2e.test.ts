import { afterEach, describe, expect, test } from 'vitest'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { serving, units, untilQuiet, visit } from './look.ts'
import { tinyProject } from './projects.ts'
import { runs } from './runs.ts'

const able = canBoot()

/**
 * A process that writes down who it is, when it begins and when it was told to end: `begin worker 1`, `end worker 1`.
 * It takes a second for that.
 */
const diarist = (version: number) => `import os, signal, sys, time

name = sys.argv[1]
diary = os.path.join(os.environ["HOME"], "diary")

def write(what):
    with open(diary, "a") as file:
        print(what, name, ${version}, os.environ.get("GREETING", "-"), file=file)

def end(number, frame):
    time.sleep(1)
    write("end")
    sys.exit(0)

signal.signal(signal.SIGTERM, end)
write("begin")
while True:
    time.sleep(60)
`

const processes = 'worker: python diarist.py worker\nscheduler: python diarist.py scheduler'

describe.skipIf(!able.ok)(`beside the web process${able.ok ? '' : ` (skipped: ${able.why})`}`, () => {
  let server: Server | undefined
  afterEach(async () => {
    await server?.stop()
    server = undefined
  })
  const start = async (suite: 'bookworm' | 'bullseye' | 'sid' = 'bookworm') => {
    server = await boot({ suite })
    return server
  }
  const diary = async (on: Server) =>
    (await on.must('cat /var/lib/web-hello/diary')).trim().split('\n').filter(Boolean)
  /** Waits for a line of the diary. */
  const written = (on: Server, line: string) =>
    on.must(`for try in $(seq 150); do
      grep -qx '${line}' /var/lib/web-hello/diary && exit 0
      sleep 0.1
    done
    cat /var/lib/web-hello/diary; exit 1`)
  const active = async (on: Server, release: string, name: string) =>
    (await on.must(`systemctl is-active web-hello-${release}.${name} || :`)).trim()
  const enabled = async (on: Server, release: string, name: string) =>
    (await on.must(`systemctl is-enabled web-hello-${release}.${name} || :`)).trim()

  test('a worker and a scheduler change with the release, go back with it, and come back after a reboot', async () => {
    const on = await start()
    const project = tinyProject({ 'diarist.py': diarist(1) })
    const { good } = runs(on, project.folder, { processes, env: 'GREETING=moin' })
    const one = (await good()).release
    expect((await diary(on)).toSorted()).toEqual(['begin scheduler 1 moin', 'begin worker 1 moin'])
    const who = await on.must(
      `ps -o user:16=,args= -p "$(systemctl show -p MainPID --value web-hello-${one}.worker)"`,
    )
    // No shell stands between systemd and it.
    expect(who.trim()).toMatch(/^web-hello +python diarist\.py worker$/)

    const same = await good()
    expect(same.outputs.result).toBe('unchanged')
    expect(await diary(on)).toHaveLength(2)

    project.commit({ 'diarist.py': diarist(2) })
    const second = await good()
    const two = second.release
    expect(second.report.changes).toContainEqual({ what: 'process', detail: 'worker started' })
    await untilQuiet(on, 'hello')
    const lines = await diary(on)
    // Never two schedulers at once; of workers there are two for a moment.
    expect(lines.filter((line) => line.includes('scheduler'))).toEqual([
      'begin scheduler 1 moin',
      'end scheduler 1 moin',
      'begin scheduler 2 moin',
    ])
    expect(lines.filter((line) => line.includes('worker'))).toEqual([
      'begin worker 1 moin',
      'begin worker 2 moin',
      'end worker 1 moin',
    ])
    for (const unit of ['worker.service', 'scheduler.service']) {
      expect(await active(on, one, unit)).toBe('inactive')
      expect(await enabled(on, one, unit)).toBe('disabled')
      expect(await active(on, two, unit)).toBe('active')
      expect(await enabled(on, two, unit)).toBe('enabled')
    }

    const { good: goodBack } = runs(on, project.folder, { command: 'rollback' })
    expect((await goodBack()).outputs.serving).toBe(one)
    await untilQuiet(on, 'hello')
    expect(
      (await diary(on))
        .filter((line) => line.startsWith('begin'))
        .slice(-2)
        .toSorted(),
    ).toEqual(['begin scheduler 1 moin', 'begin worker 1 moin'])
    expect(await active(on, two, 'worker.service')).toBe('inactive')

    await on.reboot()
    for (const unit of ['worker.service', 'scheduler.service'])
      expect(await active(on, one, unit)).toBe('active')
    expect(await active(on, two, 'worker.service')).toBe('inactive')
  })

  test('one that dies at once fails the deploy, and the old site keeps its processes', async () => {
    const on = await start()
    const project = tinyProject({ 'diarist.py': diarist(1) })
    const { good, bad } = runs(on, project.folder, { processes })
    const one = (await good()).release
    project.commit({ 'diarist.py': 'import time\ntime.sleep(2)\nimport nowhere_to_be_found\n' })
    const failed = await bad()
    expect(failed.report.error).toMatchObject({
      code: 'process-died',
      cause: expect.stringMatching(
        /^The process (worker|scheduler) of the new release ended within .*No module named 'nowhere_to_be_found'/,
      ),
      cure: expect.stringContaining('requirements.txt'),
      file: 'diarist.py',
    })
    expect(failed.outputs).toMatchObject({ 'failed-phase': 'health', serving: one })
    expect(await units(on, 'hello', one)).toMatchObject(serving)
    await untilQuiet(on, 'hello')
    expect(await active(on, one, 'worker.service')).toBe('active')
    expect(await active(on, one, 'scheduler.service')).toBe('active')
    expect(await on.must('ls /etc/systemd/system | grep -c web-hello')).toBe('4\n')
    expect(await on.must('ls /srv/web-hello/releases')).toBe(`${one}\n`)
    expect(await on.must("systemctl list-units --plain --no-legend --state=failed 'web-*'")).toBe('')

    const absent = await bad({ processes: 'worker: celery -A app worker' })
    expect(absent.report.error).toMatchObject({
      code: 'process-died',
      cause: expect.stringContaining('`celery` is not there'),
      cure: expect.stringContaining('requirements.txt'),
      input: 'processes',
    })
  })

  test('a job runs at its times, with the release that serves and nothing of an older one', async () => {
    const on = await start()
    const project = tinyProject()
    const cron = 'tick: * * * * * echo "$RELEASE" >>"$HOME/ticks"'
    const { good } = runs(on, project.folder, { cron })
    const one = (await good({ env: 'RELEASE=one' })).release
    expect(await active(on, one, 'cron.tick.timer')).toBe('active')
    const second = await good({ env: 'RELEASE=two' })
    expect(second.report.changes).toContainEqual({ what: 'cron', detail: 'tick scheduled' })
    await untilQuiet(on, 'hello')
    expect(await active(on, one, 'cron.tick.timer')).toBe('inactive')
    expect(await enabled(on, one, 'cron.tick.timer')).toBe('disabled')
    expect(await enabled(on, second.release, 'cron.tick.timer')).toBe('enabled')
    await on.must(
      'for try in $(seq 700); do grep -qx two /var/lib/web-hello/ticks && exit 0; sleep 0.1; done; exit 1',
    )
    expect(await on.must("systemctl list-timers --all --no-legend 'web-hello-*' | wc -l")).toBe('1\n')

    await good({ cron: 'none', env: 'RELEASE=three' })
    await untilQuiet(on, 'hello')
    expect(await on.must("systemctl list-timers --no-legend 'web-hello-*' | wc -l")).toBe('0\n')
  })

  test('a failed smoke test gives the old release its scheduler back', async () => {
    const on = await start()
    const project = tinyProject({ 'diarist.py': diarist(1) })
    const { good, bad } = runs(on, project.folder, { processes, cron: 'tick: @yearly true' })
    const one = (await good({ 'expect-text': 'version 1' })).release
    project.commit({
      'diarist.py': diarist(2),
      'app.py': 'from flask import Flask\napp = Flask(__name__)\n@app.get("/")\ndef index(): return "else"\n',
    })
    const failed = await bad({ 'expect-text': 'version 1' })
    expect(failed.outputs).toMatchObject({ result: 'reverted', serving: one })
    await written(on, 'end worker 2 -')
    await untilQuiet(on, 'hello')
    expect((await visit(on)).body).toBe('version 1')
    expect((await diary(on)).filter((line) => line.includes('scheduler'))).toEqual([
      'begin scheduler 1 -',
      'end scheduler 1 -',
      'begin scheduler 2 -',
      'end scheduler 2 -',
      'begin scheduler 1 -',
    ])
    for (const unit of ['worker.service', 'scheduler.service', 'cron.tick.timer'])
      expect(await active(on, one, unit)).toBe('active')
    expect(await on.must('ls /srv/web-hello/releases')).toBe(`${one}\n`)
  })

  test('a deploy that was killed with the scheduler stopped is put right by the next one', async () => {
    const on = await start()
    const project = tinyProject({ 'diarist.py': diarist(1) })
    const { good } = runs(on, project.folder, { processes })
    const one = (await good()).release
    // As if a program had been killed between stopping the old scheduler and the flip.
    await on.must(`systemctl stop web-hello-${one}.scheduler.service`)
    const plain = await good({ env: 'A=1', 'health-path': '/nowhere' }).catch(() => undefined)
    expect(plain).toBeUndefined()
    expect(await active(on, one, 'scheduler.service')).toBe('active')
  })

  test.each(['bullseye', 'sid'] as const)('%s takes the units as they are', async (suite) => {
    const on = await start(suite)
    const project = tinyProject({ 'diarist.py': diarist(1) })
    const { good } = runs(on, project.folder, { processes, cron: 'tick: */5 1-3 * jan-mar mon echo' })
    const one = (await good()).release
    const verified = await on.run(
      `cd /etc/systemd/system && systemd-analyze verify web-hello-${one}.*.service web-hello-${one}.*.timer 2>&1`,
    )
    expect(verified.stdout.split('\n').filter((line) => line.includes('web-hello'))).toEqual([])
    const score = await on.must(
      `systemd-analyze security --no-pager web-hello-${one}.worker.service | tail -n 1`,
    )
    expect(Number(/([0-9.]+) OK/.exec(score)?.[1])).toBeLessThanOrEqual(1.5)
  })
})
