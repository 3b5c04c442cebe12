import { describe, expect, test } from 'vitest'
import type { CertificateNews } from '../../src/apply/event.ts'
import {
  certificateOver,
  certificateReport,
  certificateWarnings,
  newsWarning,
  unsecured,
  waitsWarning,
} from '../../src/report/certificate.ts'

const DAY = 86_400_000
const now = Date.UTC(2026, 10, 22)
const certificate = (left: number) => ({
  names: ['blog.example.org'],
  issuer: 'Authority',
  from: now - (90 - left) * DAY,
  until: now + left * DAY,
  pem: '',
})

test('the report says for what, by whom and until when', () => {
  expect(certificateReport(certificate(60), now)).toEqual({
    names: ['blog.example.org'],
    issuer: 'Authority',
    until: '2027-01-21T00:00:00.000Z',
    daysLeft: 60,
  })
})

describe('a certificate is warned about', () => {
  const codes = (left: number, by: 'certbot' | 'hand' = 'certbot', on = true) =>
    certificateWarnings(certificate(left), now, { by, on }).map(({ code }) => code)

  test('in its last quarter', () => {
    expect(codes(23)).toEqual([])
    expect(codes(22)).toEqual(['certificate-ends'])
    expect(certificateWarnings(certificate(1), now, { by: 'hand', on: false })).toEqual([
      {
        code: 'certificate-ends',
        text: 'The certificate for blog.example.org ends in 1 day. Put the one that follows into `tls-certificate` and `tls-key`.',
      },
    ])
    // One that is over is an error.
    expect(certificateWarnings(certificate(-2), now, { by: 'certbot', on: true })).toEqual([])
    expect(certificateOver(certificate(-2)).message).toContain('is over, so browsers do not let visitors in')
  })

  test('where nothing renews it, though something should', () => {
    expect(codes(80, 'certbot', false)).toEqual(['certificate-not-renewed'])
    expect(codes(80, 'hand', false)).toEqual([])
  })
})

test('a wait says until when', () => {
  expect(waitsWarning(['a.example'], Date.UTC(2026, 10, 22, 23, 5))).toEqual({
    code: 'certificate-waits',
    text: "The authority refused a certificate for a.example lately, and is asked again by a deploy after 2026-11-22 23:05 UTC. Set the names' records right until then.",
  })
})

test.each<[CertificateNews, string, string | undefined, string]>([
  ['leaf', 'AAAA', undefined, ''],
  ['used', '', undefined, ''],
  ['unused', '', undefined, ''],
  ['astray', 'none', undefined, ''],
  ['astray', 'b.example', 'certificate-astray', 'b.example does not lead to this server'],
  ['unreachable', '', 'certificate-authority-down', 'did not answer the server'],
  ['failed', '', 'certificate-failed', 'letsencrypt.log'],
  ['no-certbot', '', 'certificate-no-certbot', 'apt-get install certbot'],
  ['refused', 'caa', 'certificate-refused', 'forbidden by the domain'],
  ['refused', 'rateLimited', 'certificate-refused', 'too many certificates'],
  ['refused', 'somethingNew', 'certificate-refused', 'it said somethingNew'],
  ['refused', '<b>::error::', 'certificate-refused', 'it said no'],
  ['refused', 'constructor', 'certificate-refused', 'it said constructor'],
])('%s %s is told as %s', (how, detail, code, text) => {
  const warning = newsWarning(how, detail, ['a.example'])
  expect(warning?.code).toBe(code)
  expect(warning?.text ?? '').toContain(text)
})

test('a site that did not answer over HTTPS names the port or the program in the way', () => {
  expect(unsecured({ code: 'unreachable', detail: 'It refused.' }).cure).toContain('Open port 443')
  expect(unsecured({ code: 'not-http', detail: 'x' }).cure).toContain('ss -ltnp')
  expect(unsecured({ code: 'tls', detail: 'x' }).cure).toContain('NODE_EXTRA_CA_CERTS')
  expect(unsecured(undefined).cause).toBe('The site did not answer well over HTTPS, so it stays as it was.')
})
