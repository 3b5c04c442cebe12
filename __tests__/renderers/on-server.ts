import { renderUnit } from '../../src/config/unit-text.ts'
import { remoteFile } from '../../src/remote.ts'
import type { Server } from '../server/boot.ts'
import type { Suite } from '../server/suites.ts'

/** A running server with what the renderers are told about it. */
export interface Stage {
  readonly server: Server
  readonly suite: Suite
  /** systemd's major version. */
  readonly systemd: number
  /** The test file, from the repository's root. */
  readonly file: string
}

/** What a program wrote with a NUL after each. */
export async function strings(server: Server, path: string): Promise<string[]> {
  const bytes = Buffer.from(await server.must(`base64 -w0 ${path}`), 'base64')
  return bytes.toString('utf8').split('\0').slice(0, -1)
}

/** Runs an sh program of any length. @returns the strings that it wrote to its third descriptor, each ended by NUL */
export async function runProgram(server: Server, program: string, shell = 'dash'): Promise<string[]> {
  const run = `LC_ALL=C ${shell} /run/odd.sh 3>/run/odd.out || { cat /run/odd.log; exit 1; }`
  await server.must(`cat >/run/odd.sh; : >/run/odd.log; ${run}`, { stdin: program })
  return await strings(server, '/run/odd.out')
}

/** Runs a oneshot unit made of these lines. @returns the strings it wrote, each ended by NUL */
export async function runUnit(
  server: Server,
  service: readonly (readonly [string, string])[],
): Promise<string[]> {
  const unit = renderUnit([
    ['Service', [['Type', 'oneshot'], ['StandardOutput', 'file:/run/odd.out'], ...service]],
  ])
  await server.must('rm -f /run/odd.out; cat >/run/systemd/system/odd.service; systemctl daemon-reload', {
    stdin: unit,
  })
  await server.must('systemctl start odd.service || { journalctl -u odd -n 20; exit 1; }')
  return await strings(server, '/run/odd.out')
}

/** The line of a unit that says its variables. */
export const readEnvironment = ['ExecStart', '/bin/cat /proc/self/environ'] as const

/** Variables by name, of what `readEnvironment` wrote. */
export function environment(found: readonly string[]): ReadonlyMap<string, string> {
  return new Map(found.map((one) => [one.slice(0, one.indexOf('=')), one.slice(one.indexOf('=') + 1)]))
}

/** The functions of the program on the server; their events are lines of a file. */
export function library(...files: readonly string[]): string {
  return [
    'set -eu',
    ...files.map((file) => remoteFile(file)),
    `emit() { printf '%s\\n' "$*" >>/run/odd.log; }`,
    '',
  ].join('\n')
}
