import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { repository } from './files.ts'

/** The programs that script/install-tools knows, at the versions it names. */
export type Tool = 'act' | 'actionlint' | 'zizmor' | 'gixy' | 'shellcheck' | 'cmark-gfm' | 'strace'

/** Milliseconds: act is compiled on a machine that has not got it yet. */
export const installTimeoutMs = 900_000

/**
 * Sees to it that the tools are there; the first call on a machine installs them. Safe to call from several processes at once.
 * @returns a PATH that finds them, and node 24 before any other
 * @throws Error with what the installer said
 */
export async function ensureTools(...tools: readonly Tool[]): Promise<string> {
  const { stdout } = await promisify(execFile)(
    'sh',
    [join(repository, 'script', 'install-tools'), ...tools],
    {
      timeout: installTimeoutMs,
    },
  )
  return [join(repository, 'node_modules', '.bin'), stdout.trim(), process.env['PATH']].join(':')
}
