import { X509Certificate } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { covers, daysLeft, endsSoon, readCertificate } from '../../src/config/certificate.ts'
import { overPem, shopPem } from './certificates.ts'

describe('a certificate is read', () => {
  test('with its DNS names in lower case, who signed it, and its time', () => {
    expect(readCertificate(overPem)).toEqual({
      names: ['shop.example'],
      issuer: 'Over',
      from: Date.UTC(2020, 0, 1),
      until: Date.UTC(2020, 3, 1),
      pem: overPem,
    })
    const shop = readCertificate(shopPem)
    expect(shop?.names).toEqual(['*.shops.example', 'shop.example', 'www.shop.example'])
    expect(shop?.issuer).toBe('Test Authority (Root 1)')
  })

  test('from DER as well, and from the first of several', () => {
    const der = new X509Certificate(shopPem).raw
    expect(readCertificate(der)).toEqual(readCertificate(shopPem))
    expect(readCertificate(shopPem + overPem)).toEqual(readCertificate(shopPem))
  })

  test.each([
    '',
    'nonsense',
    '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
    Buffer.alloc(0),
  ])('and what is none is nothing: %j', (text) => {
    expect(readCertificate(text)).toBeUndefined()
  })
})

test.each([
  ['shop.example', true],
  ['a.shops.example', true],
  ['a.b.shops.example', false],
  ['shops.example', false],
  ['example', false],
  ['xshop.example', false],
])('its names cover %s: %s', (name, yes) => {
  expect(covers({ names: ['*.shops.example', 'shop.example'] }, name)).toBe(yes)
})

test('it ends soon in the last quarter of its time', () => {
  const certificate = { from: 0, until: 100 * 86_400_000 }
  expect(endsSoon(certificate, 75 * 86_400_000)).toBe(false)
  expect(endsSoon(certificate, 75 * 86_400_000 + 1)).toBe(true)
  expect(daysLeft(certificate, 75 * 86_400_000 + 1)).toBe(24)
  expect(daysLeft(certificate, 101 * 86_400_000)).toBe(-1)
})
