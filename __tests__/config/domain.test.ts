import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readDomain } from '../../src/config/domain.ts'
import { errorOf, outcome } from './sample.ts'

test.each([
  ['example.com', 'name', 'example.com'],
  ['EXAMPLE.com.', 'name', 'example.com'],
  ['localhost', 'name', 'localhost'],
  ['my_app.example.com', 'name', 'my_app.example.com'],
  ['bücher.example', 'name', 'xn--bcher-kva.example'],
  ['BÜCHER.example', 'name', 'xn--bcher-kva.example'],
  ['例え.テスト', 'name', 'xn--r8jz45g.xn--zckzah'],
  ['xn--bcher-kva.example', 'name', 'xn--bcher-kva.example'],
  ['203.0.113.7', 'ipv4', '203.0.113.7'],
  ['2001:DB8::1', 'ipv6', '2001:db8::1'],
  ['[2001:db8:0:0::1]', 'ipv6', '2001:db8::1'],
  ['_', 'any', '_'],
])('%s is read', (given, kind, text) => {
  expect(readDomain(given)).toEqual({ kind, text })
})

describe('refused', () => {
  test.each([
    ['', 'it is empty'],
    ['https://example.com', 'it is a URL, and only the host is asked for'],
    ['example.com:8080', 'it has a port, and the site is on 80 and 443'],
    ['example.com/shop', 'it has a path'],
    ['*.example.com', 'wildcards are not served'],
    ['two words', 'it has a character that no host name has'],
    ['a;b', 'it has a character that no host name has'],
    ['$host', 'it has a character that no host name has'],
    ['a"b', 'it has a character that no host name has'],
    ['a{b}', 'it has a character that no host name has'],
    ['a%2eb', 'it has a character that no host name has'],
    ['a\nb', 'it has a character that no host name has'],
    ['fe80::1%eth0', 'it has a character that no host name has'],
    ['0x7f.1', 'it is no host name and no address'],
    ['1.2.3', 'it is no host name and no address'],
    ['256.1.1.1', 'it is no host name and no address'],
    ['-a.example', 'it is no host name and no address'],
    [`${'a'.repeat(64)}.example`, 'it is no host name and no address'],
    [`${'a.'.repeat(130)}example`, 'it is no host name and no address'],
  ])('%j', (given, why) => {
    const error = errorOf(() => readDomain(given))
    expect(error.code).toBe('domain-invalid')
    expect(error.explanations[0]).toMatchObject({
      cause: `${JSON.stringify(given)} is not a domain: ${why}.`,
      input: 'domain',
    })
  })
})

test('whatever is read is plain enough for any file', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.domain(), fc.ipV4(), fc.ipV6()), (given) => {
      const plain = expect.stringMatching(/^[a-z0-9_.:-]+$/)
      expect([
        { value: { kind: expect.any(String), text: plain } },
        { refused: 'domain-invalid' },
      ]).toContainEqual(outcome(() => readDomain(given)))
    }),
    { numRuns: 3000 },
  )
})
