import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isDottedName, pythonList, pythonString } from '../../src/config/python.ts'
import { hasPython, python } from './sample.ts'

test.each([
  ['', '""'],
  [`it's "5$" \\`, `"it's \\"5$\\" \\\\"`],
  ['a\nb\t\0', '"a\\u000ab\\u0009\\u0000"'],
  ['é😀\ud800', '"\\u00e9\\U0001f600\\ud800"'],
])('%j becomes a literal', (text, literal) => {
  expect(pythonString(text)).toBe(literal)
})

test('a list is a list of literals', () => {
  expect(pythonList(['a', '"'])).toBe('["a", "\\""]')
  expect(pythonList([])).toBe('[]')
})

test.runIf(hasPython)('Python reads back what was written', () => {
  const texts = fc.sample(
    fc.oneof(
      fc.string({ unit: 'binary' }),
      fc
        .array(fc.constantFrom('\ud800', '\\', '"', "'", '{', '\n', 'a', 'N{DASH}'))
        .map((parts) => parts.join('')),
    ),
    3000,
  )
  const read = python(
    'import ast, json, sys; print(json.dumps([ast.literal_eval(line) for line in sys.stdin.read().splitlines()]))',
    texts.map(pythonString).join('\n'),
  )
  // Python's JSON joins no halves of a pair that stand apart in a literal, and JavaScript does.
  expect(JSON.parse(read)).toEqual(texts)
})

test.each(['wsgi', 'shop.web', '_a1', 'größe', 'a.b.c'])('%s is a dotted name', (name) => {
  expect(isDottedName(name)).toBe(true)
})

test.each(['', '.', 'a.', '.a', 'a..b', '1a', 'a b', 'a;b', 'a()', 'a\n', '__import__("os")', 'a-b'])(
  '%j is none',
  (name) => {
    expect(isDottedName(name)).toBe(false)
  },
)
