import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type BootOptions, boot, type Server } from '../server/boot.ts'
import { type Relay, startRelay } from '../server/relay.ts'
import { canBoot } from '../server/requirements.ts'
import { type ActionOptions, act, type Ran, type Running, start } from './action.ts'
import { expectCancelled, firstDeploy, saying, slowPage, stateOf, works } from './ended-early.ts'
import { type Build, build, limitsOf } from './liars/victim.ts'
import type { Checkout } from './projects.ts'
import { lockIsFree, page, traces, tracesOnceDrained, until, visitors } from './traces.ts'

/*
 * A connection that is lost while the server works: it is made again, and the deploy has one outcome, told once. Where it
 * never comes back, the server goes back by itself.
 */

const able = canBoot()
let built: Build
beforeAll(() => {
  built = build()
})
afterAll(() => built.remove())

/** Silence is noticed after 3 s, so that a test need not wait for 15. */
const short = { silenceMs: 3_000 }

/** How the line is lost, and comes back. */
const ways: Readonly<Record<string, (relay: Relay, server: Server) => Promise<void>>> = {
  'is reset': async (relay) => relay.cut(),
  // What was held back arrives in the end, after the new connection has been asked for.
  'falls silent for 5 s': async (relay) => {
    relay.unplug()
    await sleep(5_000)
    relay.plug()
  },
  'is ended on the server, where sshd is killed': async (_relay, server) => {
    await server.must(
      `for one in /proc/[0-9]*; do
         case $(tr '\\0' ' ' <$one/cmdline 2>/dev/null) in sshd*root@notty*) kill -9 \${one#/proc/} ;; esac
       done`,
    )
  },
  'is there, but the helper is killed': async (_relay, server) => {
    await server.must(
      'read -r number _ <"$(ls -td /run/flask-deploy/hello/*/ | head -n 1)helper" && kill -9 "$number"',
    )
  },
}

interface Moment {
  readonly when: string
  readonly way: keyof typeof ways
  readonly files?: Readonly<Record<string, string>>
  readonly inputs?: (server: Server) => Readonly<Record<string, string>>
  /** Waits for the moment. */
  readonly come: (running: Running, relay: Relay) => Promise<void>
}

const large = { 'large.bin': randomBytes(40_000_000).toString('latin1') }
const said = (text: string | RegExp) => async (running: Running) => running.said(text)
const asleep = { 'release-command': 'echo asleep; sleep 3' }

const moments: readonly Moment[] = [
  ...(['is reset', 'falls silent for 5 s'] as const).map((way) => ({
    when: 'during the upload',
    way,
    files: large,
    come: async (_running: Running, relay: Relay) => {
      const before = relay.bytesUp
      await until('a part of the bundle is on its way', async () => relay.bytesUp - before > 10_000_000)
    },
  })),
  ...(['is ended on the server, where sshd is killed', 'is there, but the helper is killed'] as const).map(
    (way) => ({
      when: 'during a command of the project',
      way,
      files: { 'large.bin': '' },
      inputs: () => asleep,
      come: said('asleep'),
    }),
  ),
  {
    when: 'in the health check',
    way: 'is reset',
    files: { 'slow.py': 'import time\ntime.sleep(2)\n' },
    come: said('::group::health'),
  },
  {
    when: 'after the switch, before the verdict',
    way: 'falls silent for 5 s',
    inputs: ({ address }) => ({ 'smoke-url': `http://${address}/slow` }),
    come: said(/Visitors get release/),
  },
  { when: 'with the verdict', way: 'is reset', come: said(/Smoke test of/) },
]

describe.skipIf(!able.ok)(`a connection that is lost ${able.ok ? '' : able.why}`, () => {
  let server: Server
  let relay: Relay
  let project: Checkout
  let options: ActionOptions
  let version = 1

  /** A server with a first release, reached over a line that can be cut. */
  async function ready(how: Partial<BootOptions> = {}, rttMs = 0): Promise<void> {
    server = await boot({ suite: 'bookworm', ...how })
    const first = await firstDeploy(server)
    project = first.project
    relay = await startRelay({ to: { host: server.address, port: 22 }, rttMs })
    const pins = (first.options.inputs['known-hosts'] ?? '').replaceAll(
      server.address,
      `[127.0.0.1]:${relay.port}`,
    )
    options = {
      ...first.options,
      inputs: {
        ...first.options.inputs,
        host: '127.0.0.1',
        port: String(relay.port),
        'known-hosts': pins,
        // Visitors do not come over that line.
        'smoke-url': `http://${server.address}/`,
      },
      entry: built.entry,
      environment: limitsOf({ others: short }),
    }
    version = 1
  }

  /** Another version of the app. */
  function change(files: Readonly<Record<string, string>> = {}): string {
    version += 1
    const text = `version ${version}`
    const slow = files['slow.py'] === undefined ? '' : 'import slow\n'
    project.commit({ 'app.py': `${slow}${saying(text)}${slowPage}`, ...files })
    return text
  }

  const withInputs = (inputs: Readonly<Record<string, string>>): ActionOptions => ({
    ...options,
    inputs: { ...options.inputs, ...inputs },
  })

  describe('and comes back', () => {
    beforeAll(async () => ready({}, 60))
    afterAll(async () => {
      await relay?.close()
      await server?.stop()
    })

    test.each(moments)('$when, where it $way: the deploy is done, and told once', async (moment) => {
      const text = change(moment.files)
      const visits = visitors(server)
      const running = start(withInputs(moment.inputs?.(server) ?? {}))
      await moment.come(running, relay)
      await ways[moment.way]?.(relay, server)
      const ran = await running.ended
      expect(await visits.answers()).toEqual([`version ${version - 1}`, text])
      expect(ran.outputs, shown(ran)).toMatchObject({ result: 'deployed', serving: ran.outputs.release })
      expect(ran.status).toBe(0)
      // With the verdict, all may have been said before the line broke.
      if (moment.when !== 'with the verdict') expect(ran.log).toMatch(/Connected again after \d+ s\./)
      toldOnce(ran)
      expect(await page(server)).toBe(text)
      await until('the lock is free', () => lockIsFree(server))
      expect(await server.must("ls /var/lib/flask-deploy/incoming; pgrep -fa '[t]ail -c [+]' || :")).toBe('')
    })
  })

  describe('and does not', () => {
    afterEach(async () => {
      await relay?.close()
      await server?.stop()
    })
    beforeEach(async () => ready())

    test('after the switch: the server goes back by itself, and asks the old release; the next run works', async () => {
      const before = await traces(server)
      const text = change()
      const visits = visitors(server)
      const running = start({
        ...withInputs({ 'smoke-url': `http://${server.address}/slow`, 'confirm-timeout': '10s' }),
        environment: limitsOf({ others: { ...short, reconnectMs: 3_000 } }),
      })
      await running.said(/Visitors get release/)
      relay.unplug()
      const ran = await running.ended
      expect(ran.status).toBe(1)
      expect(ran.outputs).toMatchObject({ result: 'failed', serving: 'unknown', 'failed-phase': 'smoke' })
      expect(ran.log).toContain('::error title=connection-lost::')
      await until('the old release is back', async () => (await page(server)) === 'version 1')
      await until('the lock is free', () => lockIsFree(server))
      expect(await visits.answers()).toEqual(['version 1', text, 'version 1'].slice(0, 2))
      expect(await tracesOnceDrained(server, before)).toBe(before)
      const events = await server.must('cat "$(ls -td /run/flask-deploy/hello/*/ | head -n 1)events"')
      expect(events).toMatch(
        /fail no-verdict\n.*reverted [0-9a-f-]+\n.*answered ok \d+ \d+ [0-9a-f-]+\n.*serving [0-9a-f-]+\n/,
      )
      // The run has told all that there was: nothing is left for `post` but to say what became of it.
      relay.plug()
      const post = await act({ ...options, environment: { ...options.environment, ...stateOf(ran.state) } })
      expect(post.log).toMatch(/got no verdict, so the server had gone back by itself; visitors get release/)
      await works(server, options, text)
    })

    test('before the switch, the runner is killed: nothing is switched', async () => {
      const before = await traces(server)
      change()
      const running = start({
        ...withInputs(asleep),
        environment: limitsOf({ others: { ...short, sentWaitMs: 3_000 } }),
      })
      await running.said('asleep')
      const visits = visitors(server)
      running.process.kill('SIGKILL')
      const { state } = await running.ended
      await until('the lock is free', () => lockIsFree(server))
      expect(await visits.answers()).toEqual(['version 1'])
      expect(await traces(server)).toBe(before)
      const post = await act({ ...options, environment: { ...options.environment, ...stateOf(state) } })
      expect(post.log).toContain('had failed on the server (no-cutover)')
      await works(server, options, 'version 2')
    })

    test('a cancel ends the run in time', async () => {
      change()
      const running = start(withInputs(asleep))
      await running.said('asleep')
      relay.unplug()
      await running.said(/Connecting again/)
      const at = performance.now()
      running.process.kill('SIGTERM')
      const ran = await running.ended
      expectCancelled(ran, performance.now() - at, 'unknown')
    })
  })

  describe('and the server is restarted', () => {
    afterEach(async () => {
      await relay?.close()
      await server?.stop()
    })
    beforeEach(async () => ready({ disk: 'copy' }))

    test('after the verdict: the release is kept, and the run says so', async () => {
      const text = change()
      const running = start(withInputs({ 'smoke-url': `http://${server.address}/slow` }))
      await running.said(/Visitors get release/)
      relay.unplug()
      await running.said(/Smoke test of .* answered 200/)
      // The verdict of the runner's arrives; what the program says of it does not.
      await server.must('cd "$(ls -td /run/flask-deploy/hello/*/ | head -n 1)" && echo keep >frame-verdict-1')
      await until('the lock is free', () => lockIsFree(server))
      await server.reboot()
      relay.plug()
      const ran = await running.ended
      expect(ran.status, shown(ran)).toBe(0)
      expect(ran.outputs).toMatchObject({ result: 'deployed', serving: ran.outputs.release })
      expect(ran.log).toContain('::warning title=outcome-read::')
      expect(await page(server)).toBe(text)
    })

    test('after the switch: it goes back at its boot, and the run says so', async () => {
      change()
      const running = start(withInputs({ 'smoke-url': `http://${server.address}/slow` }))
      await running.said(/Visitors get release/)
      relay.unplug()
      await server.powerCut()
      await server.powerOn()
      relay.plug()
      const ran = await running.ended
      expect(ran.status, shown(ran)).toBe(1)
      expect(ran.log).toMatch(
        /::error title=server-restarted::.*after the switch.*it went back to release .* by itself/,
      )
      expect(ran.outputs).toMatchObject({ result: 'reverted', serving: ran.outputs['previous-release'] })
      expect(ran.summary).toContain('is back on')
      await until('nginx is up again', async () => (await page(server)) === 'version 1')
      await works(server, options, 'version 2')
    })

    test('before it: the old release serves, and the run says so', async () => {
      change()
      const running = start(withInputs(asleep))
      await running.said('asleep')
      relay.unplug()
      await server.reboot()
      relay.plug()
      const ran = await running.ended
      expect(ran.status, shown(ran)).toBe(1)
      expect(ran.log).toMatch(/::error title=server-restarted::.*before visitors were switched/)
      expect(ran.outputs).toMatchObject({ result: 'failed', serving: ran.outputs['previous-release'] })
      expect(await page(server)).toBe('version 1')
      await works(server, options, 'version 2')
    })
  })
})

/** The log without what is masked. */
function shown({ log }: Ran): string {
  return log.replaceAll(/^::add-mask::.*\n/gm, '')
}

/** Each step once: no event was heard twice, and none was missed. */
function toldOnce(ran: Ran): void {
  const log = shown(ran)
  for (const phase of ['packages', 'upload', 'dependencies', 'start', 'health', 'cutover', 'smoke', 'report'])
    expect([phase, log.match(new RegExp(`^::group::${phase}$`, 'gm'))?.length], log).toEqual([phase, 1])
  expect(log.match(/Visitors get release/g)).toHaveLength(1)
  expect(log.match(/ is kept\./g)).toHaveLength(1)
  expect(log.match(/Health check: 3 good answers/g)).toHaveLength(1)
}
