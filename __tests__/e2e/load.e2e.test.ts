import { afterEach, describe, expect, test } from 'vitest'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { isSuite, type Suite } from '../server/suites.ts'
import { reach } from './action.ts'
import { type Blow, underFire } from './fire.ts'
import { figuresOf, tellFigures } from './fire-figures.ts'
import { pace, type Visit } from './load.ts'
import { faults } from './load-verdict.ts'

const able = canBoot()
/** LOAD_SUITES=bullseye,trixie,sid: other servers than the usual one. */
const suites: readonly Suite[] = (process.env['LOAD_SUITES'] ?? 'bookworm').split(',').filter(isSuite)

/** A tenth of what bench/fire asks. */
const REQUESTS = 10_000

describe.skipIf(!able.ok)(`requests under load ${able.ok ? '' : able.why}`, () => {
  let server: Server | undefined
  afterEach(async () => server?.stop())

  test.each(suites)(
    'three redeploys, a broken release, a revert and two rollbacks fail no request on %s',
    async (suite) => {
      server = await boot({ suite })
      const blows: readonly Blow[] = [
        'redeploy',
        'redeploy',
        'redeploy',
        'broken',
        'reverted',
        'rollback',
        // At once again, to a release that may still be finishing its last requests.
        'rollback',
      ]
      const battle = await underFire({
        server,
        options: { inputs: reach(server) },
        load: { pace: { ...pace, long: 0.2 }, longSeconds: 12 },
        blows,
        requests: REQUESTS,
        quietMs: 0,
      })
      const { visits, turns, served } = battle
      const figures = figuresOf(battle)
      console.log(`${suite}: ${tellFigures(figures)}`)
      expect(served).toEqual(['v1', 'v2', 'v3', 'v4', 'v5', 'v4', 'v3', 'v4'])
      expect(faults(visits, served)).toEqual([])
      expect(visits.length).toBeGreaterThanOrEqual(REQUESTS)
      expect(figures.kinds.map(({ kind }) => kind).toSorted()).toEqual(Object.keys(pace).toSorted())
      // Slow ones end on the release that took them, after visitors have gone to another.
      expect(figures.across).toBeGreaterThan(5)
      const versions = (some: readonly Visit[]) => [...new Set(some.map(({ version }) => version))]
      expect(versions(visits)).toEqual(expect.arrayContaining(['v1', 'v2', 'v3', 'v4']))
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
