import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { act } from '../__tests__/e2e/action.ts'
import { tinyApp, tinyProject } from '../__tests__/e2e/projects.ts'
import { boot, type Server } from '../__tests__/server/boot.ts'
import { measure, type Sample } from './sample.ts'
import { ssh } from './ssh.ts'
import type { Row } from './table.ts'
import { layWire, type Wire } from './wires.ts'

/** Measures first deploys, ours and one by hand, each on a bare server of its own, in turns. */
export async function measureFirst(
  distances: readonly number[],
  rounds: number,
  tell: (text: string) => void,
): Promise<readonly Row[]> {
  const ways = [
    { name: 'first deploy', run: byAction },
    { name: 'first deploy by hand', run: byHand },
  ]
  const samples = ways.map(() => new Map<number, Sample[]>(distances.map((rttMs) => [rttMs, []])))
  for (let round = 1; round <= rounds; round += 1) {
    for (const rttMs of distances) {
      for (const [turn, { name, run }] of ways.entries()) {
        const server = await boot({ suite: 'bookworm', packages: 'bare' })
        try {
          const wire = await layWire(server, rttMs)
          const sample = await measure(wire, () => run(server, wire)).finally(() => wire.close())
          samples[turn]?.get(rttMs)?.push(sample)
          tell(`round ${round}, ${name}, ${rttMs} ms away: ${(sample.ms / 1000).toFixed(2)} s`)
        } finally {
          await server.stop()
        }
      }
    }
  }
  return ways.map(({ name }, turn) => ({ name, samples: samples[turn] ?? new Map() }))
}

async function byAction(server: Server, wire: Wire): Promise<void> {
  const { status, log } = await act({
    workspace: tinyProject().folder,
    inputs: {
      host: wire.host,
      port: String(wire.port),
      'ssh-key': server.privateKey,
      'known-hosts': wire.knownHosts,
      domain: server.address,
    },
  })
  if (status !== 0) throw new Error(log)
}

/** One ssh with the script and the project, then one request. */
async function byHand(server: Server, wire: Wire): Promise<void> {
  const script = readFileSync(join(import.meta.dirname, 'by-hand.sh'), 'utf8')
  const stdin = [
    'mkdir -p /srv/hello',
    `cat >/srv/hello/app.py <<'FILE'\n${tinyApp}FILE`,
    'echo flask >/srv/hello/requirements.txt',
    `NAME=${server.address}`,
    script,
  ].join('\n')
  await ssh(server, wire, 'sh -s', stdin)
  // A reload of nginx takes a moment.
  const deadline = performance.now() + 30_000
  for (;;) {
    const page = await ask(wire, server)
    if (page === 'version 1') return
    if (performance.now() > deadline) throw new Error(`the page by hand: ${page}`)
    await sleep(20)
  }
}

function ask(wire: Wire, server: Server): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request(
      { host: wire.host, port: 80, headers: { Host: server.address }, agent: false },
      (response) => {
        let page = ''
        response.on('data', (chunk: Buffer) => {
          page += chunk.toString()
        })
        response.on('end', () => resolve(page))
      },
    )
    asked.on('error', reject)
    asked.end()
  })
}
