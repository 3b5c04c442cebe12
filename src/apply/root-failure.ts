import { DeployError, type Explanation } from '../errors.ts'
import { cutToBytes, visible } from '../text.ts'

/** Why the helper did not become root. */
export type RootFailure =
  | 'sudo-absent'
  | 'sudo-password-needed'
  | 'sudo-password-wrong'
  | 'sudo-not-allowed'
  | 'sudo-tty'
  | 'no-shell'
  | 'password-expired'
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
      cure: `Set \`user\` to root, or install sudo on the server (\`apt-get install sudo\`) and allow it for ${user} (\`usermod -aG sudo ${user}\`).`,
      input: 'user',
    },
    'sudo-password-needed': {
      cause: `sudo asks ${user} for a password on the server, and none was given.`,
      cure: `Set \`sudo-password\` from a secret (a misspelt secret's name is an empty text), or allow every command without a password: \`${user} ALL=(ALL:ALL) NOPASSWD: ALL\`, with \`visudo -f /etc/sudoers.d/${user}\` on the server.`,
      input: 'sudo-password',
    },
    'sudo-password-wrong': {
      cause: `sudo on the server did not accept the password of ${user}.`,
      cure: `Correct the secret that \`sudo-password\` is set from: it is the password with which ${user} logs in on the server.`,
      input: 'sudo-password',
    },
    'sudo-not-allowed': {
      cause: `sudo on the server does not let ${user} run every command as root.`,
      cure: `Allow it on the server (\`usermod -aG sudo ${user}\`, and see \`sudo -l -U ${user}\`), or set \`user\` to a login that may.`,
      input: 'user',
    },
    'sudo-tty': {
      cause: 'sudo on the server serves terminals only (`requiretty`), and a workflow has none.',
      cure: `Add \`Defaults:${user} !requiretty\` to the sudoers on the server (with \`visudo\`), or set \`user\` to root.`,
      input: 'user',
    },
    'no-shell': {
      cause: `The login as ${user} worked, but no shell took the command: ${last(said)}.`,
      cure: `Set \`user\` to a login with a shell, or look on the server what takes its place: the shell of ${user} (\`getent passwd ${user}\`; \`usermod --shell /bin/bash ${user}\` gives one), a login file that ends it (.bashrc), \`command=\` in authorized_keys, or ForceCommand in sshd_config.`,
      input: 'user',
    },
    'password-expired': {
      cause: `The login as ${user} worked, but its password has expired, and the server wants a new one first.`,
      cure: `Log in as ${user} from a terminal and give a new one, or take the limit away on the server with \`chage -M -1 -d "$(date +%F)" ${user}\`.`,
      input: 'user',
    },
    'not-root': {
      cause: `The login as ${user} worked, but no program could be started as root: ${last(said)}.`,
      cure: `See with \`sudo -v\` as ${user} on the server why sudo fails, or set \`user\` to root.`,
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

/** The last thing that was said, as the end of a sentence. */
function last(said: readonly string[]): string {
  const line = said.findLast((one) => one.trim() !== '')
  return line === undefined
    ? 'it ended without a word'
    : `it said "${cutToBytes(visible(line.trim().replace(/\.$/, '')), 200)}"`
}

/**
 * Which of the refusals it was. That there was one is known; the words of sudo (1.9, sudo-rs 0.2) and sshd only tell more.
 * @param said what sudo or the login shell printed
 * @param shell whether a shell read the command at all
 */
export function rootRefusal(said: readonly string[], shell = true): RootFailure {
  const text = said.join('\n')
  // session.c of OpenSSH; PAM does not close the account for it.
  if (!shell) return /password change required/i.test(text) ? 'password-expired' : 'no-shell'
  if (/must have a tty|no tty present/.test(text)) return 'sudo-tty'
  const refused =
    /not in the sudoers file|not allowed to (?:execute|run)|may not run sudo|I'm afraid I can't do that/
  return refused.test(text) ? 'sudo-not-allowed' : 'not-root'
}
