import { rsaKey } from './staged-keys.ts'
import { type Fails, failsIn, type Row, type Staged, user } from './staged-logins.ts'

const failing = failsIn('connect')
const key = String.raw`the key SHA256:\S+ \(ED25519\)`

/** What stands before the key in authorized_keys. */
const withOption = (name: string, option: string) =>
  user(name, `sed -i '1s,^,${option} ,' /home/${name}/.ssh/authorized_keys`)

/** Where sshd says no more than no; its log says why. */
const refused = (staging: Staged, cure: RegExp, more: Partial<Fails> = {}): Fails => ({
  ...failing(staging, {
    code: 'login-key-refused',
    cause: new RegExp(`did not take ${key} for the user ${staging.inputs?.['user'] ?? 'keys'}\\.`),
    cure,
    input: 'ssh-key',
  }),
  ...more,
})

/** The proof of who the user is. */
export const proofRows: readonly Row[] = [
  refused(
    {
      what: 'the key is not in authorized_keys',
      prepare: user('keyless', ': > /home/keyless/.ssh/authorized_keys'),
      inputs: { user: 'keyless' },
      told: /^Connection closed|^Disconnected from authenticating user keyless/m,
    },
    /Add the line at the end to ~keyless\/\.ssh\/authorized_keys .*: ssh-ed25519 AAAA\S+$/,
  ),
  ...[
    { name: 'openhome', path: '/home/openhome', what: 'others may write to home' },
    { name: 'openfolder', path: '/home/openfolder/.ssh', what: 'others may write to .ssh' },
    {
      name: 'openfile',
      path: '/home/openfile/.ssh/authorized_keys',
      what: 'others may write to authorized_keys',
    },
  ].map(({ name, path, what }) =>
    refused(
      {
        what,
        prepare: user(name, `chmod a+w ${path}`),
        inputs: { user: name },
        told: new RegExp(`bad ownership or modes for \\w+ ${path}$`, 'm'),
      },
      /journalctl -u ssh.*others may write to the home or \.ssh/,
    ),
  ),
  refused(
    {
      what: "authorized_keys is root's, and the user cannot read it",
      prepare: user('rooted', 'chown root: /home/rooted/.ssh/authorized_keys'),
      inputs: { user: 'rooted' },
      told: /Could not open user 'rooted' authorized keys .*Permission denied/,
    },
    /journalctl -u ssh.*they are not rooted's/,
  ),
  refused(
    {
      what: 'from= leaves the runner out',
      prepare: withOption('inside', 'from="192.0.2.*"'),
      inputs: { user: 'inside' },
      told: /Authentication tried for inside with correct key but not from a permitted host/,
    },
    /journalctl -u ssh.*a `from=` leaves out the runner/,
  ),
  refused(
    { what: 'the user does not exist', inputs: { user: 'nosuch' }, told: /Invalid user nosuch from/ },
    /journalctl -u ssh.*there is no such user/,
  ),
  refused(
    {
      what: 'AllowUsers',
      sshd: 'AllowUsers root',
      told: /User keys from \S+ not allowed because not listed in AllowUsers/,
    },
    /journalctl -u ssh.*AllowUsers, a lock or its shell keeps it out/,
  ),
  refused(
    {
      what: 'a locked account, without PAM',
      sshd: 'UsePAM no',
      prepare: user('locked', 'usermod --lock locked'),
      inputs: { user: 'locked' },
      told: /User locked not allowed because account is locked/,
    },
    /a lock or its shell keeps it out/,
  ),
  refused(
    {
      what: 'a login shell that does not exist',
      prepare: user('shellless', 'usermod --shell /bin/gone shellless 2>/dev/null'),
      inputs: { user: 'shellless' },
      told: /User shellless not allowed because shell \/bin\/gone does not exist/,
    },
    /a lock or its shell keeps it out/,
  ),
  refused(
    {
      what: 'PermitRootLogin no',
      sshd: 'PermitRootLogin no',
      inputs: { user: 'root' },
      told: /ROOT LOGIN REFUSED/,
    },
    /journalctl -u ssh.*PermitRootLogin is `no`/,
  ),
  refused(
    {
      what: 'RSA keys are not accepted, which this sshd does not announce',
      sshd: 'PubkeyAcceptedAlgorithms ssh-ed25519',
      inputs: { 'ssh-key': rsaKey },
      told: /signature algorithm rsa-sha2-\d+ not in PubkeyAcceptedAlgorithms/,
    },
    /journalctl -u ssh.*PubkeyAcceptedAlgorithms has no rsa-sha2-256/,
    { cause: /did not take the key SHA256:\S+ \(RSA\)/ },
  ),
  refused(
    {
      what: 'RSA keys with SHA-1 only',
      sshd: 'PubkeyAcceptedAlgorithms ssh-rsa',
      inputs: { 'ssh-key': rsaKey },
      told: /signature algorithm rsa-sha2-256 not in PubkeyAcceptedAlgorithms/,
    },
    /PubkeyAcceptedAlgorithms has no rsa-sha2-256/,
    { cause: /did not take the key SHA256:\S+ \(RSA\)/ },
  ),
  refused(
    {
      what: 'Ed25519 keys are not accepted',
      sshd: 'PubkeyAcceptedAlgorithms rsa-sha2-512',
      told: /signature algorithm ssh-ed25519 not in PubkeyAcceptedAlgorithms/,
    },
    /journalctl -u ssh.*PubkeyAcceptedAlgorithms has no ssh-ed25519/,
  ),
  failing(
    { what: 'no keys are accepted', sshd: 'PubkeyAuthentication no\nPasswordAuthentication yes' },
    {
      code: 'login-keys-off',
      cause: /takes no keys from keys, only: password/,
      cure: /`PubkeyAuthentication yes` in sshd_config, or give `password`/,
      input: 'ssh-key',
    },
  ),
  failing(
    {
      what: 'a password where only keys are accepted',
      sshd: 'PasswordAuthentication no',
      inputs: { user: 'asker', 'ssh-key': '', password: 'correct horse' },
    },
    {
      code: 'login-password-off',
      cause: /takes no passwords from asker, only: publickey/,
      cure: /Set `ssh-key`/,
      input: 'password',
    },
  ),
  failing(
    {
      what: 'the wrong password',
      sshd: 'PasswordAuthentication yes',
      inputs: { user: 'asker', 'ssh-key': '', password: 'battery staple' },
      told: /Failed password for asker/,
    },
    {
      code: 'login-password-refused',
      cause: /did not take the password for the user asker/,
      cure: /Correct `user` or `password`/,
      input: 'password',
    },
  ),
  failing(
    {
      what: 'MaxAuthTries',
      sshd: 'MaxAuthTries 1',
      inputs: { user: 'keyless' },
      told: /maximum authentication attempts exceeded/,
    },
    {
      code: 'login-too-many-tries',
      cause: new RegExp(
        `did not take ${key} of keyless and ended the login: Too many authentication failures`,
      ),
      cure: /each refused one counts towards MaxAuthTries/,
      input: 'ssh-key',
    },
  ),
  failing(
    {
      what: 'a second factor is wanted, and none given',
      sshd: 'AuthenticationMethods publickey,password\nPasswordAuthentication yes',
    },
    {
      code: 'login-second-factor',
      cause: /took the first proof of keys, but wants a second one \(password\)/,
      cure: /Give `password` too.*`AuthenticationMethods publickey` in sshd_config/,
      input: 'password',
    },
  ),
  failing(
    {
      what: 'a second factor is wanted, and it is not the password',
      sshd: 'AuthenticationMethods publickey,keyboard-interactive\nKbdInteractiveAuthentication yes',
      inputs: { password: 'not a one-time code' },
    },
    {
      code: 'login-second-factor',
      cause: /wants a second one \(keyboard-interactive\), which was not the password/,
      cure: /a workflow cannot give one-time codes/,
      input: 'password',
    },
  ),
  failing(
    {
      what: 'an expired account',
      prepare: user('expired', 'usermod --expiredate 1 expired'),
      inputs: { user: 'expired' },
      told: /Access denied for user expired by PAM account configuration/,
    },
    {
      code: 'login-cut',
      cause: /broke off the login of expired: its last words were "Your account has expired/,
      cure: /journalctl -u ssh.*`chage -l expired`/,
      input: 'user',
    },
  ),
  failing(
    {
      what: 'a server that is shutting down',
      stage: () => 'echo "The system is going down" > /etc/nologin',
      undo: 'rm /etc/nologin',
      told: /Access denied for user keys by PAM account configuration/,
    },
    {
      code: 'login-cut',
      cause: /broke off the login of keys: its last words were "The system is going down"/,
      cure: /while the server boots or shuts down \(\/etc\/nologin\); then run the job again/,
      input: 'user',
    },
  ),
  failing(
    {
      what: 'a login that takes too long',
      stage: () =>
        `cp /etc/pam.d/sshd /run/pam; sed -i '1i account optional pam_exec.so /bin/sleep 4' /etc/pam.d/sshd`,
      undo: 'cp /run/pam /etc/pam.d/sshd',
      inputs: { 'connect-timeout': '2s' },
    },
    {
      code: 'login-timeout',
      cause: /did not finish the login of keys within `connect-timeout`/,
      cure: /Raise `connect-timeout`/,
      input: 'connect-timeout',
    },
  ),
]

/** What newer versions of sshd (9.8, 10.0) do otherwise. */
export const newerRows: readonly Row[] = [
  failing(
    {
      what: 'PerSourcePenalties, after too many tries',
      // Two refusals are too many here: the default (5 s each, from 15 s on) would depend on how fast they come.
      sshd: 'PerSourcePenalties authfail:60s min:90s',
      prepare: user('keyless', ': > /home/keyless/.ssh/authorized_keys'),
      inputs: { user: 'keyless' },
      rehearsed: 2,
    },
    {
      code: 'login-penalty',
      cause: /turns the runner's address away for a while.*"Not allowed at this time"/,
      cure: /wait for ten minutes, and run the job again.*PerSourcePenaltyExemptList/,
      input: 'ssh-key',
    },
  ),
  failing(
    {
      what: 'RSA keys are not accepted, which this sshd announces',
      sshd: 'PubkeyAcceptedAlgorithms ssh-ed25519',
      inputs: { 'ssh-key': rsaKey },
    },
    {
      code: 'login-key-type',
      cause: /takes no RSA keys/,
      cure: /Use an Ed25519 key.*PubkeyAcceptedAlgorithms/,
      input: 'ssh-key',
    },
  ),
]
