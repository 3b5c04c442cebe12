import type { Operation, Plan } from '../../src/plan/operation.ts'
import { type Attempt, type Effect, effect } from './effect.ts'
import { closing, nginxEffects, openJournal, secured } from './journal-effects.ts'
import { forgetWatch, keepWatch } from './watch-effects.ts'
import {
  journalOf,
  journalText,
  read,
  run,
  save,
  serving,
  stateOf,
  stateText,
  sync,
  TORN,
  type World,
  write,
} from './world.ts'

const nothing = (name: string): readonly Effect[] => [effect(name, (world) => world)]

/** A part of the release: it may be lost or torn until the flip's sync. */
function part(name: string, { plan }: Attempt): readonly Effect[] {
  return [effect(name, (world) => write(world, `${name} ${plan.release}`, 'whole'))]
}

/** Older releases go: the state first, then what is on the disk. */
const pruned: readonly Effect[] = [
  effect('prune saved', (world) => {
    const state = stateOf(world)
    const kept = state.kept.filter((id) => id === state.current || id === state.previous)
    return save(world, 'state', stateText({ ...state, kept }))
  }),
  ...['enabled', 'units', 'env', 'release'].map((name) =>
    effect(`prune ${name}`, (world) => {
      const { kept } = stateOf(world)
      let pruned = world
      for (const id of releasesIn(world).filter((one) => !kept.includes(one)))
        pruned = write(run(run(pruned, `web ${id}`, null), `beside ${id}`, null), `${name} ${id}`, null)
      return pruned
    }),
  ),
]

/** What each operation changes, by its steps in remote/; an operation without a row does not compile. */
const effects: {
  readonly [Kind in Operation['kind']]: (
    operation: Extract<Operation, { readonly kind: Kind }>,
    attempt: Attempt,
  ) => readonly Effect[]
} = {
  'install-packages': () => nothing('packages'),
  'make-room': () => pruned,
  'want-wheels': () => nothing('wheels'),
  'install-uv': () => nothing('uv'),
  'store-wheels': () => nothing('wheels'),
  python: () => nothing('python'),
  claim: () => [
    effect('claim', (world) =>
      read(world, 'state') === undefined
        ? save(world, 'state', stateText({ current: '', previous: '', kept: [], behind: '' }))
        : world,
    ),
  ],
  account: () => [effect('account', (world) => save(world, 'account', 'there'))],
  'generated-env': () => [
    effect('secret key', (world) =>
      // In an empty file there is no key yet.
      [undefined, TORN].includes(read(world, 'generated')) ? write(world, 'generated', 'key') : world,
    ),
  ],
  postgresql: () => nothing('postgresql'),
  redis: () => nothing('redis'),
  'receive-bundle': () => nothing('bundle'),
  unpack: (_, attempt) => part('release', attempt),
  environment: () => nothing('environment'),
  site: () => nothing('site'),
  'write-file': ({ what }, attempt) =>
    what === 'env file' ? part('env', attempt) : /unit/.test(what) ? part('units', attempt) : nothing(what),
  folder: () => nothing('folder'),
  persist: () => [
    effect('persist', (world) => (read(world, 'data') === undefined ? save(world, 'data', 'whole') : world)),
  ],
  probe: () => nothing('probe'),
  adopt: () => nothing('adopt'),
  public: () => nothing('public'),
  'publish-found': () => nothing('publish'),
  publish: () => nothing('publish'),
  'first-deploy-command': () => nothing('first-deploy-command'),
  'release-command': () => nothing('release-command'),
  'mend-drift': () => nothing('drift'),
  start: (_, { plan }) => [effect('start', (world) => run(world, `web ${plan.release}`, 'yes'))],
  health: () => nothing('health'),
  grow: () => nothing('grow'),
  'web-entrance': () => nothing('entrance'),
  processes: (_, attempt) => [
    ...openJournal(attempt),
    effect('singles of the old release', (world) => run(world, `beside ${serving(world)}`, null)),
    effect('singles of the new one', (world) => run(world, `beside ${attempt.plan.release}`, 'yes')),
  ],
  nginx: (_, attempt) => nginxEffects(attempt, attempt.site, 'nginx'),
  cutover: (_, attempt) => {
    const { plan, mutation } = attempt
    const enable = effect('enable', (world) => write(world, `enabled ${plan.release}`, 'yes', true))
    const flip = [
      effect('to the disk', (world) => (mutation === 'no-sync-before-flip' ? world : sync(world))),
      effect('flip', (world) => write(world, 'current', plan.release, true)),
      effect('flip on the disk', (world) =>
        mutation === 'no-sync-before-flip' ? save(world, 'current', plan.release) : sync(world),
      ),
    ]
    return mutation === 'flip-before-enable'
      ? [...flip, ...openJournal(attempt), enable]
      : [...openJournal(attempt), enable, ...flip]
  },
  verdict: () => nothing('verdict'),
  settle: ({ seconds }, { plan, mutation, behind }) => {
    const settles = seconds > 0 && plan.from !== undefined && plan.from !== plan.release
    return [
      ...(settles ? keepWatch(mutation) : []),
      effect('verdict saved', (world) => {
        const { current, previous, kept } = stateOf(world)
        const next = stateText({
          current: plan.release,
          previous: current === plan.release ? previous : current,
          kept: [...kept.filter((id) => id !== plan.release), plan.release],
          behind: settles ? current : '',
        })
        return mutation === 'state-not-synced' ? write(world, 'state', next) : save(world, 'state', next)
      }),
      effect('nginx stays', (world) => {
        const journal = journalOf(world)
        return journal === undefined || journal.nginx === ''
          ? world
          : save(world, 'journal', journalText({ ...journal, nginx: '' }))
      }),
      ...(settles ? [effect('watch begins', (world) => run(world, 'watch', 'yes'))] : forgetWatch),
      ...leaveOld(plan, settles),
      ...(['', plan.from, plan.release].includes(behind)
        ? []
        : [effect('disable the one that waited', (world) => write(world, `enabled ${behind}`, null))]),
      effect('timers', (world) => run(world, `beside ${plan.release}`, 'yes')),
    ]
  },
  preflight: () => nothing('preflight'),
  'request-certificate': () => [effect('certificate', (world) => save(world, 'certificate', 'there'))],
  secure: (_, attempt) => [...secured(attempt, 'https and http'), ...secured(attempt, 'https')],
  prune: () => pruned,
  'await-settled': () => nothing('settle time'),
}

function leaveOld({ from, release }: Plan, settles: boolean): readonly Effect[] {
  if (from === undefined || from === release) return []
  return settles
    ? [effect('the old release rests', (world) => run(world, `beside ${from}`, null))]
    : [effect('disable the old release', (world) => write(world, `enabled ${from}`, null))]
}

/** What the program still does when the runner has its end: what nobody needs is drained, the journal closed. */
function ending({ plan, behind }: Attempt): readonly Effect[] {
  const { release } = plan
  return [
    ...[plan.from, behind].map((id) =>
      effect(`drain ${id === behind ? 'the one that waited' : 'the old release'}`, (world) => {
        const state = stateOf(world)
        if (id === undefined || id === '' || id === release || id === state.behind) return world
        return run(run(world, `web ${id}`, null), `beside ${id}`, null)
      }),
    ),
    ...closing,
  ]
}

/** Releases that something on the disk speaks of. */
export function releasesIn(world: World): readonly string[] {
  const names = new Set<string>()
  for (const key of [...Object.keys(world.disk), ...Object.keys(world.pending)]) {
    const [what = '', id] = key.split(' ')
    if (
      id !== undefined &&
      ['release', 'env', 'units', 'enabled'].includes(what) &&
      read(world, key) !== undefined
    )
      names.add(id)
  }
  return [...names]
}

/** All changes of a program, one by one. */
export function programEffects(attempt: Attempt): readonly Effect[] {
  const of = <Kind extends Operation['kind']>(operation: Extract<Operation, { readonly kind: Kind }>) =>
    (effects[operation.kind as Kind] as (one: typeof operation, two: Attempt) => readonly Effect[])(
      operation,
      attempt,
    )
  return [
    ...attempt.plan.operations.flatMap((operation) =>
      of(operation).map(({ name, change }) => effect(`${operation.kind}: ${name}`, change)),
    ),
    ...ending(attempt),
  ]
}
