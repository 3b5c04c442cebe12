import { describe, expect, test } from 'vitest'
import { expanded, shellSteps, shellWords } from '../../src/project/command-line.ts'

const texts = (source: string) => shellSteps(source).map((one) => one.text)
const always = (source: string) =>
  shellSteps(source).flatMap((one) => (one.always ? [one.words.join(' ')] : []))

describe('the words of a command', () => {
  test.each([
    ['a b  c', ['a', 'b', 'c']],
    [`a 'b c' "d e"`, ['a', 'b c', 'd e']],
    [`"shop:create_app('prod')"`, ["shop:create_app('prod')"]],
    ['a\\ b \\$c', ['a b', '$c']],
    ['a \\\n  b', ['a', 'b']],
    ['a "$(b "c d")" $(e f)', ['a', '$(b "c d")', '$(e f)']],
    ['a ${B:-c d} `e f`', ['a', '${B:-c d}', '`e f`']],
    ['a b # c', ['a', 'b']],
    ['a#b', ['a#b']],
    ['a > b 2>&1 c', ['a', 'c']],
    ['a &> b', ['a']],
    ['a b || c d', ['a', 'b']],
    ['a | b', ['a']],
    [`a 'never closed`, ['a', 'never closed']],
    ['', []],
  ])('%j', (line, words) => {
    expect(shellWords(line)).toEqual(words)
  })
})

describe('the commands of a script', () => {
  test.each([
    ['a && b; c\nd', ['a', 'b', 'c', 'd']],
    ['a || true; b', ['a || true', 'b']],
    [`echo 'a; b' && c`, [`echo 'a; b'`, 'c']],
    ['a # b; c\nd', ['a', 'd']],
    ['a <<EOF\nb; c\nEOF\nd', ['a', 'd']],
    ['(a && b); c', ['a', 'b', 'c']],
    ['a & b', ['a', 'b']],
    ['&& ; ;; | )', []],
  ])('%j', (source, steps) => {
    expect(texts(source)).toEqual(steps)
  })

  test.each([
    ['if a; then b; else c; fi; d', ['d']],
    ['while a; do b; done\nc', ['c']],
    ['case "$1" in\n  web)\n    a\n    ;;\nesac\nb', ['b']],
    ['f() {\n  a\n}\nb', ['b']],
    ['[ -f x ] && a\nb', ['[ -f x ]', 'b']],
    ['a && b', ['a', 'b']],
    ['for x in 1 2; do a; done', []],
  ])('of %j those always run: %j', (source, steps) => {
    expect(always(source)).toEqual(steps)
  })

  test('tells what is left running', () => {
    expect(shellSteps('a & b').map((one) => one.background)).toEqual([true, false])
  })
})

test.each([
  ['$A', '1'],
  ['${A}', '1'],
  ['${A:-2}', '1'],
  ['${B:-2}', '2'],
  ['${B-2}', '2'],
  ['$B', '$B'],
  ['x${A}y', 'x1y'],
])('%s with A=1 is %s', (word, value) => {
  expect(expanded(word, new Map([['A', '1']]))).toBe(value)
})
