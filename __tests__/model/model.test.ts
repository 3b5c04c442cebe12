import { afterAll, describe, expect, test } from 'vitest'
import type { Plan } from '../../src/plan/operation.ts'
import { makePlan } from '../../src/plan/plan.ts'
import type { Wish } from '../../src/plan/wish.ts'
import { shopKey, shopPem } from '../config/certificates.ts'
import { facts, readyLines, wish } from '../plan/sample.ts'
import type { Effect, Mutation } from './effect.ts'
import { programEffects, releasesIn } from './effects.ts'
import { explore, type Found, type Ways } from './explore.ts'
import { REFUSED, recoveryEffects, takenBack, watchOutcomes } from './recovery.ts'
import { present, read, serving, stateOf, stateText, type World } from './world.ts'

const EARLIER = '20261120000000-aaaaaaa'
const OLD = '20261121000000-bbbbbbb'
const NEW = '20261122000000-ccccccc'
const NEXT = '20261123000000-ddddddd'

const released = (id: string) => ({
  [`release ${id}`]: 'whole',
  [`env ${id}`]: 'whole',
  [`units ${id}`]: 'whole',
})

/** A server whose releases are OLD and, before it, EARLIER. */
const serves: World = {
  disk: {
    account: 'there',
    data: 'whole',
    generated: 'key',
    state: stateText({ current: OLD, previous: EARLIER, kept: [EARLIER, OLD], behind: '' }),
    current: OLD,
    nginx: 'site',
    [`enabled ${OLD}`]: 'yes',
    ...released(EARLIER),
    ...released(OLD),
  },
  pending: {},
  tearable: [],
  running: { [`web ${OLD}`]: 'yes', [`beside ${OLD}`]: 'yes', nginx: 'site' },
}

/** The same while OLD settles, and EARLIER waits. */
const settles: World = {
  ...serves,
  disk: {
    ...serves.disk,
    state: stateText({ current: OLD, previous: EARLIER, kept: [EARLIER, OLD], behind: EARLIER }),
    [`enabled ${EARLIER}`]: 'yes',
    watch: 'whole',
    'watch-unit': 'yes',
  },
  running: { ...serves.running, [`web ${EARLIER}`]: 'yes', watch: 'yes' },
}

/** The same where memory was short for both: EARLIER is stopped. */
const settlesAlone: World = { ...settles, running: { ...serves.running, watch: 'yes' } }

const bare: World = { disk: {}, pending: {}, tearable: [], running: { nginx: '-' } }

/** The facts that such a server says. */
function factsOf(world: World) {
  const { current, previous, kept } = stateOf(world)
  const state = [
    'state generation 1',
    'state owner 4711 someone/hello',
    ...(current === '' ? [] : [`state current ${current}`]),
    ...(previous === '' ? [] : [`state previous ${previous}`]),
    ...kept.map((id) => `state release ${id} b d s c 1`),
  ]
  const lines = readyLines.filter(
    (line) => read(world, 'state') !== undefined || !/^(account|home)/.test(line),
  )
  return facts([
    ...lines,
    ...(read(world, 'state') === undefined ? [] : state),
    ...(current === '' ? [] : [`link ${serving(world)}`, `active ${current} yes`]),
  ])
}

const plain = (release: string) => wish({ release, behaviour: { keepReleases: 2 } })
const unwatched = wish({ release: NEW, behaviour: { keepReleases: 2, settleSeconds: 0 } })
const rollback = wish({ release: NEW, inputs: { command: 'rollback' }, behaviour: { keepReleases: 2 } })
const https = wish({
  release: NEW,
  site: { domains: ['shop.example.org'] },
  tls: { mode: 'provided', certificate: shopPem, key: shopKey },
  behaviour: { keepReleases: 2 },
})

/** What an undisturbed server is after a run: which release has which role, and nothing that is neither. */
function ended(world: World): string {
  const { current, previous, kept } = stateOf(world)
  const role = (id: string) => (id === current ? 'CURRENT' : id === previous ? 'PREVIOUS' : id)
  const named = (text: string) =>
    text
      .split(/([ ,|])/)
      .map((word) => (/^\d{14}-/.test(word) ? role(word) : word))
      .join('')
  const lines = [
    ...[...present(world)].map(([key, value]) => `${named(key)} = ${named(value)}`),
    ...Object.entries(world.running).map(([key, value]) => `running ${named(key)} = ${value}`),
  ]
  return `${kept.length} kept; ${lines.toSorted().join('; ')}`
}

const all = (world: World, effects: readonly Effect[]) =>
  effects.reduce((now, { change }) => change(now), world)

/** Plans are made again and again for the same facts. */
const plans = new Map<string, Plan>()

function planOf(world: World, what: Wish): Plan {
  const key = `${what.release} ${what.inputs.command} ${what.inputs.behaviour.settleSeconds} ${what.inputs.tls.mode} ${read(world, 'state')} ${serving(world)}`
  const plan = plans.get(key) ?? makePlan(factsOf(world), what)
  plans.set(key, plan)
  return plan
}

const follow = (world: World) =>
  programEffects({
    plan: planOf(world, plain(NEXT)),
    site: 'site of the next',
    mutation: 'none',
    behind: stateOf(world).behind,
  })

/** Cuts a run everywhere. @param site what it makes nginx's file; REFUSED: nginx refuses it, and all is taken back */
function cutEverywhere(start: World, what: Wish, site: string, mutation: Mutation = 'none'): Found {
  const program = programEffects({
    plan: planOf(start, what),
    site,
    mutation,
    behind: stateOf(start).behind,
  })
  const written = program.findIndex(({ name }) => name === 'nginx: nginx file')
  const effects = site === REFUSED ? [...program.slice(0, written + 1), ...recoveryEffects()] : program
  return cutEffects(start, effects, { hasty: mutation === 'hasty-watch' })
}

/** The same for what the watch does. */
function cutWatch(start: World, outcome: 'settles' | 'goes back', early = false): Found {
  const effects = new Map(watchOutcomes(start)).get(outcome) ?? []
  return cutEffects(start, early ? takenBack(stateOf(start).behind, true) : effects, { by: 'watch' })
}

function cutEffects(start: World, effects: readonly Effect[], more: Pick<Ways, 'by' | 'hasty'>): Found {
  // Whether the certificate was had already is of no matter.
  const plainly = (world: World) => ended({ ...world, disk: { ...world.disk, certificate: 'any' } })
  const undisturbed = (world: World) => plainly(all(world, follow(world)))
  const without = undisturbed(start)
  const afterIt = undisturbed(all(start, effects))
  return explore({
    start,
    effects,
    ...more,
    next: follow,
    ended: plainly,
    wanted: (world) => (stateOf(world).current === stateOf(start).current ? without : afterIt),
    allowed: stateOf(start).current === '' ? [] : [...releasesIn(start), NEW, NEXT],
  })
}

let states = 0
const print = (name: string, found: Found) => {
  states += found.states
  console.log(`${name}: ${found.states} states, ${found.ways} ways to a next run`)
}
afterAll(() => console.log(`${states} states in all`))

describe('whatever is cut, whenever, and once more in the recovery', () => {
  test.each<[string, World, Wish, string]>([
    ['a redeploy that changes nginx', serves, plain(NEW), 'other site'],
    ['a redeploy', serves, plain(NEW), 'site'],
    ['a redeploy whose nginx file is refused', serves, plain(NEW), REFUSED],
    ['a redeploy that is not watched', serves, unwatched, 'site'],
    ['a rollback', serves, rollback, 'site'],
    ['a switch to HTTPS with a redeploy', serves, https, 'site'],
    ['a first deploy', bare, plain(NEW), 'site'],
    ['a redeploy while the release settles', settles, plain(NEW), 'other site'],
    ['a redeploy whose nginx file is refused while the release settles', settles, plain(NEW), REFUSED],
    ['a redeploy where memory was short for two', settlesAlone, plain(NEW), 'site'],
    ['a rollback while the release settles', settles, rollback, 'site'],
  ])('%s: old or new serves, nothing is lost, the next run ends clean', (name, start, what, site) => {
    const found = cutEverywhere(start, what, site)
    expect(found.broken.join('\n')).toBe('')
    expect(found.states).toBeGreaterThan(100)
    print(name, found)
  })

  test.each<[string, World, 'settles' | 'goes back']>([
    ['a release that is settled', settles, 'settles'],
    ['a way back by the watch', settles, 'goes back'],
    ['a way back to a release that was stopped', settlesAlone, 'goes back'],
  ])('%s: the same', (name, start, outcome) => {
    const found = cutWatch(start, outcome)
    expect(found.broken.join('\n')).toBe('')
    expect(found.states).toBeGreaterThan(50)
    print(name, found)
  })
})

describe('the model sees', () => {
  test.each<[Mutation, string, Wish?, World?]>([
    ['flip-before-enable', 'site'],
    ['no-sync-before-flip', 'site'],
    ['nginx-not-journaled', REFUSED],
    ['journal-not-synced', REFUSED],
    ['state-not-synced', 'site'],
    ['no-recovery-at-boot', REFUSED],
    ['watch-not-synced', 'site', plain(NEW)],
    ['hasty-watch', 'site', rollback, settles],
  ])('what is wrong with %s', (mutation, site, what = unwatched, start = serves) => {
    expect(cutEverywhere(start, what, site, mutation).broken.join('\n')).not.toBe('')
  })

  test('what is wrong with a watch that takes the release away before the state file says so', () => {
    expect(cutWatch(settles, 'goes back', true).broken.join('\n')).not.toBe('')
  })
})
