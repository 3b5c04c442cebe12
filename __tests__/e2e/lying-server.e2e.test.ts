import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { outputNames } from '../../src/outputs.ts'
import { phases } from '../../src/phases.ts'
import { runnerReads } from '../report/runner.ts'
import { type Attack, endlessly, forever, MARK } from './liars/attack.ts'
import { conversation } from './liars/conversation.ts'
import { events } from './liars/events.ts'
import { webLies, webServer } from './liars/http.ts'
import { type Lies, liar } from './liars/liar.ts'
import { reconnect } from './liars/reconnect.ts'
import { transport } from './liars/transport.ts'
import { type Build, build, type Met, meet } from './liars/victim.ts'

/*
 * A server that lies, or a machine in the middle: whatever it does, the runner ends in time and says what is wrong, keeps
 * within its memory, and neither runs, writes nor prints anything outside of its log group. The server is ssh2's own,
 * on the loopback, with the pinned key; the runner is a process of its own, with shorter limits.
 */

/** The most that the process may ever have in memory, in MB. */
const MOST_MB = 200
/** The most that a run may print, in bytes; a phase shows 1 MB of what other programs print. */
const MOST_LOG = 4_000_000

let built: Build
const rows: string[] = []

beforeAll(() => {
  built = build()
})

afterAll(() => {
  built.remove()
  console.log(['attack -> outcome', ...rows.toSorted()].join('\n'))
})

async function withstand(attack: Attack): Promise<void> {
  const server = await liar(attack.lies)
  try {
    const met = await meet(built, server.port, attack.pace ?? 'long', attack.inputs, attack.bundle)
    rows.push(rowOf(attack.name, met))
    holds(met, attack.end)
    attack.also?.(met, server)
  } finally {
    await server.close()
  }
}

function rowOf(name: string, met: Met): string {
  const outcome = codeOf(met) ?? met.outputs.get('result') ?? 'no result'
  const phase = met.outputs.get('failed-phase') || 'none'
  return `${name} -> ${outcome} (phase ${phase}), ${met.ms} ms, ${met.peakMb} MB, log ${met.log.length} bytes`
}

/** What must be true of every run, whatever the server did. */
function holds(met: Met, end: Attack['end']): void {
  const { log, outputs, summary } = met
  const tail = `\n${log.slice(-3000)}`
  expect(met.status, tail).toBe(end.code === undefined ? 0 : 1)
  expect([...outputs.keys()].toSorted(), tail).toEqual([...outputNames].toSorted())
  const result = end.result ?? (end.code === undefined ? 'deployed' : 'failed')
  expect(outputs.get('result'), tail).toBe(result)
  if (end.code === undefined) {
    expect(outputs.get('failed-phase')).toBe('')
    expect(codeOf(met), tail).toBeUndefined()
    if (end.serving === undefined) expect(outputs.get('serving')).toBe(outputs.get('release'))
  } else {
    expect(codeOf(met), tail).toBe(end.code)
    expect(phases).toContain(outputs.get('failed-phase'))
    if (end.phase !== undefined) expect(outputs.get('failed-phase'), tail).toBe(end.phase)
    // One sentence with the cause, and one with the cure.
    expect(faultOf(met)).toMatch(/^.+[.:!] .+\.?$/)
    expect(Buffer.byteLength(faultOf(met) ?? '')).toBeLessThanOrEqual(4096)
  }
  if (end.code !== undefined || end.serving !== undefined)
    expect(outputs.get('serving'), tail).toBe(end.serving ?? 'unknown')
  expect(met.peakMb).toBeGreaterThan(30)
  expect(met.peakMb).toBeLessThanOrEqual(MOST_MB)
  expect(met.strays).toEqual([])
  expect(Buffer.byteLength(log)).toBeLessThanOrEqual(MOST_LOG)
  expect(Buffer.byteLength(summary)).toBeLessThanOrEqual(1024 * 1024)
  onlyOurs(log)
  // Within <pre> nothing is Markdown (GFM spec 4.6, start condition 1).
  expect(summary.replace(/<pre>[^<]*<\/pre>/g, '')).not.toMatch(
    /<(?:img|script|h1|a)\b|!\[|\]\((?!https:\/\/github\.com\/|https?:\/\/(?:127\.0\.0\.1|liar\.example\.com))/i,
  )
}

/** No command of the log is the server's, and no character of it moves a cursor. */
function onlyOurs(log: string): void {
  const { commands } = runnerReads(log)
  const known = ['group', 'endgroup', 'stop-commands', 'add-mask', 'debug', 'warning', 'error']
  expect(commands.map(({ name }) => name).filter((name) => !known.includes(name))).toEqual([])
  const silent = commands.filter(({ name }) => !['error', 'warning', 'debug'].includes(name))
  expect(silent.filter(({ data }) => data.includes(MARK))).toEqual([])
  for (const { name, data } of commands) if (name === 'group') expect(phases).toContain(data)
  // oxlint-disable-next-line no-control-regex
  expect(log).not.toMatch(/[\0-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/)
}

function errorsOf({ log }: Met): readonly (readonly [string, string])[] {
  return Array.from(log.matchAll(/^::error title=([^,:]*)[^:]*::(.*)$/gm), ([, code = '', text = '']) => [
    decodeURIComponent(code),
    text,
  ])
}

function codeOf(met: Met): string | undefined {
  return errorsOf(met)[0]?.[0]
}

function faultOf(met: Met): string | undefined {
  return errorsOf(met)[0]?.[1]
}

/** Those that keep a processor busy: one after the other, so that the clocks of the others stay right. */
const isLoud = ({ name }: Attack) => /end$|end,|million|4,000|100 MB|forces|hundred thousand/.test(name)
const tables = [
  ['on the wire', transport],
  ['of itself', conversation],
  ['of its program', events],
  ['when it is called again', reconnect],
] as const

describe.concurrent('a server that lies', () => {
  for (const [kind, table] of tables)
    test.each(table.filter((one) => !isLoud(one)))(`${kind}: $name`, withstand)

  test.each(webLies)('of its site: $name', async (lie) => {
    const site = await webServer(lie)
    const server = await liar({})
    try {
      const inputs = { 'smoke-from': 'runner', 'smoke-url': `http://127.0.0.1:${site.port}/`, ...lie.inputs }
      const met = await meet(built, server.port, 'long', inputs)
      rows.push(rowOf(`site: ${lie.name}`, met))
      const serving = met.outputs.get('release') ?? 'none'
      holds(met, { code: `smoke-${lie.code}`, phase: 'smoke', serving })
    } finally {
      site.close()
      await server.close()
    }
  })
})

describe.concurrent('what comes after main, to stop a run that was cut off', () => {
  const deaf = transport.find(({ name }) => name.includes('takes nothing of a bundle of 0'))?.lies ?? {}
  test.each<readonly [string, Lies]>([
    ['says nothing', { talk: forever }],
    ['says its facts and nothing more', { talk: (talk) => talk.facts() }],
    ['takes nothing', deaf],
    ['does not let it in', { authentication: () => {} }],
    ['shouts', { talk: (talk) => endlessly((piece) => talk.say(piece), '::error::x\n', 200_000_000) }],
  ])('a server that %s', async (name, lies) => {
    const server = await liar(lies)
    try {
      const state = { STATE_started: 'yes', STATE_run: 'ab12' }
      const met = await meet(built, server.port, 'short', { 'connect-timeout': '30s' }, 0, state)
      rows.push(rowOf(`post: ${name}`, met))
      // It says that it could not, and fails nothing: main has.
      expect(met.status, met.log).toBe(0)
      expect(met.log).toMatch(/could not be stopped from here/)
      expect(met.ms).toBeLessThan(15_000)
      expect(met.peakMb).toBeLessThanOrEqual(MOST_MB)
      onlyOurs(met.log)
    } finally {
      await server.close()
    }
  })
})

describe('a server that shouts', () => {
  for (const [kind, table] of tables) test.each(table.filter(isLoud))(`${kind}: $name`, withstand)
})

test('an honest server is served: the liar can tell the truth', async () => {
  await withstand({ name: 'none', lies: {}, end: { code: undefined } })
})
