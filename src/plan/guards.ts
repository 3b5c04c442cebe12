import { DeployError, type Explanation } from '../errors.ts'
import type { Inputs } from '../inputs.ts'
import type { Project } from '../project/project.ts'
import type { Facts } from '../server/facts.ts'

/** systemd 232 (2016) has the strict sandbox and `systemd-run --wait`; Ubuntu 18.04 has 237. */
const OLDEST_SYSTEMD = 232

/** A release of a small app with its environment takes about this much. */
const LEAST_FREE_BYTES = 300 * 1024 * 1024

/** In /var: the bundle on its way, apt's lists, uv's cache, logs. */
const LEAST_VAR_BYTES = 50 * 1024 * 1024

/** In /tmp, where something has to be installed: what apt and pip unpack there (uv itself has 40 MB). */
const LEAST_TMP_BYTES = 100 * 1024 * 1024

/**
 * Judges whether this server can take the project at all, before anything is touched.
 * @param installing whether Debian packages or uv are missing
 * @throws DeployError with every reason why not
 */
export function guardServer(
  facts: Facts,
  project: Pick<Project, 'name' | 'repository' | 'bundle'>,
  command: Inputs['command'],
  installing: boolean,
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
  if (command !== 'rollback') faults.push(...spaceFaults(facts, project.bundle, installing))
  const owner = ownerFault(facts, project)
  if (owner !== undefined) faults.push(owner)
  if (owner !== undefined) throw new DeployError('owner', faults)
  if (faults.length > 0) {
    throw new DeployError(facts.readOnly.length > 0 ? 'server-read-only' : 'server-unfit', faults)
  }
}

function spaceFaults(facts: Facts, bundle: Project['bundle'], installing: boolean): readonly Explanation[] {
  const { diskFreeBytes: disk, free } = facts
  const faults: Explanation[] = []
  const needed = LEAST_FREE_BYTES + bundle.contentBytes
  if (disk !== undefined && disk < needed) {
    faults.push({
      cause: `The server's disk has ${megabytes(disk)} MB left, and a new release may need ${megabytes(needed)} MB.`,
      cure: 'Free some space on the server, or set `keep-releases` to a smaller number.',
      input: 'keep-releases',
    })
  }
  const small = (folder: string, least: number) => {
    const bytes = free.get(folder)
    // The same number: the same disk, of which enough was said.
    return bytes !== undefined && bytes < least && bytes !== disk ? bytes : undefined
  }
  const inVar = small('/var', LEAST_VAR_BYTES + bundle.bytes)
  if (inVar !== undefined) {
    faults.push({
      cause: `The server has ${megabytes(inVar)} MB left in /var, and a deploy may need ${megabytes(LEAST_VAR_BYTES + bundle.bytes)} MB there.`,
      cure: 'Free some space there on the server: `journalctl --vacuum-size=100M` and `apt-get clean` do, and `du -xh /var | sort -h | tail` shows what takes it.',
      input: 'host',
    })
  }
  const inTmp = installing ? small('/tmp', LEAST_TMP_BYTES) : undefined
  if (inTmp !== undefined) {
    faults.push({
      cause: `The server has ${megabytes(inTmp)} MB left in /tmp, and to install what is missing may need ${megabytes(LEAST_TMP_BYTES)} MB there.`,
      cure: 'Free some space there on the server: `du -xh /tmp | sort -h | tail` shows what takes it, and `mount -o remount,size=1G /tmp` makes it larger where it is in memory.',
      input: 'host',
    })
  }
  return faults
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

function megabytes(bytes: number): number {
  return Math.ceil(bytes / (1024 * 1024))
}
