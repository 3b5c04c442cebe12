import { closing, type Effect, releasesIn } from './effects.ts'
import {
  journalOf,
  journalText,
  read,
  run,
  save,
  startable,
  stateOf,
  sync,
  TORN,
  type World,
  write,
} from './world.ts'

const step = (name: string, change: Effect['change']): Effect => ({ name, change })

/** Recovery (remote/recovery.sh), step by step; each looks at the world as it is when its turn comes. */
export function recoveryEffects(): readonly Effect[] {
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
      const { current, kept } = stateOf(world)
      let rested = world
      for (const id of kept.filter((one) => one !== current)) {
        rested = write(rested, `enabled ${id}`, null)
        rested = run(run(rested, `web ${id}`, null), `beside ${id}`, null)
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
    ...closing,
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
  return booted
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
