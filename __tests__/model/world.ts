/**
 * A small model of what a deploy changes on a server: what lies on the disk, what was written and may be lost with the
 * power, and what runs. Names of files are few and fixed; a file's content is one word.
 */
export interface World {
  /** Survives a power cut. */
  readonly disk: Readonly<Record<string, string>>
  /** Written since the last sync; null: removed. */
  readonly pending: Readonly<Record<string, string | null>>
  /** Those of `pending` that may come back empty: a new file whose name survives, and whose bytes do not. */
  readonly tearable: readonly string[]
  /** Ends with the power: which releases run, what nginx has read, what the program had begun. */
  readonly running: Readonly<Record<string, string>>
}

/** What a new file holds that was never synced. */
export const TORN = 'torn'

export function read(world: World, key: string): string | undefined {
  const pending = world.pending[key]
  return key in world.pending ? (pending ?? undefined) : world.disk[key]
}

/** All names that are there, with their content. */
export function present(world: World): ReadonlyMap<string, string> {
  const all = new Map(Object.entries(world.disk))
  for (const [key, value] of Object.entries(world.pending)) {
    if (value === null) all.delete(key)
    else all.set(key, value)
  }
  return all
}

/** Written, not synced; `whole`: by rename of a file whose bytes are on the disk, or a link. */
export function write(world: World, key: string, value: string | null, whole = false): World {
  if (read(world, key) === (value ?? undefined)) return world
  const tearable = world.tearable.filter((name) => name !== key)
  return {
    ...world,
    pending: { ...world.pending, [key]: value },
    tearable: whole || value === null ? tearable : [...tearable, key],
  }
}

export function sync(world: World): World {
  if (Object.keys(world.pending).length === 0) return world
  return { ...world, disk: Object.fromEntries(present(world)), pending: {}, tearable: [] }
}

/** Written and synced at once: nothing else is. */
export function save(world: World, key: string, value: string): World {
  const { [key]: _, ...pending } = world.pending
  return { ...world, disk: { ...world.disk, [key]: value }, pending }
}

export function run(world: World, key: string, value: string | null): World {
  if (world.running[key] === (value ?? undefined)) return world
  const { [key]: _, ...running } = world.running
  return { ...world, running: value === null ? running : { ...running, [key]: value } }
}

/** What a boot may find: everything lost that was not synced, nothing, each alone, all but each, and empty files. */
export function powerCuts(world: World): readonly World[] {
  const known = cuts.get(world)
  if (known !== undefined) return known
  const found = lostIn(world)
  cuts.set(world, found)
  return found
}

const cuts = new WeakMap<World, readonly World[]>()

function lostIn(world: World): readonly World[] {
  const names = Object.keys(world.pending)
  const survivors: (readonly string[])[] = [[], names]
  for (const name of names)
    survivors.push(
      [name],
      names.filter((other) => other !== name),
    )
  const found = new Map<string, World>()
  for (const kept of survivors) {
    for (const torn of [false, true]) {
      const disk: Record<string, string> = { ...world.disk }
      for (const name of kept) {
        const value = world.pending[name] ?? null
        if (value === null) delete disk[name]
        else disk[name] = torn && world.tearable.includes(name) ? TORN : value
      }
      const after: World = { disk, pending: {}, tearable: [], running: {} }
      found.set(keyOf(after), after)
    }
  }
  return [...found.values()]
}

/** Equal texts: equal worlds. */
export function keyOf(world: World): string {
  const known = keys.get(world)
  if (known !== undefined) return known
  const torn = world.tearable.toSorted().join()
  const key = `${textOf(world.disk)}|${textOf(world.pending)}|${torn}|${textOf(world.running)}`
  keys.set(world, key)
  return key
}

/** Most worlds share their parts with the one before. */
const keys = new WeakMap<World, string>()
const texts = new WeakMap<object, string>()

function textOf(record: Readonly<Record<string, string | null>>): string {
  const known = texts.get(record)
  if (known !== undefined) return known
  const text = Object.keys(record)
    .toSorted()
    .map((key) => `${key}=${record[key] ?? '-'}`)
    .join(';')
  texts.set(record, text)
  return text
}

/** The state file: the releases that were kept, newest last; of two at least, the others pruned. */
export interface StateFile {
  readonly current: string
  readonly previous: string
  readonly kept: readonly string[]
  /** The release that waits while `current` settles; '' where nothing does. */
  readonly behind: string
}

export function stateOf(world: World): StateFile {
  const text = read(world, 'state')
  if (text === undefined || text === TORN) return { current: '', previous: '', kept: [], behind: '' }
  const [current = '', previous = '', kept = '', behind = ''] = text.split('|')
  return { current, previous, kept: kept === '' ? [] : kept.split(','), behind }
}

export function stateText({ current, previous, kept, behind }: StateFile): string {
  return `${current}|${previous}|${kept.join(',')}|${behind}`
}

/** The journal: what was begun, and nginx's bytes from before (`-`: there was no file). */
export interface Journal {
  readonly release: string
  readonly nginx: string
  readonly secure: string
}

export function journalOf(world: World): Journal | undefined {
  const text = read(world, 'journal')
  if (text === undefined) return undefined
  if (text === TORN) return { release: '', nginx: '', secure: '' }
  const [release = '', nginx = '', secure = ''] = text.split('|')
  return { release, nginx, secure }
}

export function journalText({ release, nginx, secure }: Journal): string {
  return `${release}|${nginx}|${secure}`
}

/** The release that visitors get, '' where none. */
export function serving(world: World): string {
  const link = read(world, 'current') ?? ''
  const site = world.running['nginx'] ?? ''
  if (link === '' || site === '' || site === '-' || site === 'none') return ''
  return world.running[`web ${link}`] === undefined ? '' : link
}

/** A release that systemd can start: its folder, env file and units are whole. */
export function startable(world: World, release: string): boolean {
  return ['release', 'env', 'units'].every((part) => {
    const value = read(world, `${part} ${release}`)
    return value !== undefined && value !== TORN
  })
}
