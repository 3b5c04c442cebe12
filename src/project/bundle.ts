import { createHash, type Hash, randomBytes } from 'node:crypto'
import { closeSync, constants, fstatSync, openSync, readSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { type Header, type Pack, pack } from 'tar-stream'
import { DeployError } from '../errors.ts'
import { type Entry, type FileEntry, sortedByBytes } from './entry.ts'
import type { Bundle } from './project.ts'

/** Bytes read at a time; up to this size a file is read in one go. */
const chunkBytes = 64 * 1024
/** Not on Windows; there a symlink is no danger, since making one takes an administrator. */
const noFollow = constants.O_NOFOLLOW ?? 0

/**
 * Streams a deterministic tar of the entries through gzip into a temporary file of mode 0600.
 *
 * Entries come in byte order, with time 0, owner 0 and mode 644 or 755, so the same content gives the same
 * `contentSha256` whatever the machine. gzip level 1: measured, 9 is three times slower for 5 % less. Memory does
 * not grow with the files: one chunk at a time.
 * @param directory absolute; the file's folder (RUNNER_TEMP, which the runner empties)
 * @throws DeployError `file-changed` where a file changes, vanishes or cannot be read meanwhile; `bundle-unwritable`
 */
export async function makeBundle(entries: readonly Entry[], directory: string): Promise<Bundle> {
  const target = path.join(directory, `bundle-${randomBytes(8).toString('hex')}.tar.gz`)
  const content = createHash('sha256')
  const whole = createHash('sha256')
  const tar = pack()
  const file = await open(target, 'wx', 0o600).catch((error: unknown) => {
    throw unwritable(error)
  })
  const count = { bytes: 0, contentBytes: 0 }

  const filling = fill(tar, entries, count)
  const storing = pipeline(
    hashed(bytesOf(tar), content),
    createGzip({ level: 1, chunkSize: chunkBytes }),
    (compressed: AsyncIterable<Buffer>) => hashed(compressed, whole, count),
    file.createWriteStream(),
  )
  const [filled, stored] = await Promise.allSettled([
    filling.catch((error: unknown) => {
      tar.destroy(error instanceof Error ? error : new Error(String(error)))
      throw error
    }),
    storing.catch((error: unknown) => {
      tar.destroy()
      throw error
    }),
  ])
  // The file that could not be read explains more than the stream that broke for it, and a full disk more than
  // the entry that could not be written: a fault of ours in `filling` is the broken stream's echo.
  const failed = [filled, stored].filter((one) => one.status === 'rejected').map((one): unknown => one.reason)
  if (failed.length > 0) {
    await file.close()
    rmSync(target, { force: true })
    throw failed.find((reason) => reason instanceof DeployError) ?? unwritable(failed.at(-1))
  }
  return {
    path: target,
    bytes: count.bytes,
    sha256: whole.digest('hex'),
    contentSha256: content.digest('hex'),
    files: entries.length,
    contentBytes: count.contentBytes,
  }
}

type Sink = ReturnType<Pack['entry']>
type EntryHeader = Partial<Header> & Pick<Header, 'name'>

/** tar-stream's types promise less than it gives: every piece is bytes. */
async function* bytesOf(tar: Pack): AsyncGenerator<Buffer> {
  for await (const piece of tar) {
    if (!(piece instanceof Uint8Array)) throw new TypeError('a tar is made of bytes')
    yield Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength)
  }
}

async function* hashed(
  source: AsyncIterable<Buffer>,
  hash: Hash,
  count?: { bytes: number },
): AsyncGenerator<Buffer> {
  for await (const chunk of source) {
    hash.update(chunk)
    if (count !== undefined) count.bytes += chunk.length
    yield chunk
  }
}

async function fill(tar: Pack, entries: readonly Entry[], count: { contentBytes: number }): Promise<void> {
  const byPath = new Map(entries.map((entry) => [entry.path, entry]))
  for (const own of sortedByBytes([...byPath.keys()])) {
    const entry = byPath.get(own)
    if (entry === undefined) continue
    const common = { name: own, mtime: new Date(0), uid: 0, gid: 0 }
    if (entry.kind === 'link') {
      await add(tar, { ...common, type: 'symlink', mode: 0o777, linkname: entry.target }, undefined)
      continue
    }
    const header: EntryHeader = { ...common, type: 'file', mode: entry.executable ? 0o755 : 0o644 }
    const small = readSmall(entry)
    if (small === undefined) count.contentBytes += await addLarge(tar, header, entry)
    else {
      count.contentBytes += small.length
      await add(tar, header, small)
    }
  }
  tar.finalize()
}

/** Resolves when the tar has taken the entry, which waits for its reader: nothing piles up. */
function add(tar: Pack, header: EntryHeader, body: Buffer | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (error?: Error | null): void => (error ? reject(error) : resolve())
    silent(body === undefined ? tar.entry(header, done) : tar.entry(header, body, done))
  })
}

/** A broken tar tells each of its entries by an event as well as by its callback; one of the two is enough. */
function silent(sink: Sink): Sink {
  return sink.on('error', () => {})
}

/** Synchronous: for a small file four times as fast as by promises, and the loop is held for one file only. */
function readSmall(entry: FileEntry): Buffer | undefined {
  let file: number
  try {
    file = openSync(entry.location, constants.O_RDONLY | noFollow)
  } catch {
    throw changed(entry)
  }
  try {
    const { size } = fstatSync(file)
    if (size !== entry.size) throw changed(entry)
    if (size > chunkBytes) return undefined
    const bytes = Buffer.alloc(size + 1)
    let length = 0
    for (let read = -1; read !== 0 && length <= size; length += read)
      read = readSync(file, bytes, length, size + 1 - length, null)
    if (length !== size) throw changed(entry)
    return bytes.subarray(0, size)
  } catch (error) {
    throw error instanceof DeployError ? error : changed(entry)
  } finally {
    closeSync(file)
  }
}

async function addLarge(tar: Pack, header: EntryHeader, entry: FileEntry): Promise<number> {
  const file = await open(entry.location, constants.O_RDONLY | noFollow).catch(() => {
    throw changed(entry)
  })
  try {
    const before = await file.stat()
    let written = 0
    await new Promise<void>((resolve, reject) => {
      const sink = silent(
        tar.entry({ ...header, size: before.size }, (error) => (error ? reject(error) : resolve())),
      )
      const copy = async (): Promise<void> => {
        for (;;) {
          const chunk = Buffer.alloc(chunkBytes)
          const { bytesRead } = await file.read(chunk, 0, chunkBytes)
          if (bytesRead === 0) break
          written += bytesRead
          if (written > before.size) throw changed(entry)
          // A destroyed tar calls back with an error above, so a drain that never comes holds nothing up.
          if (!sink.write(chunk.subarray(0, bytesRead)))
            await new Promise<void>((drained) => sink.once('drain', () => drained()))
        }
        const after = await file.stat()
        if (written !== before.size || after.mtimeMs !== before.mtimeMs) throw changed(entry)
        sink.end(undefined)
      }
      copy().catch((error: unknown) => reject(error instanceof DeployError ? error : changed(entry)))
    })
    return written
  } finally {
    await file.close()
  }
}

/** A full disk and the like; anything without the system's error code is a defect of ours. */
function unwritable(reason: unknown): unknown {
  if (!(reason instanceof Error && 'code' in reason && 'syscall' in reason)) return reason
  return new DeployError('bundle-unwritable', {
    cause: `The runner could not write the bundle: ${String(reason.code)}.`,
    cure: 'Make room on the runner: the bundle goes into its folder for temporary files (RUNNER_TEMP).',
  })
}

function changed(entry: FileEntry): DeployError {
  return new DeployError('file-changed', {
    cause: `The file ${entry.path} changed, vanished or could not be read while the bundle was made.`,
    cure: 'Let every step that writes files end before this one; a file of no use on the server can go into `exclude`.',
    input: 'exclude',
    file: entry.path,
  })
}
