import { mkdirSync, readFileSync } from 'node:fs'

/** Folder of this harness's shell scripts. */
export const scripts = import.meta.dirname

/** Trees, keys and disks: kept between runs, on a real disk. Made if missing. */
export function cacheFolder(): string {
  const folder = process.env.FLASK_DEPLOY_TEST_CACHE ?? '/var/cache/flask-deploy-action-tests'
  mkdirSync(folder, { recursive: true, mode: 0o755 })
  return folder
}

/** What runs now: one folder for each server in `slots`. Shared by all processes of the machine. Made if missing. */
export function runtimeFolder(): string {
  const folder = '/run/flask-deploy-tests'
  mkdirSync(`${folder}/slots`, { recursive: true, mode: 0o700 })
  return folder
}

/**
 * `PID START` of a process, START being its start in clock ticks since boot (field 22 of /proc/PID/stat, proc(5)),
 * which tells it from a later process of the same number; undefined where there is no such process.
 */
export function identity(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name in parentheses may hold spaces and parentheses of its own.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    // A zombie has ended; only its parent has not looked yet.
    return fields[0] === 'Z' ? undefined : `${pid} ${fields[19]}`
  } catch {
    return undefined
  }
}
