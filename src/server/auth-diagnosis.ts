import { DeployError, type Explanation } from '../errors.ts'
import { cutToBytes, visible } from '../text.ts'
import type { ConnectFailure } from './connect-failure.ts'
import { familyOf } from './public-key.ts'

/** SSH_DISCONNECT_PROTOCOL_ERROR and SSH_DISCONNECT_NO_MORE_AUTH_METHODS_AVAILABLE (RFC 4253, section 11.1). */
const turnedAway: readonly unknown[] = [2, 14]

/**
 * Says why a login failed, as far as a server lets a client know: sshd answers alike whether the key is missing,
 * the files' modes are wrong, the user does not exist or is not allowed.
 * Codes: `login-none`, `login-timeout`, `login-too-many-tries`, `login-second-factor`, `login-keys-off`,
 * `login-key-type`, `login-password-off`, `login-key-refused`, `login-password-refused`, `login-cut`.
 */
export function authenticationDiagnosis(failure: ConnectFailure): DeployError {
  const { host, user, level, code, message, authentication } = failure
  const { key, passwordGiven, tried, allowed, partial } = authentication
  const error = (name: string, explanation: Explanation) => new DeployError(name, explanation)
  const takes = allowed === undefined || allowed.length === 0 ? 'nothing' : allowed.join(', ')

  if (key === undefined && !passwordGiven) {
    return error('login-none', {
      cause: 'Neither `ssh-key` nor `password` is given.',
      cure: 'Set `ssh-key` to a private key whose public half is in authorized_keys on the server.',
      input: 'ssh-key',
    })
  }
  if (level === 'client-timeout') {
    return error('login-timeout', {
      cause: `${host} did not finish the login of ${user} within \`connect-timeout\`.`,
      cure: 'Raise `connect-timeout`; on the server a slow PAM module or name lookup (`UseDNS`) is the usual reason.',
      input: 'connect-timeout',
    })
  }
  if (turnedAway.includes(code) && !partial) {
    const what = key === undefined ? 'the password' : `the key ${key.fingerprint} (${familyOf(key.type)})`
    return error('login-too-many-tries', {
      cause: `${host} did not take ${what} of ${user} and ended the login: ${oneLine(message)}.`,
      cure: 'Correct `user`, `ssh-key` or `password`, and give only the one that is right: each refused one counts towards MaxAuthTries of sshd_config.',
      input: key === undefined ? 'password' : 'ssh-key',
    })
  }
  if (level !== 'client-authentication') {
    return error('login-cut', {
      cause: `${host} broke off the login of ${user}: ${oneLine(message)}.`,
      cure: 'Look into the log of sshd on the server (`journalctl -u ssh`), and run the job again.',
      input: 'user',
    })
  }
  if (partial) {
    return error('login-second-factor', {
      cause: `${host} took the first proof of ${user}, but wants a second one (${takes}).`,
      cure: passwordGiven
        ? 'Use a user for whom sshd asks for a key only (AuthenticationMethods publickey): one-time codes cannot be given by a workflow.'
        : 'Give `password` too, or set `AuthenticationMethods publickey` for this user in sshd_config.',
      input: 'password',
    })
  }
  if (key === undefined) return withPassword(failure, takes)
  if (allowed !== undefined && !allowed.includes('publickey')) {
    return error('login-keys-off', {
      cause: `${host} takes no keys from ${user}, only: ${takes}.`,
      cure: passwordGiven
        ? 'Correct `password`, or set `PubkeyAuthentication yes` in sshd_config.'
        : 'Set `PubkeyAuthentication yes` in sshd_config, or give `password`.',
      input: 'ssh-key',
    })
  }
  // ssh2 sends no key for whose type the server has named no signature algorithm, so no refusal has come.
  if (allowed === undefined) {
    return error('login-key-type', {
      cause: `${host} takes no ${familyOf(key.type)} keys, or none with a signature algorithm that can be used here.`,
      cure: 'Use an Ed25519 key (`ssh-keygen -t ed25519`), or allow rsa-sha2-256 in PubkeyAcceptedAlgorithms of sshd_config.',
      input: 'ssh-key',
    })
  }
  const alsoPassword = tried.some((method) => method !== 'publickey')
  const root =
    user === 'root'
      ? 'see that PermitRootLogin is not `no`'
      : 'see that the user exists and may log in (AllowUsers)'
  return error('login-key-refused', {
    cause: `${host} did not take the key ${key.fingerprint} (${familyOf(key.type)}) for the user ${user}${alsoPassword ? ', nor the password' : ''}.`,
    cure: `Correct \`user\` or \`ssh-key\`, or add this line to ~${user}/.ssh/authorized_keys on the server (home and .ssh writable by nobody else, or sshd ignores it) and ${root}: ${key.publicLine}`,
    input: 'ssh-key',
  })
}

function withPassword({ host, user, authentication }: ConnectFailure, takes: string): DeployError {
  const { allowed } = authentication
  const byPassword = allowed?.some((method) => method === 'password' || method === 'keyboard-interactive')
  if (allowed !== undefined && byPassword !== true) {
    return new DeployError('login-password-off', {
      cause: `${host} takes no passwords from ${user}, only: ${takes}.`,
      cure: 'Set `ssh-key` to a private key whose public half is in authorized_keys on the server.',
      input: 'password',
    })
  }
  return new DeployError('login-password-refused', {
    cause: `${host} did not take the password for the user ${user}.`,
    cure:
      user === 'root'
        ? 'Use `ssh-key` (sshd takes no password from root unless PermitRootLogin is `yes`), or correct `password`.'
        : 'Correct `user` or `password`; a key in `ssh-key` is safer than either.',
    input: 'password',
  })
}

/** What a server said, fit for the middle of a sentence. */
function oneLine(text: string): string {
  return cutToBytes(visible(text.trim().replace(/\.$/, '')), 200)
}
