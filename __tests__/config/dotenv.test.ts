import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatDotenv, parseDotenv } from '../../src/config/dotenv.ts'
import { errorOf, outcome, values } from './sample.ts'

const read = (text: string) => Object.fromEntries(parseDotenv(text))
const causes = (text: string) => errorOf(() => parseDotenv(text)).explanations.map(({ cause }) => cause)

describe('a line without quotes', () => {
  test.each([
    ['NAME=value', 'value'],
    ['NAME=', ''],
    ['NAME=  two words \t ', 'two words'],
    ['export NAME=value', 'value'],
    ['  NAME = value', 'value'],
    ['NAME=$HOME and ${HOME} and `id` and %n', '$HOME and ${HOME} and `id` and %n'],
    ["NAME=it's", "it's"],
    ['NAME=a#b', 'a#b'],
    ['NAME=postgres://u:p@h/d?a=b', 'postgres://u:p@h/d?a=b'],
    ['NAME=back\\slash\\n', 'back\\slash\\n'],
    ['NAME=value\r\n', 'value'],
    ['\uFEFFNAME=value', 'value'],
  ])('%j is taken as it stands', (text, value) => {
    expect(read(text)).toEqual({ NAME: value })
  })

  test('blank lines and comments are skipped', () => {
    expect(read('\n# A=1\n \t\n  # B=2\r\nC=3\n')).toEqual({ C: '3' })
  })

  test('variables keep their order', () => {
    expect([...parseDotenv('B=1\nA=2\n').keys()]).toEqual(['B', 'A'])
  })

  test('a variable may be called export', () => {
    expect(read('export=1')).toEqual({ export: '1' })
  })
})

describe('quotes', () => {
  test.each([
    [`NAME='a "b" $c \\n'`, 'a "b" $c \\n'],
    [`NAME=' padded '`, ' padded '],
    [`NAME='one\ntwo\n'`, 'one\ntwo\n'],
    [`NAME='one\r\ntwo'`, 'one\r\ntwo'],
    [`NAME="one\ntwo"`, 'one\ntwo'],
    ['NAME="\\n\\r\\t\\\\\\"\\$"', '\n\r\t\\"$'],
    ['NAME="\\u00e9\\u{1f600}\\uD83D\\uDE00"', 'é😀😀'],
    [`NAME="it's" # a comment`, "it's"],
    [`NAME='a' `, 'a'],
    ['NAME="$HOME"', '$HOME'],
    ['NAME=""', ''],
  ])('%j', (text, value) => {
    expect(read(text)).toEqual({ NAME: value })
  })

  test('the line after a value of several lines is read', () => {
    expect(read(`KEY='-----BEGIN\nabc\n'\nNEXT=1\n`)).toEqual({ KEY: '-----BEGIN\nabc\n', NEXT: '1' })
  })
})

describe('what is refused', () => {
  test.each([
    ['just text', 'Line 1 of `env` is not `NAME=value`.'],
    ['NAME: value', 'Line 1 of `env` is not `NAME=value`.'],
    ['1ST=x', 'Line 1 of `env` does not begin with a name that a variable can have.'],
    ['=x', 'Line 1 of `env` does not begin with a name that a variable can have.'],
    ['A=x #y', 'Line 1 of `env` has a `#` in the value of A, where many readers would begin a comment.'],
    ['A=#fff', 'Line 1 of `env` has a `#` in the value of A, where many readers would begin a comment.'],
    ['A=x\ry', 'Line 1 of `env` has a carriage return within the value of A.'],
    ['\nA="x', 'Line 2 of `env` opens a quote for A that is never closed.'],
    [`A='x'y`, 'Line 1 of `env` has text after the closing quote of A.'],
    ['A="\\x41"', 'Line 1 of `env` has an unknown escape in the value of A.'],
    ['A="\\u{110000}"', 'Line 1 of `env` has an unknown escape in the value of A.'],
    ['A="\\u0000"', 'Line 1 of `env` gives A a value that holds a NUL character, which ends a variable.'],
    [
      'A="\\ud800"',
      'Line 1 of `env` gives A a value that holds half of a surrogate pair, which no file can hold as UTF-8.',
    ],
    ['A=1\nB=2\nA=3', 'Line 3 of `env` sets A again, which line 1 has set.'],
  ])('%j', (text, cause) => {
    expect(causes(text)).toEqual([cause])
  })

  test('every fault is reported, with the line where its variable begins', () => {
    expect(causes(`A=1 #\nB='\n'x\nnonsense\nOK=1\nC="\\q"`)).toEqual([
      expect.stringContaining('Line 1 of `env` has a `#`'),
      expect.stringContaining('Line 2 of `env` has text after'),
      expect.stringContaining('Line 4 of `env` is not'),
      expect.stringContaining('Line 6 of `env` has an unknown escape'),
    ])
  })

  test('no part of a value is told, nor a line that might be one', () => {
    const text = `A=marker1 # marker2\nmarker3\nmarker-4==\nB='marker5'marker6\nC="\\qmarker7"\nD="marker8`
    const error = errorOf(() => parseDotenv(text))
    expect(error.code).toBe('env-invalid')
    expect(error.explanations).toHaveLength(6)
    expect(JSON.stringify(error) + error.message).not.toContain('marker')
    expect(error.explanations.every(({ input }) => input === 'env')).toBe(true)
  })
})

describe('writing', () => {
  test('takes the plainest form that holds the value', () => {
    const written = formatDotenv(
      new Map([
        ['PLAIN', 'a/b:c@d,e'],
        ['WORDS', 'two words'],
        ['QUOTE', "it's $5"],
        ['LINES', 'a\nb'],
        ['RETURN', 'a\r\nb'],
        ['EMPTY', ''],
      ]),
    )
    expect(written).toBe(`PLAIN=a/b:c@d,e
WORDS='two words'
QUOTE="it's \\$5"
LINES='a
b'
RETURN="a\\r\\nb"
EMPTY=
`)
  })

  test.each(['a\0b', '\ud800', 'a\ufffe'])('%j cannot be written', (value) => {
    expect(() => formatDotenv(new Map([['A', value]]))).toThrow(RangeError)
  })

  test('what was written is read back, whatever it is', () => {
    const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,8}$/)
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(name, values()), { selector: ([key]) => key }), (pairs) => {
        expect([...parseDotenv(formatDotenv(new Map(pairs)))]).toEqual(pairs)
      }),
      { numRuns: 2000 },
    )
  })

  test('any text is read or refused, and never makes the reader hang or fail otherwise', () => {
    const piece = fc.constantFrom(
      'A',
      '=',
      '"',
      "'",
      '\\',
      '\n',
      '\r',
      ' ',
      '#',
      'export ',
      '\\u{',
      '}',
      '\ud800',
      'é',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        expect([{ value: expect.any(Map) }, { refused: 'env-invalid' }]).toContainEqual(
          outcome(() => parseDotenv(pieces.join(''))),
        )
      }),
      { numRuns: 5000 },
    )
  })

  test('a value of a hundred kilobytes is no burden', () => {
    const value = `${'\\"'.repeat(25_000)}\r${'x'.repeat(50_000)}`
    expect(read(formatDotenv(new Map([['A', value]])))).toEqual({ A: value })
  })
})
