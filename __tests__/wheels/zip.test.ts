import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { unzipOne } from '../../src/wheels/zip.ts'

/** As wheels are made: Python's own zipfile. */
const MAKE = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w") as made:
    made.writestr("uv/__init__.py", "x" * 3)
    made.writestr("uv-1.data/scripts/uv", b"program" * 10000, zipfile.ZIP_DEFLATED)
    made.writestr("plain", b"as it is", zipfile.ZIP_STORED)
    made.comment = b"PK\\x05\\x06 is not the end"
`

describe('a file out of an archive', () => {
  let folder = ''
  let archive = Buffer.alloc(0)
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'zip-'))
    execFileSync('python3', ['-I', '-c', MAKE, join(folder, 'a.zip')])
    archive = readFileSync(join(folder, 'a.zip'))
  })
  afterAll(() => rmSync(folder, { recursive: true }))
  const named = (name: string) => (path: string) => path === name

  test('is what was put in, packed or not', () => {
    expect(unzipOne(archive, named('uv-1.data/scripts/uv'), 1e6).toString()).toBe('program'.repeat(10000))
    expect(unzipOne(archive, named('plain'), 1e6).toString()).toBe('as it is')
  })

  test('is not there', () => {
    expect(() => unzipOne(archive, named('other'), 1e6)).toThrow('does not hold')
  })

  test('is no larger than it may be, whatever the archive says of it', () => {
    expect(() => unzipOne(archive, named('uv-1.data/scripts/uv'), 69_999)).toThrow('too large')
    const lying = Buffer.from(archive)
    const listed = lying.indexOf(
      Buffer.from('PK\u0001\u0002'),
      lying.indexOf(Buffer.from('PK\u0001\u0002')) + 4,
    )
    lying.writeUInt32LE(7, listed + 24)
    expect(() => unzipOne(lying, named('uv-1.data/scripts/uv'), 1e6)).toThrow('another length')
    expect(() => unzipOne(lying, named('uv-1.data/scripts/uv'), 1e3)).toThrow(/larger|too large/i)
  })

  test.each([0, 10, 21, 22, 60, 200])('is refused out of the first %d bytes', (bytes) => {
    expect(() => unzipOne(archive.subarray(0, bytes), () => true, 1e6)).toThrow(/./)
  })

  test('no broken byte makes it read elsewhere than in the archive', () => {
    for (let at = 0; at < archive.length; at += 7) {
      const broken = Buffer.from(archive)
      broken.writeUInt8(broken.readUInt8(at) ^ 0xff, at)
      try {
        expect(unzipOne(broken, named('plain'), 1e6).length).toBeLessThanOrEqual(8)
      } catch (error) {
        expect(error).toBeInstanceOf(Error)
      }
    }
  })
})
