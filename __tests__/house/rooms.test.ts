import { dirname, posix } from 'node:path'
import { expect, test } from 'vitest'
import { projectFiles, textOf } from './files.ts'

/*
 * Which room of src/ may know which. Calls point one way: config calls nobody, plan only what renders, report and the files in
 * src/ itself, which tie it all together, may call the most. A file in src/ is a room of its own. A value is code that is
 * called; a type is gone when the program runs.
 */

/** What everybody may use: these know nobody. */
const common = ['errors', 'limits', 'phases', 'quote', 'text']

/** Room -> the rooms whose code it calls, and those of which it knows types only. */
const rooms: Readonly<
  Record<string, { readonly values: readonly string[]; readonly types: readonly string[] }>
> = {
  config: { values: [], types: ['project'] },
  project: { values: [], types: ['inputs.ts'] },
  server: { values: ['config'], types: [] },
  inputs: { values: ['config', 'project', 'server'], types: ['inputs.ts'] },
  plan: { values: ['config', 'remote'], types: ['inputs.ts', 'project', 'server'] },
  check: { values: [], types: ['apply', 'inputs.ts', 'plan', 'report'] },
  apply: { values: ['config', 'plan', 'remote', 'server'], types: ['project'] },
  wheels: { values: ['plan'], types: ['project', 'server'] },
  report: {
    values: ['apply', 'config', 'outputs', 'secrets', 'server'],
    types: ['check', 'inputs.ts', 'plan', 'project'],
  },
}

/** The files of src/ that know a room only by its types, or no room at all. */
const leaves = ['errors', 'inputs.ts', 'limits', 'outputs', 'phases', 'quote', 'remote', 'text']

const files = projectFiles('src')

test.each(Object.entries(rooms))('%s knows no more rooms than it has to', (room, { values, types }) => {
  const uses = files.filter((file) => roomOf(file) === room).flatMap(imports)
  const called = [...new Set(uses.filter((one) => one.value).map((one) => one.room))]
  const known = [...new Set(uses.map((one) => one.room))]
  const others = (list: readonly string[]) =>
    list.filter((one) => one !== room && !common.includes(one)).sort()
  expect(others(called)).toEqual(others(values))
  expect(others(known)).toEqual(others([...values, ...types]))
})

test('the rooms that are not listed are single files of src/', () => {
  const folders = new Set(files.filter((file) => file.split('/').length > 2).map(roomOf))
  expect([...folders].sort()).toEqual(Object.keys(rooms).sort())
})

test.each(leaves)('%s calls no room', (leaf) => {
  const file = `src/${leaf.replace(/\.ts$/, '')}.ts`
  const called = imports(file).filter((one) => one.value)
  expect(called).toEqual([])
})

test('no two files import each other, by whatever way round', () => {
  const graph = new Map(
    files.map((file) => [file, imports(file).flatMap((one) => (one.value ? [one.file] : []))]),
  )
  const done = new Set<string>()
  const circle = (file: string, way: readonly string[]): readonly string[] | undefined => {
    if (way.includes(file)) return [...way.slice(way.indexOf(file)), file]
    if (done.has(file)) return undefined
    for (const next of graph.get(file) ?? []) {
      const found = circle(next, [...way, file])
      if (found !== undefined) return found
    }
    done.add(file)
    return undefined
  }
  expect(files.map((file) => circle(file, [])).find((found) => found !== undefined)).toBeUndefined()
})

test('GitHub is spoken to at the edges only', () => {
  const edges = files.filter((file) => textOf(file).includes("from '@actions/core'"))
  expect(edges).toEqual(['src/main.ts', 'src/read-inputs.ts', 'src/report/publish.ts'])
})

/** A file's room: its folder below src/, or its own name where it lies in src/ (`inputs.ts` is not the folder inputs/). */
function roomOf(file: string): string {
  const [, first = '', rest] = file.split('/')
  if (rest !== undefined) return first
  return first === 'inputs.ts' ? first : first.replace(/\.ts$/, '')
}

/** What a file imports of src/. */
function imports(
  file: string,
): readonly { readonly file: string; readonly room: string; readonly value: boolean }[] {
  const statements = textOf(file).matchAll(/^(?:import|export)\s([^'";]*?)from '(\.[^']+)'/gm)
  return Array.from(statements, ([, what = '', path = '']) => {
    const target = posix.join(dirname(file), path)
    const names = /\{([^}]*)\}/
      .exec(what)?.[1]
      ?.split(',')
      .map((name) => name.trim()) ?? [what]
    const value = !what.startsWith('type ') && names.some((name) => name !== '' && !name.startsWith('type '))
    return { file: target, room: roomOf(target), value }
  })
}
