import { parseArgs } from 'node:util'
import { reach } from '../__tests__/e2e/action.ts'
import { type Blow, underFire } from '../__tests__/e2e/fire.ts'
import { figuresOf, tellFigures } from '../__tests__/e2e/fire-figures.ts'
import { pace } from '../__tests__/e2e/load.ts'
import { faults } from '../__tests__/e2e/load-verdict.ts'
import { startAuthority } from '../__tests__/server/authority.ts'
import { boot } from '../__tests__/server/boot.ts'
import { isSuite, type Suite } from '../__tests__/server/suites.ts'
import { isReady } from './machine.ts'

/** Of the site over HTTPS. */
const NAME = 'fire.test'

/** 20 redeploys, two rollbacks, and two deploys that fail: one before it has visitors, one after. */
const blows: readonly Blow[] = [
  ...redeploys(5),
  'broken',
  ...redeploys(5),
  'rollback',
  ...redeploys(5),
  'reverted',
  ...redeploys(4),
  'rollback',
  ...redeploys(1),
]

function redeploys(count: number): readonly Blow[] {
  return Array.from({ length: count }, () => 'redeploy' as const)
}

/** Every third run leaves the old release running for the usual time: the next one ends that. */
function inputs(place: number): Readonly<Record<string, string>> {
  return place % 3 === 2 ? { 'settle-time': '60s' } : {}
}

async function bench(secure: boolean, suite: Suite, requests: number): Promise<boolean> {
  const server = await boot({ suite })
  const authority = secure ? await startAuthority() : undefined
  try {
    await authority?.adopt(server)
    await authority?.setName(NAME, { ipv4: [server.address] })
    const seconds = requests / Object.values(pace).reduce((sum, one) => sum + one, 0)
    const battle = await underFire({
      server,
      options:
        authority === undefined
          ? { inputs: reach(server) }
          : {
              inputs: { ...reach(server), domain: NAME, 'acme-server': authority.directoryUrl },
              network: authority.runner,
            },
      load: {
        pace: { ...pace, long: 0.1 },
        longSeconds: 40,
        ...(authority === undefined ? {} : { secure: { name: NAME, rootPem: authority.rootPem } }),
      },
      blows,
      inputs,
      requests,
      // Half of the time is quiet, to compare with.
      quietMs: (seconds * 500) / blows.length,
      tell: (text) => console.error(text),
    })
    const found = faults(battle.visits, battle.served)
    console.log(`\n${secure ? 'HTTPS' : 'HTTP'}, ${suite}: ${tellFigures(figuresOf(battle))}`)
    for (const fault of found.slice(0, 20)) console.log(`  FAULT ${fault}`)
    console.log(found.length === 0 ? 'met    no request failed' : `MISSED ${found.length} faults`)
    return found.length === 0
  } finally {
    await server.stop()
    await authority?.stop()
  }
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      http: { type: 'boolean' },
      https: { type: 'boolean' },
      requests: { type: 'string', default: '100000' },
      suite: { type: 'string', default: 'bookworm' },
    },
  })
  const requests = Number(values.requests)
  if (!isSuite(values.suite) || !(requests > 0)) {
    console.error('--requests takes a number, --suite one of the suites of __tests__/server/suites.ts.')
    return 2
  }
  if (!(await isReady())) return 1
  const both = values.http === values.https
  let good = true
  for (const secure of [false, true]) {
    if (both || (secure ? values.https : values.http) === true)
      good = (await bench(secure, values.suite, requests)) && good
  }
  return good ? 0 : 1
}

process.exitCode = await main()
