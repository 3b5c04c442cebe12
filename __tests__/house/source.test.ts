import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { projectFiles, repository, textOf } from './files.ts'

/** A file longer than this has more than one subject. */
const mostLines = 300

/** File -> why it may be longer. */
const longer: Readonly<Record<string, string>> = {}

const source = projectFiles('src')

test('no file of the program is too long to be read in one sitting', () => {
  const long = [...source, ...projectFiles('remote')]
    .map((file) => ({ file, lines: textOf(file).split('\n').length - 1 }))
    .filter(({ file, lines }) => lines > mostLines && longer[file] === undefined)
  expect(long).toEqual([])
})

const rules = ['no-explicit-any', 'no-non-null-assertion', 'ban-ts-comment'].flatMap((rule) => [
  '--deny',
  `typescript/${rule}`,
])
const oxlint = [join(repository, 'node_modules/oxlint/bin/oxlint'), '--allow', 'all', ...rules]

test('the types of the program hold: no any, no `!`, no comment that switches them off', () => {
  execFileSync(process.execPath, [...oxlint, 'src'], { cwd: repository, stdio: 'pipe' })
})

test.each(['const a: any = 1', 'const a = [1].at(0)!', '// @ts-ignore\nconst a = 1'])(
  'that check finds %j',
  (code) => {
    const folder = mkdtempSync(join(tmpdir(), 'house-'))
    writeFileSync(join(folder, 'bad.ts'), `${code}\nexport { a }\n`)
    const { status } = spawnSync(process.execPath, [...oxlint, folder])
    rmSync(folder, { recursive: true })
    expect(status).toBe(1)
  },
)

test('no cast goes over unknown, and no checker is told to look away', () => {
  const ways = /\bas unknown as\b|(?:oxlint|eslint)-disable|biome-ignore/
  expect(source.filter((file) => ways.test(textOf(file)))).toEqual([])
})
