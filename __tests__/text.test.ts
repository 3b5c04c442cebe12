import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cutToBytes, shown, visible } from '../src/text.ts'

describe('visible', () => {
  test('shows what a terminal would act on, and keeps tabs and all scripts', () => {
    expect(visible('\x1b[31mred\x1b[0m\t\0\r\n\x85')).toBe('\\x1b[31mred\\x1b[0m\t\\x00\\r\\n\\x85')
    expect(visible('abc\u202ecba \u2028 \ud800')).toBe('abc\\u202ecba \\u2028 \\ud800')
    expect(visible('Grüße, 日本, 🦄')).toBe('Grüße, 日本, 🦄')
  })
})

describe('cutToBytes', () => {
  test('cuts between characters, and marks the cut', () => {
    expect(cutToBytes('short', 10)).toBe('short')
    expect(cutToBytes('aäöü', 7)).toBe('aäöü')
    expect(cutToBytes('aäöüx', 7)).toBe('aä…')
  })

  test('never exceeds the bytes, whatever the text', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 60 }),
        fc.integer({ min: 3, max: 80 }),
        (text, max) => {
          const cut = cutToBytes(text, max)
          expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(max)
          expect(cut === text || (cut.endsWith('…') && text.startsWith(cut.slice(0, -1)))).toBe(true)
        },
      ),
    )
  })
})

test('shown is one short line', () => {
  expect(shown('a\nb\tc')).toBe('`a\\nb\\tc`')
  expect([...shown('x'.repeat(100))]).toHaveLength(62)
})
