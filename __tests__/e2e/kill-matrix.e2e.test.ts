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
const timeoutMs = 900_000

/** Moments by what is about to be done: the command. */
const steps = {
  'the bundle is judged': /^sha256sum .*incoming/,
  'the env file gets its name': /^mv .*\/etc\/web-hello\/\S+\.env$/,
  'a unit gets its name': /^mv .*\.service$/,
  'release command': /^systemd-run .*-release-command /,
  start: /^systemctl start web-hello-\S+\.socket/,
  "nginx's bytes are in the journal": /^mv .*journal\/nginx$/,
  "nginx's file is written": /^mv .*sites-enabled\/web-hello\.conf$/,
  'nginx reload': /^systemctl reload nginx/,
  enable: /^mv .*sockets\.target\.wants/,
  flip: /^mv .*\/srv\/web-hello\/current$/,
  verdict: /^mv .*\/srv\/web-hello\/state$/,
  'disable the old release': /^rm -f .*sockets\.target\.wants/,
  prune: /^rm -rf \/srv\/web-hello\/releases/,
  'the end is told': /^rm -f .*\/program .*check\.json/,
  'the journal is closed': /^mv .*journal\.old$/,
} as const

/** The same in some of the acts. */
const others = {
  'the answer for the preflight is there': /^rm -f .*\/acme-challenge\/flask-deploy-[0-9a-f]+$/,
  'the watch is ready': /^mv .*\/srv\/web-hello\/watch$/,
  'the release is removed': /^rm -rf \/srv\/web-hello\/releases/,
} as const

const named = { ...steps, ...others }

/** A cut before a step, or so many commands later. */
interface At {
  readonly step: keyof typeof named
  /** The second time that the step is done. */
  readonly second?: boolean
  readonly after?: number
  readonly again?: number
}

describe.skipIf(!able.ok)(`kill matrix ${able.ok ? '' : able.why}`, () => {
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
    for (const { step, second = false, after = 0, again } of moments) {
      const at = { pattern: asGrep(named[step]), nth: second ? 2 : 1, after }
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
    const moments = (Object.keys(steps) as readonly (keyof typeof steps)[]).map((step) => ({ step }))
    const served = await cut(trial, 'redeploy', 'program', [
      ...moments,
      // The recovery is killed too.
      { step: 'verdict', again: 4 },
      { step: 'disable the old release', again: 5 },
    ])
    expect(served).toEqual(new Set(['old', 'new']))
    await cut(trial, 'redeploy', 'runner', [{ step: 'flip', after: 1 }])
    await cut(trial, 'redeploy', 'line', [{ step: 'flip' }])
    await cut(trial, 'rollback', 'program', [{ step: 'flip', after: 1 }])
    // Undo itself: after the flip back.
    await cut(trial, 'way-back', 'program', [
      { step: 'flip', second: true, after: 1 },
      { step: 'the release is removed', again: 8 },
    ])
  })

  test('what was not synced is lost where the power is cut', { timeout: timeoutMs }, async () => {
    const trial = await Trial.on(usualGround(await bootOn('image')))
    const served = await cut(trial, 'redeploy', 'power', [
      { step: "nginx's file is written", after: 1 },
      { step: 'flip', after: 1 },
      { step: 'verdict', after: 1 },
      { step: 'the journal is closed', after: 1 },
      { step: 'verdict', again: 6 },
    ])
    expect(served).toEqual(new Set(['old', 'new']))
    await cut(trial, 'rollback', 'power', [{ step: 'verdict', after: 1 }])
    await cut(trial, 'way-back', 'power', [{ step: 'flip', second: true, after: 1 }])
  })

  test('releases that settle are watched, or ended, whatever is cut', { timeout: timeoutMs }, async () => {
    const trial = await Trial.on(usualGround(await bootOn('image')))
    await cut(trial, 'settling', 'program', [{ step: 'the watch is ready', after: 1 }])
    await cut(trial, 'settling', 'power', [{ step: 'verdict', after: 1 }])
    const back = await cut(trial, 'watch', 'program', [
      { step: 'verdict', after: 1 },
      { step: 'the release is removed' },
    ])
    await cut(trial, 'watch', 'power', [{ step: 'verdict', after: 1 }])
    expect(back).toEqual(new Set(['old']))
  })

  test('a first deploy leaves the new release or none', { timeout: timeoutMs }, async () => {
    const trial = await Trial.on(newGround(await bootOn('image')))
    const killed = await cut(trial, 'first', 'program', [{ step: "nginx's file is written", after: 1 }])
    expect(killed).toEqual(new Set(['nothing']))
    const off = await cut(trial, 'first', 'power', [
      // What the build has put into uv's cache is lost.
      { step: 'release command' },
      { step: 'the journal is closed' },
    ])
    expect(off).toEqual(new Set(['nothing', 'new']))
  })

  test('a site that gets HTTPS answers over the one or the other', { timeout: timeoutMs }, async () => {
    authority = await startAuthority()
    const trial = await Trial.on(await secureGround(await bootOn('image'), authority))
    await cut(trial, 'https', 'program', [
      { step: 'the answer for the preflight is there' },
      { step: "nginx's file is written", after: 1 },
      // From here on HTTP leads to HTTPS.
      { step: "nginx's file is written", second: true, after: 1 },
    ])
    await cut(trial, 'https', 'power', [{ step: "nginx's file is written", after: 1 }])
  })
})

/** As the counters have it: commands end with a space, and a slash is a slash. */
function asGrep({ source }: RegExp): string {
  return source.replaceAll('\\/', '/').replace(/\$$/, ' *$')
}
