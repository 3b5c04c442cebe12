import type { Explanation } from '../errors.ts'
import type { Amount, Facts } from '../server/facts.ts'
import { dependenciesKey } from './ingredients.ts'
import type { Operation } from './operation.ts'
import type { Wish } from './wish.ts'

const MB = 1024 * 1024

/** A release of a small app with its environment takes about this much; so does each where nothing was measured yet. */
const UNKNOWN_RELEASE: Amount = { bytes: 300 * MB, inodes: 5000 }
/** Beside a release: settings, units, the state file, logs. */
const MARGIN: Amount = { bytes: 32 * MB, inodes: 500 }
/** In /var: the bundle on its way, apt's lists, uv's cache, logs. */
const LEAST_VAR_BYTES = 50 * MB
/** In /tmp, where something has to be installed: what apt and pip unpack there (uv itself has 40 MB). */
const LEAST_TMP_BYTES = 100 * MB
/** In /etc: env file, secret files, units. */
const LEAST_ETC_BYTES = 2 * MB
/** Files that a deploy makes in each of the other folders. */
const LEAST_INODES = 200

/** What a deploy needs on the server's disks. */
export interface Room {
  /** In /srv, for the release and its scratch copy. */
  readonly release: Amount
  /** The release is as large as the one that serves: that was measured. */
  readonly measured: boolean
  readonly varBytes: number
  /** 0 where nothing is to be installed. */
  readonly tmpBytes: number
}

/** A kind of room that is missing: the code of the failure, and its explanation. */
export interface RoomFault {
  readonly code: 'disk' | 'inodes'
  readonly fault: Explanation
}

/**
 * What this deploy needs. A release whose environment is shared with the one that serves takes little more than its files.
 * @param installing whether Debian packages or uv are missing
 */
export function neededRoom(facts: Facts, wish: Wish, installing: boolean): Room {
  const { bundle } = wish.project
  const current = facts.state?.releases.find(({ id }) => id === facts.state?.current)
  const size = facts.releaseSize
  const shares =
    size !== undefined && current?.dependencies === dependenciesKey(wish) && !wish.inputs.app.refresh
  const base = shares ? { bytes: 0, inodes: 0 } : (size ?? UNKNOWN_RELEASE)
  return {
    release: {
      // The probe works in a copy.
      bytes: base.bytes + 2 * bundle.contentBytes + (size === undefined ? 0 : MARGIN.bytes),
      // Linked files are none, their folders are.
      inodes: (shares ? Math.ceil(size.inodes / 4) : base.inodes) + MARGIN.inodes,
    },
    measured: size !== undefined,
    varBytes: LEAST_VAR_BYTES + bundle.bytes,
    tmpBytes: installing ? LEAST_TMP_BYTES : 0,
  }
}

/** What is missing even if all went that may go. */
export function roomFaults(facts: Facts, room: Room): readonly RoomFault[] {
  const { diskFreeBytes: disk, free, freeInodes, prunable } = facts
  const faults: RoomFault[] = []
  const shared = disk !== undefined && free.get('/var') === disk
  const cache = facts.caches.get('build') ?? 0
  if (disk !== undefined && disk + prunable.bytes + (shared ? cache : 0) < room.release.bytes) {
    const why = room.measured ? ', by the size of the one that serves' : ''
    faults.push(
      missing('disk', {
        cause: `The server's disk has ${megabytes(disk)} MB left, and a new release may need ${megabytes(room.release.bytes)} MB${why}.`,
        cure: `Free some space on the server${going(facts)}, or set \`keep-releases\` to a smaller number.`,
        input: 'keep-releases',
      }),
    )
  }
  const small = (folder: string, least: number, freed = 0) => {
    const bytes = free.get(folder)
    // The same number: the same disk, of which enough was said.
    return bytes !== undefined && bytes + freed < least && bytes !== disk ? bytes : undefined
  }
  const inVar = small('/var', room.varBytes, cache)
  if (inVar !== undefined) {
    faults.push(
      missing('disk', {
        cause: `The server has ${megabytes(inVar)} MB left in /var, and a deploy may need ${megabytes(room.varBytes)} MB there.`,
        cure: `Free some space there on the server${going(facts)}: \`journalctl --vacuum-size=100M\` and \`apt-get clean\` do, and \`du -xh /var | sort -h | tail\` shows what takes it.`,
        input: 'host',
      }),
    )
  }
  const inTmp = small('/tmp', room.tmpBytes)
  if (inTmp !== undefined) {
    faults.push(
      missing('disk', {
        cause: `The server has ${megabytes(inTmp)} MB left in /tmp, and to install what is missing may need ${megabytes(room.tmpBytes)} MB there.`,
        cure: 'Free some space there on the server: `du -xh /tmp | sort -h | tail` shows what takes it, and `mount -o remount,size=1G /tmp` makes it larger where it is in memory.',
        input: 'host',
      }),
    )
  }
  const inEtc = small('/etc', LEAST_ETC_BYTES)
  if (inEtc !== undefined) {
    faults.push(
      missing('disk', {
        cause: `The server has ${megabytes(inEtc)} MB left in /etc, and a deploy writes settings and units there.`,
        cure: `Free some space on its root disk${going(facts)}: \`du -xh / | sort -h | tail\` shows what takes it.`,
        input: 'host',
      }),
    )
  }
  for (const [folder, count] of freeInodes) {
    const least = folder === '/srv' || folder === '/' ? room.release.inodes : LEAST_INODES
    const freed = folder === '/srv' || folder === '/' ? prunable.inodes : 0
    if (count + freed >= least) continue
    faults.push(
      missing('inodes', {
        cause: `The server's disk can hold ${count} more files in ${folder}, and a new release may need ${least}: it has no inodes left, whatever space is free.`,
        cure: `Remove what has many small files: \`du --inodes -xS ${folder} | sort -n | tail\` on the server shows where they are (sessions and caches are the usual ones).`,
        input: 'host',
      }),
    )
  }
  return faults
}

/** Older releases and uv's cache give way, where the disk has no room as it is. */
export function roomOperations(facts: Facts, room: Room): readonly Operation[] {
  const { bytes, inodes } = room.release
  const files = facts.freeInodes.get('/srv') ?? facts.freeInodes.get('/')
  const tooFull = (facts.diskFreeBytes ?? bytes) < bytes || (files ?? inodes) < inodes
  const tight = (facts.free.get('/var') ?? room.varBytes) < room.varBytes
  const make = (folder: string, amount: Amount): Operation => ({
    phase: 'packages',
    kind: 'make-room',
    folder,
    kilobytes: Math.ceil(amount.bytes / 1024),
    inodes: amount.inodes,
  })
  return [
    ...(tooFull ? [make('/srv', room.release)] : []),
    ...(tight ? [make('/var', { bytes: room.varBytes, inodes: 0 })] : []),
  ]
}

function missing(code: RoomFault['code'], fault: Explanation): RoomFault {
  return { code, fault }
}

/** What could be taken away, where it was looked at. */
function going({ caches, prunable }: Facts): string {
  const sizes = [
    ['older releases', prunable.bytes],
    ["uv's cache of this app", caches.get('build') ?? 0],
    ["apt's cache", caches.get('apt') ?? 0],
    ['the journal', caches.get('journal') ?? 0],
  ] as const
  const large = sizes.filter(([, bytes]) => bytes >= MB)
  if (large.length === 0) return ''
  return ` (${large.map(([what, bytes]) => `${what}: ${megabytes(bytes)} MB`).join(', ')})`
}

function megabytes(bytes: number): number {
  return Math.ceil(bytes / MB)
}
