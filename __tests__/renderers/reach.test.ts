import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { DeployError } from '../../src/errors.ts'
import { type InputName, inputNames } from '../../src/inputs/declared.ts'
import { parseInputs } from '../../src/inputs/parse.ts'
import { secretInputs } from '../../src/inputs/table.ts'
import { inputsOf } from '../inputs/sample.ts'
import { provenBy, reach } from './reach.ts'
import { planFor, rendered } from './rendered.ts'
import { lines, texts } from './texts.ts'
import { sample } from './trial.ts'

const plain: Readonly<Partial<Record<InputName, string>>> = { tls: 'off' }

test.each(inputNames)('%s reaches what its row says, and nothing else', (input) => {
  const { reaches, values, beside } = reach[input]
  if ('none' in values) return
  const [one, other] = values.map((value) =>
    rendered(parseInputs(inputsOf({ ...plain, ...beside, [input]: value }))),
  )
  if (one === undefined || other === undefined) throw new Error('two values')
  const changed = Object.entries(one).filter(
    ([language, text]) => text !== new Map(Object.entries(other)).get(language),
  )
  expect(new Set(changed.map(([language]) => language))).toEqual(
    new Set(reaches.filter((language) => language !== 'Markdown')),
  )
})

test('no secret is ever in the summary, and all else may be, at least where it is wrong', () => {
  const told = inputNames.filter((input) => reach[input].reaches.includes('Markdown'))
  expect([...told, ...secretInputs].sort()).toEqual([...inputNames].sort())
})

test('every language has tests that give it thousands of values', () => {
  const folder = new URL('.', import.meta.url)
  const files = readdirSync(folder)
  const source = readFileSync(new URL('renderers-on.ts', folder), 'utf8')
  for (const name of Object.values(provenBy).flat()) {
    expect(files.includes(name) || source.includes(name), name).toBe(true)
  }
})

describe('no value that an input takes is refused by a renderer behind it', () => {
  /** Where in an input a free text stands. */
  const frames: Readonly<Partial<Record<InputName, (text: string) => string>>> = {
    app: (text) => `wsgi:make("${text}")`,
    domain: (text) => `a${text}b.example.com`,
    env: (text) => `A='${text}'`,
    'secret-files': (text) => `file: ${JSON.stringify(text)}`,
    static: (text) => `/a${text}b: c`,
    'smoke-url': (text) => `https://x.example/${text}`,
    'acme-server': (text) => `https://x.example/${text}`,
    'health-path': (text) => `/${text}`,
    email: (text) => `${text}@x.example`,
  }
  const beside: Readonly<Partial<Record<InputName, string>>> = { 'release-command': 'true', tls: 'auto' }
  const free = inputNames.filter((input) => reach[input].reaches.some((language) => language !== 'Markdown'))

  test.each(free)('%s', (input) => {
    const frame = frames[input] ?? String
    const values = [...sample(texts(), 40), ...sample(lines(), 40)].flatMap((text) => [text, frame(text)])
    let taken = 0
    for (const value of values) {
      let inputs: ReturnType<typeof parseInputs>
      try {
        inputs = parseInputs(inputsOf({ ...beside, ...reach[input].beside, [input]: value }))
      } catch (error) {
        expect(error, JSON.stringify(value)).toBeInstanceOf(DeployError)
        continue
      }
      taken += 1
      expect(() => planFor(inputs), JSON.stringify(value)).not.toThrow(RangeError)
    }
    if (frames[input] !== undefined) expect(taken).toBeGreaterThan(0)
  })
})
