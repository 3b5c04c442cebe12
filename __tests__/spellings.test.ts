import fc from 'fast-check'
import { expect, test } from 'vitest'
import { quote } from '../src/quote.ts'
import { allSpellingsOf, spellingsOf } from '../src/spellings.ts'
import { hasPython, python } from './config/sample.ts'

/** Texts with all that some encoding changes. */
const texts = fc.string({
  unit: fc.constantFrom(
    ...'abz09',
    ' ',
    "'",
    '"',
    '\\',
    '\n',
    '\t',
    '\x1b',
    '%',
    '&',
    '<',
    '+',
    '/',
    'é',
    '€',
    '\u{1f600}',
  ),
  minLength: 1,
  maxLength: 12,
})

/** What Python prints of each text, by whatever way programs do. */
const printed = `
import base64, html, json, sys, urllib.parse
for text in json.load(sys.stdin):
    data = text.encode()
    print(json.dumps([
        repr(text), repr({"k": text}), repr(repr(text)), repr((str({"k": text}), 1)), repr(ValueError(text)),
        json.dumps(text), json.dumps(text, ensure_ascii=False), json.dumps({"m": repr(text)}), json.dumps(json.dumps(text)),
        urllib.parse.quote(text), urllib.parse.quote(text, safe=""), urllib.parse.urlencode({"k": text}),
        html.escape(text).replace("&#x27;", "&#39;").replace("&quot;", "&#34;"),
        data.hex(), data.hex().upper(), base64.b64encode(data).decode(), base64.urlsafe_b64encode(data).decode(),
    ]))
`

test.skipIf(!hasPython)('whatever way Python prints a text, one of its spellings stands in it', () => {
  const given = fc.sample(texts, 300)
  const lines = python(printed, JSON.stringify(given)).trim().split('\n')
  expect(lines).toHaveLength(given.length)
  for (const [at, text] of given.entries()) {
    const spellings = allSpellingsOf(text)
    for (const one of JSON.parse(lines[at] ?? '') as string[]) {
      expect(
        spellings.some((spelling) => one.includes(spelling)),
        `${JSON.stringify(text)} in ${one}`,
      ).toBe(true)
    }
  }
})

test('a shell’s quotes, and base64 within a longer text, show it too', () => {
  const text = "it's a \\ secret"
  const spellings = spellingsOf(text)
  expect(spellings).toContain(quote(text).slice(1, -1))
  for (const before of ['', 'a', 'ab', 'abc']) {
    const encoded = Buffer.from(`${before}${text}${before}`).toString('base64')
    expect(
      spellings.some((spelling) => encoded.includes(spelling)),
      before,
    ).toBe(true)
  }
})

test('a plain text has one spelling for all that only quotes', () => {
  expect(spellingsOf('abcdefgh')).toHaveLength(7)
})
