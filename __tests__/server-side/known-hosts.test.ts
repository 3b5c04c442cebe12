import { execFileSync } from 'node:child_process'
import { createHmac, randomBytes } from 'node:crypto'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { entriesFor, nameInKnownHosts, parseKnownHosts } from '../../src/server/known-hosts.ts'
import { keyPair } from './ssh-server.ts'

const { line: key } = keyPair('ed25519')
const hashed = (name: string) => {
  const salt = randomBytes(20)
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`
}
const speaks = (names: string, host: string, port = 22) =>
  entriesFor(parseKnownHosts(`${names} ${key}`).entries, host, port).length > 0

describe('a line speaks of a server', () => {
  test.each([
    ['example.com', 'example.com', 22, true],
    ['example.com', 'EXAMPLE.com', 22, true],
    ['EXAMPLE.com', 'example.com', 22, true],
    ['example.com', 'example.org', 22, false],
    ['example.com,203.0.113.5', '203.0.113.5', 22, true],
    ['*.example.com', 'www.example.com', 22, true],
    ['*.example.com', 'example.com', 22, false],
    ['192.0.2.?', '192.0.2.7', 22, true],
    ['192.0.2.?', '192.0.2.17', 22, false],
    ['*.example.com,!bad.example.com', 'good.example.com', 22, true],
    ['*.example.com,!bad.example.com', 'bad.example.com', 22, false],
    ['!bad.example.com', 'good.example.com', 22, false],
    ['[example.com]:2222', 'example.com', 2222, true],
    ['[example.com]:2222', 'example.com', 22, false],
    ['[example.com]:2222', 'example.com', 2200, false],
    // As ssh does: a key pinned for the host is good for its other ports.
    ['example.com', 'example.com', 2222, true],
    ['[*.example.com]:2222', 'www.example.com', 2222, true],
    ['2001:db8::1', '2001:db8::1', 22, true],
    ['[2001:db8::1]:2222', '2001:db8::1', 2222, true],
    ['exampleXcom', 'example.com', 22, false],
    ['*', 'anything', 22, true],
  ])('%s and %s:%d: %s', (names, host, port, expected) => {
    expect(speaks(names, host, port)).toBe(expected)
  })

  test('hashed names', () => {
    expect(speaks(hashed('example.com'), 'example.com')).toBe(true)
    expect(speaks(hashed('example.com'), 'Example.COM')).toBe(true)
    expect(speaks(hashed('example.com'), 'example.org')).toBe(false)
    expect(speaks(hashed('[example.com]:2222'), 'example.com', 2222)).toBe(true)
    expect(speaks(hashed('[example.com]:2222'), 'example.com')).toBe(false)
  })

  test('a pattern made to be slow is not', () => {
    const started = performance.now()
    expect(speaks(`${'*a'.repeat(500)}b`, 'a'.repeat(5000))).toBe(false)
    expect(performance.now() - started).toBeLessThan(1000)
  })
})

test('the port of a line of its own wins over the plain name', () => {
  const other = keyPair('ed25519').line
  const { entries } = parseKnownHosts(`example.com ${key}\n[example.com]:2222 ${other}\n`)
  expect(entriesFor(entries, 'example.com', 2222).map(({ line }) => line)).toEqual([2])
  expect(entriesFor(entries, 'example.com', 22).map(({ line }) => line)).toEqual([1])
})

test('comments, empty lines, tabs, line ends and a byte order mark are no trouble', () => {
  const text = `\uFEFF# example.com:22 SSH-2.0-OpenSSH_9.2\r\n\r\n  example.com\t${key} a comment of words\r\n`
  const { entries, faults } = parseKnownHosts(text)
  expect(faults).toEqual([])
  expect(entries).toMatchObject([{ line: 3, names: 'example.com', type: 'ssh-ed25519', marker: undefined }])
})

test('markers', () => {
  const { entries } = parseKnownHosts(`@revoked * ${key}\n@cert-authority *.example.com ${key}\n`)
  expect(entries.map(({ marker }) => marker)).toEqual(['revoked', 'cert-authority'])
})

describe('a line that pins nothing is an error that names it', () => {
  const [type = '', base64 = ''] = key.split(' ')
  test.each([
    ['a fingerprint', 'SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU', 'is a fingerprint'],
    ['a key without a name', key, 'without a host name'],
    ['an unknown marker', `@trusted example.com ${key}`, 'has a marker'],
    ['a cut key', `example.com ${type}`, 'cannot be read'],
    ['a foreign type', `example.com ssh-rsa ${base64}`, 'cannot be read'],
    ['no base64', `example.com ${type} AAAA***`, 'cannot be read'],
    ['words', 'hello world', 'cannot be read'],
    ['a bad hash', `|1|oops ${key}`, 'hashed name'],
    ['a key without its last characters', `example.com ${type} ${base64.slice(0, -8)}`, 'cut off'],
    ['a cut line of an authority', `@cert-authority * ${type} ${base64.slice(0, -4)}`, 'cut off'],
    ['two lines in one', `example.com ${type} ${base64}${base64}`, 'cut off'],
  ])('%s', (_name, line, said) => {
    const { entries, faults } = parseKnownHosts(`# first\n${line}\n`)
    expect(entries).toEqual([])
    expect(faults).toHaveLength(1)
    expect(faults[0]?.cause).toContain('Line 2 of `known-hosts`')
    expect(faults[0]?.cause).toContain(said)
    expect(faults[0]?.input).toBe('known-hosts')
  })
})

test('a key of a type that cannot be checked is no fault: a newer ssh writes it beside the others', () => {
  const type = 'ssh-mldsa44-ed25519'
  const blob = Buffer.concat([Buffer.from([0, 0, 0, type.length]), Buffer.from(type), Buffer.alloc(40)])
  const { entries, faults } = parseKnownHosts(
    `example.com ${type} ${blob.toString('base64')}\nexample.com ${key}`,
  )
  expect(faults).toEqual([])
  expect(entries.map((entry) => entry.type)).toEqual([type, 'ssh-ed25519'])
})

test('ssh-keygen -F finds the same lines', () => {
  const names = [
    'example.com',
    'a.example.com,b.example.com',
    '*.example.net',
    '*.example.net,!no.example.net',
    '[example.com]:2222',
    '192.0.2.*',
    hashed('example.org'),
    hashed('[example.org]:2222'),
  ]
  const file = join(mkdtempSync(join(tmpdir(), 'known-')), 'known_hosts')
  const text = names.map((one) => `${one} ${key}\n`).join('')
  writeFileSync(file, text)
  const { entries } = parseKnownHosts(text)
  for (const [host, port] of [
    ['example.com', 22],
    ['b.example.com', 22],
    ['www.example.net', 22],
    ['no.example.net', 22],
    ['example.com', 2222],
    ['192.0.2.9', 22],
    ['example.org', 22],
    ['example.org', 2222],
    ['nobody.example', 22],
  ] as const) {
    const name = nameInKnownHosts(host, port)
    let found = ''
    try {
      found = execFileSync('ssh-keygen', ['-F', name, '-f', file], { encoding: 'utf8', stdio: 'pipe' })
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return
    }
    const lines = [...found.matchAll(/found: line (\d+)/g)].map((match) => Number(match[1]))
    const ours = entriesFor(entries, host, port).map(({ line }) => line)
    expect({ name, lines: ours }).toEqual({ name, lines })
  }
})
