import { isReleaseId } from '../config/paths.ts'
import { natural, PATH, pairs, shortly, WORD } from './fact-words.ts'

/** What a server said of one app when a command looked around (remote/status.sh). Figures are bytes and seconds. */
export interface Seen {
  readonly uptime: number
  readonly load: string
  /** undefined where it is not known. */
  readonly memory: { readonly total: number; readonly left: number; readonly swap: number } | undefined
  readonly disks: readonly SeenDisk[]
  /** The server asks to be rebooted. */
  readonly reboot: boolean
  /** The journal is in memory, and lost with each reboot. */
  readonly journalLost: boolean
  readonly nginx: { readonly active: string; readonly enabled: string; readonly sound: boolean } | undefined
  /** Who holds the app's lock; undefined where nobody does. */
  readonly holder: string | undefined
  /** Release -> what it adds to the disk. */
  readonly releaseBytes: ReadonlyMap<string, number>
  /** The app's other folders. */
  readonly folderBytes: ReadonlyMap<string, number>
  /** What the release that serves cannot do without, and is not there. */
  readonly missing: readonly Missing[]
  readonly interpreter: Interpreter | undefined
  readonly units: readonly SeenUnit[]
  readonly beside: readonly Beside[]
  /** Over the release's own socket; undefined where it was not asked. */
  readonly health: Asked | undefined
  /** Through nginx, as a visitor. */
  readonly visit: Asked | undefined
  /** What the next deploy, or the server itself, would set right. */
  readonly repairs: readonly string[]
}

/** A file system that the app needs. */
export interface SeenDisk {
  readonly folder: string
  readonly mount: string
  readonly bytes: number
  readonly free: number
  readonly inodes: number
  readonly inodesFree: number
}

export interface Missing {
  /** A word: `env-file`. */
  readonly what: string
  /** A path, or a user. */
  readonly name: string
}

/** The Python of the release that serves. */
export interface Interpreter {
  /** Where the environment's link leads. */
  readonly path: string
  readonly there: boolean
  /** What the environment was made for: `python3.11`. */
  readonly made: string
  /** What the link is in the end: `python3.13`. */
  readonly is: string
}

export interface SeenUnit {
  readonly unit: string
  /** The release that it belongs to; '' where to none. */
  readonly release: string
  /** `loaded`, `not-found`, `masked`. */
  readonly load: string
  readonly active: string
  readonly sub: string
  readonly result: string
  readonly restarts: number
  /** undefined where systemd does not count. */
  readonly bytes: number | undefined
  /** Its file on the disk is another than the one that systemd knows. */
  readonly stale: boolean
  readonly enabled: boolean
}

/** What runs beside the web process. */
export interface Beside {
  readonly kind: 'process' | 'single' | 'timer'
  readonly unit: string
  /** Of a timer, UTC; '' for never. */
  readonly next: string
  readonly last: string
}

/** One request. */
export interface Asked {
  readonly ok: boolean
  /** '' where it is ok. */
  readonly code: string
  /** 0 where no answer came. */
  readonly status: number
  readonly ms: number
  /** The release that answered. */
  readonly release: string
}

/** Reads the lines of the events `fact`. What is missing or malformed is left out: the server is not trusted to be well-formed. */
export function parseSeen(lines: readonly string[]): Seen {
  const all = (key: string) =>
    lines.flatMap((line) => (line.startsWith(`${key} `) ? [line.slice(key.length + 1)] : []))
  const one = (key: string) => all(key)[0]
  const memory = pairs(all('memory'))
  const sizes = all('size').flatMap(pair)
  return {
    uptime: natural(one('uptime')),
    load: WORD.test(one('load') ?? '') ? (one('load') ?? '') : '',
    memory: memory.has('total')
      ? {
          total: kibibytes(memory.get('total')),
          left: kibibytes(memory.get('left')),
          swap: kibibytes(memory.get('swap')),
        }
      : undefined,
    disks: all('disk').flatMap(diskOf),
    reboot: one('reboot') === 'yes',
    journalLost: one('journald') === 'lost',
    nginx: all('nginx')
      .map((line) => line.split(' '))
      .map(([active = '', enabled = '', sound]) => ({
        active: shortly(active),
        enabled: shortly(enabled),
        sound: sound === 'yes',
      }))[0],
    holder: all('holder').map(shortly)[0],
    releaseBytes: new Map(
      sizes.flatMap(([what, size]) => {
        const id = what.replace(/^release\//, '')
        return id !== what && isReleaseId(id) ? [[id, kibibytes(size)] as const] : []
      }),
    ),
    folderBytes: new Map(
      sizes.flatMap(([what, size]) => (PATH.test(what) ? [[what, kibibytes(size)] as const] : [])),
    ),
    missing: all('missing')
      .flatMap(pair)
      .map(([what, name]) => ({ what: shortly(what), name: shortly(name) })),
    interpreter: all('python').map(interpreterOf)[0],
    units: all('unit').flatMap(unitOf),
    beside: all('beside').flatMap(besideOf),
    health: all('health').map(askedOf)[0],
    visit: all('visit').map(askedOf)[0],
    repairs: all('repair').map(shortly).slice(0, 100),
  }
}

function pair(line: string): readonly (readonly [string, string])[] {
  const space = line.indexOf(' ')
  return space < 0 ? [] : [[line.slice(0, space), line.slice(space + 1)]]
}

function kibibytes(text: string | undefined): number {
  return natural(text) * 1024
}

function diskOf(line: string): readonly SeenDisk[] {
  const [folder = '', blocks, free, inodes, inodesFree, mount = ''] = line.split(' ')
  if (!PATH.test(`${folder}/`) || natural(blocks) === 0) return []
  return [
    {
      folder,
      mount: shortly(mount),
      bytes: kibibytes(blocks),
      free: kibibytes(free),
      inodes: natural(inodes),
      inodesFree: natural(inodesFree),
    },
  ]
}

function interpreterOf(line: string): Interpreter {
  const [path = '', there, made = '', is = ''] = line.split(' ').map(shortly)
  return { path: path === '-' ? '' : path, there: there === 'yes', made: made === '-' ? '' : made, is }
}

/** Of `web-NAME-ID.worker.service` the ID; `web-NAME.redis.service` has none. */
function releaseOf(unit: string): string {
  return /-([0-9]{14}-[0-9a-f]{7})\./.exec(unit)?.[1] ?? ''
}

function unitOf(line: string): readonly SeenUnit[] {
  const [unit = '', load = '', active = '', sub = '', result = '', restarts, memory, stale, enabled] =
    line.split(' ')
  if (!/^[\w.@:-]{1,200}$/.test(unit) || enabled === undefined) return []
  return [
    {
      unit,
      release: releaseOf(unit),
      load: shortly(load),
      active: shortly(active),
      sub: shortly(sub),
      result: result === '-' ? '' : shortly(result),
      restarts: natural(restarts),
      bytes: memory !== undefined && /^[0-9]{1,15}$/.test(memory) ? Number(memory) : undefined,
      stale: stale === 'yes',
      enabled: enabled === 'yes',
    },
  ]
}

function besideOf(line: string): readonly Beside[] {
  const [kind, unit = '', ...times] = line.split(' ')
  if (kind !== 'process' && kind !== 'single' && kind !== 'timer') return []
  if (!/^[\w.@:-]{1,200}$/.test(unit)) return []
  const [next = '', last = ''] = times.join(' ').split(', ')
  return [{ kind, unit, next: time(next), last: time(last) }]
}

/** systemd's `Thu 2026-11-26 14:00:00 UTC` without what is known; '' for `n/a` and such. */
function time(text: string): string {
  return /\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/.exec(text)?.[0] ?? ''
}

function askedOf(line: string): Asked {
  const [verdict, first = '', second = '', third = ''] = line.split(' ')
  const status = (text: string) => (/^[1-5][0-9]{2}$/.test(text) ? Number(text) : 0)
  return verdict === 'ok'
    ? { ok: true, code: '', status: status(first), ms: natural(second), release: shortly(third) }
    : {
        ok: false,
        code: WORD.test(first) ? first : 'unreachable',
        status: status(second),
        ms: 0,
        release: shortly(third),
      }
}
