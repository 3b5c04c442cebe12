import { domainToUnicode } from 'node:url'
import { expect, test } from 'vitest'
import { formatDotenv } from '../../src/config/dotenv.ts'
import { DeployError } from '../../src/errors.ts'
import { type InputName, inputNames } from '../../src/inputs/declared.ts'
import { parseInputs } from '../../src/inputs/parse.ts'
import { table } from '../../src/inputs/table.ts'
import { inputsOf, textsIn } from './sample.ts'

/** What people and attackers type: each must be refused with a clear error, or arrive exactly. */
const odd: readonly string[] = [
  `'`,
  `"`,
  '`id`',
  '$(touch /tmp/x)',
  '${HOME}',
  ';reboot',
  '&& true',
  '| cat',
  '%h %i %%',
  '%0a',
  '{{ x }}',
  '\\',
  '\\n',
  'a\nb',
  'a\r\nb',
  'a\rb',
  '\t',
  'a\tb',
  '\0',
  '\x1b[31m',
  '\x7f',
  '\u202e',
  'é',
  '日本',
  '🦄',
  '\ud800',
  ' x ',
  '#x',
  '-rf',
  '--help',
  '~root',
  '*',
  '..',
  '../../etc/passwd',
  '/etc/passwd',
  '::error::x',
  '##[command]x',
  '<script>',
  'x'.repeat(5000),
]

/** Where in an input a value stands; the whole of it first. */
const frames: Readonly<Partial<Record<InputName, (value: string) => string>>> = {
  host: (value) => `a${value}b.example`,
  domain: (value) => `a${value}b.example`,
  source: (value) => `dir/a${value}b`,
  requirements: (value) => `dir/a${value}b.txt`,
  persist: (value) => `dir/a${value}b`,
  include: (value) => `dir/a${value}b`,
  exclude: (value) => `dir/a${value}b`,
  static: (value) => `/url: a${value}b`,
  app: (value) => `wsgi:create_app("${value}")`,
  'health-path': (value) => `/a${value}b`,
  'smoke-url': (value) => `https://blog.example.com/a${value}b`,
  'secret-files': (value) => `file: ${JSON.stringify(value)}`,
  'release-command': (value) => `echo ${value} end`,
  'expect-text': (value) => `a${value}b`,
}

const fields = Object.values(table).flatMap((rows: Readonly<Record<string, { readonly input: InputName }>>) =>
  Object.entries(rows),
)

function fieldOf(input: InputName, inputs: ReturnType<typeof parseInputs>): unknown {
  const name = fields.find(([, row]) => row.input === input)?.[0] ?? ''
  return [inputs, inputs.server, inputs.app, inputs.site, inputs.behaviour]
    .flatMap((group) => Object.entries(group))
    .find(([key]) => key === name)?.[1]
}

/** The texts that stand for the same value: names in ASCII, URLs percent-encoded, paths without `/` at their end. */
function isSame(input: InputName, given: string, texts: readonly string[]): boolean {
  const lines = given
    .replaceAll('\r\n', '\n')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
  const wanted = [given, given.trim(), given.replaceAll('\r\n', '\n').replace(/\n+$/, '')]
  if (texts.some((text) => wanted.includes(text)) || texts.join('\n') === lines.join('\n')) return true
  // Short forms that mean the same.
  if (input === 'host' || input === 'domain')
    return texts.every((text) => wanted.includes(domainToUnicode(text)))
  if (input === 'secret-files') return given === `${texts[0]}: ${JSON.stringify(texts[1])}`
  if (input === 'smoke-url') return texts.some((text) => wanted.includes(decodeURIComponent(text)))
  const folders = texts.filter((_, at) => at % 2 === 1)
  if (input === 'static')
    return (
      lines.join('\n') === texts.join(': ') || lines.join('\n').replace('/url: ', '') === folders.join('\n')
    )
  return false
}

test.each(inputNames)('odd values of %s are refused clearly or arrive exactly', (input) => {
  const values = odd.flatMap((value) => {
    if (input === 'env') return [value, `NAME=${value}`]
    const frame = frames[input]
    return frame === undefined ? [value] : [value, frame(value)]
  })
  for (const value of values) {
    if (value.trim() === '') continue
    const instead = input === 'host-fingerprint' ? { 'known-hosts': '' } : {}
    const given = inputsOf({
      ...instead,
      command: input === 'release' ? 'rollback' : 'deploy',
      [input]: value,
    })
    let inputs: ReturnType<typeof parseInputs>
    try {
      inputs = parseInputs(given)
    } catch (error) {
      if (!(error instanceof DeployError)) throw error
      const own = error.explanations.filter((fault) => fault.input === input)
      expect(own.length, JSON.stringify(value)).toBe(error.explanations.length)
      for (const { cause, cure } of own) {
        // A message is one line that no log and no terminal can be fooled by.
        expect(`${cause}${cure}`).toMatch(/^[^\0-\x1f\x7f\u202e\ud800-\udfff]*$/u)
        expect(cause.length).toBeLessThan(400)
      }
      continue
    }
    if (input === 'env') continue
    const texts = textsIn(fieldOf(input, inputs))
    if (input === 'exclude' && value.startsWith('#')) expect(texts).toEqual([])
    else
      expect(isSame(input, value, texts), `${JSON.stringify(value)} became ${JSON.stringify(texts)}`).toBe(
        true,
      )
  }
})

test('every odd value that a variable can hold arrives exactly through env', () => {
  for (const value of odd.filter((one) => !one.includes('\0') && one.isWellFormed())) {
    const { app } = parseInputs(inputsOf({ env: formatDotenv(new Map([['NAME', value]])) }))
    expect(app.env.get('NAME')).toBe(value)
  }
})
