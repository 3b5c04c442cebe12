import { describe, expect, test } from 'vitest'
import { type Applied, apply, type Talk, type Tested } from '../../src/apply/apply.ts'
import { parseEvent, type ServerEvent } from '../../src/apply/event.ts'
import type { WorkLimits } from '../../src/apply/time-limits.ts'
import { makePlan } from '../../src/plan/plan.ts'
import type { Facts } from '../../src/server/facts.ts'
import { bareLines, facts, wish } from '../plan/sample.ts'

const NEW = '20261122184800-abc1234'
const OLD = '20261101000000-0000001'
const limits: WorkLimits = {
  of: () => 60_000,
  inputOf: () => undefined,
  otherAppMs: 60_000,
  uploadMs: 60_000,
  cancelMs: 6_000,
}
const good: Tested = { ok: true, code: '', detail: '' }
const bad: Tested = { ok: false, code: 'status', detail: 'it answered 500' }

/** What a server says of itself after a restart: the release that its state and its link name. */
const restarted = (current: string) =>
  facts([...bareLines, 'state generation 2', `state current ${current}`, `link ${current}`])

/**
 * A server that plays a part: each line is an event it says, `< FRAME` a word of the runner's it waits for, `vanished ID` a
 * restart after which this release serves.
 */
function server(script: readonly string[]) {
  const heard: string[] = []
  const waiting = new Map<string, () => void>()
  let onEvent: (event: ServerEvent) => void = () => undefined
  let onLost: (error: unknown) => void = () => undefined
  let onVanished: (facts: Facts) => void = () => undefined
  const hear = (frame: string) => {
    heard.push(frame)
    waiting.get(frame)?.()
  }
  const play = async () => {
    for (const line of script) {
      const frame = line.startsWith('< ') ? line.slice(2) : undefined
      if (frame !== undefined && !heard.includes(frame))
        await new Promise<void>((go) => waiting.set(frame, go))
      else if (line === 'lost') onLost(new Error('the line is dead'))
      else if (line.startsWith('vanished')) onVanished(restarted(line.split(' ')[1] ?? ''))
      else if (frame === undefined) {
        const event = parseEvent(`1.00 ${line}`)
        if (event === undefined) throw new Error(`not an event: ${line}`)
        onEvent(event)
      }
      await new Promise((turn) => setImmediate(turn))
    }
  }
  const talk: Talk = {
    listen: (listener) => {
      onEvent = listener.event
      onLost = listener.lost
      onVanished = listener.vanished
    },
    sendFiles: async (files) => hear(`files ${files.has('program')}`),
    startProgram: async () => {
      hear('start')
      void play()
    },
    sendBundle: async () => hear('bundle'),
    sendWheels: async () => hear('wheels'),
    say: async (frame, word) => hear(`${frame} ${word}`),
    cancel: async () => hear('cancel'),
  }
  return { talk, heard }
}

async function deploy(
  script: readonly string[],
  tests: Readonly<Record<string, Tested>>,
  options: {
    readonly from?: string
    readonly signal?: AbortSignal
    readonly limits?: WorkLimits
    /** It takes nothing of the bundle. */
    readonly deaf?: boolean
  } = {},
): Promise<{ readonly applied: Applied; readonly heard: readonly string[] }> {
  const { talk, heard } = server(script)
  const deaf = { ...talk, sendBundle: () => new Promise<void>(() => {}) }
  const asked = wish({ release: NEW })
  const plan = { ...makePlan(facts(bareLines), asked), from: options.from }
  const applied = await apply(
    options.deaf === true ? deaf : talk,
    plan,
    {
      run: { name: 'hello', run: 'ab', holder: 'me', lockTimeoutSeconds: 1, sentWaitSeconds: 90 },
      limits: options.limits ?? limits,
      bundle: asked.project.bundle,
      wheels: [],
      test: async (release) => tests[release] ?? bad,
      preflight: () => Promise.resolve(true),
      testSecured: () => Promise.resolve({ ok: true, code: '', detail: '' }),
      onEvent: () => undefined,
      onUpload: () => undefined,
    },
    options.signal ?? new AbortController().signal,
  )
  return { applied, heard }
}

test('the program starts before the bundle is there, and needs no word to switch', async () => {
  const script = [
    'phase upload',
    `flipped ${NEW}`,
    '< verdict-1 keep',
    `kept ${NEW}`,
    `serving ${NEW}`,
    'end 0',
  ]
  const { applied, heard } = await deploy(script, { [NEW]: good })
  expect(heard).toEqual(['files true', 'start', 'cutover go', 'bundle', 'verdict-1 keep'])
  expect(applied).toMatchObject({ end: 'done', serving: NEW, smokeFault: undefined })
})

describe('a new release that fails its smoke test', () => {
  test('is left again where the old one passes', async () => {
    const script = [
      `flipped ${NEW}`,
      '< verdict-1 try-old',
      `flipped ${OLD}`,
      '< verdict-2 revert',
      'fail smoke',
      `serving ${OLD}`,
      'end 1',
    ]
    const { applied } = await deploy(script, { [OLD]: good }, { from: OLD })
    expect(applied).toMatchObject({ end: 'failed', serving: OLD, smokeFault: bad, oldFault: undefined })
    expect(applied.failure?.code).toBe('smoke')
  })

  test('stays where the old one fails the same test', async () => {
    const script = [
      `flipped ${NEW}`,
      '< verdict-1 try-old',
      `flipped ${OLD}`,
      '< verdict-2 keep',
      `kept ${NEW}`,
      `serving ${NEW}`,
      'end 0',
    ]
    const { applied } = await deploy(script, {}, { from: OLD })
    expect(applied).toMatchObject({ end: 'done', serving: NEW, smokeFault: bad, oldFault: bad })
  })

  test('stays where there is no old one', async () => {
    const script = [`flipped ${NEW}`, '< verdict-1 keep', `kept ${NEW}`, `serving ${NEW}`, 'end 0']
    const { applied } = await deploy(script, {})
    expect(applied).toMatchObject({ end: 'done', serving: NEW, smokeFault: bad, oldFault: undefined })
  })
})

test('only `end 0` is success', async () => {
  const failed = await deploy(['fail health-status 500', `serving ${OLD}`, 'end 1'], {}, { from: OLD })
  expect(failed.applied).toMatchObject({
    end: 'failed',
    serving: OLD,
    failure: { code: 'health-status', detail: '500' },
  })
  const killed = await deploy(['phase health', 'gone 137'], {})
  expect(killed.applied).toMatchObject({
    end: 'lost',
    serving: 'unknown',
    failure: { code: 'program-killed' },
  })
})

test('a connection that is lost leaves what serves unknown', async () => {
  const { applied } = await deploy(['phase upload', 'lost'], {})
  expect(applied).toMatchObject({ end: 'lost', serving: 'unknown' })
  expect(String(applied.lost)).toContain('the line is dead')
})

describe('a server that was restarted', () => {
  test('after the verdict has kept the release: that is read from its state', async () => {
    const script = [`flipped ${NEW}`, '< verdict-1 keep', `vanished ${NEW}`]
    const { applied } = await deploy(script, { [NEW]: good }, { from: OLD })
    expect(applied).toMatchObject({ end: 'done', serving: NEW, learned: true, failure: undefined })
  })

  test('before: the deploy has failed, and the old release serves', async () => {
    const script = [`flipped ${NEW}`, '< verdict-1 keep', `vanished ${OLD}`]
    const { applied } = await deploy(script, { [NEW]: good }, { from: OLD })
    expect(applied).toMatchObject({ end: 'failed', serving: OLD, failure: { code: 'server-restarted' } })
    expect(applied).toMatchObject({ flipped: true, failure: { detail: `back ${OLD}` } })
  })

  test('before the switch: nothing had changed for visitors', async () => {
    const { applied } = await deploy(['phase health', `vanished ${OLD}`], {}, { from: OLD })
    expect(applied).toMatchObject({ serving: OLD, flipped: false, failure: { detail: `before ${OLD}` } })
  })

  test('and says that it keeps what nobody has judged: that is no success', async () => {
    const { applied } = await deploy(['phase health', `vanished ${NEW}`], {}, { from: OLD })
    expect(applied).toMatchObject({ end: 'failed', failure: { code: 'server-restarted' } })
    expect(applied.failure?.detail).toBe(`unjudged ${NEW}`)
  })
})

test('a cancel stops the program and waits for what it says', async () => {
  const controller = new AbortController()
  setTimeout(() => controller.abort(), 20)
  const script = ['phase health', '< cancel', 'fail stopped', `serving ${OLD}`, 'end 143']
  const { applied, heard } = await deploy(script, {}, { from: OLD, signal: controller.signal })
  expect(heard).toContain('cancel')
  expect(applied).toMatchObject({ end: 'failed', serving: OLD })
})

describe('what cannot be true is not believed', () => {
  test.each([
    ['a good end without a release', ['end 0']],
    ['a good end that is no number', [`serving ${NEW}`, 'end NaN']],
    ['a release that is kept before it was flipped to', [`kept ${NEW}`]],
    ['a flip to a release of nobody', ['flipped 20251101000000-0000001']],
    ['a second flip that nobody asked for', [`flipped ${NEW}`, '< verdict-1 keep', `flipped ${OLD}`]],
    ['phases that go backwards', ['phase health', 'phase packages']],
    ['a phase that is in no plan', ['phase release-command']],
    [
      'a good end with another release',
      [`flipped ${NEW}`, '< verdict-1 keep', `kept ${NEW}`, `serving ${OLD}`, 'end 0'],
    ],
    ['a failure that ends well', ['fail internal', `serving ${NEW}`, 'end 0']],
    ['an end that fails without a word', ['end 1']],
    ['a question about a certificate that is in no plan', ['preflight token content']],
    ['steps without end', Array.from({ length: 1_001 }, () => 'running x')],
  ])('%s', async (_name, script) => {
    const { applied } = await deploy(script, { [NEW]: good }, { from: OLD })
    expect(applied).toMatchObject({ end: 'lost', serving: 'unknown', lost: { code: 'server-contradicts' } })
  })
})

describe('a server that takes too long', () => {
  test('is stopped, and heard for what serves then', async () => {
    const script = ['phase dependencies', '< cancel', 'fail stopped', `serving ${OLD}`, 'end 143']
    const { applied } = await deploy(script, {}, { from: OLD, limits: { ...limits, of: () => 20 } })
    expect(applied).toMatchObject({ end: 'failed', serving: OLD, lost: { code: 'phase-timeout' } })
    expect(String(applied.lost)).toContain('`dependencies`')
  })

  test('and does not listen is left', async () => {
    const hurry = { ...limits, of: () => 20, cancelMs: 20 }
    const { applied } = await deploy(['phase health', '< never'], {}, { limits: hurry })
    expect(applied).toMatchObject({ end: 'lost', serving: 'unknown', lost: { code: 'phase-timeout' } })
  })

  test('and takes no byte is left', async () => {
    const hurry = { ...limits, uploadMs: 20, cancelMs: 20 }
    const { applied } = await deploy([], {}, { limits: hurry, deaf: true })
    expect(applied).toMatchObject({ end: 'lost', lost: { code: 'upload-stalled' } })
  })
})
