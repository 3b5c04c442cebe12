import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { table } from '../../src/inputs/table.ts'
import { checkSettings } from '../../src/plan/check-settings.ts'
import { remoteFile } from '../../src/remote.ts'
import { bareLines, facts, wish } from '../plan/sample.ts'
import type { Stage } from './on-server.ts'
import { lines, texts } from './texts.ts'
import { accepted, expectSame, sample, sift, tell } from './trial.ts'

type Asked = readonly [told: readonly string[], seen: readonly (readonly string[])[]]

/**
 * The server's own requests: page, Host and text arrive as they were given, whether `health-path` or `smoke-url` says so;
 * the text is found in a page that holds it, and not in one that lacks a character of it.
 */
export async function httpReadsCheckSettings(stage: Stage) {
  const trial = { where: stage.suite, renderer: 'http.py reads check.json', file: stage.file }
  const given = sample(fc.record({ path: paths(), smoke: fc.option(urls()), domain: hosts(), text: texts() }))
  const sifted = sift(given, ({ path, smoke, domain, text }) => {
    const [host = ''] = accepted(table.site.domains.kind(domain, 'domain'))
    const healthPath = accepted(table.behaviour.healthPath.kind(path, 'health-path'))
    const smokeUrl = smoke === null ? undefined : accepted(table.behaviour.smokeUrl.kind(smoke, 'smoke-url'))
    const expectText =
      text.trim() === '' ? undefined : accepted(table.behaviour.expectText.kind(text, 'expect-text'))
    const wished = wish({
      site: { domains: [host] },
      behaviour: { healthPath, smokeUrl, expectText },
      release: 'r',
    })
    return { settings: checkSettings(facts(bareLines), wished, undefined), text: expectText ?? '' }
  })
  // Each second page lacks the last character of the text.
  const bodies = sifted.kept.map(({ rendered: { text } }, at) =>
    at % 2 === 0 ? `a${text}b` : `a${Array.from(text).slice(0, -1).join('')}`,
  )
  const { server } = stage
  for (const file of ['http.py', 'flask_deploy_processes.py']) {
    await server.must(`cat >/run/${file}`, { stdin: remoteFile(file) })
  }
  await server.must('cat >/run/ask-http.py', {
    stdin: readFileSync(new URL('ask-http.py', import.meta.url), 'utf8'),
  })
  // Without UTF-8 mode it is as with Python 3.6, whose text files are ASCII under LC_ALL=C.
  const asked: readonly Asked[] = JSON.parse(
    await server.must(
      'systemctl stop nginx; LC_ALL=C /usr/bin/python3 -I -X utf8=0 /run/ask-http.py /run/http.py',
      {
        stdin: JSON.stringify(
          sifted.kept.map(({ rendered }, at) => [JSON.stringify(rendered.settings), bodies[at]] as const),
        ),
      },
    ),
  )
  const expected = sifted.kept.map(({ given: { path, smoke, domain }, rendered: { text } }, at) => {
    const host = hostOf(domain)
    const page = path.trim()
    const url = new URL(smoke?.trim() ?? `http://${host}${page}`)
    const first = [`GET ${url.pathname}${url.search} HTTP/1.1`, url.host]
    const good = bodies[at]?.includes(text) === true
    const told = good ? ['ok', '200'] : ['fail', 'health-text']
    return JSON.stringify([told, [first, [`GET ${page} HTTP/1.1`, host, host]]])
  })
  expectSame(
    trial,
    expected,
    asked.map((one) => JSON.stringify(one)),
  )
  tell(trial, sifted, 0.4)
}

function hostOf(domain: string): string {
  const isBareIpv6 = domain.includes(':') && !domain.startsWith('[')
  return new URL(`http://${isBareIpv6 ? `[${domain}]` : domain}/`).host
}

function hosts(): fc.Arbitrary<string> {
  return fc.oneof(
    fc.domain(),
    fc.ipV4(),
    fc.ipV6(),
    fc.constantFrom('bücher.example', 'a_b.example', '例え.テスト'),
  )
}

/** Path and query as people write them, and some that no URL can hold. */
function paths(): fc.Arbitrary<string> {
  const encoded = lines().map((text) => encodeURIComponent(text))
  const plain = fc.stringMatching(/^[A-Za-z0-9._~!$&'()*+,;=:@/?-]{0,30}$/)
  return fc.oneof(
    {
      weight: 6,
      arbitrary: fc.tuple(encoded, encoded).map(([path, query]) => `/${path}?q=${query}&${query}`),
    },
    { weight: 4, arbitrary: plain.map((text) => `/${text}`) },
    { weight: 1, arbitrary: lines().map((text) => `/${text}`) },
    { weight: 1, arbitrary: texts() },
  )
}

function urls(): fc.Arbitrary<string> {
  const base = fc.constantFrom(
    'https://x.example',
    'http://x.example:8080',
    'https://[::1]:8443',
    'https://bücher.example',
  )
  return fc.oneof(
    { weight: 6, arbitrary: fc.tuple(base, paths()).map((parts) => parts.join('')) },
    { weight: 2, arbitrary: fc.webUrl({ withQueryParameters: true }) },
    { weight: 1, arbitrary: fc.tuple(base, lines()).map((parts) => parts.join('/')) },
  )
}
