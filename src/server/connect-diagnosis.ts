import { isIP } from 'node:net'
import { DeployError, type Explanation } from '../errors.ts'
import { cutToBytes, visible } from '../text.ts'
import { authenticationDiagnosis } from './auth-diagnosis.ts'
import type { ConnectFailure } from './connect-failure.ts'
import { familyOf } from './public-key.ts'

/** What a failure is. */
export interface Diagnosis {
  readonly error: DeployError
  /** It may pass by itself, so that trying again makes sense. */
  readonly passing: boolean
}

/**
 * Says what is wrong. Codes: `host-unknown`, `host-lookup-failed`, `connection-refused`, `connection-timeout`,
 * `host-unreachable`, `connection-reset`, `not-ssh`, `connection-closed`, `login-penalty`, `greeting-timeout`,
 * `no-common-algorithm`, `handshake-timeout`, `handshake-failed`, `connect-failed`, and those of
 * `authenticationDiagnosis`.
 */
export function diagnose(failure: ConnectFailure): Diagnosis {
  switch (failure.stage) {
    case 'tcp':
      return tcp(failure)
    case 'greeting':
      return greeting(failure)
    case 'handshake':
      return handshake(failure)
    case 'authentication':
      return { error: authenticationDiagnosis(failure), passing: false }
  }
}

function tcp(failure: ConnectFailure): Diagnosis {
  const { host, port, code } = failure
  switch (String(code)) {
    case 'ENOTFOUND':
      return lasting('host-unknown', {
        cause: `There is no address for the name ${host}.`,
        cure: 'Correct `host`, or give the IP address of the server; a new DNS record can take hours to be seen.',
        input: 'host',
      })
    case 'EAI_AGAIN':
      return passing('host-lookup-failed', {
        cause: `The name ${host} could not be looked up: the name server did not answer.`,
        cure: 'Run the job again, or give the IP address of the server as `host`.',
        input: 'host',
      })
    case 'ECONNREFUSED':
      return lasting('connection-refused', {
        cause: `${host} refused the connection: nothing listens on port ${port}.`,
        cure: 'Start sshd on the server (`systemctl start ssh`), or correct `port`.',
        input: 'port',
      })
    case 'TIMEOUT':
    case 'ETIMEDOUT':
      return passing('connection-timeout', {
        cause: `${host} did not answer on port ${port}: it is down, or a firewall drops the connection.`,
        cure: `Check \`host\` and \`port\`, and open the port for the runner's address${privateHint(host)}.`,
        input: 'host',
      })
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return passing('host-unreachable', {
        cause: `There is no way from the runner to ${host}.`,
        cure:
          isIP(host) === 6
            ? "Give the server's IPv4 address as `host`: GitHub's runners have no IPv6."
            : `Check \`host\`, and that the server is up${privateHint(host)}.`,
        input: 'host',
      })
    case 'ECONNRESET':
    case 'EPIPE':
      return passing('connection-reset', {
        cause: `${host} broke off the connection to port ${port}.`,
        cure: 'Run the job again; if it stays, look for a firewall in front of the server.',
        input: 'host',
      })
    default:
      return lasting('connect-failed', {
        cause: `The connection to ${host} port ${port} failed: ${failure.message}.`,
        cure: 'Check `host` and `port`.',
        input: 'host',
      })
  }
}

function greeting(failure: ConnectFailure): Diagnosis {
  const { host, port, level, firstBytes } = failure
  const said = firstBytes.trim()
  // ssh2's words for a line that begins as the one of SSH and goes on otherwise.
  if (said === '' && /^Invalid (?:identification|header)/.test(failure.message)) {
    return lasting('not-ssh', {
      cause: `What answers on ${host} port ${port} greets as SSH does, but with a version that cannot be read.`,
      cure: 'Correct `port` (sshd listens on 22 unless its `Port` says otherwise) or `host`.',
      input: 'port',
    })
  }
  if (/^(HTTP\/|<!doctype|<html)/i.test(said)) return notSsh(failure, 'a web server')
  if (/^220[ -]/.test(said)) return notSsh(failure, 'a mail or FTP server')
  // A TLS alert: content type 21, protocol version 3.x (RFC 8446, section 5.1).
  if (said.startsWith('\x15\x03')) return notSsh(failure, 'a TLS server')
  if (level === 'client-timeout') {
    return lasting('greeting-timeout', {
      cause: `${host} took the connection on port ${port}, but said nothing within \`connect-timeout\`.`,
      cure: 'Check that sshd listens there and is not overloaded, or raise `connect-timeout`: with `UseDNS yes` sshd can wait long for a name.',
      input: 'connect-timeout',
    })
  }
  // Words of sshd.c since OpenSSH 9.8. Each further call is for nothing, and shorter waits than its own are no use.
  if (/^not allowed at this time/i.test(said)) {
    return lasting('login-penalty', {
      cause: `${host} turns the runner's address away for a while, because logins from there failed: it said ${quoted(said)}.`,
      cure: 'Correct `user` or `ssh-key` if it was this workflow that failed, wait for ten minutes, and run the job again; on the server, PerSourcePenaltyExemptList in sshd_config lets an address off.',
      input: 'ssh-key',
    })
  }
  if (/^exceeded maxstartups/i.test(said)) {
    return passing('connection-closed', {
      cause: `${host} has more logins under way than it takes at once: it said ${quoted(said)}.`,
      cure: 'Run the job again; if it stays, strangers who try passwords fill it up: keep them out (a firewall, fail2ban), or raise MaxStartups in sshd_config.',
      input: 'host',
    })
  }
  // sshd itself speaks plain text before its greeting only when it turns a caller away.
  if (said !== '' && !/exceeded|not allowed|penalt|refused|too many/i.test(said)) {
    return notSsh(failure, 'something else')
  }
  return passing('connection-closed', {
    cause: `${host} closed the connection on port ${port} before it said anything${said === '' ? '' : ` but ${quoted(said)}`}.`,
    cure: 'Wait some minutes and run the job again; sshd turns callers away for a while when too many come at once (MaxStartups), a firewall does so when logins failed (fail2ban), and /etc/hosts.deny for good.',
    input: 'host',
  })
}

function notSsh({ host, port, firstBytes }: ConnectFailure, what: string): Diagnosis {
  return lasting('not-ssh', {
    cause: `What answers on ${host} port ${port} is not SSH but ${what}: it said ${quoted(firstBytes.trim())}.`,
    cure: 'Correct `port` (sshd listens on 22 unless its `Port` says otherwise) or `host`.',
    input: 'port',
  })
}

function handshake(failure: ConnectFailure): Diagnosis {
  const { host, port, level, message, serverIdent } = failure
  if (/no matching host key format/i.test(message)) {
    const families = [...new Set(failure.hostKeyTypes.map(familyOf))].join(' or ')
    return lasting('no-common-algorithm', {
      cause: `${host} (${serverIdent}) has no host key of a type that can be checked (${families}).`,
      cure: 'Run `ssh-keygen -A` on the server and restart sshd, which makes the missing keys.',
      input: 'host',
    })
  }
  if (/no matching/i.test(message)) {
    return lasting('no-common-algorithm', {
      cause: `${host} (${serverIdent}) and this action have no algorithm in common: ${message}.`,
      cure: 'Allow curve25519-sha256 and aes128-gcm@openssh.com in KexAlgorithms and Ciphers of the server, or bring its sshd up to date.',
      input: 'host',
    })
  }
  if (level === 'client-timeout') {
    return lasting('handshake-timeout', {
      cause: `${host} (${serverIdent}) began to speak SSH on port ${port}, but did not go on within \`connect-timeout\`.`,
      cure: 'Run the job again, or raise `connect-timeout`; if it stays, large packets get lost on the way (MTU).',
      input: 'connect-timeout',
    })
  }
  const cut = level === 'client-socket' || /lost|ended|No response/i.test(message)
  const diagnosis = cut ? passing : lasting
  return diagnosis('handshake-failed', {
    cause: `The SSH handshake with ${host} (${serverIdent}) failed: ${message}.`,
    cure: cut
      ? 'Run the job again; if it stays, look into the log of sshd (`journalctl -u ssh`).'
      : 'Look into the log of sshd on the server: `journalctl -u ssh`.',
    input: 'host',
  })
}

function lasting(code: string, explanation: Explanation): Diagnosis {
  return { error: new DeployError(code, explanation), passing: false }
}

function passing(code: string, explanation: Explanation): Diagnosis {
  return { error: new DeployError(code, explanation), passing: true }
}

/** The first line of what a stranger said, fit for a log. */
function quoted(text: string): string {
  const [line = ''] = text.split(/[\r\n]/)
  return `"${cutToBytes(visible(line), 80)}"`
}

/** A private address (RFC 1918, RFC 6598) cannot be reached from GitHub's own runners. */
function privateHint(host: string): string {
  const inside = /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.)/.test(
    host,
  )
  return inside && isIP(host) === 4
    ? ' (this is a private address: only a runner within that network can reach it)'
    : ''
}
