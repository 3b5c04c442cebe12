import { describe, expect, test } from 'vitest'
import { type Entry, indexEntries, sortedByBytes } from '../../src/project/entry.ts'

const file = (path: string): Entry => ({ kind: 'file', path, executable: false, location: '', size: 0 })
const link = (path: string, target: string): Entry => ({ kind: 'link', path, target })

describe('resolve', () => {
  const { resolve } = indexEntries([
    file('a/b/c.txt'),
    file('top.txt'),
    link('to-file', 'a/b/c.txt'),
    link('to-folder', 'a/b'),
    link('a/up', '../top.txt'),
    link('a/root', '..'),
    link('out', '../elsewhere'),
    link('a/out', '../../elsewhere'),
    link('absolute', '/etc/passwd'),
    link('windows', 'C:/x'),
    link('gone', 'nowhere'),
    link('one', 'two'),
    link('two', 'one'),
    link('twice', 'to-folder/c.txt'),
  ])

  test.each([
    ['a/b/c.txt', { kind: 'file', path: 'a/b/c.txt' }],
    ['./a//b/../b/c.txt', { kind: 'file', path: 'a/b/c.txt' }],
    ['', { kind: 'folder', path: '' }],
    ['a', { kind: 'folder', path: 'a' }],
    ['a/b', { kind: 'folder', path: 'a/b' }],
    ['to-file', { kind: 'file', path: 'a/b/c.txt' }],
    ['to-folder', { kind: 'folder', path: 'a/b' }],
    ['to-folder/c.txt', { kind: 'file', path: 'a/b/c.txt' }],
    ['twice', { kind: 'file', path: 'a/b/c.txt' }],
    ['a/up', { kind: 'file', path: 'top.txt' }],
    ['a/root/top.txt', { kind: 'file', path: 'top.txt' }],
    ['..', { kind: 'outside' }],
    ['out', { kind: 'outside' }],
    ['out/x', { kind: 'outside' }],
    ['a/out', { kind: 'outside' }],
    ['absolute', { kind: 'outside' }],
    ['windows', { kind: 'outside' }],
    ['gone', { kind: 'missing' }],
    ['one', { kind: 'missing' }],
    ['top.txt/x', { kind: 'missing' }],
    ['A', { kind: 'missing' }],
  ])('%j', (path, expected) => {
    expect(resolve(path)).toEqual(expected)
  })
})

test('paths sort by the bytes of UTF-8, not by UTF-16 units or a locale', () => {
  expect(sortedByBytes(['é', 'b', '\u{1F600}', '\u{FFEE}', 'B', 'a-b', 'a/b'])).toEqual([
    ...['B', 'a-b', 'a/b', 'b', 'é', '\u{FFEE}', '\u{1F600}'],
  ])
})
