import { DeployError, type Explanation } from '../errors.ts'

/** Why the helper did not become root. */
export type RootFailure =
  | 'sudo-absent'
  | 'sudo-password-needed'
  | 'sudo-password-wrong'
  | 'not-root'
  | 'server-read-only'

/**
 * @param user the user of the login
 * @param said what sudo or the login shell printed: shown, never interpreted
 */
export function rootFailure(failure: RootFailure, user: string, said: readonly string[]): DeployError {
  const explanations: Record<RootFailure, Explanation> = {
    'sudo-absent': {
      cause: `The user ${user} is not root, and the server has no sudo.`,
      cure: 'Set `user` to root, or install sudo on the server and allow it for this user.',
      input: 'user',
    },
    'sudo-password-needed': {
      cause: `sudo asks ${user} for a password on the server, and none was given.`,
      cure: 'Set `sudo-password` from a secret, or allow sudo without a password for this user.',
      input: 'sudo-password',
    },
    'sudo-password-wrong': {
      cause: `sudo on the server did not accept the password of ${user}.`,
      cure: 'Correct the secret that `sudo-password` is set from.',
      input: 'sudo-password',
    },
    'not-root': {
      cause: `The login as ${user} worked, but no program could be started as root.`,
      cure: 'Allow sudo for this user on the server (and a login shell such as /bin/bash), or set `user` to root; what the server said is below.',
      input: 'user',
    },
    'server-read-only': {
      cause: 'The server cannot write below /run or /var/lib.',
      cure: 'Look at the server: its disk is full or was mounted read-only (`df -h`, `mount`).',
      input: 'host',
    },
  }
  return new DeployError(failure, explanations[failure], said)
}
