import type { Server } from '../__tests__/server/boot.ts'
import { must } from '../__tests__/server/command.ts'
import type { Wire } from './wires.ts'

/** OpenSSH with no settings of this machine's; a fresh connection each time, as root. */
const plain = [
  '-F none',
  '-o BatchMode=yes',
  '-o StrictHostKeyChecking=no',
  '-o UserKnownHostsFile=/dev/null',
  '-o LogLevel=ERROR',
].flatMap((option) => option.split(' '))

/** Runs a command over a wire. @throws Error where its status is not 0 */
export async function ssh(server: Server, wire: Wire, command: string, stdin = ''): Promise<void> {
  await must(
    'ssh',
    [...plain, '-i', server.privateKeyPath, '-p', String(wire.port), `root@${wire.host}`, command],
    {
      stdin,
      timeoutMs: 600_000,
    },
  )
}
