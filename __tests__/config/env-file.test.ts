import { describe, expect, test } from 'vitest'
import { releaseEnv, renderEnvFile } from '../../src/config/env-file.ts'
import { errorOf } from './sample.ts'

const render = (env: Record<string, string>, systemd = 252) =>
  renderEnvFile(new Map(Object.entries(env)), systemd)
const refusal = (env: Record<string, string>, systemd = 252) => errorOf(() => render(env, systemd))

test('a value stands without quotes, with a backslash before every special ASCII character', () => {
  expect(render({ A: 'a/b:c@d', B: `it's "5$" \\ #;%n`, C: '', D: 'größe\t😀' })).toBe(
    `A=a/b:c@d\nB=it\\'s\\ \\"5\\$\\"\\ \\\\\\ \\#\\;%n\nC=\nD=größe\\\t😀\n`,
  )
})

test('a value of several lines stands in single quotes', () => {
  expect(render({ A: "one\nit's two\n" })).toBe(`A='one\nit'"'"'s two\n'\n`)
})

describe('what no server can hold is refused', () => {
  test.each([
    ['a\0b', 'The value of A holds a NUL character, which ends a variable.'],
    ['a\ud800', 'The value of A holds half of a surrogate pair, which no file can hold as UTF-8.'],
    ['a\ufffe', 'The value of A holds a Unicode noncharacter, which systemd refuses.'],
    ['x'.repeat(131_070), 'The value of A is longer than the 128 KiB that Linux allows a variable.'],
  ])('%#', (value, cause) => {
    expect(refusal({ A: value }).explanations[0]?.cause).toBe(cause)
  })

  test('the longest variable is not', () => {
    expect(render({ A: 'x'.repeat(131_069) })).toHaveLength(131_072)
  })

  test('nor can all of them together be too long', () => {
    const env = Object.fromEntries(
      Array.from({ length: 20 }, (_, index) => [`A${index}`, 'x'.repeat(120_000)]),
    )
    expect(refusal(env).explanations.map(({ cause }) => cause)).toEqual([
      expect.stringMatching(/^`env` is 24\d{5} bytes long/),
    ])
  })
})

describe('what an old systemd would drop is refused there', () => {
  test.each([
    ['a\nb', 240, 241],
    ['a\x01b', 247, 248],
    ['a\rb', 247, 248],
    ['a\x7fb', 247, 248],
  ])('%j: %i no, %i yes', (value, old, young) => {
    expect(refusal({ A: value }, old).message).toContain(`systemd ${old}`)
    expect(render({ A: value }, young)).toContain('A=')
  })

  test('a tab and C1 controls are not', () => {
    expect(render({ A: 'a\tb\u0085' }, 237)).toBe('A=a\\\tb\u0085\n')
  })
})

test('all faults are reported at once, by name and never by value', () => {
  const error = refusal({ A: 'marker\0', '1B': 'marker', C: 'fine', D: 'marker\ud800' })
  expect(error.code).toBe('env-unusable')
  expect(error.explanations).toHaveLength(3)
  expect(JSON.stringify(error) + error.message).not.toContain('marker')
})

describe('the variables of a release', () => {
  test('are the user’s and the nonce', () => {
    expect([...releaseEnv(new Map([['A', '1']]), 'f00d')]).toEqual([
      ['A', '1'],
      ['FLASK_DEPLOY_NONCE', 'f00d'],
    ])
  })

  test('LD_PRELOAD is the user’s own business', () => {
    expect(releaseEnv(new Map([['LD_PRELOAD', '/x.so']]), 'f00d').get('LD_PRELOAD')).toBe('/x.so')
  })

  test('what systemd or the tool sets cannot be set', () => {
    const env = new Map([
      ['LISTEN_FDS', '1'],
      ['FLASK_DEPLOY_NONCE', 'x'],
    ])
    const error = errorOf(() => releaseEnv(env, 'f00d'))
    expect(error.explanations.map(({ cause }) => cause)).toEqual([
      'The variable LISTEN_FDS is set by systemd itself.',
      'The variable FLASK_DEPLOY_NONCE is set by this action itself.',
    ])
  })
})
