import { failsIn, type Row } from './staged-logins.ts'

const failing = failsIn('connect')

/** The way to the server. */
export const wayRows: readonly Row[] = [
  failing(
    { what: 'port closed', inputs: { port: '2199' }, calls: 0 },
    {
      code: 'connection-refused',
      cause: /refused the connection: nothing listens on port 2199/,
      cure: /systemctl start ssh.*correct `port`/,
      input: 'port',
    },
  ),
  failing(
    {
      what: 'port filtered',
      // The answers to callers are thrown away, silently.
      sshd: '',
      stage: (port) => `ip rule add pref 10 ipproto 6 sport ${port} blackhole`,
      undo: 'ip rule del pref 10',
      inputs: { 'connect-timeout': '2s' },
      calls: 0,
    },
    {
      code: 'connection-timeout',
      cause: /did not answer on port \d+: it is down, or a firewall drops the connection/,
      cure: /open the port for the runner's address/,
      input: 'host',
    },
  ),
  failing(
    { what: 'host name unknown', inputs: { host: 'no-such-host.invalid' }, calls: 0 },
    {
      code: 'host-unknown',
      cause: /no address for the name no-such-host\.invalid/,
      cure: /Correct `host`, or give the IP address/,
      input: 'host',
    },
  ),
  failing(
    { what: 'a web server', inputs: { port: '80' } },
    {
      code: 'not-ssh',
      cause: /port 80 is not SSH but a web server: it said "HTTP\/1\.1 400 Bad Request"/,
      cure: /Correct `port`.*or `host`/,
      input: 'port',
    },
  ),
  failing(
    { what: 'a greeting that does not come in time', before: 'sleep 5', inputs: { 'connect-timeout': '1s' } },
    {
      code: 'greeting-timeout',
      cause: /took the connection on port \d+, but said nothing within `connect-timeout`/,
      cure: /overloaded, or raise `connect-timeout`/,
      input: 'connect-timeout',
    },
  ),
  {
    what: 'a greeting that comes late, behind another text',
    before: 'echo "One moment, please"; sleep 1',
    says: /^Connected to .+$/m,
    calls: 1,
  },
  failing(
    {
      what: 'MaxStartups is reached',
      sshd: 'MaxStartups 1:100:1',
      stage: (port) => `systemd-run --quiet --unit=hold bash -c 'exec 3<>/dev/tcp/127.0.0.1/${port}; sleep 60'
        until ss -Htn state established '( dport = :${port} )' | grep -q .; do sleep 0.05; done`,
      undo: 'systemctl stop hold',
      calls: 3,
    },
    {
      code: 'connection-closed',
      cause: /more logins under way than it takes at once: it said "Exceeded MaxStartups"/,
      cure: /Run the job again; .*raise MaxStartups/,
      input: 'host',
    },
  ),
  failing(
    { what: 'no key exchange in common', sshd: 'KexAlgorithms sntrup761x25519-sha512@openssh.com' },
    {
      code: 'no-common-algorithm',
      cause: /have no algorithm in common: .*key exchange/,
      cure: /Allow curve25519-sha256/,
      input: 'host',
    },
  ),
]
