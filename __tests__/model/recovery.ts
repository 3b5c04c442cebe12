import type { Effect } from './effect.ts'
import { releasesIn } from './effects.ts'
import { closing } from './journal-effects.ts'
import { forgetWatch } from './watch-effects.ts'
import {
  journalOf,
  journalText,
  read,
  run,
  save,
  startable,
  stateOf,
  stateText,
  sync,
  TORN,
  type World,
  write,
} from './world.ts'

const step = (name: string, change: Effect['change']): Effect => ({ name, change })

/** Recovery (remote/recovery.sh), step by step; each looks at the world as it is when its turn comes. */
export function recoveryEffects(by: 'program' | 'watch' = 'program'): readonly Effect[] {
  return [
    step('wake', (world) => {
      const { current } = stateOf(world)
      if (current === '') return world
      const enabled = write(world, `enabled ${current}`, 'yes', true)
      return startable(enabled, current) ? run(enabled, `web ${current}`, 'yes') : enabled
    }),
    step('to the disk', (world) => (wrong(world) ? sync(world) : world)),
    step('flip back', (world) => {
      const { current } = stateOf(world)
      return wrong(world) ? write(world, 'current', current === '' ? null : current, true) : world
    }),
    step('flip back on the disk', sync),
    ...bringBack('nginx'),
    ...bringBack('secure'),
    step('rest', (world) => {
      const { current, kept, behind } = stateOf(world)
      let rested = world
      for (const id of kept.filter((one) => one !== current)) {
        rested = run(rested, `beside ${id}`, null)
        if (id !== behind) rested = run(write(rested, `enabled ${id}`, null), `web ${id}`, null)
      }
      return rested
    }),
    // Each part of a stray on its own: what is left of it is enough to be found again.
    ...['enabled', 'units', 'env', 'release'].map((part) =>
      step(`strays: ${part}`, (world) => {
        let cleaned = world
        for (const id of strays(world)) {
          cleaned = run(run(cleaned, `web ${id}`, null), `beside ${id}`, null)
          cleaned = write(cleaned, `${part} ${id}`, null)
        }
        return cleaned
      }),
    ),
    step('resume', (world) => {
      const { current } = stateOf(world)
      return current === '' ? world : run(world, `beside ${current}`, 'yes')
    }),
    // The watch itself comes by here on its way back.
    ...(by === 'watch' ? [] : mendWatch),
    ...closing,
  ]
}

/** Whatever settles is watched, and else nothing is. */
const mendWatch: readonly Effect[] = [
  step('what nobody can watch is settled', (world) => {
    const state = stateOf(world)
    if (state.behind === '' || canWatch(world)) return world
    return save(world, 'state', stateText({ ...state, behind: '' }))
  }),
  step('what nothing waits for any more ends', (world) => {
    const { current, kept, behind } = stateOf(world)
    let ended = world
    for (const id of kept.filter((one) => one !== current && one !== behind))
      ended = run(write(ended, `enabled ${id}`, null), `web ${id}`, null)
    return ended
  }),
  ...forgetWatch.map(({ name, change }) =>
    step(name, (world) => (stateOf(world).behind === '' ? change(world) : world)),
  ),
  step('watch again', (world) => (stateOf(world).behind === '' ? world : run(world, 'watch', 'yes'))),
]

/** Its folder and its unit are whole. */
export function canWatch(world: World): boolean {
  return read(world, 'watch') === 'whole' && read(world, 'watch-unit') !== undefined
}

/**
 * What the watch may do next, by what it sees: it takes the lock for that, so no program of the app is at work.
 * @param hasty a wrong order: it acts before it takes back what a killed program had begun
 */
export function watchOutcomes(
  world: World,
  hasty = false,
): readonly (readonly [string, readonly Effect[]])[] {
  if (world.running['watch'] === undefined) return []
  const { behind } = stateOf(world)
  // It was cut in the middle of what follows the state file.
  if (behind === '') return [['goes on', [...recoveryEffects('watch'), ...forgetWatch]]]
  // It had the lock before anybody took back what a killed program had begun.
  const first = hasty || read(world, 'journal') === undefined ? [] : recoveryEffects('watch')
  return [
    ['settles', [...first, ...settled(behind)]],
    ['goes back', [...first, ...takenBack(behind)]],
  ]
}

function settled(behind: string): readonly Effect[] {
  return [
    step('settled saved', (world) => save(world, 'state', stateText({ ...stateOf(world), behind: '' }))),
    step('disable the one that waited', (world) => write(world, `enabled ${behind}`, null)),
    ...forgetWatch,
    step('drain the one that waited', (world) =>
      run(run(world, `web ${behind}`, null), `beside ${behind}`, null),
    ),
  ]
}

/** @param early a wrong order: what it leaves is taken away before the state file says so */
export function takenBack(behind: string, early = false): readonly Effect[] {
  const saved = step('taken back saved', (world) => {
    const { current, kept } = stateOf(world)
    const left = kept.filter((id) => id !== current)
    const previous = left.findLast((id) => id !== behind) ?? ''
    return save(world, 'state', stateText({ current: behind, previous, kept: left, behind: '' }))
  })
  const removed = step('removed', (world) => write(world, `release ${stateOf(world).current}`, null))
  return [
    step('start the old release', (world) => run(world, `web ${behind}`, 'yes')),
    ...(early ? [removed] : []),
    saved,
    ...recoveryEffects('watch'),
    ...forgetWatch,
  ]
}

function wrong(world: World): boolean {
  return (read(world, 'current') ?? '') !== stateOf(world).current
}

function strays(world: World): readonly string[] {
  const { kept } = stateOf(world)
  return releasesIn(world).filter((id) => !kept.includes(id))
}

/** nginx's old bytes, unless the state names the release that they were changed for. */
function bringBack(which: 'nginx' | 'secure'): readonly Effect[] {
  const bytes = (world: World) => {
    const journal = journalOf(world)
    if (journal === undefined || journal[which] === '') return undefined
    if (which === 'nginx' && journal.release === stateOf(world).current) return undefined
    return journal[which]
  }
  return [
    step(`${which} back`, (world) => {
      const old = bytes(world)
      return old === undefined ? world : write(world, 'nginx', old === '-' ? null : old, true)
    }),
    step(`${which} back on the disk`, (world) => (bytes(world) === undefined ? world : sync(world))),
    step(`${which} bytes gone`, (world) => {
      const journal = journalOf(world)
      return journal === undefined || bytes(world) === undefined
        ? world
        : save(world, 'journal', journalText({ ...journal, [which]: '' }))
    }),
    step(`${which} reload`, (world) =>
      world.running['nginx'] === undefined || refuses(read(world, 'nginx'))
        ? world
        : run(world, 'nginx', read(world, 'nginx') ?? '-'),
    ),
  ]
}

/** systemd starts what is enabled and whole; nginx comes after the recovery. */
export function bootServices(world: World): World {
  let booted = world
  for (const key of Object.keys(world.disk)) {
    const [what, id = ''] = key.split(' ')
    if (what === 'enabled' && startable(world, id))
      booted = run(
        run(booted, `web ${id}`, 'yes'),
        `beside ${id}`,
        stateOf(world).current === id ? 'yes' : null,
      )
  }
  return canWatch(world) ? run(booted, 'watch', 'yes') : booted
}

/** It reads its files; with a broken one it does not start at all. */
export function bootNginx(world: World): World {
  const site = read(world, 'nginx')
  return run(world, 'nginx', refuses(site) ? 'none' : (site ?? '-'))
}

/** A file that nginx cannot start with: an empty one, or what `nginx -t` has not refused yet. */
export const REFUSED = 'refused'

function refuses(site: string | undefined): boolean {
  return site === TORN || site === REFUSED
}

/** Whether a recovery runs at boot, before nginx. */
export function recoversAtBoot(world: World): boolean {
  const guard = read(world, 'guard')
  return read(world, 'recovery') !== undefined && guard !== undefined && guard !== TORN
}
