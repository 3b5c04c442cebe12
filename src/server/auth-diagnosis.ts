import { DeployError, type Explanation } from '../errors.ts'
import { cutToBytes, visible } from '../text.ts'
import type { ConnectFailure } from './connect-failure.ts'
import { familyOf } from './public-key.ts'

/** SSH_DISCONNECT_PROTOCOL_ERROR and SSH_DISCONNECT_NO_MORE_AUTH_METHODS_AVAILABLE (RFC 4253, section 11.1). */
const turnedAway: readonly unknown[] = [2, 14]

/**
 * Says why a login failed, as far as a server lets a client know: sshd answers alike whether the key is missing,
 * the files' modes are wrong, the user does not exist or is not allowed, but its own log says which it was.
 * Codes: `login-timeout`, `login-too-many-tries`, `login-second-factor`, `login-keys-off`,
 * `login-key-type`, `login-password-off`, `login-key-refused`, `login-password-refused`, `login-cut`.
 */
export function authenticationDiagnosis(failure: ConnectFailure): DeployError {
  const { host, user, level, code, message, banner, authentication } = failure
  const { key, passwordGiven, tried, allowed, partial } = authentication
  const error = (name: string, explanation: Explanation) => new DeployError(name, explanation)
  const takes = allowed === undefined || allowed.length === 0 ? 'nothing' : allowed.join(', ')

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
    const said = lastLine(banner)
    return error('login-cut', {
      cause: `${host} broke off the login of ${user}: ${said === '' ? oneLine(message) : `its last words were "${said}"`}.`,
      cure: `See with \`journalctl -u ssh\` on the server who shut it out: PAM does so where the account has expired (\`chage -l ${user}\`; \`chage -E -1 ${user}\` ends that), and while the server boots or shuts down (/etc/nologin); then run the job again.`,
      input: 'user',
    })
  }
  if (partial) {
    return error('login-second-factor', {
      cause: `${host} took the first proof of ${user}, but wants a second one (${takes})${passwordGiven ? ', which was not the password' : ''}.`,
      cure: passwordGiven
        ? `Correct \`password\`, or let a key be enough for ${user} (\`AuthenticationMethods publickey\` in sshd_config): a workflow cannot give one-time codes.`
        : `Give \`password\` too, if that is the second one, or let a key be enough for ${user} (\`AuthenticationMethods publickey\` in sshd_config): a workflow cannot give one-time codes.`,
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
  const family = familyOf(key.type)
  // Of the two that OpenSSH knows for RSA, ssh2 takes this one wherever it is announced.
  const algorithm = key.type === 'ssh-rsa' ? 'rsa-sha2-256' : key.type
  const keptOut =
    user === 'root'
      ? 'PermitRootLogin is `no`'
      : 'there is no such user, or AllowUsers, a lock or its shell keeps it out'
  return error('login-key-refused', {
    cause: `${host} did not take the key ${key.fingerprint} (${family}) for the user ${user}${alsoPassword ? ', nor the password' : ''}.`,
    // sshd logs a line for each of these but the first: a key that is not there.
    cure: `Add the line at the end to ~${user}/.ssh/authorized_keys on the server, or correct \`user\` or \`ssh-key\`; where it is there already, \`journalctl -u ssh\` on the server says what sshd tells no caller (${keptOut}, others may write to the home or .ssh, they are not ${user}'s, a \`from=\` leaves out the runner, or PubkeyAcceptedAlgorithms has no ${algorithm}): ${key.publicLine}`,
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

/** The last line of several that a server said. */
function lastLine(text: string): string {
  return oneLine(
    text
      .trim()
      .split(/[\r\n]+/)
      .at(-1) ?? '',
  )
}

/** What a server said, fit for the middle of a sentence. */
function oneLine(text: string): string {
  return cutToBytes(visible(text.trim().replace(/\.$/, '')), 200)
}
