import { DeployError, type Explanation } from '../errors.ts'

/** Why the helper did not become root. */
export type RootFailure =
  | 'sudo-absent'
  | 'sudo-password-needed'
  | 'sudo-password-wrong'
  | 'sudo-not-allowed'
  | 'sudo-tty'
  | 'not-root'
  | 'server-read-only'

/**
 * @param user the user of the login
 * @param said what sudo or the login shell printed
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
    'sudo-not-allowed': {
      cause: 'sudo on the server does not let this login become root.',
      cure: 'Allow it on the server (for Ubuntu: `usermod -aG sudo LOGIN`), or set `user` to a login that may.',
      input: 'user',
    },
    'sudo-tty': {
      cause: 'sudo on the server serves terminals only (`requiretty`), and a workflow has none.',
      cure: 'Add `Defaults:LOGIN !requiretty` to the sudoers on the server (with `visudo`), with the login for LOGIN.',
      input: 'user',
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

/**
 * Which of the refusals it was. That there was one is known; sudo's own words (sudo 1.9, sudo-rs 0.2) only tell more.
 * @param said what sudo or the login shell printed
 */
export function rootRefusal(said: readonly string[]): RootFailure {
  const text = said.join('\n')
  if (/must have a tty|no tty present/.test(text)) return 'sudo-tty'
  const refused =
    /not in the sudoers file|not allowed to (?:execute|run)|may not run sudo|I'm afraid I can't do that/
  return refused.test(text) ? 'sudo-not-allowed' : 'not-root'
}
