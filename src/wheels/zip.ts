import { inflateRawSync } from 'node:zlib'

/*
 * One file out of a zip archive, which is what a wheel is. Node has no reader of its own, and the runner may have no
 * `unzip`. A library would be another stranger's code between a hash and what is started afterwards; what is needed
 * here are three records of the format (APPNOTE.TXT 4.3): the end, the list of files, one file's head.
 */

const END = 0x06054b50
const LISTED = 0x02014b50
const LOCAL = 0x04034b50

/** Bytes of the end record without its comment, and the most that the comment may have. */
const END_BYTES = 22
const MOST_COMMENT = 65_535

/**
 * Reads a file of an archive whose bytes are known to be the right ones.
 * @param wanted chooses it by its path in the archive
 * @param most the most bytes that it may unpack to
 * @throws Error where the archive is broken, the file is not in it, or it is larger
 */
export function unzipOne(archive: Buffer, wanted: (path: string) => boolean, most: number): Buffer {
  const end = endRecord(archive)
  const count = archive.readUInt16LE(end + 10)
  let at = archive.readUInt32LE(end + 16)
  for (let seen = 0; seen < count; seen += 1) {
    expectRecord(archive, at, LISTED, 46)
    const nameLength = archive.readUInt16LE(at + 28)
    const path = archive.toString('utf8', at + 46, at + 46 + nameLength)
    if (wanted(path)) return content(archive, at, most)
    at += 46 + nameLength + archive.readUInt16LE(at + 30) + archive.readUInt16LE(at + 32)
  }
  throw new Error('the archive does not hold the file')
}

function content(archive: Buffer, listed: number, most: number): Buffer {
  const method = archive.readUInt16LE(listed + 10)
  const packed = archive.readUInt32LE(listed + 20)
  const whole = archive.readUInt32LE(listed + 24)
  const head = archive.readUInt32LE(listed + 42)
  if (whole > most) throw new Error('the file in the archive is too large')
  expectRecord(archive, head, LOCAL, 30)
  const start = head + 30 + archive.readUInt16LE(head + 26) + archive.readUInt16LE(head + 28)
  if (start + packed > archive.length) throw new Error('the archive ends within a file')
  const bytes = archive.subarray(start, start + packed)
  const unpacked =
    method === 0 ? bytes : method === 8 ? inflateRawSync(bytes, { maxOutputLength: most }) : undefined
  if (unpacked === undefined) throw new Error(`the archive packs by method ${method}, which is not known`)
  if (unpacked.length !== whole) throw new Error('the file in the archive has another length than it says')
  return unpacked
}

function endRecord(archive: Buffer): number {
  const first = Math.max(0, archive.length - END_BYTES - MOST_COMMENT)
  for (let at = archive.length - END_BYTES; at >= first; at -= 1) {
    if (archive.readUInt32LE(at) === END) return at
  }
  throw new Error('this is no zip archive')
}

function expectRecord(archive: Buffer, at: number, signature: number, bytes: number): void {
  if (at + bytes > archive.length || archive.readUInt32LE(at) !== signature)
    throw new Error('the archive is broken')
}
