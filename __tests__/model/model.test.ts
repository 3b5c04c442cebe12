import { describe, expect, test } from 'vitest'
import type { Plan } from '../../src/plan/operation.ts'
import { makePlan } from '../../src/plan/plan.ts'
import type { Wish } from '../../src/plan/wish.ts'
import { shopKey, shopPem } from '../config/certificates.ts'
import { facts, readyLines, wish } from '../plan/sample.ts'
import { type Effect, type Mutation, programEffects, releasesIn } from './effects.ts'
import { explore, type Found } from './explore.ts'
import { REFUSED, recoveryEffects } from './recovery.ts'
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
    state: stateText({ current: OLD, previous: EARLIER, kept: [EARLIER, OLD] }),
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
  const key = `${what.release} ${what.inputs.command} ${what.inputs.tls.mode} ${read(world, 'state')} ${serving(world)}`
  const plan = plans.get(key) ?? makePlan(factsOf(world), what)
  plans.set(key, plan)
  return plan
}

const follow = (world: World) =>
  programEffects({ plan: planOf(world, plain(NEXT)), site: 'site of the next', mutation: 'none' })

/** Cuts a run everywhere. @param site what it makes nginx's file; REFUSED: nginx refuses it, and all is taken back */
function cutEverywhere(start: World, what: Wish, site: string, mutation: Mutation = 'none'): Found {
  const program = programEffects({ plan: planOf(start, what), site, mutation })
  const written = program.findIndex(({ name }) => name === 'nginx: nginx file')
  const effects = site === REFUSED ? [...program.slice(0, written + 1), ...recoveryEffects()] : program
  // Whether the certificate was had already is of no matter.
  const plainly = (world: World) => ended({ ...world, disk: { ...world.disk, certificate: 'any' } })
  const undisturbed = (world: World) => plainly(all(world, follow(world)))
  const without = undisturbed(start)
  const afterIt = undisturbed(all(start, effects))
  return explore({
    start,
    effects,
    next: follow,
    ended: plainly,
    wanted: (world) => (stateOf(world).current === stateOf(start).current ? without : afterIt),
    allowed: stateOf(start).current === '' ? [] : [...releasesIn(start), NEW, NEXT],
  })
}

describe('whatever is cut, whenever, and once more in the recovery', () => {
  test.each<[string, World, Wish, string]>([
    ['a redeploy that changes nginx', serves, plain(NEW), 'other site'],
    ['a redeploy', serves, plain(NEW), 'site'],
    ['a redeploy whose nginx file is refused', serves, plain(NEW), REFUSED],
    ['a rollback', serves, rollback, 'site'],
    ['a switch to HTTPS with a redeploy', serves, https, 'site'],
    ['a first deploy', bare, plain(NEW), 'site'],
  ])('%s: old or new serves, nothing is lost, the next run ends clean', (name, start, what, site) => {
    const found = cutEverywhere(start, what, site)
    expect(found.broken.join('\n')).toBe('')
    expect(found.states).toBeGreaterThan(100)
    console.log(`${name}: ${found.states} states, ${found.ways} ways to a next run`)
  })
})

describe('the model sees', () => {
  test.each<[Mutation, string]>([
    ['flip-before-enable', 'site'],
    ['no-sync-before-flip', 'site'],
    ['nginx-not-journaled', REFUSED],
    ['journal-not-synced', REFUSED],
    ['state-not-synced', 'site'],
    ['no-recovery-at-boot', REFUSED],
  ])('what is wrong with %s', (mutation, site) => {
    expect(cutEverywhere(serves, plain(NEW), site, mutation).broken.join('\n')).not.toBe('')
  })
})
