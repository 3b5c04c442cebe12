import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { kitFiles, makeKit } from '../../src/apply/kit.ts'
import { projectFiles, textOf } from '../house/files.ts'

test('the same files are the same kit, and others another one', async () => {
  const [one, two] = [await makeKit(), await makeKit()]
  expect(one).toEqual(two)
  const other = await makeKit(new Map([...kitFiles(), ['uv.txt', 'another']]))
  expect(other.sha256).not.toBe(one.sha256)
})

test('a tar of any server unpacks it to what was packed, for its owner alone', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kit-'))
  const { tar } = await makeKit()
  execFileSync('tar', ['-xzmf', '-', '-C', folder], { input: gzipSync(tar) })
  const found = new Map(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]))
  const modes = execFileSync('find', [folder, '-type', 'f', '-printf', '%m\\n'], { encoding: 'utf8' })
  rmSync(folder, { recursive: true })
  expect(found).toEqual(kitFiles())
  expect(new Set(modes.trim().split('\n'))).toEqual(new Set(['600']))
})

test('every file of remote/ that a program takes from its folder is in it', () => {
  const kit = kitFiles()
  const missing = projectFiles()
    .filter((file) => /^remote\/.*\.sh$/.test(file))
    .flatMap((file) =>
      [...textOf(file).matchAll(/"\$dir\/([a-z_]+\.(?:py|sh|txt))"/g)].map(([, name = '']) => name),
    )
    .filter((name) => !kit.has(name) && name !== 'steps.sh')
  expect(missing).toEqual([])
})
