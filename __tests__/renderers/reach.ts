import type { InputName } from '../../src/inputs/declared.ts'
import { shopKey, shopPem } from '../config/certificates.ts'

/**
 * What somebody else's parser reads, of all that is made from inputs:
 * - `sh`: the program (everything that goes to the server is in it), and the release command
 * - `unit`: unit files, properties and commands of systemd-run
 * - `env file`: the release's and the build's
 * - `nginx`: its files, and the URLs that it finds files by
 * - `Python`: gunicorn.conf.py and the entry module
 * - `JSON`: check.json, and the requests that http.py makes of it; probe.json
 * - `certbot`, `apt`: their arguments
 * - `Markdown`: the summary, at least in the sentence about a wrong value; secrets never
 */
export type Language =
  | 'sh'
  | 'unit'
  | 'env file'
  | 'nginx'
  | 'Python'
  | 'JSON'
  | 'certbot'
  | 'apt'
  | 'Markdown'

/** The tests that give a language's real parser thousands of values: names of tests, or of files of this folder. */
export const provenBy: Readonly<Record<Language, readonly string[]>> = {
  sh: ['%s reads every quoted word', 'sh reads every word of a plan'],
  unit: [
    'systemd reads every word of a command',
    'systemd reads every variable in a unit',
    'systemd-run reads every word of a command',
    'systemd hands over every secret file',
    'the disk has every path',
  ],
  'env file': ['systemd reads the env file'],
  nginx: ['nginx reads every domain', 'nginx reads sizes and times', 'nginx reads every static URL'],
  Python: ['Python reads every text', 'Python reads every factory'],
  JSON: ['http.py reads check.json'],
  // Its arguments are words of sh, of narrow forms: see `certbot` in found.test.ts.
  certbot: ['%s reads every quoted word', 'found.test.ts'],
  apt: ['apt takes names as names'],
  Markdown: ['markdown.e2e.test.ts'],
}

/** What an input reaches; with two values of it that show it, or why there is nothing to show. */
export interface Reach {
  readonly reaches: readonly Language[]
  readonly values: readonly [string, string] | { readonly none: string }
  /** What else has to be given, so that the input matters. */
  readonly beside?: Readonly<Partial<Record<InputName, string>>>
}

const login = { none: 'only the login reads it' }
const secret = { reaches: [], values: login } as const

/**
 * A new input does not compile until it has a row here, and reach.test.ts says whether the row is true. What it reaches
 * with a free text needs values of its kind in that language's tests.
 */
export const reach: Readonly<Record<InputName, Reach>> = {
  host: { reaches: ['JSON', 'Markdown'], values: ['203.0.113.10', 'a.example'], beside: { domain: '_' } },
  port: { reaches: ['Markdown'], values: login },
  user: { reaches: ['Markdown'], values: login },
  'ssh-key': secret,
  'ssh-key-passphrase': secret,
  password: secret,
  'known-hosts': { reaches: ['Markdown'], values: login },
  'host-fingerprint': { reaches: ['Markdown'], values: login },
  'sudo-password': { reaches: [], values: { none: 'sudo reads it as a line of its standard input' } },
  'connect-timeout': { reaches: ['Markdown'], values: login },
  name: {
    reaches: ['sh', 'unit', 'env file', 'nginx', 'Python', 'JSON', 'certbot', 'Markdown'],
    values: ['shop', 'blog'],
    beside: { 'release-command': 'true', tls: 'auto' },
  },
  source: {
    reaches: ['Markdown'],
    values: { none: 'it is the root of the bundle: no path on the server has it' },
  },
  app: {
    reaches: ['sh', 'env file', 'Python', 'JSON', 'Markdown'],
    values: ['a:app', 'b:make("x")'],
    beside: { 'release-command': 'true' },
  },
  python: { reaches: ['sh', 'Markdown'], values: ['3', '3.12'] },
  requirements: { reaches: ['sh', 'Markdown'], values: ['a.txt', 'b.txt'] },
  extras: { reaches: ['sh', 'Markdown'], values: ['web', 'db'] },
  groups: { reaches: ['sh', 'Markdown'], values: ['prod', 'live'] },
  dependencies: { reaches: ['sh', 'unit', 'Markdown'], values: ['server', 'wheels'] },
  refresh: { reaches: ['sh', 'Markdown'], values: ['true', 'false'] },
  'python-download': { reaches: ['sh', 'Markdown'], values: ['true', 'false'], beside: { python: '3.12' } },
  services: { reaches: ['sh', 'unit', 'env file', 'apt', 'Markdown'], values: ['postgresql', 'redis'] },
  'first-deploy-command': { reaches: ['sh', 'Markdown'], values: ['true', 'false'] },
  'command-timeout': {
    reaches: ['sh', 'Markdown'],
    values: ['1m', '2m'],
    beside: { 'release-command': 'true' },
  },
  'web-command': { reaches: ['sh', 'unit', 'Markdown'], values: ['a $PORT', 'b $SOCKET'] },
  processes: { reaches: ['sh', 'unit', 'Markdown'], values: ['a: true', 'b: true'] },
  cron: { reaches: ['sh', 'unit', 'Markdown'], values: ['a: @daily true', 'a: @weekly true'] },
  'stop-timeout': {
    reaches: ['sh', 'unit', 'Markdown'],
    values: ['1m', '2m'],
    beside: { processes: 'a: true' },
  },
  packages: { reaches: ['sh', 'apt', 'Markdown'], values: ['libpq5', 'libxml2'] },
  env: { reaches: ['sh', 'env file'], values: ['A=1', 'A=2'] },
  'secret-files': { reaches: ['sh', 'unit'], values: ['a: "x"', 'b: "x"'] },
  'release-command': { reaches: ['sh', 'Markdown'], values: ['true', 'false'] },
  persist: { reaches: ['sh', 'unit', 'JSON', 'Markdown'], values: ['a', 'b'] },
  exclude: { reaches: ['Markdown'], values: { none: 'the bundle is made by it, on the runner' } },
  include: { reaches: ['Markdown'], values: { none: 'the bundle is made by it, on the runner' } },
  domain: {
    reaches: ['sh', 'nginx', 'JSON', 'certbot', 'Markdown'],
    values: ['a.example.com', 'b.example.com'],
    beside: { tls: 'auto' },
  },
  static: { reaches: ['sh', 'nginx', 'JSON', 'Markdown'], values: ['/a: a', '/b: b'] },
  'max-body-size': { reaches: ['sh', 'nginx', 'Markdown'], values: ['1m', '2m'] },
  workers: { reaches: ['sh', 'Python', 'Markdown'], values: ['2', '3'] },
  threads: { reaches: ['sh', 'Python', 'Markdown'], values: ['2', '3'] },
  timeout: { reaches: ['sh', 'unit', 'nginx', 'Python', 'Markdown'], values: ['30', '40'] },
  tls: { reaches: ['sh', 'nginx', 'JSON', 'certbot', 'Markdown'], values: ['auto', 'off'] },
  email: {
    reaches: ['sh', 'certbot', 'Markdown'],
    values: ['a@x.example', 'b@x.example'],
    beside: { tls: 'auto' },
  },
  'tls-certificate': {
    reaches: ['sh', 'nginx', 'Markdown'],
    // The file that nginx reads has a hash of it in its name.
    values: [shopPem, shopPem + shopPem],
    beside: { tls: 'provided', 'tls-key': shopKey, domain: 'shop.example' },
  },
  'tls-key': {
    reaches: ['sh'],
    values: { none: 'it has to be that of the certificate, and goes the same way' },
  },
  'tls-staging': {
    reaches: ['sh', 'certbot', 'Markdown'],
    values: ['true', 'false'],
    beside: { tls: 'auto' },
  },
  'acme-server': {
    reaches: ['sh', 'certbot', 'Markdown'],
    values: ['https://a.example/dir', 'https://b.example/dir'],
    beside: { tls: 'auto' },
  },
  hsts: { reaches: ['sh', 'nginx', 'Markdown'], values: ['1d', '2d'], beside: { tls: 'auto' } },
  command: {
    reaches: ['Markdown'],
    values: { none: 'it is one of eight words, and none is written anywhere' },
  },
  release: {
    reaches: ['sh', 'Markdown'],
    values: { none: 'it is the ID of a release that the server has named' },
  },
  'lock-timeout': { reaches: ['sh', 'Markdown'], values: ['1', '2'] },
  'health-path': { reaches: ['JSON', 'Markdown'], values: ['/a', '/b'] },
  'health-timeout': { reaches: ['sh', 'unit', 'JSON', 'Markdown'], values: ['20', '30'] },
  'smoke-url': { reaches: ['JSON', 'Markdown'], values: ['https://x.example/a', 'https://x.example/b'] },
  'smoke-from': {
    reaches: ['sh', 'JSON', 'Markdown'],
    values: ['runner', 'server'],
    beside: { tls: 'auto' },
  },
  'expect-status': { reaches: ['JSON', 'Markdown'], values: ['200', '201'] },
  'expect-text': { reaches: ['JSON', 'Markdown'], values: ['a', 'b'] },
  'confirm-timeout': { reaches: ['sh', 'Markdown'], values: ['1m', '2m'] },
  'settle-time': {
    reaches: ['sh', 'Markdown'],
    values: { none: 'it is a number, and of a deploy only that has an older release to go back to' },
  },
  'wait-settled': {
    reaches: ['sh', 'Markdown'],
    values: { none: 'with an older release the program has one call more' },
  },
  'allow-older': {
    reaches: ['Markdown'],
    values: { none: 'it only decides whether there is a deploy (src/plan/older.ts)' },
  },
  run: {
    reaches: ['Markdown'],
    values: {
      none: 'it is a file of its own that a shell reads, never a word of a program (run.e2e.test.ts)',
    },
  },
  lines: { reaches: ['Markdown'], values: { none: 'it is a number in a program of its own' } },
  'destroy-data': {
    reaches: ['Markdown'],
    values: { none: 'it is compared with the name, and goes nowhere' },
  },
  'keep-releases': { reaches: ['sh', 'Markdown'], values: ['2', '3'] },
  'upgrade-packages': { reaches: ['sh', 'Markdown'], values: ['true', 'false'] },
}
