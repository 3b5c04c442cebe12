import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { act, type Ran, reach, start } from './action.ts'
import { units, untilQuiet } from './look.ts'
import { type Checkout, tinyApp, tinyProject } from './projects.ts'
import { page } from './traces.ts'

const able = canBoot()
const MB = 1024 * 1024
const eating = (megabytes: number) => `ballast = b"x" * (${megabytes} * 1024 * 1024)`

describe.skipIf(!able.ok)(`a server with 512 MB and no swap ${able.ok ? '' : able.why}`, () => {
  let server: Server
  let project: Checkout
  let first = ''
  const deploy = async (inputs: Readonly<Record<string, string>> = {}): Promise<Ran> => {
    const ran = await act({ workspace: project.folder, inputs: { ...reach(server), ...inputs } })
    await untilQuiet(server, 'hello')
    return ran
  }
  const error = (ran: Ran) => JSON.parse(ran.outputs.report).error
  const pid = async () => (await units(server, 'hello', first)).service.pid
  /** Holds memory outside of any deploy while `work` goes on. */
  const holding = async <Result>(megabytes: number, work: () => Promise<Result>): Promise<Result> => {
    await server.must(`systemd-run --quiet --unit=hog /usr/bin/python3 -Ic '
import time
${eating(megabytes)}
time.sleep(600)'; sleep 1`)
    try {
      return await work()
    } finally {
      await server.must('systemctl stop hog.service')
    }
  }

  beforeAll(async () => {
    server = await boot({ suite: 'bookworm', disk: 'copy', memory: 512 * MB })
    // The machine's own memory is another: a container sees its limit in its cgroup.
    await server.must(`grep -q '^0::/' /proc/self/cgroup && [ -e /sys/fs/cgroup/memory.max ] || {
      mkdir -p /run/memory; mount -t cgroup -o memory cgroup /run/memory; }`)
    project = tinyProject({ 'app.py': `${tinyApp}\n${eating(20)}\n` })
    const ran = await deploy()
    if (ran.outputs.result !== 'deployed') throw new Error(ran.log)
    first = ran.outputs.release
  })
  afterAll(async () => server?.stop())

  test('no more processes are begun than its memory bears, whatever the machine has', async () => {
    const text = await server.readFile(`/srv/web-hello/releases/${first}/.deploy/gunicorn.conf.py`)
    expect(text).toMatch(/shape\.get\("workers", [123]\)/)
    expect(await server.readFile(`/srv/web-hello/releases/${first}/.deploy/memory`)).toMatch(/^[0-9]{5}\n$/)
  })

  test('a command that takes all of it is ended, says so, and the release that serves is not touched', async () => {
    const before = await pid()
    project.commit({ 'app.py': `${tinyApp.replace('version 1', 'version 2')}\n${eating(20)}\n` })
    const ran = await deploy({ 'release-command': `python -c '${eating(900)}'` })
    expect(ran.outputs.result, ran.log).toBe('failed')
    expect(error(ran), ran.log).toMatchObject({ code: 'out-of-memory', input: 'workers' })
    expect(error(ran).cause).toMatch(/512 MB\) ran out during the release command/)
    expect(await pid()).toBe(before)
    expect(await page(server)).toBe('version 1')
  })

  test('a neighbour that is ended for want of it meanwhile is not to blame for what fails by itself', async () => {
    const killed = `sed -n 's/^oom_kill //p' /proc/vmstat`
    const before = Number(await server.must(killed))
    const inputs = { ...reach(server), 'release-command': 'echo asleep; sleep 10; exit 3' }
    const running = start({ workspace: project.folder, inputs })
    await running.said('asleep')
    const hog = '/usr/bin/python3 -Ic "ballast = bytearray(900 * 1024 * 1024)"'
    await server.run(`systemd-run --quiet --wait --unit=neighbour -p OOMScoreAdjust=1000 ${hog}`)
    const ran = await running.ended
    await untilQuiet(server, 'hello')
    expect(Number(await server.must(killed))).toBeGreaterThan(before)
    expect(error(ran).code, ran.log).toBe('release-command')
    expect(await page(server)).toBe('version 1')
  })

  test('a release that takes all of it is ended before the one that serves', async () => {
    const before = await pid()
    project.commit({ 'app.py': `${tinyApp.replace('version 1', 'version 3')}\n${eating(700)}\n` })
    const ran = await deploy()
    expect(ran.outputs.result, ran.log).toBe('failed')
    expect(error(ran).code, ran.log).toBe('out-of-memory')
    expect(await pid()).toBe(before)
    expect(await page(server)).toBe('version 1')
  })

  test('where not even one process has room beside it, none is started', async () => {
    project.commit({ 'app.py': `${tinyApp.replace('version 1', 'version 4')}\n${eating(20)}\n` })
    const left = Number(/^memory-left ([0-9]+)/m.exec(await facts(server))?.[1]) / 1024
    const ran = await holding(Math.floor(left - 30), () => deploy())
    expect(ran.outputs.result, ran.log).toBe('failed')
    expect(error(ran), ran.log).toMatchObject({ code: 'memory', input: 'workers' })
    expect(await page(server)).toBe('version 1')
  })

  test('where one has room but not all, the others join when the old release has ended; it is said', async () => {
    const left = Number(/^memory-left ([0-9]+)/m.exec(await facts(server))?.[1]) / 1024
    const ran = await holding(Math.floor(left - 150), () => deploy({ workers: '4' }))
    expect(ran.outputs.result, ran.log).toBe('deployed')
    expect(ran.log).toMatch(/short of memory.*of its 4 processes until the old one has ended/)
    expect(await page(server)).toBe('version 4')
    const count = `cat /sys/fs/cgroup/system.slice/web-hello-${ran.outputs.release}.service/cgroup.procs | wc -l`
    await server.must(
      `for try in $(seq 100); do [ "$(${count})" != 5 ] || exit 0; sleep 0.1; done; ${count}; exit 1`,
    )
    const scores = `cat $(sed 's,.*,/proc/&/oom_score_adj,' /sys/fs/cgroup/system.slice/web-hello-${ran.outputs.release}.service/cgroup.procs)`
    expect(new Set((await server.must(scores)).trim().split('\n'))).toEqual(new Set(['0']))
  })
})

/** What the server says of its memory, as a deploy asks it. */
async function facts(server: Server): Promise<string> {
  const { readFileSync } = await import('node:fs')
  const text = readFileSync(new URL('../../remote/memory-limit.sh', import.meta.url), 'utf8')
  return await server.must(`${text}\nset -eu\nmeasure_memory\necho memory-left $memory_left`)
}
