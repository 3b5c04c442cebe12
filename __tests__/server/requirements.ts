import { accessSync, constants, existsSync } from 'node:fs'
import { must } from './command.ts'
import { distribution, type Suite } from './suites.ts'

/** Program that the harness calls -> package that brings it, in Debian and Ubuntu alike. */
const programs: Record<string, string> = {
  'systemd-nspawn': 'systemd-container',
  mmdebstrap: 'mmdebstrap',
  'dbus-daemon': 'dbus',
  ip: 'iproute2',
  iptables: 'iptables',
  'mkfs.ext4': 'e2fsprogs',
  'ssh-keygen': 'openssh-client',
  unshare: 'util-linux',
  nsenter: 'util-linux',
  flock: 'util-linux',
  perl: 'perl-base',
}

const keyrings = {
  debian: { file: '/usr/share/keyrings/debian-archive-keyring.gpg', packageName: 'debian-archive-keyring' },
  ubuntu: { file: '/usr/share/keyrings/ubuntu-archive-keyring.gpg', packageName: 'ubuntu-keyring' },
}

/** Whether this process can boot test servers; `why` is one sentence. */
export function canBoot(): { ok: true } | { ok: false; why: string } {
  if (process.platform !== 'linux') return { ok: false, why: 'Test servers need Linux.' }
  if (process.getuid?.() !== 0) return { ok: false, why: 'Test servers need root: run this with sudo.' }
  const missing = Object.keys(programs).filter((program) => !installed(program))
  if (missing.length > 0) return { ok: false, why: `Not installed here: ${missing.join(', ')}.` }
  return { ok: true }
}

/**
 * Installs what `canBoot` misses, with apt-get and without questions; does nothing where nothing is missing.
 * @param suites for these the archive's keys are installed too
 * @throws Error with apt's output; on a machine without apt
 */
export async function prepareHost(suites: readonly Suite[] = []): Promise<void> {
  const wanted = new Set<string>()
  for (const [program, packageName] of Object.entries(programs)) {
    if (!installed(program)) wanted.add(packageName)
  }
  for (const suite of suites) {
    const { file, packageName } = keyrings[distribution(suite)]
    if (!existsSync(file)) wanted.add(packageName)
  }
  if (wanted.size === 0) return
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', NEEDRESTART_SUSPEND: '1' }
  const options = { env, timeoutMs: 600_000 }
  await must('apt-get', ['-qq', 'update'], options)
  await must('apt-get', ['-qq', '-y', '--no-install-recommends', 'install', ...wanted], options)
}

function installed(program: string): boolean {
  const path = `${process.env.PATH ?? ''}:/usr/sbin:/sbin`
  return path.split(':').some((folder) => {
    try {
      accessSync(`${folder}/${program}`, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}
