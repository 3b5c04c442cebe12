import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { isSuite, type Suite } from '../server/suites.ts'
import { type ActionOptions, type Ran, reach, start } from './action.ts'
import { now, startLoad, type Visit } from './load.ts'
import { broken, change, versionedProject } from './load-project.ts'
import { faults, figures } from './load-verdict.ts'

const able = canBoot()
/** LOAD_SUITES=bullseye,trixie,sid: other servers than the usual one. */
const suites: readonly Suite[] = (process.env['LOAD_SUITES'] ?? 'bookworm').split(',').filter(isSuite)

describe.skipIf(!able.ok)(`requests under load ${able.ok ? '' : able.why}`, () => {
  let server: Server | undefined
  afterEach(async () => server?.stop())

  test.each(suites)(
    'three redeploys, a broken release, a revert and two rollbacks fail no request on %s',
    async (suite) => {
      server = await boot({ suite })
      const project = versionedProject('one')
      const options = { workspace: project.folder, inputs: reach(server) }
      const first = await start(options).ended
      expect(first.status, first.log).toBe(0)
      const load = startLoad(server.address)
      await sleep(1_000)

      /** What visitors have to get from when until when: from the log's word to the next run's start. */
      const turns: { readonly version: string; readonly from: number; until: number }[] = []
      const run = async (
        inputs: Readonly<Record<string, string>>,
        onFlip: (at: number) => void = () => {},
      ) => {
        const last = turns.at(-1)
        if (last !== undefined) last.until = Math.min(last.until, now())
        return await flipping({ ...options, inputs: { ...options.inputs, ...inputs } }, onFlip)
      }
      const deploy = async (version: string, inputs: Readonly<Record<string, string>> = {}) => {
        const ran = await run(inputs, (from) =>
          turns.push({ version, from, until: Number.POSITIVE_INFINITY }),
        )
        expect(ran.status, ran.log).toBe(0)
      }
      const fail = async (result: string, inputs: Readonly<Record<string, string>> = {}) => {
        const ran = await run(inputs)
        expect(ran.status, ran.log).toBe(1)
        expect(ran.outputs.result, ran.log).toBe(result)
      }
      project.commit(change('one', 'two'))
      await deploy('two')
      project.commit(change('two', 'three'))
      await deploy('three')
      project.commit(change('three', 'four'))
      await deploy('four')
      project.commit(broken)
      await fail('failed')
      project.commit(change('four', 'five'))
      await fail('reverted', { 'expect-text': 'version four' })
      await deploy('three', { command: 'rollback' })
      // At once again, to a release that may still be finishing its last requests.
      await deploy('four', { command: 'rollback' })
      await sleep(3_000)
      const visits = await load.end()

      console.log(`${suite}: ${visits.length} requests: ${figures(visits)}`)
      expect(faults(visits, ['one', 'two', 'three', 'four', 'five', 'four', 'three', 'four'])).toEqual([])
      expect(visits.length).toBeGreaterThan(2_000)
      const versions = (some: readonly Visit[]) => [...new Set(some.map(({ version }) => version))]
      expect(versions(visits)).toEqual(expect.arrayContaining(['one', 'two', 'three', 'four']))
      expect(turns).toHaveLength(5)
      for (const { version, from, until } of turns) {
        const others = visits.filter(
          ({ began, version: got }) => began > from && began < until && got !== version,
        )
        expect(versions(others), `though ${version} was said to serve`).toEqual([])
      }
    },
  )
})

/** Runs the action, and tells when it says that visitors get the new release. */
async function flipping(options: ActionOptions, onFlip: (at: number) => void): Promise<Ran> {
  const running = start(options)
  running.said(/Visitors get release /).then(
    () => onFlip(now()),
    () => undefined,
  )
  return await running.ended
}
