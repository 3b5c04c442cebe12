import type { Authority, RunnerNetwork } from '../server/authority.ts'
import type { Server } from '../server/boot.ts'
import { reach } from './action.ts'
import { secureVisit } from './https.ts'
import { visit } from './look.ts'
import { snapshot, snapshotOfNew } from './snapshot.ts'
import { page } from './traces.ts'
import type { Look } from './visits.ts'

/** A server and a kind of site on it, for the rounds of rounds.ts. */
export interface Ground {
  readonly server: Server
  /** Of every run. */
  readonly inputs: Readonly<Record<string, string>>
  readonly network?: RunnerNetwork
  /** What visitors get. */
  readonly look: Look
  readonly snapshot: (server: Server) => Promise<string>
  /** Undisturbed deploys until the server is as it will always be. */
  readonly deploys: number
}

const common = {
  'keep-releases': '2',
  'confirm-timeout': '10s',
  'lock-timeout': '120s',
  'release-command': 'true',
  cron: 'clean: 0 4 * * * true',
}

/** An app that was deployed before, over HTTP. */
export function usualGround(server: Server): Ground {
  return { server, inputs: { ...reach(server), ...common }, look: () => page(server), snapshot, deploys: 3 }
}

/** For first deploys: the app comes and goes. */
export function newGround(server: Server): Ground {
  const usual = usualGround(server)
  const inputs = { ...usual.inputs, 'first-deploy-command': 'true' }
  return { ...usual, inputs, snapshot: snapshotOfNew, deploys: 2 }
}

/** For a site that gets HTTPS: `blog.test`, of which the plain page leads to the other once that is there. */
export async function secureGround(server: Server, authority: Authority): Promise<Ground> {
  const name = 'blog.test'
  await authority.adopt(server)
  await authority.setName(name, { ipv4: [server.address] })
  const usual = usualGround(server)
  const ask = async () => {
    const plain = await visit(server, '/', name)
    const { status, body } = plain.status === 301 ? await secureVisit(server, name, authority.rootPem) : plain
    return status === 200 ? body : `${status} ${body}`
  }
  const look: Look = async () => {
    try {
      return await ask()
    } catch (error) {
      return `no answer: ${String(error)}`
    }
  }
  const inputs = { ...usual.inputs, domain: name, 'acme-server': authority.directoryUrl }
  return { ...usual, inputs, network: authority.runner, look }
}
