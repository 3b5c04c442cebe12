import { DeployError, type Explanation } from '../errors.ts'
import type { Inputs } from '../inputs.ts'
import type { Project } from '../project/project.ts'
import type { Facts } from '../server/facts.ts'

/** systemd 232 (2016) has the strict sandbox and `systemd-run --wait`; Ubuntu 18.04 has 237. */
const OLDEST_SYSTEMD = 232

/** A release of a small app with its environment takes about this much. */
const LEAST_FREE_BYTES = 300 * 1024 * 1024

/**
 * Judges whether this server can take the project at all, before anything is touched.
 * @throws DeployError with every reason why not
 */
export function guardServer(
  facts: Facts,
  project: Pick<Project, 'name' | 'repository' | 'bundle'>,
  command: Inputs['command'],
): void {
  const faults: Explanation[] = []
  if (facts.systemd < OLDEST_SYSTEMD) {
    faults.push({
      cause:
        facts.systemd === 0
          ? 'systemd does not run this server, so nothing would start the site again after a reboot.'
          : `The server's systemd is version ${facts.systemd}, and ${OLDEST_SYSTEMD} is the oldest that works.`,
      cure: 'Use a server with Ubuntu 20.04 or newer, or Debian 11 or newer.',
      input: 'host',
    })
  }
  const needed = LEAST_FREE_BYTES + project.bundle.contentBytes
  // A rollback makes nothing, and a full disk may be why it is wanted.
  if (command !== 'rollback' && facts.diskFreeBytes > 0 && facts.diskFreeBytes < needed) {
    faults.push({
      cause: `The server's disk has ${megabytes(facts.diskFreeBytes)} MB left, and a new release may need ${megabytes(needed)} MB.`,
      cure: 'Free some space on the server, or set `keep-releases` to a smaller number.',
      input: 'keep-releases',
    })
  }
  const owner = ownerFault(facts, project)
  if (owner !== undefined) faults.push(owner)
  if (faults.length > 0) throw new DeployError(owner !== undefined ? 'owner' : 'server-unfit', faults)
}

/** What has the app's name and is not this repository's: taking it over would take over somebody's data. */
function ownerFault(facts: Facts, project: Pick<Project, 'name' | 'repository'>): Explanation | undefined {
  const { name, repository } = project
  if (facts.state !== undefined) {
    if (facts.state.owner.id === repository.id) return undefined
    return {
      cause: `On this server the app ${name} belongs to the repository ${facts.state.owner.name || facts.state.owner.id}.`,
      cure: 'Set `name` to another name for this app.',
      input: 'name',
    }
  }
  if (facts.taken.length === 0) return undefined
  return {
    cause: `The server has things of the name web-${name} that this action did not make: ${facts.taken.join(', ')}.`,
    cure: 'Set `name` to another name for this app, or remove these from the server.',
    input: 'name',
  }
}

function megabytes(bytes: number): number {
  return Math.ceil(bytes / (1024 * 1024))
}
