import { describe, expect, test } from 'vitest'
import { readDockerfile } from '../../src/project/container.ts'

const command = (source: string) => readDockerfile(source).command

describe('the command of a Dockerfile', () => {
  test.each([
    ['exec form', 'FROM a\nCMD ["gunicorn", "-b", "x y"]', "gunicorn -b 'x y'"],
    ['shell form', 'FROM a\nCMD gunicorn a:b && x', 'gunicorn a:b && x'],
    ['the last one', 'FROM a\nCMD one\nCMD two', 'two'],
    ['of the last stage', 'FROM a AS x\nCMD one\nFROM b\nCMD two', 'two'],
    ['of the stage that the last one is made from', 'FROM a AS Base\nCMD one\nFROM base AS final\n', 'one'],
    ['none of another stage', 'FROM a AS x\nCMD one\nFROM b', undefined],
    ['ENTRYPOINT with CMD', 'FROM a\nENTRYPOINT ["a", "b"]\nCMD ["c"]', 'a b c'],
    ['ENTRYPOINT in shell form ignores CMD', 'FROM a\nENTRYPOINT a b\nCMD ["c"]', 'a b'],
    ['ENTRYPOINT with CMD in shell form', 'FROM a\nENTRYPOINT ["a"]\nCMD c d', "a /bin/sh -c 'c d'"],
    ['over several lines with comments', 'FROM a\nCMD one \\\n# no\n  two', 'one    two'],
    ['small letters', 'from a\ncmd ["x"]', 'x'],
    ['text of a here-document is no instruction', 'FROM a\nRUN <<EOF\nCMD no\nEOF\nCMD yes', 'yes'],
    ['what is no JSON', "FROM a\nCMD ['x', 'y']", "['x', 'y']"],
    ['nothing', '', undefined],
  ])('%s', (_, source, expected) => {
    expect(command(source)?.replaceAll(/ {2,}/g, '    ')).toBe(expected)
  })

  test('variables, in both forms', () => {
    const source = 'FROM a\nENV A=1 B="two words" C=\'3\'\nENV D the rest\nENV A=4'
    expect(Object.fromEntries(readDockerfile(source).variables)).toEqual({
      A: '4',
      B: 'two words',
      C: '3',
      D: 'the rest',
    })
  })
})
