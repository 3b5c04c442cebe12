import { expect } from 'vitest'
import { type Attack, endlessly, forever, MARK, nasty, pause } from './attack.ts'
import { honest, programPhases, type Talk } from './liar.ts'
import type { Met } from './victim.ts'

const MB = 1024 * 1024
/** As long as a release's ID, and none. */
const OTHER = '20251101000000-0000001'

/** Honest up to a phase, then these events, then silence. */
function then(phase: string, ...events: readonly string[]): (talk: Talk) => Promise<void> {
  return async (talk) => {
    await talk.facts()
    const release = await talk.until(phase)
    for (const one of events) await talk.event(one.replaceAll('NEW', release))
    await forever()
  }
}

/** Honest, but for what is said in `phase`. */
function within(phase: string, say: (talk: Talk) => Promise<void>): (talk: Talk) => Promise<void> {
  return async (talk) => {
    await talk.facts()
    const release = await talk.until(phase)
    await talk.event(`phase ${phase}`)
    await say(talk)
    await talk.finish(release)
  }
}

const short = { pace: 'short' } as const

/** A silence, or a contradiction, at each point of the program. */
const silences: readonly Attack[] = [
  {
    name: 'silence after the start of the program',
    ...short,
    lies: { talk: async (talk) => talk.facts() },
    end: { code: 'phase-timeout', phase: 'facts' },
  },
  {
    name: 'a lock that is never had',
    ...short,
    lies: { talk: then('packages', `waiting ::error::${MARK}`) },
    end: { code: 'phase-timeout', phase: 'facts' },
  },
  ...[...programPhases, 'release-command'].map((phase): Attack => {
    const before = phase === 'release-command' ? 'start' : phase
    return {
      name: `silence in the phase ${phase}`,
      ...short,
      inputs: { 'release-command': 'true' },
      lies: { talk: then(before, `phase ${phase}`) },
      end: { code: 'phase-timeout', phase },
    }
  }),
  {
    name: 'silence after the flip, with the smoke test on the server',
    ...short,
    inputs: { 'smoke-from': 'server' },
    lies: { talk: then('cutover', 'phase cutover', 'flipped NEW') },
    end: { code: 'phase-timeout', phase: 'smoke' },
  },
  {
    name: 'silence after the verdict',
    ...short,
    lies: { talk: then('cutover', 'phase cutover', 'flipped NEW', 'answered ok 200 5 NEW') },
    end: { code: 'phase-timeout', phase: 'smoke' },
  },
  {
    name: 'never an end, after all that was good',
    ...short,
    lies: {
      talk: async (talk) => {
        await talk.facts()
        const release = await talk.until('cutover')
        for (const one of ['phase cutover', `flipped ${release}`, 'phase smoke']) await talk.event(one)
        await talk.frames.until('say verdict-1')
        for (const one of ['phase report', `kept ${release}`]) await talk.event(one)
        await forever()
      },
    },
    end: { code: 'phase-timeout', phase: 'report' },
  },
  {
    name: 'a line every 100 ms in one phase, for ever',
    ...short,
    lies: {
      talk: async (talk) => {
        await talk.facts()
        await talk.until('dependencies')
        await talk.event('phase dependencies')
        for (;;) {
          await talk.event('log still at it')
          await pause(100)
        }
      },
    },
    end: { code: 'phase-timeout', phase: 'dependencies' },
  },
  {
    name: 'another app of the server is waited for, every 100 ms, for ever',
    ...short,
    lies: {
      talk: async (talk) => {
        await talk.facts()
        await talk.until('packages')
        await talk.event('phase packages')
        for (;;) {
          await talk.event('waiting another app of this server')
          await pause(100)
        }
      },
    },
    end: { code: 'phase-timeout', phase: 'packages' },
  },
  {
    name: 'a program that says where it is when it is stopped',
    ...short,
    lies: {
      talk: async (talk) => {
        await talk.facts()
        await talk.until('dependencies')
        await talk.event('phase dependencies')
        await talk.frames.until('cancel')
        for (const one of ['fail stopped', 'serving ', 'end 1']) await talk.event(one)
        await forever()
      },
    },
    end: { code: 'phase-timeout', phase: 'dependencies', serving: '' },
  },
]

/** What contradicts itself, or the runner. */
const contradictions: readonly Attack[] = (
  [
    ['a good end without anything before it', ['end 0']],
    ['a good end that is no number', ['end NaN']],
    ['a good end that is empty', ['end ']],
    ['a good end beyond 2^32', ['end 4294967296']],
    ['a good end of 400 digits', [`end ${'0'.repeat(400)}`]],
    ['a release that serves, and a good end', ['serving NEW', 'end 0']],
    ['a release that is kept before it was flipped to', ['kept NEW', 'serving NEW', 'end 0']],
    ['a flip to a path', [`flipped ../../../${MARK}`]],
    ['a flip to a release of nobody', [`flipped ${OTHER}`]],
    ['a flip to what every object has', ['flipped __proto__']],
    ['a flip to nothing', ['flipped ']],
    ['the same flip a hundred times', Array.from({ length: 100 }, () => 'flipped NEW')],
    ['phases that go backwards', ['phase health', 'phase packages']],
    ['a question about a certificate that is in no plan', [`preflight ${MARK} ${MARK}`]],
    ['HTTPS that is in no plan', ['secured']],
    ['a certificate that is in no plan', [`certificate refused ::error::${MARK}`]],
    ['a return to a release of nobody', [`reverted ${OTHER}`]],
    ['a failure, and a good end', ['phase cutover', 'flipped NEW', 'fail internal', 'serving NEW', 'end 0']],
  ] as const
).map(
  ([name, events]): Attack => ({
    name,
    lies: { talk: then('health', ...events) },
    end: { code: 'server-contradicts' },
  }),
)

/** The verdict waits for what the server itself found, which never comes. */
const hasty: Attack = {
  name: 'a release that is kept without a verdict',
  inputs: { 'smoke-from': 'server' },
  lies: { talk: then('cutover', 'phase cutover', 'flipped NEW', 'kept NEW', 'serving NEW', 'end 0') },
  end: { code: 'server-contradicts', phase: 'smoke' },
}

/** More than anybody can read. */
const much: readonly Attack[] = [
  {
    name: 'a quarter of a million lines of output, and an honest rest',
    lies: {
      talk: within('cutover', (talk) =>
        endlessly((piece) => talk.say(piece), '1.00 log a line of output\n', 6 * MB),
      ),
    },
    end: { code: undefined },
    also: ({ log }) => expect(log).toMatch(/[0-9,]+ more lines are left out/),
  },
  {
    name: 'output without end',
    lies: {
      talk: within('cutover', (talk) =>
        endlessly((piece) => talk.say(piece), '1.00 app a line of output\n', 500 * MB),
      ),
    },
    end: { code: 'server-floods', phase: 'cutover' },
  },
  {
    name: 'the shortest lines there are, without end',
    lies: {
      talk: within('cutover', (talk) => endlessly((piece) => talk.say(piece), '0 log\n', 500 * MB)),
    },
    end: { code: 'server-floods', phase: 'cutover' },
  },
  {
    name: 'lines that are no events, without end',
    lies: { talk: within('cutover', (talk) => endlessly((piece) => talk.say(piece), '\n', 500 * MB)) },
    end: { code: 'server-floods', phase: 'cutover' },
  },
  {
    name: 'a line of output without end',
    lies: {
      talk: within('cutover', async (talk) => {
        await talk.say(Buffer.from('1.00 log '))
        await endlessly((piece) => talk.say(piece), '\u2603', 500 * MB)
      }),
    },
    end: { code: 'server-floods', phase: 'cutover' },
  },
  ...(
    [
      ['changes', '1.00 changed packages x\n'],
      ['phases', '1.00 phase cutover\n'],
      ['words on what works', '1.00 running x\n'],
      ['words on waiting', '1.00 waiting another app of this server\n'],
      ['folders', '1.00 unpublished x\n'],
      ['repairs', '1.00 repaired x\n'],
      ['health checks', '1.00 health 200 1 1\n'],
      ['environments', '1.00 environment built x\n'],
      ['answers', '1.00 answered ok 200 5 x\n'],
      ['failures', '1.00 fail internal\n'],
      ['releases that serve', '1.00 serving \n'],
    ] as const
  ).map(
    ([what, line]): Attack => ({
      name: `${what} without end`,
      lies: { talk: within('cutover', (talk) => endlessly((piece) => talk.say(piece), line, 500 * MB)) },
      end: { code: 'server-contradicts', phase: 'cutover' },
    }),
  ),
  {
    name: 'events by the million after the end',
    lies: {
      talk: async (talk) => {
        await honest(talk)
        await endlessly((piece) => talk.say(piece), '0 end 0\n', 500 * MB)
      },
    },
    end: { code: undefined },
  },
  {
    name: 'new facts again and again',
    lies: {
      talk: async (talk) => {
        await talk.facts()
        for (let plan = 1; plan <= 3; plan += 1) {
          while (talk.frames.lines.filter((line) => line === 'start').length < plan) await pause(10)
          for (const one of ['fail facts-changed 7', 'serving ', 'end 1']) await talk.event(one)
          while (plan < 3 && talk.frames.lines.filter((line) => line === 'facts').length < plan)
            await pause(10)
          await talk.facts()
        }
      },
    },
    end: { code: 'facts-changed', phase: 'facts', serving: '' },
  },
]

/** GitHub would show the annotation in that file. */
function namesNoFile({ log }: Met): void {
  expect(log).not.toMatch(/::error [^:]*file=/)
}

/** What must not get out of the log. */
const texts: readonly Attack[] = [
  {
    name: 'every nasty text as output of tools and app, and an honest rest',
    lies: {
      talk: within('cutover', async (talk) => {
        for (const text of nasty)
          for (const kind of ['log', 'app', 'stderr']) await talk.event(`${kind} ${text}`)
      }),
    },
    end: { code: undefined },
  },
  {
    name: 'every nasty text as news of a certificate, and an honest rest',
    inputs: { domain: 'liar.example.com', 'smoke-from': 'server' },
    lies: {
      talk: async (talk) => {
        await talk.facts()
        const release = await talk.until('cutover')
        for (const one of [
          'phase cutover',
          `flipped ${release}`,
          `answered ok 200 5 ${release}`,
          'phase smoke',
        ])
          await talk.event(one)
        await talk.frames.until('say verdict-1')
        await talk.event(`kept ${release}`)
        await talk.event('phase certificate')
        for (const text of nasty) {
          for (const how of ['refused', 'astray', 'leaf', 'failed', 'unused', text])
            await talk.event(`certificate ${how} ${text}`)
        }
        for (const one of ['phase report', `serving ${release}`, 'end 0']) await talk.event(one)
      },
    },
    end: { code: undefined },
  },
  {
    name: 'every nasty text in the words of events, and an honest rest',
    lies: {
      talk: within('cutover', async (talk) => {
        for (const text of nasty) {
          for (const kind of [
            'running',
            'waiting',
            'changed',
            'changed x',
            'unpublished',
            'repaired',
            'environment built',
          ])
            await talk.event(`${kind} ${text}`)
        }
      }),
    },
    end: { code: undefined },
  },
  ...nasty
    .filter((text) => !text.includes('\n'))
    .slice(0, 40)
    .filter((_, at) => at % 12 === 0)
    .map(
      (text): Attack => ({
        name: `a failure whose code and details are ${JSON.stringify(text)}`,
        lies: { talk: then('cutover', `fail ${text} ${text}`, 'serving ', 'end 1') },
        end: { code: 'unknown', phase: 'health', serving: '' },
      }),
    ),
  ...['__proto__', 'constructor', 'toString'].map(
    (code): Attack => ({
      name: `a failure by the name ${code}`,
      lies: { talk: then('cutover', `fail ${code} x`, 'serving ', 'end 1') },
      end: { code: code === 'constructor' ? code : 'unknown', phase: 'health', serving: '' },
    }),
  ),
  {
    name: 'a release that serves and is a path',
    lies: { talk: then('cutover', 'fail internal', `serving ../../${MARK}`, 'end 1') },
    end: { code: 'internal', phase: 'health', serving: 'unknown' },
  },
  {
    name: 'a path outside of the project as the file at fault',
    lies: { talk: then('cutover', `fail reserved-path ../../etc/${MARK}`, 'serving ', 'end 1') },
    end: { code: 'reserved-path', phase: 'health', serving: '' },
    also: namesNoFile,
  },
  ...['/etc/passwd', 'C:\\Windows\\win.ini', 'x/../../../etc/passwd', '.github/workflows/x.yml'].map(
    (path): Attack => ({
      name: `a traceback in ${path}`,
      lies: {
        talk: then(
          'cutover',
          'app Traceback (most recent call last):',
          `app   File "/srv/web-hello/releases/x/${path}", line 99999999999999999999999`,
          `app   File "${path}", line 1`,
          `app ValueError: ::error::${MARK}`,
          'fail app-import',
          'serving ',
          'end 1',
        ),
      },
      end: { code: 'app-import', phase: 'health', serving: '' },
      also: namesNoFile,
    }),
  ),
]

/** Lies while the program runs. */
export const events: readonly Attack[] = [...silences, ...contradictions, hasty, ...much, ...texts]
