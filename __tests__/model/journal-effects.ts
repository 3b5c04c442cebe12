import { type Attempt, type Effect, effect } from './effect.ts'
import { journalOf, journalText, read, run, save, sync, write } from './world.ts'

/** A program's journal, with the guard folder and the unit that recovers at boot; a second time it does nothing. */
export function openJournal({ plan, mutation }: Attempt): readonly Effect[] {
  const first =
    (change: Effect['change']): Effect['change'] =>
    (world) =>
      journalOf(world)?.release === plan.release ? world : change(world)
  return [
    effect(
      'journal',
      first((world) =>
        write(world, 'journal', journalText({ release: plan.release, nginx: '', secure: '' })),
      ),
    ),
    effect('guard', (world) => write(world, 'guard', 'whole')),
    ...(mutation === 'no-recovery-at-boot'
      ? []
      : [effect('recovery unit', (world) => write(world, 'recovery', 'enabled'))]),
  ]
}

/** nginx's transaction; `into`: which bytes of the journal. */
export function nginxEffects(attempt: Attempt, site: string, into: 'nginx' | 'secure'): readonly Effect[] {
  const { mutation } = attempt
  const changing =
    (change: Effect['change']): Effect['change'] =>
    (world) =>
      read(world, 'nginx') === site ? world : change(world)
  const journaled = effect(
    'bytes',
    changing((world) => {
      const journal = journalOf(world)
      if (journal === undefined || mutation === 'nginx-not-journaled') return world
      const bytes = journalText({ ...journal, [into]: read(world, 'nginx') ?? '-' })
      return mutation === 'journal-not-synced'
        ? write(world, 'journal', bytes)
        : save(world, 'journal', bytes)
    }),
  )
  return [
    ...openJournal(attempt).map(({ name, change }) => effect(name, changing(change))),
    effect(
      'bytes on the disk',
      changing((world) => (mutation === 'journal-not-synced' ? world : sync(world))),
    ),
    journaled,
    effect(
      'nginx file',
      changing((world) => write(world, 'nginx', site, read(world, 'nginx') !== undefined)),
    ),
    effect('nginx reload', (world) => run(world, 'nginx', read(world, 'nginx') ?? '-')),
  ]
}

/** One of the two steps to HTTPS: it stands beside HTTP first, and then HTTP leads to it. */
export function secured(attempt: Attempt, site: string): readonly Effect[] {
  return [
    ...nginxEffects(attempt, site, 'secure'),
    effect('nginx file on the disk', sync),
    effect('nginx file stays', (world) => {
      const journal = journalOf(world)
      return journal === undefined ? world : save(world, 'journal', journalText({ ...journal, secure: '' }))
    }),
  ]
}

/** All is done, or taken back. */
export const closing: readonly Effect[] = [
  effect('journal closed', (world) => write(world, 'journal', null)),
  effect('recovery unit gone', (world) => write(world, 'recovery', null)),
  effect('guard gone', (world) => write(world, 'guard', null)),
]
