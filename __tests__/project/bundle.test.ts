import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  appendFileSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { makeBundle } from '../../src/project/bundle.ts'
import type { Entry } from '../../src/project/entry.ts'
import { runnerExec } from '../../src/project/exec.ts'
import { listFiles } from '../../src/project/files.ts'
import { folder, write } from './checkouts.ts'

const listed = async (root: string): Promise<readonly Entry[]> =>
  (await listFiles({ workspace: root, source: '', include: [], exclude: [] }, runnerExec, folder())).entries

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

/** Unpacks with the machine's own tar, as the server does. */
function unpacked(bundle: string): string {
  const target = folder()
  execFileSync('tar', ['-xzf', bundle, '-C', target])
  return target
}

const long = `${'deep/'.repeat(50)}${'n'.repeat(200)}.txt`
const content = {
  'app.py': 'print(1)\n',
  empty: '',
  'run.sh': { program: '#!/bin/sh\n' },
  link: { link: 'app.py' },
  'long-link': { link: `${'x/'.repeat(100)}é` },
  'é/\u{1F600} new\nline': 'unicode',
  [long]: 'long',
  [`${'p'.repeat(100)}`]: 'exactly a hundred',
  'sub/block': 'b'.repeat(512),
  'big.bin': 'z'.repeat(600_000),
}

describe('makeBundle', () => {
  test('holds exactly what was listed, as tar sees it', async () => {
    const root = folder()
    write(root, content)
    const directory = folder()
    const bundle = await makeBundle(await listed(root), directory)
    const target = unpacked(bundle.path)
    const seen = Object.keys(content).map((own) => {
      const stat = lstatSync(path.join(target, own))
      const at = path.join(target, own)
      const held = stat.isSymbolicLink() ? { link: readlinkSync(at) } : readFileSync(at, 'utf8')
      const isProgram = stat.isFile() && (stat.mode & 0o777) === 0o755
      return { own, held: isProgram ? { program: held } : held, time: stat.mtimeMs }
    })
    expect(seen).toEqual(Object.entries(content).map(([own, held]) => ({ own, held, time: 0 })))
    expect(statSync(path.join(target, 'app.py')).mode & 0o777).toBe(0o644)
    expect(bundle.files).toBe(Object.keys(content).length)
    const texts = Object.values(content).map((one) =>
      typeof one === 'string' ? one : 'program' in one ? one.program : '',
    )
    expect(bundle.contentBytes).toBe(Buffer.byteLength(texts.join('')))
  })

  test('is a private file whose length and hashes are as said', async () => {
    const root = folder()
    write(root, content)
    const directory = folder()
    const bundle = await makeBundle(await listed(root), directory)
    const bytes = readFileSync(bundle.path)
    expect(path.dirname(bundle.path)).toBe(directory)
    expect(statSync(bundle.path).mode & 0o777).toBe(0o600)
    expect(bundle.bytes).toBe(bytes.length)
    expect(bundle.sha256).toBe(sha256(bytes))
    expect(bundle.contentSha256).toBe(sha256(gunzipSync(bytes)))
  })

  test('is the same for the same content, whatever the times, modes and order', async () => {
    const one = folder()
    write(one, content)
    const other = folder()
    write(other, Object.fromEntries(Object.entries(content).toReversed()))
    utimesSync(path.join(other, 'app.py'), 1, 1)
    const first = await makeBundle(await listed(one), folder())
    const second = await makeBundle((await listed(other)).toReversed(), folder())
    expect(second.contentSha256).toBe(first.contentSha256)
    expect(second.sha256).toBe(first.sha256)
  })

  test.each([
    ['content', (root: string) => writeFileSync(path.join(root, 'app.py'), 'print(2)\n')],
    ['a name', (root: string) => write(root, { another: '' })],
    [
      'an exec bit',
      (root: string) => {
        rmSync(path.join(root, 'empty'))
        write(root, { empty: { program: '' } })
      },
    ],
    [
      "a link's target",
      (root: string) => {
        rmSync(path.join(root, 'link'))
        write(root, { link: { link: 'empty' } })
      },
    ],
  ])('differs where %s differs', async (_, change) => {
    const root = folder()
    write(root, content)
    const first = await makeBundle(await listed(root), folder())
    change(root)
    expect((await makeBundle(await listed(root), folder())).contentSha256).not.toBe(first.contentSha256)
  })

  test.each([
    ['vanishes', 'app.py', (at: string) => rmSync(at)],
    [
      'becomes a symlink',
      'app.py',
      (at: string) => {
        rmSync(at)
        write(path.dirname(at), { 'app.py': { link: '/etc/passwd' } })
      },
    ],
    [
      'becomes a folder',
      'app.py',
      (at: string) => {
        rmSync(at)
        write(at, { x: '' })
      },
    ],
    ['vanishes, a large one', 'big.bin', (at: string) => rmSync(at)],
  ])('fails where a file %s', async (_, own, change) => {
    const root = folder()
    write(root, content)
    const entries = await listed(root)
    change(path.join(root, own))
    const directory = folder()
    await expect(makeBundle(entries, directory)).rejects.toMatchObject({
      code: 'file-changed',
      explanations: [{ file: own }],
    })
    expect(readdirSync(directory)).toEqual([])
  })

  test.each([
    ['grows', (at: string) => appendFileSync(at, 'more')],
    ['shrinks', (at: string) => truncateSync(at, 10)],
  ])('fails where a file %s while it is read', async (_, change) => {
    const root = folder()
    writeFileSync(path.join(root, 'big.bin'), Buffer.alloc(40_000_000, 'z'))
    const entries = await listed(root)
    const directory = folder()
    const making = makeBundle(entries, directory)
    // The first bytes are in the bundle: the file has been opened and measured, and most of it is still to be read.
    const begun = () => readdirSync(directory).some((name) => statSync(path.join(directory, name)).size > 0)
    while (!begun()) await new Promise((turn) => setImmediate(turn))
    change(path.join(root, 'big.bin'))
    await expect(making).rejects.toMatchObject({ code: 'file-changed' })
    expect(readdirSync(directory)).toEqual([])
  })

  test('says where the runner cannot hold it', async () => {
    const root = folder()
    write(root, content)
    await expect(makeBundle(await listed(root), path.join(root, 'gone'))).rejects.toMatchObject({
      code: 'bundle-unwritable',
    })
  })

  test('of nothing is a bundle of nothing', async () => {
    const bundle = await makeBundle([], folder())
    expect(bundle).toMatchObject({ files: 0, contentBytes: 0 })
    expect(readdirSync(unpacked(bundle.path))).toEqual([])
  })
})
