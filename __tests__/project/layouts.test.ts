import { describe, expect, test } from 'vitest'
import { DeployError } from '../../src/errors.ts'
import { type FoundApp, findApps } from '../../src/project/app.ts'
import { findDeclared } from '../../src/project/declared.ts'
import type { AppTarget } from '../../src/project/project.ts'
import { folders, type Layout, places, procfiles, questions, starters } from './layouts.ts'
import { tree } from './trees.ts'

const spelled = ({ module, expression }: AppTarget): string => `${module}:${expression}`

/** What was found, or the question. */
function found(layout: Layout): FoundApp | DeployError {
  try {
    return findApps(tree(layout.files), undefined)
  } catch (error) {
    if (error instanceof DeployError) return error
    throw error
  }
}

describe.each([
  ['places', places],
  ['folders', folders],
  ['Procfile', procfiles],
  ['starters', starters],
  ['questions', questions],
])('%s', (_, layouts) => {
  test.each(layouts)('$name', (layout) => {
    const app = found(layout)
    if (app instanceof DeployError) {
      expect([app.code, app.message]).toEqual([
        layout.asks?.[0],
        expect.stringContaining(layout.asks?.[1] ?? '\0'),
      ])
      return
    }
    expect(spelled(app.target)).toBe(layout.target)
    expect(app.target.path[0]).toBe(layout.base ?? '')
    expect(app.target.path).toContain('')
    if (layout.because !== undefined) expect(app.target.reason).toContain(layout.because)
    if (layout.others !== undefined) expect(app.others.map(spelled)).toEqual(layout.others)

    const said = { releaseCommand: false, processes: false }
    const { declared, warnings } = findDeclared(tree(layout.files), app.folder, said)
    expect(declared.releaseCommand?.text).toBe(layout.release)
    expect(Object.fromEntries(declared.processes)).toEqual(layout.processes ?? {})
    expect(declared.workerClass).toBe(layout.workerClass)
    expect(warnings.map((one) => one.code)).toEqual(layout.warnings ?? [])
  })
})

test('there are at least 50 layouts, each of its own name', () => {
  const all = [...places, ...folders, ...procfiles, ...starters, ...questions].map((one) => one.name)
  expect(all.length).toBeGreaterThanOrEqual(50)
  expect(new Set(all).size).toBe(all.length)
})
