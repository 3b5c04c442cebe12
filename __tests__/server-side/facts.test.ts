import { expect, test } from 'vitest'
import { parseFacts } from '../../src/server/facts.ts'

const id = '20261122184800-abc1234'

test('what a server says becomes facts', () => {
  const facts = parseFacts([
    'os debian 12 bookworm',
    'systemd 252',
    'python /usr/bin/python3.11',
    'ipv6 yes',
    'cpus 2',
    'memory 1024',
    'disk 2048',
    'free /var 1024',
    'free /tmp ',
    'read-only /etc',
    'installed nginx',
    'nginx 1.22.1',
    'nginx-user www-data',
    'file web-hello.conf aa11',
    'uv uv-0.13.9',
    'account yes',
    'home yes',
    'ufw yes',
    'state generation 3',
    'state owner 4711 someone/hello',
    `state current ${id}`,
    `state release ${id} b d s c`,
    `link ${id}`,
    `nonce ${id} 0123`,
    `active ${id} yes`,
  ])
  expect(facts).toMatchObject({
    os: { id: 'debian', version: '12', codename: 'bookworm' },
    systemd: 252,
    python: '/usr/bin/python3.11',
    ipv6: true,
    memoryBytes: 1024 * 1024,
    diskFreeBytes: 2048 * 1024,
    free: new Map([['/var', 1024 * 1024]]),
    readOnly: ['/etc'],
    nginx: '1.22.1',
    firewall: true,
    link: id,
    active: true,
    state: {
      generation: 3,
      owner: { id: '4711', name: 'someone/hello' },
      current: id,
      previous: undefined,
      releases: [{ id, bundle: 'b', dependencies: 'd', settings: 's', commit: 'c' }],
    },
  })
  expect(facts.files.get('web-hello.conf')).toBe('aa11')
  expect(facts.nonces.get(id)).toBe('0123')
})

test("a bare server has nothing, and nginx will run as Debian's web user", () => {
  const facts = parseFacts(['os debian 12 bookworm', 'python ', 'systemd 252'])
  expect(facts).toMatchObject({
    python: undefined,
    nginx: undefined,
    nginxUser: 'www-data',
    state: undefined,
  })
})

test('what is malformed becomes the harmless value', () => {
  const facts = parseFacts([
    'cpus -3',
    'memory 9e99',
    'systemd',
    'state current ../../etc',
    'state release x',
    '',
  ])
  expect(facts).toMatchObject({
    cpus: 1,
    memoryBytes: 0,
    systemd: 0,
    state: { current: undefined, releases: [] },
  })
})

test('what would stand in the log, in a program or in a file is of one plain form, or not known', () => {
  const bad = '::error::x\0 <img> ../..'
  const facts = parseFacts([
    ...['os', 'arch', 'python', 'nginx', 'nginx-user', 'site-certificate'].map((key) => `${key} ${bad}`),
    'nonce 20261122184800-abc1234 a\rb',
    'nonce __proto__ 0123',
    'now 999999999999999',
    'resolved x',
    'state owner 4711 \x1b]0;x',
    'state release 20261122184800-abc1234 a\0 b c d',
    'state refused 1 999999999999999 x',
    `taken ${'x'.repeat(60_000)}`,
  ])
  expect(facts).toMatchObject({
    os: { id: 'unknown', version: 'unknown' },
    arch: 'unknown',
    python: undefined,
    nginx: '0',
    nginxUser: 'www-data',
    siteCertificate: undefined,
    now: 0,
    resolved: 0,
    state: { owner: { id: '4711', name: '\\x1b]0;x' }, releases: [], refused: { at: 0 } },
  })
  expect(facts.nonces.size).toBe(0)
  expect(facts.taken[0]).toHaveLength(198)
})
