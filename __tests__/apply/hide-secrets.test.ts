import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { renderEnvFile } from '../../src/config/env-file.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'secrets-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function hidden(env: Readonly<Record<string, string>>, text: string): string {
  writeFileSync(join(folder, 'env'), renderEnvFile(new Map(Object.entries(env)), 252))
  mkdirSync(join(folder, 'files'), { recursive: true })
  const script = join(import.meta.dirname, '../../remote/hide_secrets.py')
  return execFileSync(
    'python3',
    ['-I', script, join(folder, 'env'), join(folder, 'files'), join(folder, 'nothing')],
    { input: text, encoding: 'utf8' },
  )
}

test.each([
  'sesame-open-1',
  `quote's "and" \\backslash $dollar`,
  '  blanks within, and at the ends ',
  'Schlüssel mit ümlaut',
  'a=b=c=d=e',
])('a value of env file is hidden as it is printed: %j', (value) => {
  expect(hidden({ A: 'x', SECRET: value, B: 'y' }, `it is ${value.trim()}, see?\n`)).toBe('it is ***, see?\n')
})

test('each line of one with several is', () => {
  const key = '-----BEGIN KEY-----\nabcdefghijkl\nmnopqrstuvwx\n-----END KEY-----'
  expect(hidden({ KEY: key, AFTER: 'behind-it-all' }, `${key}\nbehind-it-all\n`)).toBe(
    '-----BEGIN KEY-----\n***\n***\n-----END KEY-----\n***\n',
  )
})

test('short values, numbers, words of everybody and the addresses of our own services stay', () => {
  const env = {
    A: 'short',
    PORT: '1234567890',
    MODE: 'production',
    REDIS_URL: 'unix:///run/web-shop.redis/redis.sock?db=0',
  }
  const text = 'short 1234567890 production unix:///run/web-shop.redis/redis.sock?db=0\n'
  expect(hidden(env, text)).toBe(text)
})

test('the longest is taken first, and a line without its end is shown', () => {
  expect(hidden({ A: 'abcdefgh', B: 'abcdefghijklmnop' }, 'abcdefghijklmnop abcdefgh')).toBe('*** ***')
})

test('what lies in secret files is hidden', () => {
  mkdirSync(join(folder, 'files'))
  writeFileSync(join(folder, 'files', 'license'), 'first-line-here\nsecond-line-here\n')
  expect(hidden({}, 'first-line-here and second-line-here\n')).toBe('*** and ***\n')
})
