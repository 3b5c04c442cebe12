import { expect, test } from 'vitest'
import { assignmentWord, commandWord, renderUnit, unitWord } from '../../src/config/unit-text.ts'

test.each([
  ['/usr/bin/x-1.0@a:b', '/usr/bin/x-1.0@a:b'],
  ['', '""'],
  ['two words', '"two words"'],
  [`it's "a" \\n`, `"it's \\"a\\" \\\\n"`],
  ['a\nb\x7f\u0085', '"a\\u000ab\\u007f\\u0085"'],
  ['é', '"é"'],
  [';', '";"'],
  ['$A', '"$A"'],
  ['%n', '%n'],
])('the word %j', (text, word) => {
  expect(unitWord(text)).toBe(word)
})

test('in a command a dollar is doubled', () => {
  expect(commandWord('$A ${B}')).toBe('"$$A $${B}"')
})

test('a variable is one word, and holds no control character but tab', () => {
  expect(assignmentWord('A', "it's\t$5")).toBe(`"A=it's\\u0009$5"`)
  expect(() => assignmentWord('A', 'a\nb')).toThrow(RangeError)
})

test('in a unit file a percent sign is doubled', () => {
  expect(
    renderUnit([
      ['Service', [['ExecStart', '/bin/echo %n']]],
      ['Install', []],
    ]),
  ).toBe('[Service]\nExecStart=/bin/echo %%n\n\n[Install]\n')
})

test.each(['a\0', '\ud800', '\ufffe', '\ufdd0'])('%j is refused', (text) => {
  expect(() => unitWord(text)).toThrow(RangeError)
  expect(() => commandWord(text)).toThrow(RangeError)
})
