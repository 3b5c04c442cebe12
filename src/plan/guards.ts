import { DeployError, type Explanation } from '../errors.ts'
import type { Inputs } from '../inputs.ts'
import type { Project } from '../project/project.ts'
import type { Facts } from '../server/facts.ts'
import { type Room, roomFaults } from './space.ts'

/** systemd 232 (2016) has the strict sandbox and `systemd-run --wait`; Ubuntu 18.04 has 237. */
const OLDEST_SYSTEMD = 232

/**
 * Judges whether this server can take the project at all, before anything is touched.
 * @param room what the deploy needs on the server's disks
 * @throws DeployError with every reason why not
 */
export function guardServer(
  facts: Facts,
  project: Pick<Project, 'name' | 'repository'>,
  command: Inputs['command'],
  room: Room,
): void {
  const faults: Explanation[] = []
  if (facts.readOnly.length > 0) {
    faults.push({
      cause: `The server's disk is mounted read-only: nothing can be written to ${facts.readOnly.join(', ')}.`,
      cure: 'See with `dmesg | tail` on the server why (a failing disk is the usual reason), and reboot it, or mount the disk anew (`mount -o remount,rw /`).',
      input: 'host',
    })
  }
  if (facts.os.id === 'ubuntu' && facts.os.version === '16.04') {
    faults.push({
      cause: 'The server runs Ubuntu 16.04, whose Python (3.5) and systemd are too old for this action.',
      cure: 'Upgrade it to Ubuntu 20.04 or newer (`do-release-upgrade`, one version after the other), or use a new server.',
      input: 'host',
    })
  } else if (facts.systemd < OLDEST_SYSTEMD) {
    faults.push({
      cause:
        facts.systemd === 0
          ? 'systemd does not run this server, so nothing would start the site again after a reboot.'
          : `The server's systemd is version ${facts.systemd}, and ${OLDEST_SYSTEMD} is the oldest that works.`,
      cure: 'Use a server with Ubuntu 20.04 or newer, or Debian 11 or newer.',
      input: 'host',
    })
  }
  // A rollback makes nothing, and a full disk may be why it is wanted.
  const full = command === 'rollback' ? [] : roomFaults(facts, room)
  const owner = ownerFault(facts, project)
  if (owner !== undefined) faults.push(owner)
  if (owner !== undefined) throw new DeployError('owner', faults)
  if (faults.length > 0) {
    const all = [...faults, ...full.map(({ fault }) => fault)]
    throw new DeployError(facts.readOnly.length > 0 ? 'server-read-only' : 'server-unfit', all)
  }
  const [first] = full
  if (first !== undefined)
    throw new DeployError(
      first.code,
      full.map(({ fault }) => fault),
    )
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
    cause: `The server has things of the name web-${name} that this action did not make: ${listed(facts.taken)}.`,
    cure: 'Set `name` to another name for this app, or remove these from the server.',
    input: 'name',
  }
}

/** The first of them, and how many more there are. */
function listed(all: readonly string[]): string {
  const more = all.length > 10 ? ` and ${all.length - 10} more` : ''
  return `${all.slice(0, 10).join(', ')}${more}`
}
