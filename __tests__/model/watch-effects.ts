import { type Effect, effect, type Mutation } from './effect.ts'
import { run, sync, write } from './world.ts'

/** The unit that watches and its folder, on the disk before the state file says that something settles. */
export function keepWatch(mutation: Mutation): readonly Effect[] {
  return [
    effect('old watch folder gone', (world) => write(world, 'watch', null)),
    effect('watch folder', (world) => write(world, 'watch', 'whole')),
    effect('watch unit', (world) => write(world, 'watch-unit', 'yes', true)),
    ...(mutation === 'watch-not-synced' ? [] : [effect('watch on the disk', sync)]),
  ]
}

/** Nothing settles any more. */
export const forgetWatch: readonly Effect[] = [
  effect('watch ends', (world) => run(world, 'watch', null)),
  effect('watch unit gone', (world) => write(world, 'watch-unit', null)),
  effect('watch folder gone', (world) => write(world, 'watch', null)),
]
