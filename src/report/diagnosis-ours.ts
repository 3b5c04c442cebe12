import type { Explanation } from '../errors.ts'
import { otherBytes } from './diagnosis-tools.ts'
import type { Failure } from './failure.ts'

/**
 * What the action itself installs, by hashes that it brings along, could not be installed.
 * @param what the program, and what it is for
 */
export function explainOurs({ lines }: Failure, what: string): Explanation {
  if (lines.some((line) => otherBytes.test(line))) {
    return {
      cause: `${what}, could not be installed: the package index sent other bytes than those whose hashes the action brings along; nothing of them was used.`,
      cure: 'Find out which index or proxy the server asks (`/etc/pip.conf`, `/etc/uv/uv.toml`, `UV_*` in `env`), and who changes packages there.',
      input: 'host',
    }
  }
  return {
    cause: `${what}, could not be installed on the server.`,
    cure: 'Check that the server may open connections to the package index (DNS, firewall, proxy), and that an index of your own has it; then run the job again.',
    input: 'host',
  }
}
