import { afterEach, describe, expect, test } from 'vitest'
import { type Authority, startAuthority } from '../server/authority.ts'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import type { ActName } from './acts.ts'
import type { CutKind } from './cuts.ts'
import { figures } from './figures.ts'
import { newGround, secureGround, usualGround } from './grounds.ts'
import { type Round, Trial } from './rounds.ts'

const able = canBoot()
/** It takes eight minutes. */
const wished = process.env['KILL_MATRIX'] !== undefined
const timeoutMs = 900_000

/** Moments by what the program is about to do, from its own commands in an undisturbed run: the first such command. */
const steps = {
  'the bundle is judged': /^sha256sum .*incoming/,
  unpack: /^tar /,
  'the env file gets its name': /^mv .*\/etc\/web-hello\/\S+\.env$/,
  probe: /^systemd-run .*-probe /,
  'a unit gets its name': /^mv .*\.service$/,
  'release command': /^systemd-run .*-release-command /,
  start: /^systemctl start web-hello-\S+\.socket/,
  "nginx's bytes are in the journal": /^mv .*journal\/nginx$/,
  "nginx's file is written": /^mv .*sites-enabled\/web-hello\.conf$/,
  'nginx reload': /^systemctl reload nginx/,
  enable: /^mv .*sockets\.target\.wants/,
  flip: /^mv .*\/srv\/web-hello\/current$/,
  'the watch is ready': /^mv .*\/srv\/web-hello\/watch$/,
  verdict: /^mv .*\/srv\/web-hello\/state$/,
  'the watch begins': /^systemctl restart --no-block web-hello\.watch/,
  'disable the old release': /^rm -f .*sockets\.target\.wants/,
  prune: /^rm -rf \/srv\/web-hello\/releases/,
  'the end is told': /^rm -f .*\/program .*check\.json/,
  'the journal is closed': /^mv .*journal\.old$/,
  "nginx's bytes from before HTTPS are in the journal": /^mv .*journal\/secure$/,
  'the answer for the preflight is there': /^rm -f .*\/acme-challenge\/flask-deploy-[0-9a-f]+$/,
  'the release is removed': /^rm -rf \/srv\/web-hello\/releases/,
  'the watch is gone': /^rm -rf \/etc\/systemd\/system\/\S*web-hello\.watch\.service/,
} as const

type Step = keyof typeof steps

/** A cut before the first command of a step, or so many commands later; of the last such command where `last` says so. */
interface At {
  readonly step: Step
  readonly after?: number
  readonly last?: boolean
  readonly again?: number
}

describe.skipIf(!able.ok || !wished)(`kill matrix ${able.ok ? '' : able.why}`, () => {
  let server: Server | undefined
  let authority: Authority | undefined
  afterEach(async () => {
    await server?.stop()
    await authority?.stop()
    authority = undefined
  })

  const bootOn = async (disk: 'overlay' | 'image') => {
    server = await boot({ suite: 'bookworm', disk })
    return server
  }
  const cut = async (trial: Trial, act: ActName, kind: CutKind, moments: readonly At[]) => {
    const rounds: Round[] = []
    for (const { step, after = 0, last = false, again } of moments) {
      const at = numberOf(step, await trial.commands(act), last) + after
      rounds.push(await trial.round({ act, kind, at, ...(again === undefined ? {} : { again }) }))
    }
    console.log(figures(rounds))
    const faults = rounds.filter((round) => round.faults.length > 0 || round.serves === 'neither')
    expect(faults.map(({ moment, command, faults: what }) => [moment, command, ...what])).toEqual([])
    return new Set(rounds.map(({ serves }) => serves))
  }

  test('a deploy is taken back or brought to its end at once where its program is killed', {
    timeout: timeoutMs,
  }, async () => {
    const trial = await Trial.on(usualGround(await bootOn('overlay')))
    const all = Object.keys(steps) as readonly Step[]
    const moments = all.slice(0, all.indexOf('the journal is closed') + 1).map((step) => ({ step }))
    const served = await cut(trial, 'redeploy', 'program', [
      ...moments.filter(({ step }) => !step.startsWith('the watch')),
      // The recovery is killed too.
      { step: 'verdict', again: 4 },
      { step: 'disable the old release', again: 5 },
    ])
    expect(served).toEqual(new Set(['old', 'new']))
    await cut(trial, 'redeploy', 'runner', [{ step: 'start' }, { step: 'flip', after: 1 }])
    await cut(trial, 'redeploy', 'line', [{ step: 'the bundle is judged' }, { step: 'flip' }])
    await cut(trial, 'rollback', 'program', [
      { step: 'flip', after: 1 },
      { step: 'verdict', after: 1 },
    ])
    // Undo itself: the flip back, and what follows it.
    await cut(trial, 'way-back', 'program', [
      { step: 'flip', last: true },
      { step: 'flip', last: true, after: 1, again: 8 },
      { step: 'the release is removed', last: true },
    ])
  })

  test('what was not synced is lost where the power is cut', { timeout: timeoutMs }, async () => {
    const trial = await Trial.on(usualGround(await bootOn('image')))
    const served = await cut(trial, 'redeploy', 'power', [
      { step: 'a unit gets its name', after: 1 },
      { step: "nginx's file is written", after: 1 },
      { step: 'flip', after: 1 },
      { step: 'verdict', after: 1 },
      { step: 'the journal is closed', after: 1 },
      { step: 'verdict', again: 6 },
    ])
    expect(served).toEqual(new Set(['old', 'new']))
    await cut(trial, 'rollback', 'power', [{ step: 'flip', after: 1 }])
    await cut(trial, 'way-back', 'power', [{ step: 'flip', last: true, after: 1 }])
  })

  test('releases that settle are watched, or ended, whatever is cut', { timeout: timeoutMs }, async () => {
    const trial = await Trial.on(usualGround(await bootOn('image')))
    await cut(trial, 'settling', 'program', [
      { step: 'the watch is ready', after: 1 },
      { step: 'the watch begins' },
    ])
    await cut(trial, 'settling', 'power', [{ step: 'verdict', after: 1 }])
    const back = await cut(trial, 'watch', 'program', [
      { step: 'verdict' },
      { step: 'verdict', after: 1 },
      { step: 'the release is removed' },
    ])
    await cut(trial, 'watch', 'power', [
      { step: 'verdict', after: 1 },
      { step: 'flip', after: 1 },
    ])
    expect(back).toEqual(new Set(['old']))
  })

  test('a first deploy leaves the new release or none', { timeout: timeoutMs }, async () => {
    const trial = await Trial.on(newGround(await bootOn('image')))
    const killed = await cut(trial, 'first', 'program', [{ step: "nginx's file is written", after: 1 }])
    expect(killed).toEqual(new Set(['nothing']))
    const off = await cut(trial, 'first', 'power', [
      // What the build has put into uv's cache is lost.
      { step: 'release command' },
      { step: 'flip', after: 1 },
      { step: 'verdict', after: 1 },
    ])
    expect(off).toEqual(new Set(['nothing', 'new']))
  })

  test('a site that gets HTTPS answers over the one or the other', { timeout: timeoutMs }, async () => {
    authority = await startAuthority()
    const trial = await Trial.on(await secureGround(await bootOn('image'), authority))
    const written = { step: "nginx's file is written", last: true, after: 1 } as const
    await cut(trial, 'https', 'program', [
      { step: 'the answer for the preflight is there' },
      { step: "nginx's bytes from before HTTPS are in the journal", after: 1 },
      written,
    ])
    await cut(trial, 'https', 'power', [written])
  })
})

/** The command's number, counted from 1. @throws Error where there is no such command */
function numberOf(step: Step, commands: readonly string[], last: boolean): number {
  const is = (command: string) => steps[step].test(command.trimEnd())
  const found = last ? commands.findLastIndex(is) : commands.findIndex(is)
  if (found < 0) throw new Error(`no command for ${step} among\n${commands.join('\n')}`)
  return found + 1
}
