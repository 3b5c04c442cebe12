import { describe, expect, test } from 'vitest'
import { renderSite } from '../../src/config/nginx.ts'
import { table } from '../../src/inputs/table.ts'
import { remoteFile } from '../../src/remote.ts'
import { markdown, markdownCode, markdownSentence } from '../../src/report/escape.ts'
import { siteOf } from '../config/sample.ts'
import { accepted } from './trial.ts'

/*
 * Values that the tests of this folder found: an input took them, and a parser behind it did not, or read something else.
 */

test.each(['1099511627776', '1073741824k', '1048576m', '1024g'])(
  'the size %s, which the input takes, is rendered',
  (text) => {
    const maxBodySize = accepted(table.site.maxBodySize.kind(text, 'max-body-size'))
    expect(renderSite(siteOf({ maxBodySize }))).toContain(`client_max_body_size ${text};`)
  },
)

describe('a static URL that nginx would never serve', () => {
  const refusal = (text: string) => {
    const reading = table.site.static.kind(text, 'static')
    return 'faults' in reading
      ? reading.faults.map((fault) => `${fault.cause} ${fault.cure}`).join(' ')
      : 'taken'
  }

  test.each([
    ['a part that begins with a dot is the app’s', '/.assets: web', 'hidden'],
    ['further down too', '/a/.b: web', 'hidden'],
    ['and where it comes from the folder', '.out/web', 'hidden'],
    ['a control character', '/a\x01b: web', 'control character'],
    ['half a surrogate pair', '/a\ud800b: web', 'control character'],
    ['NUL', '/a\0b: web', 'control character'],
    ['a name of more than 255 bytes', `/${'ä'.repeat(128)}: web`, '255 bytes'],
    ['more than 1024 bytes in all', `/${'abc/'.repeat(260)}x: web`, '1024'],
    ['a folder within another', '/static: a\n/static/css: b', 'within'],
  ])('%s', (_, text, reason) => {
    expect(refusal(text)).toContain(reason)
  })

  test.each(['/a b: web', '/ä: web', '/a.b: web', '/static: a\n/static2: b', `/${'a'.repeat(255)}: web`])(
    '%j is fine',
    (text) => {
      expect(refusal(text)).toBe('taken')
    },
  )
})

test.each([
  ['persist', table.app.persist],
  ['requirements', table.app.requirements],
  ['include', table.app.include],
  ['source', table.app.source],
] as const)('%s: a path that no unit can name is refused', (input, row) => {
  const reading = row.kind('a\ufdd0b', input)
  expect('faults' in reading && reading.faults[0]?.cause).toContain('no Unicode character')
})

test('app: an expression that no unit can hold is refused', () => {
  const reading = table.app.app.kind('wsgi:make("\ufffe")', 'app')
  expect('faults' in reading && reading.faults[0]?.cause).toContain('no Unicode character')
})

test.each(['make(key=1, key=2)', 'make(a=1, \u{1d41a}=2)'])(
  'app: %s, where Python reads no call, is refused',
  (call) => {
    const reading = table.app.app.kind(`wsgi:${call}`, 'app')
    expect('faults' in reading && reading.faults[0]?.cause).toContain('something else than literals')
  },
)

test('what looks like an address of e-mail stays text, in code too: GitHub links it after references were read', () => {
  const apart = 'me<span>&#64;</span>x.example'
  expect(markdownCode('me@x.example')).toBe(`<code>${apart}</code>`)
  expect(markdownSentence('It is `me@x.example`.')).toBe(`It is <code>${apart}</code>.`)
  expect(markdown('me@x.example')).toBe(apart)
})

test('a word between colons stays text: GitHub looks for emoji after references were read', () => {
  expect(markdown('a :smile: b')).toBe('a <span>&#58;</span>smile: b')
  expect(`${markdown('a:x')}: failed`).toBe('a<span>&#58;</span>x: failed')
  expect(markdown(':smile:http://x')).toContain('<span>&#58;</span>smile')
  expect(markdown(':heart_eyes:')).toBe('<span>&#58;</span>heart&#95;eyes:')
  expect(markdown(':smile:__u__:')).toBe('<span>&#58;</span>smile<span>&#58;</span>&#95;&#95;u&#95;&#95;:')
  expect(markdown('at 08:30 in a: b')).toBe('at 08:30 in a: b')
})

test.each(['nginx-', 'libpq5-'])('packages: %s, by which apt-get removes the package, is refused', (name) => {
  expect('faults' in table.app.packages.kind(name, 'packages')).toBe(true)
  expect('value' in table.app.packages.kind('g++', 'packages')).toBe(true)
})

test('certbot: an address that begins with `-` is an address, and no other word of its may begin so', () => {
  expect(accepted(table.tls.email.kind('-a@x.example', 'email'))).toBe('-a@x.example')
  expect(remoteFile('tls.sh')).toContain('"--email=$email"')
  expect('faults' in table.site.domains.kind('-a.example', 'domain')).toBe(true)
})
