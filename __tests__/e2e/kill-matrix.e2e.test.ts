import { afterEach, describe, expect, test } from 'vitest'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { figures } from './figures.ts'
import { type Moment, type Round, Trial } from './rounds.ts'

const able = canBoot()
/** It takes ten minutes, and three of its moments still leave something that the comparison does not take for clean. */
const wished = process.env['KILL_MATRIX'] !== undefined
const timeoutMs = 900_000

/** Moments by what the program is about to do, from its own commands in an undisturbed run. */
const named: Readonly<Record<string, RegExp>> = {
  'the bundle is judged': /^sha256sum .*incoming/,
  'the env file gets its name': /^mv .*\/etc\/web-hello\/\S+\.env$/,
  'a unit gets its name': /^mv .*\.service$/,
  start: /^systemctl start web-hello-\S+\.socket/,
  "nginx's bytes are in the journal": /^mv .*journal\/nginx$/,
  "nginx's file is written": /^mv .*sites-enabled\/web-hello\.conf$/,
  'nginx reload': /^systemctl reload nginx/,
  enable: /^mv .*sockets\.target\.wants/,
  flip: /^mv .*\/srv\/web-hello\/current$/,
  verdict: /^mv .*\/srv\/web-hello\/state$/,
  'disable the old release': /^rm -f .*sockets\.target\.wants/,
  prune: /^rm -rf \/srv\/web-hello\/releases/,
  'the journal is closed': /^mv .*journal\.old$/,
}

describe.skipIf(!able.ok || !wished)(`kill matrix ${able.ok ? '' : able.why}`, () => {
  let server: Server | undefined
  afterEach(async () => server?.stop())

  const trialOn = async (disk: 'overlay' | 'image') => {
    server = await boot({ suite: 'bookworm', disk })
    return await Trial.on(server)
  }
  const go = async (trial: Trial, moments: readonly Moment[]) => {
    const rounds: Round[] = []
    for (const moment of moments) rounds.push(await trial.round(moment))
    console.log(figures(rounds))
    const faults = rounds.filter((round) => round.faults.length > 0 || round.serves === 'neither')
    expect(faults.map(({ moment, command, faults: what }) => [moment, command, ...what])).toEqual([])
    return rounds
  }
  /** The command's number, counted from 1. @throws Error where the program has no such command */
  const numberOf = (trial: Trial, name: string): number => {
    const found = trial.commands.findIndex((command) => named[name]?.test(command.trimEnd()))
    if (found < 0) throw new Error(`no command for ${name} among\n${trial.commands.join('\n')}`)
    return found + 1
  }

  test('the program is killed: it is taken back or brought to its end at once', {
    timeout: timeoutMs,
  }, async () => {
    const trial = await trialOn('overlay')
    const all = trial.commands.map((_, index) => index + 1)
    const started = numberOf(trial, 'start')
    // Before the start a cut leaves files that nobody uses.
    const chosen = all.filter((at) => (at < started ? at % 14 === 1 : at % 5 === 0))
    const rounds = await go(trial, [
      ...chosen.map((at): Moment => ({ kind: 'program', at })),
      // The recovery is killed too.
      { kind: 'program', at: numberOf(trial, 'verdict'), again: 4 },
      { kind: 'program', at: numberOf(trial, 'verdict'), again: 14 },
      { kind: 'program', at: numberOf(trial, 'disable the old release'), again: 5 },
    ])
    expect(new Set(rounds.map(({ serves }) => serves))).toEqual(new Set(['old', 'new']))
  })

  test('the power is cut, and what was not synced is lost', { timeout: timeoutMs }, async () => {
    const trial = await trialOn('image')
    const at = (name: string, after = 0): Moment => ({ kind: 'power', at: numberOf(trial, name) + after })
    const rounds = await go(trial, [
      at('the env file gets its name', 1),
      at('a unit gets its name', 1),
      at('start', 1),
      at("nginx's file is written"),
      at("nginx's file is written", 1),
      at('enable', 1),
      at('flip'),
      at('flip', 1),
      at('verdict'),
      at('verdict', 1),
      at('disable the old release', 1),
      at('prune', 1),
      at('the journal is closed', 1),
      { ...at('verdict'), again: 6 },
    ])
    expect(new Set(rounds.map(({ serves }) => serves))).toEqual(new Set(['old', 'new']))
  })

  test('the runner is killed, and the line is cut', { timeout: timeoutMs }, async () => {
    const trial = await trialOn('overlay')
    const moments = ['the bundle is judged', 'start', 'flip', 'prune'].map((name) => numberOf(trial, name))
    await go(trial, [
      ...moments.map((at): Moment => ({ kind: 'runner', at })),
      ...moments.map((at): Moment => ({ kind: 'line', at })),
    ])
  })
})
