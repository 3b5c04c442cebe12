import { describe, expect, test } from 'vitest'
import { faultsOf } from '../../src/inputs/reading.ts'
import { certificateChain, tlsKey, tlsTogether } from '../../src/inputs/tls.ts'
import type { SiteInputs, TlsInputs } from '../../src/inputs.ts'
import { lockedKey, otherKey, otherPem, overKey, overPem, shopKey, shopPem } from '../config/certificates.ts'

const now = Date.UTC(2026, 10, 22)

/** What is wrong with these inputs together, as sentences. */
function together(tls: Partial<TlsInputs>, domains: readonly string[] = ['shop.example']): readonly string[] {
  const inputs: TlsInputs = {
    mode: 'auto',
    certificate: undefined,
    key: undefined,
    email: undefined,
    staging: false,
    acmeServer: undefined,
    hstsSeconds: 0,
    ...tls,
  }
  const site: SiteInputs = {
    domains,
    static: [],
    maxBodySize: '16m',
    workers: undefined,
    threads: 4,
    timeoutSeconds: 60,
  }
  return tlsTogether(inputs, site, now)
    .flatMap(faultsOf)
    .map(({ cause }) => cause)
}

const value = (reading: ReturnType<typeof tlsKey>) => ('value' in reading ? reading.value : undefined)
const cause = (reading: ReturnType<typeof tlsKey>) => faultsOf(reading)[0]?.cause

describe('the certificate', () => {
  test('is taken with those of its authorities, whatever copying did to it', () => {
    const chain = `${shopPem}\n# and its authority\n${otherPem}`
    const read = value(certificateChain(chain, 'tls-certificate'))
    expect(read?.match(/BEGIN CERTIFICATE/g)).toHaveLength(2)
    for (const damaged of [
      chain.replaceAll('\n', '\r\n'),
      chain.replaceAll('\n', '\\n'),
      chain.replaceAll(/^/gm, '    '),
      Buffer.from(chain).toString('base64'),
      chain.trimEnd(),
    ]) {
      expect(value(certificateChain(damaged, 'tls-certificate'))?.replaceAll('\n', '')).toBe(
        read?.replaceAll('\n', ''),
      )
    }
  })

  test.each([
    ['a key', shopPem + shopKey, '`tls-certificate` holds a private key.'],
    ['nothing of the kind', 'hello', '`tls-certificate` holds no certificate.'],
    [
      'a broken one',
      shopPem.replace(/\n.{64}\n/, '\n'),
      '`tls-certificate` holds a certificate that cannot be read.',
    ],
    ['too many', shopPem.repeat(11), '`tls-certificate` holds 11 certificates.'],
  ])('is refused where it is %s', (_what, text, fault) => {
    expect(cause(certificateChain(text, 'tls-certificate'))).toBe(fault)
  })
})

describe('its key', () => {
  test('is taken in any form, as PKCS#8', () => {
    const read = value(tlsKey(shopKey, 'tls-key'))
    expect(read).toMatch(/^-----BEGIN PRIVATE KEY-----\n/)
    expect(value(tlsKey(shopKey.replaceAll('\n', '\\n'), 'tls-key'))).toBe(read)
    expect(value(tlsKey(read ?? '', 'tls-key'))).toBe(read)
  })

  test.each([
    ['a passphrase', lockedKey, '`tls-key` has a passphrase.'],
    ['a certificate', shopPem, '`tls-key` holds a certificate.'],
    ['something else', 'hello', '`tls-key` is no private key that can be read.'],
  ])('is refused with %s, and never shown', (_what, text, fault) => {
    expect(cause(tlsKey(text, 'tls-key'))).toBe(fault)
  })
})

describe('together', () => {
  const good = { mode: 'provided', certificate: shopPem, key: shopKey } as const

  test('a certificate, its key and the names that it is for are good', () => {
    expect(together(good)).toEqual([])
    expect(together(good, ['shop.example', 'a.shops.example', '192.0.2.1'])).toEqual([])
  })

  test.each<[string, Partial<TlsInputs>, readonly string[]]>([
    ['no certificate', { mode: 'provided', key: shopKey }, ['`tls-certificate` is empty.']],
    ['nothing', { mode: 'provided' }, ['`tls-certificate` is empty.', '`tls-key` is empty.']],
    [
      'another key',
      { ...good, key: otherKey },
      ['`tls-key` does not belong to the first certificate in `tls-certificate`.'],
    ],
    [
      'one that is over',
      { mode: 'provided', certificate: overPem, key: overKey },
      ['`tls-certificate` ended on 2020-04-01.'],
    ],
    [
      'one for other names',
      { mode: 'provided', certificate: otherPem, key: otherKey },
      ['`tls-certificate` is not for shop.example.'],
    ],
    [
      'one that nobody asked for',
      { certificate: shopPem, key: shopKey },
      ['`tls-certificate` is given with `tls` `auto`.', '`tls-key` is given with `tls` `auto`.'],
    ],
    [
      'two authorities',
      { staging: true, acmeServer: 'https://ca.example/dir' },
      ['`tls-staging` is `true` beside `acme-server`.'],
    ],
  ])('%s: refused', (_what, tls, faults) => {
    expect(together(tls)).toEqual(faults)
  })

  test('an address alone has no name that a certificate could be for', () => {
    expect(together(good, ['192.0.2.1'])).toEqual(['`tls` is `provided`, but no `domain` is a name.'])
  })
})
