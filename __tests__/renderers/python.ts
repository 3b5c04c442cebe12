import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { renderEntry } from '../../src/config/entry.ts'
import { pythonString } from '../../src/config/python.ts'
import { table } from '../../src/inputs/table.ts'
import { parseApp } from '../../src/project/app-expression.ts'
import { releaseOf } from '../config/sample.ts'
import type { Stage } from './on-server.ts'
import { lines, texts } from './texts.ts'
import { accepted, cases, expectSame, sample, sift, tell } from './trial.ts'

interface Read {
  readonly literals: readonly string[]
  /** What the entry module called, and what Python makes of the same expression. */
  readonly entries: readonly (readonly [string, string])[]
}

async function read(
  { server }: Stage,
  given: { readonly literals: readonly string[]; readonly entries: readonly (readonly [string, string])[] },
): Promise<Read> {
  const program = readFileSync(new URL('read-python.py', import.meta.url), 'utf8')
  await server.must('cat >/run/read-python.py', { stdin: program })
  const said: Read = JSON.parse(
    await server.must('LC_ALL=C python3 -I /run/read-python.py', { stdin: JSON.stringify(given) }),
  )
  return said
}

/** Every text that stands in `gunicorn.conf.py` or in the entry module. */
export async function pythonReadsTexts(stage: Stage) {
  const trial = { where: stage.suite, renderer: 'Python reads every text', file: stage.file }
  const sifted = sift(sample(texts()), pythonString)
  const { literals } = await read(stage, { literals: sifted.kept.map((one) => one.rendered), entries: [] })
  expectSame(
    trial,
    sifted.kept.map((one) => one.given),
    literals,
  )
  tell(trial, sifted, 1)
}

/** A factory is called with the arguments that Python itself reads in `app`. */
export async function pythonReadsFactories(stage: Stage) {
  const trial = { where: stage.suite, renderer: 'Python reads every factory', file: stage.file }
  const given = sample(fc.array(argument(), { maxLength: 3 }), Math.ceil(cases / 10)).map(
    (list) => `wsgi:make(${list.join(', ')})`,
  )
  const sifted = sift(given, (text) => {
    const parsed = parseApp(accepted(table.app.app.kind(text, 'app')) ?? '')
    if (typeof parsed === 'string' || parsed.expression === undefined) throw new Error('it is a call')
    const { module, attribute = '', factory, expression } = parsed
    const target = { module, attribute, factory, expression, path: [''], reason: '' }
    return { entry: renderEntry(releaseOf({ target })), expression }
  })
  const { entries } = await read(stage, {
    literals: [],
    entries: sifted.kept.map(({ rendered }) => [rendered.entry, rendered.expression]),
  })
  expectSame(
    trial,
    sifted.kept.map((one, at) => `${one.given} -> ${entries[at]?.[1]}`),
    sifted.kept.map((one, at) => `${one.given} -> ${entries[at]?.[0]}`),
  )
  tell(trial, sifted, 0.4)
}

function argument(): fc.Arbitrary<string> {
  const inQuotes = lines().map((text) => text.slice(0, 40))
  const value = fc.oneof(
    { weight: 6, arbitrary: inQuotes.map((text) => `"${text.replace(/["\\]/g, '\\$&')}"`) },
    { weight: 3, arbitrary: inQuotes.map((text) => `'${text}'`) },
    { weight: 1, arbitrary: inQuotes.map((text) => `"${text}"`) },
    { weight: 1, arbitrary: inQuotes },
    {
      weight: 4,
      arbitrary: fc.constantFrom(
        ...[
          '1',
          '-1',
          '0x1f',
          '1_000',
          '0o7',
          '007',
          '1.5e3',
          '.5',
          '1.',
          'True',
          'None',
          'true',
          'r"\\n"',
          'b"a"',
        ],
        ...[
          'u"a"',
          'f"{x}"',
          '"a" "b"',
          '"a" b"b"',
          '"\\N{DASH}"',
          '"\\x4"',
          '"\\u12"',
          '"\\777"',
          '()',
          '(1,)',
          '[]',
        ],
        ...[
          '{}',
          '{"a": 1}',
          '{1, 2}',
          '{[]: 1}',
          '{[1]}',
          '{"a": 1, 2}',
          '1 + 1',
          '__import__("os")',
          '*[1]',
          '**{}',
        ],
      ),
    },
  )
  return fc.oneof(
    { weight: 4, arbitrary: value },
    { weight: 1, arbitrary: value.map((text) => `key=${text}`) },
    { weight: 1, arbitrary: value.map((text) => `[${text}, (${text}, 1), {"k": ${text}}]`) },
  )
}
