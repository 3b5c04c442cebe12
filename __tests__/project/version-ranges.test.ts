import { describe, expect, test } from 'vitest'
import { markerText } from '../../src/project/markers.ts'
import {
  compareVersions,
  isWithin,
  pythonMarker,
  readRanges,
  specifier,
} from '../../src/project/version-ranges.ts'

const spelt = (text: string) => {
  const ranges = readRanges(text)
  return ranges === undefined ? 'none' : specifier(ranges)
}

describe("Poetry's constraints as PEP 440 has them", () => {
  test.each([
    ['*', ''],
    ['', ''],
    ['^1.2.3', '>=1.2.3,<2.0'],
    ['^1', '>=1,<2.0'],
    ['^0.2.3', '>=0.2.3,<0.3'],
    ['^0.0.3', '>=0.0.3,<0.0.4'],
    ['^0.0', '>=0.0,<0.1'],
    ['^0', '>=0,<1.0'],
    ['~1.2.3', '>=1.2.3,<1.3'],
    ['~1.2', '>=1.2,<1.3'],
    ['~1', '>=1,<2.0'],
    ['1.2.*', '==1.2.*'],
    ['1.2.3', '==1.2.3'],
    ['==1.2.3', '==1.2.3'],
    ['>= 1.2, < 3', '>=1.2,<3'],
    ['>=1.2 <3', '>=1.2,<3'],
    ['~=1.4', '~=1.4'],
    ['!=1.5', '!=1.5'],
    ['^1.0 || ^2.5', '>=1.0,<3.0'],
    ['1.2.* | 1.4.*', '>=1.2,<1.5'],
    ['>=1 || <0.5', ''],
    ['^2.0b1', '>=2.0b1,<3.0'],
    ['nonsense', 'none'],
  ])('%j is %j', (text, expected) => {
    expect(spelt(text)).toBe(expected)
  })
})

test.each([
  ['3.0', '>=2.2.5', true],
  ['3.0', '^2', false],
  ['1.10', '>=1.9', true],
  ['1.0.0', '==1', true],
  ['1.0.1', '1.0.*', true],
  ['1.1', '!=1.1.*', false],
  ['1.5', '~=1.4', true],
  ['2.0', '~=1.4', false],
  ['1.4.6', '~=1.4.5', true],
  ['1.5', '~=1.4.5', false],
  ['2.0.1', '^1 || ^2', true],
  ['1.0rc1', '>=1.0', false],
])('%s within %s: %s', (version, text, within) => {
  expect(isWithin(version, readRanges(text) ?? [])).toBe(within)
})

test('versions are in the order of PEP 440', () => {
  const order = [
    '1.0.dev1',
    '1.0a1',
    '1.0alpha2',
    '1.0b1',
    '1.0rc1',
    '1.0',
    '1.0.post1',
    '1.0.1',
    '1.2',
    '1.10',
    '1!0.1',
  ]
  const mixed = order.toSorted((a, b) => (a < b ? 1 : -1))
  expect(mixed.toSorted(compareVersions)).toEqual(order)
  expect(compareVersions('1.0', '1.0.0+local')).toBe(0)
})

test.each([
  ['^3.8', "python_version < '4.0' and python_version >= '3.8'"],
  ['>=3.7.2,<3.12', "python_full_version >= '3.7.2' and python_version < '3.12'"],
  ['3.9', "python_version == '3.9'"],
  ['3.9.*', "python_version == '3.9'"],
  [
    '~3.9 || ~3.11',
    "(python_version < '3.10' and python_version >= '3.9') or (python_version < '3.12' and python_version >= '3.11')",
  ],
  ['*', ''],
  ['<=3.8', "python_full_version <= '3.8'"],
  ['>3.8', "python_full_version > '3.8'"],
])('Python %s as a marker', (text, expected) => {
  expect(markerText(pythonMarker(text))).toBe(expected)
})
