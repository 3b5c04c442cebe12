import { describe, expect, test } from 'vitest'
import { DeployError, type Explanation } from '../../src/errors.ts'
import type { InputName } from '../../src/inputs/declared.ts'
import { type GetInput, parseInputs } from '../../src/inputs/parse.ts'
import { fewest, inputsOf } from './sample.ts'

function faults(get: GetInput): readonly Explanation[] {
  try {
    parseInputs(get)
  } catch (error) {
    if (error instanceof DeployError && error.code === 'bad-inputs') return error.explanations
    throw error
  }
  return []
}

describe('what is missing', () => {
  test('with no inputs at all, every required one is reported at once and no other', () => {
    const found = faults(() => '')
    expect(found.map((fault) => fault.input)).toEqual(['host', 'domain', 'ssh-key'])
    expect(found.map((fault) => fault.cause)).toEqual([
      '`host` is missing.',
      '`domain` is missing.',
      '`ssh-key` is empty: the secret is empty or its name is misspelt.',
    ])
  })

  test('a secret that comes out empty is named as such, also where only its passphrase is there', () => {
    const [fault] = faults(inputsOf({ 'ssh-key': ' \n', password: 'x', 'ssh-key-passphrase': 'y' }))
    expect(fault?.input).toBe('ssh-key')
    expect(fault?.cause).toContain('its secret is empty')
  })

  test('no host identity is no fault of the inputs: the run connects to show the fingerprint', () => {
    const { server } = parseInputs(inputsOf({ 'known-hosts': '' }))
    expect(server.knownHosts).toBeUndefined()
    expect(server.hostFingerprints).toEqual([])
  })

  test('a password is enough, to the byte but for the line end of pasting', () => {
    const { server } = parseInputs(inputsOf({ 'ssh-key': '', password: ' pass word \n' }))
    expect(server.password).toBe(' pass word ')
    expect(server.sshKey).toBeUndefined()
  })
})

test('the fewest inputs give the defaults of action.yml', () => {
  expect(parseInputs(inputsOf({}))).toEqual({
    command: 'deploy',
    release: undefined,
    run: undefined,
    lines: 200,
    destroyData: undefined,
    server: {
      host: '203.0.113.10',
      port: 22,
      user: 'root',
      sshKey: fewest['ssh-key'],
      sshKeyPassphrase: undefined,
      password: undefined,
      knownHosts: fewest['known-hosts'],
      hostFingerprints: [],
      sudoPassword: undefined,
      connectTimeoutMs: 30_000,
    },
    app: {
      name: undefined,
      source: '',
      app: undefined,
      python: undefined,
      requirements: undefined,
      extras: [],
      groups: [],
      dependencies: 'server',
      refresh: false,
      pythonDownload: true,
      packages: [],
      services: [],
      env: new Map(),
      secretFiles: new Map(),
      releaseCommand: undefined,
      firstDeployCommand: undefined,
      webCommand: undefined,
      processes: undefined,
      cron: [],
      persist: ['instance'],
      exclude: [],
      include: [],
    },
    site: {
      domains: ['blog.example.com'],
      static: [{ url: '/static', folder: 'static' }],
      maxBodySize: '16m',
      workers: undefined,
      threads: 4,
      timeoutSeconds: 60,
    },
    tls: {
      mode: 'auto',
      email: undefined,
      certificate: undefined,
      key: undefined,
      staging: false,
      acmeServer: undefined,
      hstsSeconds: 86_400,
    },
    behaviour: {
      lockTimeoutMs: 600_000,
      healthPath: undefined,
      healthTimeoutMs: 60_000,
      smokeUrl: undefined,
      smokeFrom: 'runner',
      expectStatus: undefined,
      expectText: undefined,
      confirmSeconds: 300,
      settleSeconds: 60,
      waitSettled: false,
      allowOlder: false,
      keepReleases: 5,
      commandTimeoutSeconds: 600,
      stopTimeoutSeconds: 60,
      upgradePackages: false,
    },
  })
})

test('an input that an unset variable leaves empty takes its default, `none` empties a list', () => {
  expect(parseInputs(inputsOf({ persist: '', static: ' \n ', port: '' })).app.persist).toEqual(['instance'])
  const { app, site } = parseInputs(inputsOf({ persist: 'none', static: 'none' }))
  expect([app.persist, site.static]).toEqual([[], []])
})

test('faults of many inputs are reported together, each naming its input and the right form', () => {
  const found = faults(
    inputsOf({
      port: '99999',
      python: '2.7',
      domain: 'a b\n*.example.com',
      workers: 'many',
      command: 'deplyo',
    }),
  )
  expect(found.map((fault) => fault.input)).toEqual([
    'port',
    'python',
    'domain',
    'domain',
    'workers',
    'command',
  ])
  for (const fault of found) {
    expect(fault.cause).toMatch(/^`[a-z-]+` .*\.$/)
    expect(fault.cure).toMatch(/^[A-Z].*\.$/)
  }
})

/** One good text and what it becomes. */
const good: readonly [InputName, string, (inputs: ReturnType<typeof parseInputs>) => unknown, unknown][] = [
  ['host', 'Server.Example.COM', (all) => all.server.host, 'server.example.com'],
  ['host', '[2001:DB8::1]', (all) => all.server.host, '2001:db8::1'],
  ['host', '2001:db8::1', (all) => all.server.host, '2001:db8::1'],
  ['host', 'bücher.example', (all) => all.server.host, 'xn--bcher-kva.example'],
  ['host', ' localhost\r\n', (all) => all.server.host, 'localhost'],
  ['port', '2222', (all) => all.server.port, 2222],
  ['connect-timeout', '90', (all) => all.server.connectTimeoutMs, 90_000],
  ['connect-timeout', '2m', (all) => all.server.connectTimeoutMs, 120_000],
  ['lock-timeout', '1h', (all) => all.behaviour.lockTimeoutMs, 3_600_000],
  ['lock-timeout', '0', (all) => all.behaviour.lockTimeoutMs, 0],
  ['source', './web/app/', (all) => all.app.source, 'web/app'],
  ['app', 'blog:create_app("prod")', (all) => all.app.app, 'blog:create_app("prod")'],
  ['python', '3.12', (all) => all.app.python, '3.12'],
  ['packages', 'libpq5\n\n  g++ ', (all) => all.app.packages, ['libpq5', 'g++']],
  [
    'env',
    'A=1\nB="x\\ny"',
    (all) => [...all.app.env],
    [
      ['A', '1'],
      ['B', 'x\ny'],
    ],
  ],
  [
    'release-command',
    'flask db upgrade\r\nflask seed\n',
    (all) => all.app.releaseCommand,
    'flask db upgrade\nflask seed',
  ],
  ['persist', 'instance/\n./media//up\ninstance', (all) => all.app.persist, ['instance', 'media/up']],
  ['exclude', '*.md\n!README.md\n# no\n/docs', (all) => all.app.exclude, ['*.md', '!README.md', '/docs']],
  ['include', 'static/dist', (all) => all.app.include, ['static/dist']],
  [
    'domain',
    'Example.COM\nwww.example.com\nexample.com',
    (all) => all.site.domains,
    ['example.com', 'www.example.com'],
  ],
  ['domain', '_', (all) => all.site.domains, ['_']],
  ['domain', '203.0.113.10\n[2001:db8::2]', (all) => all.site.domains, ['203.0.113.10', '2001:db8::2']],
  ['static', '/assets/: web/dist', (all) => all.site.static, [{ url: '/assets', folder: 'web/dist' }]],
  ['max-body-size', '512K', (all) => all.site.maxBodySize, '512k'],
  ['timeout', '5m', (all) => all.site.timeoutSeconds, 300],
  ['tls', 'off', (all) => all.tls.mode, 'off'],
  ['email', ' me@example.org ', (all) => all.tls.email, 'me@example.org'],
  ['tls-staging', 'true', (all) => all.tls.staging, true],
  ['acme-server', 'https://CA.example/dir', (all) => all.tls.acmeServer, 'https://ca.example/dir'],
  ['hsts', '365d', (all) => all.tls.hstsSeconds, 31_536_000],
  ['hsts', '0', (all) => all.tls.hstsSeconds, 0],
  ['health-path', '/health?deep=1', (all) => all.behaviour.healthPath, '/health?deep=1'],
  ['smoke-url', 'https://Blog.example.com', (all) => all.behaviour.smokeUrl, 'https://blog.example.com/'],
  [
    'expect-status',
    '200\n3xx\n401-403',
    (all) => all.behaviour.expectStatus,
    [
      [200, 200],
      [300, 399],
      [401, 403],
    ],
  ],
  ['expect-text', 'Grüß Gott\n', (all) => all.behaviour.expectText, 'Grüß Gott'],
  ['upgrade-packages', 'True', (all) => all.behaviour.upgradePackages, true],
]

test.each(good)('%s takes %j', (input, text, field, value) => {
  expect(field(parseInputs(inputsOf({ [input]: text })))).toEqual(value)
})

/** One bad text and what its cure must tell. */
const bad: readonly [InputName, string, RegExp][] = [
  ['host', 'https://example.com/', /`example\.com`/],
  ['host', 'example.com:2222', /`2222` into `port`/],
  ['host', '[2001:db8::1]:2222', /`2001:db8::1` here and `2222` into `port`/],
  ['host', 'deploy@example.com', /`deploy` into `user`/],
  ['host', 'example.com/path', /before the first/],
  ['host', '203.0.113', /four numbers/],
  ['host', '203.0.113.999', /four numbers/],
  ['host', '_', /name or IP/],
  ['host', 'a.example b.example', /one host/],
  ['port', '0', /1 to 65535/],
  ['port', '22x', /1 to 65535/],
  ['user', 'a b', /login/],
  ['known-hosts', 'SHA256:abc', /host-fingerprint/],
  [
    'host-fingerprint',
    '256 SHA256:uNiVztksCsDhcc0u9e8BrrJ3W2jFGlhV0nRkqbPcZIk root@x (ED25519)',
    /`SHA256:uNiV\S{39}` alone/,
  ],
  ['host-fingerprint', '16:27:ac:a5:76:28:2d:36:63:1b:56:4d:eb:df:a6:48', /SHA256/],
  ['connect-timeout', '5 minutes', /`90s` or `5m`/],
  ['connect-timeout', '11m', /1 to 600/],
  ['name', 'Blog', /lower-case/],
  ['name', 'blog-build', /such as `blog`/],
  ['source', '../x', /without `\.\.`/],
  ['source', '/srv/x', /relative/],
  ['app', 'src/app.py:app', /module:name/],
  ['app', 'app:main; import os', /module:name/],
  ['python', '3.1', /'3\.10'/],
  ['python', '3.12.4', /first two/],
  ['packages', 'libpq5, gcc', /one package a line/],
  ['packages', 'libpq5=15', /without version/],
  ['packages', '-y', /Debian packages/],
  ['env', 'no assignment', /NAME=value/],
  ['persist', 'uploads\nuploads/images', /Leave `uploads\/images` out/],
  ['persist', '.', /in it/],
  ['persist', '.venv', /another name/],
  ['persist', 'media\\up', /not `\\`/],
  ['include', 'dist/*', /without `\*`/],
  ['exclude', '../x', /without `\.\.`/],
  ['requirements', '/etc/passwd', /relative/],
  ['domain', 'a.example, b.example', /one name a line/],
  ['domain', '_\nexample.com', /`_` alone/],
  ['domain', '*.example.com', /one a line/],
  ['domain', 'https://blog.example.com/start', /`blog\.example\.com`/],
  ['domain', 'blog.example.com:8080', /`blog\.example\.com`/],
  ['domain', 'exa mple', /one name a line/],
  ['domain', '-x.example', /such as `blog\.example\.com`/],
  ['static', 'assets: dist', /`\/` in front/],
  ['static', '/: dist', /app serves these/],
  ['static', '/assets', /`\/url: folder`/],
  ['static', '/a: x\n/a: y', /URL of its own/],
  ['static', 'instance/pictures', /serve all its files/],
  ['max-body-size', '16MB', /`16m`/],
  ['max-body-size', '0', /`16m`/],
  ['workers', '65', /1 to 64/],
  ['threads', '0', /1 to 64/],
  ['timeout', '2h', /1 to 3600/],
  ['command', 'redeploy', /`deploy`, `plan`, `rollback`/],
  ['release', '20260131120000-0a1b2c3', /`rollback`/],
  ['health-path', 'health', /`\/` in front/],
  ['health-path', 'https://x.example/health', /path alone/],
  ['health-path', '//evil.example/', /one `\/`/],
  ['health-path', '/a b', /Percent-encode/],
  ['smoke-url', 'blog.example.com', /https:/],
  ['smoke-url', 'ftp://blog.example.com', /https:/],
  ['smoke-url', 'https://blog.example.com/#top', /`#`/],
  ['smoke-from', 'here', /`runner`, `server`, `off`/],
  ['expect-status', '200, 302', /one status a line/],
  ['expect-status', '299-200', /one status a line/],
  ['expect-status', '600', /one status a line/],
  ['keep-releases', '0', /1 to 100/],
  ['upgrade-packages', 'yes', /`true` or `false`/],
]

test.each(bad)('%s refuses %j with the right form', (input, text, cure) => {
  const instead = input === 'host-fingerprint' ? { 'known-hosts': '' } : {}
  const found = faults(inputsOf({ ...instead, [input]: text }))
  expect(found.map((fault) => fault.input)).toEqual([input])
  expect(found[0]?.cure).toMatch(cure)
})

test('rollback takes a release, and only a release', () => {
  const get = inputsOf({ command: 'rollback', release: '20260131120000-0a1b2c3' })
  expect(parseInputs(get)).toMatchObject({ command: 'rollback', release: '20260131120000-0a1b2c3' })
  expect(faults(inputsOf({ command: 'rollback', release: '../../etc' }))[0]?.input).toBe('release')
})

test('both forms of host identity at once are one too many', () => {
  const get = inputsOf({ 'host-fingerprint': 'SHA256:uNiVztksCsDhcc0u9e8BrrJ3W2jFGlhV0nRkqbPcZIk' })
  expect(faults(get)[0]?.cause).toContain('beside `known-hosts`')
})

test('no fault repeats the value of a secret input, nor of a URL with a password', () => {
  const secret = 'hunter2hunter2'
  const texts: readonly [InputName, string][] = [
    ['ssh-key', `\0${secret}`],
    ['ssh-key-passphrase', `${secret}\nand more`],
    ['password', `${secret}\0`],
    ['sudo-password', `${secret}\n${secret}`],
    ['env', `${secret}\nA = "${secret}`],
    ['smoke-url', `https://me:${secret}@blog.example.com/`],
    ['known-hosts', `-----BEGIN OPENSSH PRIVATE KEY-----\n${secret}`],
  ]
  for (const [input, text] of texts) {
    const found = faults(inputsOf({ [input]: text }))
    expect(found.map((fault) => fault.input)).toContain(input)
    expect(JSON.stringify(found)).not.toContain(secret)
  }
})
