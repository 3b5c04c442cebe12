import { expect, test } from 'vitest'
import { allowedBy, readSpecifier } from '../../src/project/python-versions.ts'

/** Specifier -> the first and the last version that it allows, and whether all between them are. */
const specifiers: readonly (readonly [specifier: string, first: string, last: string])[] = [
  ['>=3.9', '3.9', '3.20'],
  ['>= 3.9', '3.9', '3.20'],
  ['>=3.9.2', '3.9', '3.20'],
  ['>3.9', '3.9', '3.20'],
  ['>=3.8,<3.12', '3.8', '3.11'],
  ['>=3.8, <3.12', '3.8', '3.11'],
  ['>=3.8 <3.12', '3.8', '3.11'],
  ['<3.12', '3.6', '3.11'],
  ['<=3.11', '3.6', '3.11'],
  ['<3.12.3', '3.6', '3.12'],
  ['<4', '3.6', '3.20'],
  ['>=2.7,<4', '3.6', '3.20'],
  ['==3.11.*', '3.11', '3.11'],
  ['==3.11', '3.11', '3.11'],
  ['===3.11.4', '3.11', '3.11'],
  ['3.11', '3.11', '3.11'],
  ['3.11.*', '3.11', '3.11'],
  ['~=3.9', '3.9', '3.20'],
  ['~=3.9.2', '3.9', '3.9'],
  ['^3.9', '3.9', '3.20'],
  ['^3.9.1', '3.9', '3.20'],
  ['~3.9', '3.9', '3.9'],
  ['~3.9.2', '3.9', '3.9'],
  ['~3', '3.6', '3.20'],
  ['*', '3.6', '3.20'],
  ['>=3.6.*', '3.6', '3.20'],
  ['>=3.10,<4.0.0a0', '3.10', '3.20'],
]

const allows = (specifier: string) => {
  const read = readSpecifier(specifier)
  return read === undefined ? undefined : allowedBy([read])
}

test.each(specifiers)('%s allows %s to %s', (specifier, first, last) => {
  const [from, to] = [first, last].map((version) => Number(version.slice(2)))
  const all = Array.from({ length: (to ?? 0) - (from ?? 0) + 1 }, (_, index) => `3.${(from ?? 0) + index}`)
  expect(allows(specifier)).toEqual(all)
})

test('single versions are left out, and choices are added up', () => {
  expect(allows('>=3.9,!=3.10.*,<3.13')).toEqual(['3.9', '3.11', '3.12'])
  // Only 3.10.0 is left out.
  expect(allows('>=3.9,!=3.10,<3.12')).toEqual(['3.9', '3.10', '3.11'])
  expect(allows('~3.8 || ~3.10')).toEqual(['3.8', '3.10'])
  expect(allows('3.8.* | ^3.19')).toEqual(['3.8', '3.19', '3.20'])
})

test('several hold together, to the patch', () => {
  const both = (a: string, b: string) => allowedBy([a, b].flatMap((one) => readSpecifier(one) ?? []))
  expect(both('>=3.9', '<3.11')).toEqual(['3.9', '3.10'])
  expect(both('>=3.11.5', '<3.11.3')).toEqual([])
})

test.each(['<3', '>=4', '==2.7.*', '~=2.7'])('%s allows no Python 3', (specifier) => {
  expect(allows(specifier)).toEqual([])
})

test.each(['', ' ', 'three', '>=', '>=3.9,,<x', '||', '3.9 ||', '^', '~=3', 'python3'])(
  '%j is no specifier',
  (specifier) => {
    expect(allows(specifier)).toBeUndefined()
  },
)
