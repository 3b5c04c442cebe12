import { describe, expect, test } from 'vitest'
import { diagnose } from '../../src/server/connect-diagnosis.ts'
import type { ConnectFailure } from '../../src/server/connect-failure.ts'

const key = { type: 'ssh-ed25519', fingerprint: 'SHA256:ours', publicLine: 'ssh-ed25519 AAAAours' }

const base: ConnectFailure = {
  host: 'example.com',
  port: 22,
  user: 'deploy',
  stage: 'tcp',
  level: undefined,
  code: undefined,
  message: 'it failed',
  firstBytes: '',
  serverIdent: '',
  banner: '',
  hostKeyTypes: ['ssh-ed25519', 'rsa-sha2-512', 'rsa-sha2-256'],
  authentication: { key, passwordGiven: false, tried: [], allowed: undefined, partial: false },
}

const greeting = (firstBytes: string, more: Partial<ConnectFailure> = {}) => ({
  ...base,
  stage: 'greeting' as const,
  level: 'protocol',
  message: 'Connection lost before handshake',
  firstBytes,
  ...more,
})

const handshake = (message: string, level = 'handshake') => ({
  ...base,
  stage: 'handshake' as const,
  serverIdent: 'SSH-2.0-OpenSSH_9.2p1',
  message,
  level,
})

const login = (
  facts: Partial<ConnectFailure['authentication']>,
  more: Partial<ConnectFailure> = {},
): ConnectFailure => ({
  ...base,
  stage: 'authentication',
  level: 'client-authentication',
  message: 'All configured authentication methods failed',
  authentication: { ...base.authentication, tried: ['publickey'], allowed: ['publickey'], ...facts },
  ...more,
})

const password = { key: undefined, passwordGiven: true, tried: ['password'] }

/** Each row: what happened, the code, whether it may pass, the input to look at, what has to be said. */
const rows: readonly (readonly [string, ConnectFailure, string, boolean, string, RegExp])[] = [
  ['unknown name', { ...base, code: 'ENOTFOUND' }, 'host-unknown', false, 'host', /no address/],
  ['name server silent', { ...base, code: 'EAI_AGAIN' }, 'host-lookup-failed', true, 'host', /name server/],
  ['closed port', { ...base, code: 'ECONNREFUSED' }, 'connection-refused', false, 'port', /nothing listens/],
  ['filtered port', { ...base, code: 'TIMEOUT' }, 'connection-timeout', true, 'host', /firewall/],
  [
    'filtered port, by the kernel',
    { ...base, code: 'ETIMEDOUT' },
    'connection-timeout',
    true,
    'host',
    /firewall/,
  ],
  [
    'private address',
    { ...base, host: '192.168.1.5', code: 'TIMEOUT' },
    'connection-timeout',
    true,
    'host',
    /private address/,
  ],
  ['no route', { ...base, code: 'EHOSTUNREACH' }, 'host-unreachable', true, 'host', /no way/],
  [
    'no IPv6',
    { ...base, host: '2001:db8::1', code: 'ENETUNREACH' },
    'host-unreachable',
    true,
    'host',
    /IPv4 address/,
  ],
  ['reset', { ...base, code: 'ECONNRESET' }, 'connection-reset', true, 'host', /broke off/],
  ['anything else', { ...base, code: 'EACCES' }, 'connect-failed', false, 'host', /it failed/],
  [
    'a web server',
    greeting('HTTP/1.1 400 Bad Request\r\n'),
    'not-ssh',
    false,
    'port',
    /a web server.*HTTP\/1\.1 400/,
  ],
  ['a mail server', greeting('220 mail ESMTP\r\n'), 'not-ssh', false, 'port', /mail/],
  ['a TLS server', greeting('\x15\x03\x01\x00\x02\x02F'), 'not-ssh', false, 'port', /TLS/],
  ['a stranger', greeting('-ERR unknown command\r\n'), 'not-ssh', false, 'port', /something else/],
  ['closed at once', greeting(''), 'connection-closed', true, 'host', /MaxStartups.*fail2ban/],
  [
    'turned away by MaxStartups',
    greeting('Exceeded MaxStartups\r\n'),
    'connection-closed',
    true,
    'host',
    /more logins under way than it takes.*Exceeded MaxStartups/,
  ],
  [
    'turned away by PerSourcePenalties',
    greeting('Not allowed at this time\r\n'),
    'login-penalty',
    false,
    'ssh-key',
    /Not allowed at this time.*PerSourcePenaltyExemptList/,
  ],
  [
    'a greeting that is late',
    greeting('', { level: 'client-timeout', message: 'Timed out' }),
    'greeting-timeout',
    false,
    'connect-timeout',
    /UseDNS/,
  ],
  [
    'no host key that can be checked',
    handshake('Handshake failed: no matching host key format'),
    'no-common-algorithm',
    false,
    'host',
    /ED25519 or RSA/,
  ],
  [
    'no key exchange in common',
    handshake('Handshake failed: no matching key exchange algorithm'),
    'no-common-algorithm',
    false,
    'host',
    /KexAlgorithms/,
  ],
  [
    'a handshake that stops',
    handshake('Timed out', 'client-timeout'),
    'handshake-timeout',
    false,
    'connect-timeout',
    /MTU/,
  ],
  [
    'a handshake cut',
    handshake('read ECONNRESET', 'client-socket'),
    'handshake-failed',
    true,
    'host',
    /ECONNRESET/,
  ],
  [
    'a bad signature',
    handshake('Handshake failed: signature'),
    'handshake-failed',
    false,
    'host',
    /signature/,
  ],
  [
    'key not in authorized_keys',
    login({}),
    'login-key-refused',
    false,
    'ssh-key',
    /SHA256:ours \(ED25519\) for the user deploy.*authorized_keys.*journalctl.*AllowUsers.*from=.*: ssh-ed25519 AAAAours$/,
  ],
  [
    'key refused for root',
    login({}, { user: 'root' }),
    'login-key-refused',
    false,
    'ssh-key',
    /PermitRootLogin/,
  ],
  [
    'key and password refused',
    login({
      passwordGiven: true,
      tried: ['publickey', 'password'],
      allowed: ['publickey', 'password'],
    }),
    'login-key-refused',
    false,
    'ssh-key',
    /nor the password/,
  ],
  [
    'keys are off',
    login({ allowed: ['password'] }),
    'login-keys-off',
    false,
    'ssh-key',
    /takes no keys.*password/,
  ],
  [
    'passwords are off',
    login({ ...password }),
    'login-password-off',
    false,
    'password',
    /takes no passwords/,
  ],
  [
    'password refused',
    login({ ...password, allowed: ['publickey', 'password'] }),
    'login-password-refused',
    false,
    'password',
    /did not take the password/,
  ],
  [
    'password refused for root',
    login({ ...password, allowed: ['password'] }, { user: 'root' }),
    'login-password-refused',
    false,
    'password',
    /PermitRootLogin/,
  ],
  [
    'a second factor',
    login({ partial: true, allowed: ['keyboard-interactive'] }),
    'login-second-factor',
    false,
    'password',
    /second one \(keyboard-interactive\)/,
  ],
  [
    'a second factor that is not the password',
    login({ partial: true, passwordGiven: true, allowed: ['keyboard-interactive'] }),
    'login-second-factor',
    false,
    'password',
    /second one \(keyboard-interactive\), which was not the password/,
  ],
  [
    'MaxAuthTries',
    login({}, { level: undefined, code: 2, message: 'Too many authentication failures' }),
    'login-too-many-tries',
    false,
    'ssh-key',
    /MaxAuthTries/,
  ],
  [
    'an RSA key where the server takes none',
    login({ allowed: undefined, key: { ...key, type: 'ssh-rsa' } }),
    'login-key-type',
    false,
    'ssh-key',
    /takes no RSA keys.*ssh-keygen -t ed25519/,
  ],
  [
    'a login that hangs',
    login({}, { level: 'client-timeout' }),
    'login-timeout',
    false,
    'connect-timeout',
    /connect-timeout/,
  ],
  [
    'a login that is cut',
    login({}, { level: 'client-socket', message: 'read ECONNRESET' }),
    'login-cut',
    false,
    'user',
    /ECONNRESET/,
  ],
  [
    'a login that is cut, with a word',
    login({}, { level: undefined, message: 'No response', banner: 'Welcome\n\nYour account has expired.\n' }),
    'login-cut',
    false,
    'user',
    /its last words were "Your account has expired".*chage -l deploy/,
  ],
]

test.each(rows)('%s', (_name, failure, code, passing, input, said) => {
  const { error, passing: mayPass } = diagnose(failure)
  expect(error.code).toBe(code)
  expect(mayPass).toBe(passing)
  expect(error.explanations).toHaveLength(1)
  expect(error.explanations[0]?.input).toBe(input)
  expect(error.message).toMatch(said)
})

test('every cause and every cure is one line that ends, and names the host, the user or the input', () => {
  for (const [, failure] of rows) {
    const [explanation] = diagnose(failure).error.explanations
    expect(explanation?.cause).toMatch(/^[^\n]+\.$/)
    expect(explanation?.cure).toMatch(/^[^\n]+$/)
  }
})

describe("a stranger's words", () => {
  test('cannot move the cursor or begin a line, and are short', () => {
    const { error } = diagnose(greeting(`\x1b[31mHello${'x'.repeat(400)}\r\n::error::forged`))
    expect(error.code).toBe('not-ssh')
    expect(error.message).toMatch(/^\P{Cc}+$/u)
    expect(error.message).not.toContain('forged')
    expect(error.message.length).toBeLessThan(400)
  })
  test('in a disconnect message neither', () => {
    const { error } = diagnose(
      login({}, { level: undefined, code: 2, message: `no\n::error::forged${'y'.repeat(5000)}` }),
    )
    expect(error.message).not.toContain('\n')
    expect(error.message.length).toBeLessThan(700)
  })
})
