import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect } from 'vitest'
import { renderCatchAll, renderSite } from '../../src/config/nginx.ts'
import { isAppName } from '../../src/config/paths.ts'
import { table } from '../../src/inputs/table.ts'
import { quote } from '../../src/quote.ts'
import { siteOf } from '../config/sample.ts'
import type { Stage } from './on-server.ts'
import { lines } from './texts.ts'
import { accepted, expectSame, sample, sift, tell } from './trial.ts'

const sites = '/etc/nginx/sites-enabled'

/** What `ask-nginx.py` is told; see there. */
interface Questions {
  readonly files: readonly (readonly [string, string])[]
  readonly links: readonly (readonly [string, string])[]
  readonly ask: readonly (readonly [string, string])[]
  readonly closed: readonly string[]
  readonly sizes: readonly (readonly [string, number])[]
  readonly secure: readonly string[]
}

interface Answers {
  readonly test: string
  readonly ask: readonly string[]
  readonly closed: readonly string[]
  readonly sizes: readonly string[]
  readonly secure: readonly string[]
}

const none: Questions = { files: [], links: [], ask: [], closed: [], sizes: [], secure: [] }

async function askNginx({ server }: Stage, questions: Questions): Promise<Answers> {
  const program = readFileSync(new URL('ask-nginx.py', import.meta.url), 'utf8')
  await server.must('cat >/run/ask-nginx.py', { stdin: program })
  // Hundreds of apps on one server, which is the test's own: the tables get room, their buckets stay as they are.
  const room = 'server_names_hash_max_size 65536;\nvariables_hash_max_size 65536;\n'
  const all = { ...questions, files: [...questions.files, ['/etc/nginx/conf.d/room.conf', room]] }
  await server.must(`rm -rf /srv/web-* ${sites}/*`)
  const said: Answers = JSON.parse(
    await server.must('LC_ALL=C.UTF-8 python3 -I -X utf8 /run/ask-nginx.py', { stdin: JSON.stringify(all) }),
  )
  // With thousands of names and variables some share a bucket, whatever the room.
  const faults = said.test.split('\n').filter((line) => !/could not build optimal \w+_hash/.test(line))
  expect(faults.join('\n')).not.toMatch(/warn|emerg|fail/)
  return said
}

/** Every domain that is taken gets its site and no other; names that nobody serves get no answer. */
export async function nginxReadsDomains(stage: Stage) {
  const trial = { where: stage.suite, renderer: 'nginx reads every domain', file: stage.file }
  const given = sample(domainTexts()).map((text) => (text.trim() === '_' ? 'a' : text))
  const sifted = sift(given, (text) => accepted(table.site.domains.kind(text, 'domain'))[0] ?? '')
  const names = [...new Set(sifted.kept.map((one) => one.rendered))]
  const perSite = 60
  const siteNumber = new Map(names.map((name, at) => [name, Math.floor(at / perSite)]))
  const apps = appNames(Math.ceil(names.length / perSite))
  const answered = await askNginx(stage, {
    ...none,
    files: [
      [`${sites}/00-flask-deploy-default.conf`, renderCatchAll({ ipv6: true })],
      ...apps.flatMap((name, at) => {
        const domains = names.slice(at * perSite, (at + 1) * perSite)
        return [
          [`${sites}/web-${name}.conf`, renderSite(siteOf({ name, domains }))],
          [`/srv/web-${name}/current/.public/who`, String(at)],
        ] as const
      }),
    ],
    ask: sifted.kept.map((one) => [visited(one.given), '/who']),
    closed: strangers(names).slice(0, 100),
  })
  expectSame(
    trial,
    sifted.kept.map((one) => `${one.given} -> ${siteNumber.get(one.rendered)}`),
    answered.ask.map((body, at) => `${sifted.kept[at]?.given} -> ${body}`),
  )
  expect(new Set(answered.closed)).toEqual(new Set(['closed']))
  await aHandfulFits(stage, names)
  tell(trial, sifted, 0.5)
}

/** With a handful of names each, as sites have, nginx has nothing to warn of as it is set up by its distribution. */
async function aHandfulFits({ server }: Stage, names: readonly string[]) {
  const handfuls = Array.from({ length: 20 }, (_, at) => names.slice(at * 8, at * 8 + 8)).filter(
    (one) => one.length > 0,
  )
  const tests = handfuls.map((domains) => {
    const site = renderSite(siteOf({ domains }))
    return `printf %s ${quote(site)} >${sites}/web-shop.conf; nginx -t 2>&1\n`
  })
  const said = await server.must(`rm -f ${sites}/* /etc/nginx/conf.d/room.conf; sh`, {
    stdin: tests.join(''),
  })
  expect(said).not.toMatch(/warn|emerg|fail/)
}

/** The Host header of a browser that is given this name. */
function visited(given: string): string {
  const text = given.trim()
  const isBareIpv6 = text.includes(':') && !text.startsWith('[')
  return new URL(`http://${isBareIpv6 ? `[${text}]` : text}/`).host.replace(/\.$/, '')
}

/** Names that are nearly ours. */
function strangers(names: readonly string[]): readonly string[] {
  const near = names.flatMap((name) => [name.replace('.', 'x'), `x${name}`, `${name}.example`, `sub.${name}`])
  return near.filter((name) => /^[a-z0-9._-]{1,200}$/.test(name) && !names.includes(name))
}

function domainTexts(): fc.Arbitrary<string> {
  const letters = Array.from('äöüßéçñøåабвгдежאבגדשلسع日本語テスト한국हिनदीελλάσİıſǅ')
  const label = fc.oneof(
    fc.stringMatching(/^[a-z0-9](?:[a-z0-9-]{0,20}[a-z0-9])?$/),
    fc.stringMatching(/^[A-Za-z0-9_]{1,12}$/),
    fc.stringMatching(/^[a-z0-9_]{30,63}$/),
    fc.string({ unit: fc.constantFrom(...letters, 'e\u0301', 'a', '1', '-'), minLength: 1, maxLength: 12 }),
    fc.constantFrom('xn--bcher-kva', 'www', 'localhost', 'xn--', '0x7f', '-a', 'a-'),
  )
  const dotted = fc
    .tuple(
      fc.array(label, { minLength: 1, maxLength: 4 }),
      fc.constantFrom('example', 'de', 'テスト', 'example.', '7'),
    )
    .map(([labels, top]) => [...labels, top].join('.'))
  return fc.oneof(
    { weight: 10, arbitrary: dotted },
    { weight: 3, arbitrary: fc.domain() },
    { weight: 1, arbitrary: fc.ipV4() },
    { weight: 1, arbitrary: fc.ipV6() },
    { weight: 1, arbitrary: fc.ipV6().map((address) => `[${address}]`) },
    { weight: 2, arbitrary: lines().map((text) => `a${text}b.example`) },
    { weight: 1, arbitrary: lines().filter((text) => text.trim() !== '') },
  )
}

/** Names of apps, no two the same. */
function appNames(count: number): readonly string[] {
  const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,19}[a-z0-9]$/).filter(isAppName)
  return [...new Set(sample(name, count * 2 + 20))].slice(0, count)
}

/** The largest body is let in and one byte more is not; `hsts` is what browsers are told, and nothing where it is 0. */
export async function nginxReadsNumbers(stage: Stage) {
  const trial = { where: stage.suite, renderer: 'nginx reads sizes and times', file: stage.file }
  const count = 120
  const size = fc.oneof(
    fc.tuple(fc.integer({ min: 1, max: 2 ** 40 }), fc.constant('')),
    fc.tuple(fc.integer({ min: 1, max: 2 ** 20 }), fc.constantFrom('k', 'K', 'm', 'M')),
    fc.tuple(fc.integer({ min: 1, max: 1024 }), fc.constantFrom('k', 'm', 'g', ' m', 'mb', 't')),
    fc.tuple(fc.integer({ min: 2 ** 31, max: 2 ** 41 }), fc.constantFrom('', 'b')),
  )
  const time = fc.tuple(fc.integer({ min: 0, max: 750 }), fc.constantFrom('', 's', 'm', 'h', 'd'))
  const given = sample(fc.tuple(size, time), count).map(
    ([one, other]) => [one.join(''), other.join('')] as const,
  )
  const sifted = sift(given, ([bytes, seconds]) => ({
    maxBodySize: accepted(table.site.maxBodySize.kind(bytes, 'max-body-size')),
    hstsSeconds: accepted(table.tls.hstsSeconds.kind(seconds, 'hsts')),
  }))
  const apps = appNames(sifted.kept.length)
  const nginx = (await stage.server.must('nginx -v 2>&1')).split('/')[1]?.trim() ?? ''
  const certificate = '/run/odd.pem'
  await stage.server.must(
    `openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=x -keyout /run/odd.key -out ${certificate} 2>/dev/null`,
  )
  const answered = await askNginx(stage, {
    ...none,
    files: apps.map((name, at) => {
      const change = {
        name,
        domains: [`${name}.example`, `tls.${name}.example`],
        nginx,
        ...sifted.kept[at]?.rendered,
      }
      const tls = { certificate, key: '/run/odd.key', names: [`tls.${name}.example`] }
      return [`${sites}/web-${name}.conf`, renderSite(siteOf({ ...change, tls }))] as const
    }),
    sizes: sifted.kept.flatMap(({ given: [bytes] }, at) => [
      [`${apps[at]}.example`, inBytes(bytes)] as const,
      [`${apps[at]}.example`, inBytes(bytes) + 1] as const,
    ]),
    secure: apps.map((name) => `tls.${name}.example`),
  })
  const expected = sifted.kept.map(
    ({ given: [bytes, time] }) => `${bytes}: 100, 413; ${time}: max-age=${inSeconds(time)}`,
  )
  const found = sifted.kept.map(
    ({ given: [bytes, time] }, at) =>
      `${bytes}: ${answered.sizes[at * 2]}, ${answered.sizes[at * 2 + 1]}; ${time}: ${answered.secure[at]}`,
  )
  expectSame(trial, expected, found)
  tell(trial, sifted, 0.3)
}

function inBytes(text: string): number {
  const [, digits = '', unit = ''] = /^(\d+)(\w?)$/.exec(text.toLowerCase()) ?? []
  return Number(digits) * 1024 ** ['', 'k', 'm', 'g'].indexOf(unit)
}

function inSeconds(text: string): number {
  const [, digits = '', unit = 's'] = /^(\d+)(\w?)$/.exec(text) ?? []
  return Number(digits) * { s: 1, m: 60, h: 3600, d: 86_400, '': 1 }[unit as 's' | 'm' | 'h' | 'd' | '']
}

/** A file below a URL of `static` is found by both ways in which its address is written, and is the right one. */
export async function nginxReadsStaticPaths(stage: Stage) {
  const trial = { where: stage.suite, renderer: 'nginx reads every static URL', file: stage.file }
  const segments = fc
    .array(lines(), { minLength: 1, maxLength: 2 })
    .map((parts) => parts.join('/').replace(/:+(?=\s)/g, ''))
  // Below a folder of its own, so that no two have the same address.
  const given = sample(segments).map((text, at) => `/${at}/${text}: static`)
  const sifted = sift(given, (line) => {
    const [folder] = accepted(table.site.static.kind(line, 'static'))
    return folder?.url ?? ''
  })
  const root = '/srv/web-shop/current'
  const answered = await askNginx(stage, {
    ...none,
    files: [
      [`${sites}/web-shop.conf`, renderSite(siteOf())],
      ...sifted.kept.map((_, at) => [`${root}/files/${at}/who`, String(at)] as const),
    ],
    links: sifted.kept.map((one, at) => [`${root}/.public${one.rendered}`, `${root}/files/${at}`]),
    ask: sifted.kept.flatMap((one) => {
      const path = `${one.rendered}/who`
      const byBrowser = new URL(`http://x${path}`).pathname
      const byFlask = path.split('/').map(encodeURIComponent).join('/')
      return [['shop.example', byBrowser] as const, ['shop.example', byFlask] as const]
    }),
  })
  expectSame(
    trial,
    sifted.kept.map((one, at) => `${one.given} -> ${at}, ${at}`),
    sifted.kept.map((one, at) => `${one.given} -> ${answered.ask[at * 2]}, ${answered.ask[at * 2 + 1]}`),
  )
  expectSame(
    trial,
    sifted.kept.map((one) => one.given.replace(/: static$/, '').replace(/\/+$/, '')),
    sifted.kept.map((one) => one.rendered),
  )
  tell(trial, sifted, 0.4)
}
