import { setTimeout as sleep } from 'node:timers/promises'
import { act } from '../__tests__/e2e/action.ts'
import { type Checkout, tinyApp, tinyProject } from '../__tests__/e2e/projects.ts'
import { type Authority, startAuthority } from '../__tests__/server/authority.ts'
import { boot, type Server } from '../__tests__/server/boot.ts'
import type { Result } from '../src/outputs.ts'
import { measure, type Sample } from './sample.ts'
import { ssh } from './ssh.ts'
import type { Row } from './table.ts'
import { layWire, type Wire } from './wires.ts'

/** Files of the large project, beside its app. */
const manyFiles = 3_000

/** An app on the bench's server. */
interface App {
  readonly checkout: Checkout
  readonly repository: string
  readonly repositoryId: string
  /** Over HTTP an address: no name to look up, and no certificate. */
  readonly domain: string
  /** Of its HTTPS. */
  readonly authority?: Authority
}

/**
 * Measures what comes after a first deploy: the floor, and deploys that change nothing, code, code among many files,
 * and dependencies. Each round does all of them at each distance, so that a slow moment of the machine hits all alike.
 * @param far a distance, in ms, that is measured once: so great that a busy machine does not blur the round trips
 */
export async function measureRedeploys(
  distances: readonly number[],
  far: number,
  rounds: number,
  tell: (text: string) => void,
): Promise<readonly Row[]> {
  const server = await boot({ suite: 'bookworm' })
  const wires: Wire[] = []
  const authority = await startAuthority()
  try {
    await authority.adopt(server)
    await authority.setName('bench.test', { ipv4: [server.address] })
    for (const rttMs of [...distances, far]) wires.push(await layWire(server, rttMs))
    const small: App = {
      checkout: tinyProject(),
      repository: 'bench/small',
      repositoryId: '1',
      domain: server.address,
    }
    const large: App = {
      checkout: tinyProject(files()),
      repository: 'bench/large',
      repositoryId: '2',
      domain: '192.0.2.1',
    }
    const secure: App = {
      checkout: tinyProject(),
      repository: 'bench/secure',
      repositoryId: '3',
      domain: 'bench.test',
      authority,
    }
    let version = 1
    let turn = 0
    const jobs: readonly {
      readonly name: string
      readonly prepare: () => void
      readonly run: (wire: Wire) => Promise<void>
    }[] = [
      { name: 'floor (ssh HOST true)', prepare: () => {}, run: (wire) => ssh(server, wire, 'true') },
      { name: 'unchanged', prepare: () => {}, run: (wire) => run(server, wire, small, 'unchanged') },
      {
        name: 'code change',
        prepare: () => small.checkout.commit({ 'app.py': appOf(++version) }),
        run: (wire) => run(server, wire, small, 'deployed'),
      },
      {
        name: 'unchanged, HTTPS',
        prepare: () => {},
        run: (wire) => run(server, wire, secure, 'unchanged'),
      },
      {
        name: 'code change, HTTPS',
        prepare: () => secure.checkout.commit({ 'app.py': appOf(++version) }),
        run: (wire) => run(server, wire, secure, 'deployed'),
      },
      {
        name: `code change, ${manyFiles} files`,
        prepare: () => large.checkout.commit({ 'app.py': appOf(++version) }),
        run: (wire) => run(server, wire, large, 'deployed'),
      },
      {
        name: 'dependency change',
        // Both versions are in uv's cache by now, as they are on a server that is deployed to often.
        prepare: () => small.checkout.commit(requirementsOf(++turn)),
        run: (wire) => run(server, wire, small, 'deployed'),
      },
    ]
    const samples = jobs.map(() => new Map<number, Sample[]>(wires.map(({ rttMs }) => [rttMs, []])))
    const [near] = wires
    if (near === undefined) throw new RangeError('no distance')
    tell('Deploying for the first time ...')
    await run(server, near, small, 'deployed')
    await run(server, near, large, 'deployed')
    await run(server, near, secure, 'deployed')
    while (turn < 2) {
      small.checkout.commit(requirementsOf(++turn))
      await run(server, near, small, 'deployed')
    }
    for (let round = 1; round <= rounds; round += 1) {
      for (const [place, job] of jobs.entries()) {
        for (const wire of wires) {
          if (wire.rttMs === far && round > 1) continue
          job.prepare()
          await settled(server)
          const sample = await measure(wire, () => job.run(wire))
          samples[place]?.get(wire.rttMs)?.push(sample)
          tell(`round ${round}, ${job.name}, ${wire.rttMs} ms away: ${(sample.ms / 1000).toFixed(2)} s`)
        }
      }
    }
    return jobs.map(({ name }, place) => ({ name, samples: samples[place] ?? new Map() }))
  } finally {
    await Promise.all(wires.map((wire) => wire.close()))
    await server.stop()
    await authority.stop()
  }
}

async function run(server: Server, wire: Wire, app: App, wanted: Result): Promise<void> {
  const { status, outputs, log } = await act({
    workspace: app.checkout.folder,
    repository: app.repository,
    repositoryId: app.repositoryId,
    inputs: {
      host: wire.host,
      port: String(wire.port),
      'ssh-key': server.privateKey,
      'known-hosts': wire.knownHosts,
      domain: app.domain,
      ...(app.authority === undefined ? {} : { 'acme-server': app.authority.directoryUrl }),
    },
    ...(app.authority === undefined ? {} : { network: app.authority.runner }),
  })
  if (status !== 0 || outputs.result !== wanted)
    throw new Error(`${outputs.result}, not ${wanted}:\n${withoutMasks(log)}`)
}

function withoutMasks(log: string): string {
  return log.replaceAll(/^::add-mask::.*\n/gm, '')
}

/** The deploy before still leaves its old release, under the lock: that is not this one's time. */
async function settled(server: Server): Promise<void> {
  await server.must(`while [ -n "$(systemctl list-jobs --no-legend; systemctl list-units --no-legend 'flask-deploy-*')" ]; do
    sleep 0.1
  done`)
  await sleep(200)
}

function appOf(version: number): string {
  return tinyApp.replace('version 1', `version ${version}`)
}

/** In turns, so that each is another than the one before. */
function requirementsOf(version: number): Readonly<Record<string, string>> {
  return { 'requirements.txt': `flask\nitsdangerous==${version % 2 === 0 ? '2.1.2' : '2.2.0'}\n` }
}

function files(): Readonly<Record<string, string>> {
  const entries = Array.from({ length: manyFiles }, (_, at) => [
    `data/${at % 30}/${at}.txt`,
    `${Math.sin(at)}\n`.repeat(40),
  ])
  return Object.fromEntries(entries)
}
