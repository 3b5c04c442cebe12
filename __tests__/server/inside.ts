import { readdirSync, readFileSync } from 'node:fs'
import { command, type Outcome } from './command.ts'

export type RunOptions = {
  stdin?: string | Uint8Array
  /** Milliseconds until the script and its children are killed; 120,000 unless told. */
  timeoutMs?: number
}

/** A server's cgroup, as seen through the mount namespace of its holder (the host itself may not show cgroup v2). */
function group(holder: number, slot: number): string {
  return `/proc/${holder}/root/sys/fs/cgroup/flask-deploy-tests-${slot}/payload`
}

/** The host's number of the server's PID 1; undefined while the server is off or between two boots. */
export function leader(holder: number, slot: number): number | undefined {
  const folder = group(holder, slot)
  for (const file of [`${folder}/init.scope/cgroup.procs`, `${folder}/cgroup.procs`]) {
    const candidates = read(file)
      .split('\n')
      .filter((pid) => pid !== '')
    for (const pid of candidates) {
      // NSpid: its number here, then the one in each namespace below (proc(5)).
      if (/^NSpid:\t\d+\t1$/m.test(read(`/proc/${pid}/status`))) return Number(pid)
    }
  }
  return undefined
}

/**
 * Runs an sh script as root inside the server, without ssh: in all namespaces of its PID 1 and in a cgroup below its own.
 * @throws Error when the server is off, or the script is not done in time
 */
export async function runInside(
  holder: number,
  slot: number,
  script: string,
  options: RunOptions = {},
): Promise<Outcome> {
  const target = leader(holder, slot)
  if (target === undefined) throw new Error('the test server is switched off')
  const enter = 'mkdir -p "$1"; echo $$ > "$1/cgroup.procs"; shift; exec nsenter "$@"'
  const namespaces = ['--mount', '--uts', '--ipc', '--net', '--pid', '--cgroup']
  return await command(
    'sh',
    [
      '-euc',
      enter,
      'enter',
      `${group(holder, slot)}/harness`,
      `--target=${target}`,
      ...namespaces,
      '--',
      '/bin/sh',
      '-c',
      script,
    ],
    {
      ...options,
      env: {
        PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
        HOME: '/root',
        LANG: 'C.UTF-8',
      },
    },
  )
}

/** Whether users other than root may log in yet: systemd keeps /run/nologin until the boot is far enough. */
export function letsUsersIn(pid: number): boolean {
  try {
    return !readdirSync(`/proc/${pid}/root/run`).includes('nologin')
  } catch {
    return false
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
