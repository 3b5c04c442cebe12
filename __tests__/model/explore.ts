import type { Effect } from './effect.ts'
import { bootNginx, bootServices, recoversAtBoot, recoveryEffects, watchOutcomes } from './recovery.ts'
import { keyOf, powerCuts, read, serving, stateOf, TORN, type World } from './world.ts'

/** What was found. */
export interface Found {
  /** Different states of the server that were looked at. */
  readonly states: number
  /** Ways through cuts, recoveries and next runs that came to an end. */
  readonly ways: number
  /** The first ways that broke a rule: what was cut, and which rule. */
  readonly broken: readonly string[]
}

export interface Ways {
  readonly start: World
  /** The program that is cut. */
  readonly effects: readonly Effect[]
  /** The next program, after its recovery. @param world the server as its facts say it */
  readonly next: (world: World) => readonly Effect[]
  /** What the server has to be after it; equal texts. */
  readonly ended: (world: World) => string
  readonly wanted: (world: World) => string
  /** What it is whose effects these are: a program is taken back at once where it is killed, the watch begins anew. */
  readonly by?: 'program' | 'watch'
  /** See watchOutcomes. */
  readonly hasty?: boolean
  /** Releases that visitors may get meanwhile; none: nothing served before. */
  readonly allowed: readonly string[]
}

const mostBroken = 5

/** Goes all ways: a cut before each effect and after the last, a second one in each step of the recovery, the next run. */
export function explore(ways: Ways): Found {
  const seen = new Set<string>()
  const broken: string[] = []
  const ended = new Set<string>()
  const booted = new Set<string>()
  let count = 0

  const look = (world: World, how: string) => {
    const key = keyOf(world)
    if (seen.has(key)) return
    seen.add(key)
    const rule = ruleBroken(world, ways)
    if (rule !== undefined) blame(how, rule)
  }
  const blame = (how: string, rule: string) => {
    if (broken.length < mostBroken) broken.push(`${how}: ${rule}`)
  }

  /** What may come next: a program, or the watch of what settles, and then a program. @param cuts of the watch's work */
  const goOn = (world: World, how: string, cuts = 0) => {
    nextRun(world, how)
    for (const [name, effects] of watchOutcomes(world, ways.hasty)) {
      let now = world
      for (const { name: step, change } of effects) {
        if (cuts > 0) {
          const cut = `${how}, the watch ${name}, cut before ${step}`
          nextRun(now, `${cut}, killed`)
          for (const lost of powerCuts(now)) boot(lost, `${cut}, power cut`, 0)
        }
        now = change(now)
        look(now, `${how}, the watch ${name}: ${step}`)
      }
      nextRun(now, `${how}, the watch ${name}`)
    }
  }

  /** The next program of the app: its recovery first. */
  const nextRun = (world: World, how: string) => {
    const key = keyOf(world)
    if (ended.has(key)) return
    ended.add(key)
    count += 1
    let now = world
    for (const { name, change } of recoveryEffects()) {
      now = change(now)
      look(now, `${how}, next run: recovery, ${name}`)
    }
    const wanted = ways.wanted(now)
    for (const { name, change } of ways.next(now)) {
      now = change(now)
      look(now, `${how}, next run: ${name}`)
    }
    const end = ways.ended(now)
    if (end !== wanted) blame(how, `the next run ends with\n  ${end}\nnot\n  ${wanted}`)
  }

  const boot = (world: World, how: string, cuts: number) => {
    const key = `${cuts} ${keyOf(world)}`
    if (booted.has(key)) return
    booted.add(key)
    const up = bootServices(world)
    const steps = recoversAtBoot(up) ? recoveryEffects() : []
    let now = up
    for (const { name, change } of steps) {
      if (cuts > 0)
        for (const lost of powerCuts(now)) boot(lost, `${how}, power cut again before ${name}`, cuts - 1)
      now = change(now)
      seen.add(keyOf(now))
    }
    now = bootNginx(now)
    look(now, `${how}, booted`)
    if (stateOf(now).behind !== '' && now.running['watch'] === undefined)
      blame(how, 'nobody watches the release that settles')
    goOn(now, how)
  }

  /** The end of the killed program's unit. */
  const killed = (world: World, how: string, cuts: number) => {
    if (ways.by === 'watch') return goOn(world, how, cuts)
    let now = world
    for (const { name, change } of recoveryEffects()) {
      if (cuts > 0) {
        goOn(now, `${how}, recovery killed before ${name}`)
        for (const lost of powerCuts(now)) boot(lost, `${how}, power cut in the recovery before ${name}`, 0)
      }
      now = change(now)
      look(now, `${how}, recovery: ${name}`)
    }
    goOn(now, how)
    return undefined
  }

  let now = ways.start
  look(now, 'before')
  const cut = (how: string) => {
    killed(now, `killed ${how}`, 1)
    for (const lost of powerCuts(now)) boot(lost, `power cut ${how}`, 1)
  }
  for (const { name, change } of ways.effects) {
    cut(`before ${name}`)
    now = change(now)
    look(now, `after ${name}`)
  }
  cut('after the end')
  return { states: seen.size, ways: count, broken }
}

/** What must hold whenever the server is up; undefined where it does. */
function ruleBroken(world: World, { start, allowed }: Ways): string | undefined {
  const served = serving(world)
  if (allowed.length > 0 && !allowed.includes(served))
    return `visitors get ${served === '' ? 'nothing' : served}`
  if (world.running['nginx'] === 'none') return 'nginx does not start'
  for (const key of ['data', 'generated']) {
    const before = read(start, key)
    if (before !== undefined && read(world, key) !== before) return `${key} is lost`
  }
  const state = read(world, 'state')
  if (read(start, 'state') !== undefined && (state === undefined || state === TORN))
    return 'the state is lost'
  const { kept, behind } = stateOf(world)
  if (behind !== '' && !kept.includes(behind)) return `the release ${behind}, which waits, is not kept`
  for (const id of kept) {
    const whole = ['release', 'env', 'units'].every((part) => {
      const value = read(world, `${part} ${id}`)
      return value !== undefined && value !== TORN
    })
    if (!whole) return `the kept release ${id} is not whole`
  }
  return undefined
}
