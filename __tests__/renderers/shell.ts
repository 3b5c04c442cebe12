import fc from 'fast-check'
import { renderProgram } from '../../src/apply/program.ts'
import type { Operation, Plan } from '../../src/plan/operation.ts'
import { makePlan } from '../../src/plan/plan.ts'
import { quote } from '../../src/quote.ts'
import { facts, readyLines, wish } from '../plan/sample.ts'
import { runProgram, type Stage } from './on-server.ts'
import { texts } from './texts.ts'
import { cases, eachRead, expectSame, sample, sift, tell } from './trial.ts'

/** Every word that `quote` takes is one word to a shell. */
export async function shellReadsWords({ server, suite, file }: Stage, shell: 'dash' | 'bash') {
  const trial = { where: suite, renderer: `${shell} reads every quoted word`, file }
  const sifted = sift(sample(texts()), (text) => quote(text.toWellFormed()), true)
  await eachRead(
    trial,
    sifted.kept,
    (one) => one.given.toWellFormed(),
    async (some) => {
      const program = some.map((one) => `printf '%s\\0' ${one.rendered} >&3\n`)
      return await runProgram(server, program.join(''), shell)
    },
  )
  tell(trial, sifted, 0.9)
}

/** Every word of a plan arrives in the function that it is for. */
export async function shellReadsPlans({ server, suite, file }: Stage) {
  const trial = { where: suite, renderer: 'sh reads every word of a plan', file }
  const holdable = texts().map((text) => text.replaceAll('\0', '').toWellFormed())
  const four = sample(fc.tuple(holdable, holdable, holdable, holdable), Math.ceil(cases / 3))
  const calls = four.map(([a, b, c, d], at) => callOf(at, a, b, c, d))
  const program = renderProgram(planOf(calls.map((one) => one.operation)), {
    name: 'shop',
    run: 'abc',
    holder: four[0]?.[0] ?? '',
    lockTimeoutSeconds: 1,
    sentWaitSeconds: 90,
  })
  // The library's functions give way to ones that say how they were called.
  const stub = `printf '%s\\0' "$0" "$@" >&3`
  const names = [
    'take_lock',
    'compare_generation',
    'repair',
    'phase',
    'finish',
    ...new Set(calls.map((one) => one.words[0])),
  ]
  const stubs = names.map((name) => `${name}() { set -- ${name} "$@"; ${stub.replace('"$0" ', '')}; }`)
  const [head = '', ...rest] = program.split('\nbegin\n')
  const assigned = head.slice(0, head.indexOf('\nhome='))
  const read = await runProgram(server, [assigned, ...stubs, rest.join('\nbegin\n')].join('\n'))
  const expected = calls.flatMap((one) => one.words)
  const start = [
    'take_lock',
    '1',
    four[0]?.[0] ?? '',
    'compare_generation',
    '7',
    'repair',
    'phase',
    'configure',
  ]
  expectSame(trial, [...start, ...expected, 'finish'], read)
  tell(trial, { kept: expected.map((given) => ({ given, rendered: '' })), refused: new Map() }, 1)
}

/** One operation of each kind that holds free texts in turn, and the call that it should be. */
function callOf(at: number, a: string, b: string, c: string, d: string) {
  const phase = 'configure' as const
  const kinds: readonly { readonly operation: Operation; readonly words: readonly string[] }[] = [
    { operation: { phase, kind: 'persist', path: a, target: b }, words: ['persist', a, b] },
    { operation: { phase, kind: 'publish', url: a, folder: b }, words: ['publish', a, b] },
    {
      operation: { phase, kind: 'write-file', path: a, mode: '0600', owner: b, content: c, what: d },
      words: ['write_file', a, '0600', b, c],
    },
    {
      operation: { phase, kind: 'release-command', command: a, seconds: 600, properties: [b, c] },
      words: ['release_command', '600', a, '-p', b, '-p', c],
    },
    {
      operation: { phase, kind: 'install-packages', names: [a, b, c], upgrade: false, because: [] },
      words: ['install_packages', 'no', a, b, c],
    },
    { operation: { phase, kind: 'claim', owner: a }, words: ['claim', a] },
    { operation: { phase, kind: 'settle', record: a, seconds: 60 }, words: ['settle', a, '60'] },
  ]
  const kind = kinds[at % kinds.length]
  if (kind === undefined) throw new Error('there are kinds')
  return kind
}

function planOf(operations: readonly Operation[]): Plan {
  return { ...makePlan(facts(readyLines), wish()), generation: 7, operations }
}
