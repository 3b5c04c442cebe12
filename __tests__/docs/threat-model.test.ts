import { posix } from 'node:path'
import { describe, expect, test } from 'vitest'
import { section, textOf } from './pages.ts'

const file = 'docs/threat-model.md'
const page = textOf(file)
/** Attack, outcome, and what shows it. */
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| ') && !/^\| (?:Attack|---)/.test(line))
  .map((line) => line.slice(2, -2).split(' | '))

test('every table tells attack, outcome and proof', () => {
  const heads = [...page.matchAll(/^(\|.*)\n\| ---/gm)].map(([, head]) => head)
  expect(new Set(heads)).toEqual(new Set(['| Attack | Outcome | Shown by |']))
  expect(rows.filter((cells) => cells.length !== 3)).toEqual([])
  expect(rows.length).toBeGreaterThan(40)
})

describe('each row', () => {
  // That a link leads to a file is shown by links.test.ts.
  test.each(rows)('%s', (_attack, _outcome, shown = '') => {
    if (shown.startsWith('no test yet')) return
    const files = [...shown.matchAll(/\]\(([^)]+)\)/g)].map(([, path = '']) => posix.join('docs', path))
    expect(files).not.toEqual([])
    for (const one of files) {
      expect(one).toMatch(/^__tests__\/.*\.test\.ts$|^script\//)
      if (one.endsWith('.ts')) expect(textOf(one)).toMatch(/\b(?:test(?:\.each|\.skipIf)?[(<]|renderersOn\()/)
    }
  })
})

test('the key is said to be root, in the first section, and what to do about it in the last', () => {
  const [first, last] = [...page.matchAll(/^## .*$/gm)]
    .map(([heading]) => heading)
    .filter((_, at, all) => [0, all.length - 1].includes(at))
  expect(first).toBe('## The deploy key is root on your server')
  expect(last).toBe('## What to do about it')
  const cure = section(page, '## What to do about it')
  expect(
    ['A key of its own', 'from="', 'environment: production', 'required reviewers', 'Pin the action'].filter(
      (one) => !cure.includes(one),
    ),
  ).toEqual([])
})
