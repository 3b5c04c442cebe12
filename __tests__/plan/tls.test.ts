import { describe, expect, test } from 'vitest'
import type { Inputs } from '../../src/inputs.ts'
import { makePlan } from '../../src/plan/plan.ts'
import { certificateNames, presentTls, tlsTask, trustedCertificate } from '../../src/plan/tls.ts'
import type { Facts, StoredCertificate } from '../../src/server/facts.ts'
import { shopKey, shopPem } from '../config/certificates.ts'
import { facts, readyLines, wish } from './sample.ts'

const NOW = Date.UTC(2026, 10, 22)
const DAY = 86_400_000
const LETS_ENCRYPT = 'https://acme-v02.api.letsencrypt.org/directory'
const OWN = '/etc/letsencrypt/live/web-hello/fullchain.pem'

/** A certificate on the server: this app's own, fresh, for example.org, unless told. */
function stored(changes: Partial<StoredCertificate> = {}): StoredCertificate {
  return {
    path: OWN,
    authority: LETS_ENCRYPT,
    names: ['example.org'],
    issuer: "Let's Encrypt (R13)",
    from: NOW - 10 * DAY,
    until: NOW + 80 * DAY,
    pem: 'PEM',
    ...changes,
  }
}

function server(changes: Partial<Facts> = {}): Facts {
  return { ...facts(readyLines), now: NOW, renewal: true, ...changes }
}

function wished(tls: Partial<Inputs['tls']> = {}, domains: readonly string[] = ['example.org']) {
  return wish({ tls: { mode: 'auto', ...tls }, site: { domains } })
}

describe('a certificate is wanted', () => {
  test.each<[readonly string[], readonly string[]]>([
    [
      ['example.org', 'www.example.org'],
      ['example.org', 'www.example.org'],
    ],
    [
      ['bücher.example.org', 'EXAMPLE.org.'],
      ['xn--bcher-kva.example.org', 'example.org'],
    ],
    [['example.org', '203.0.113.5', '2001:db8::1'], ['example.org']],
    [['_'], []],
    [
      [
        'localhost',
        'blog',
        'blog.test',
        'blog.local',
        'a.internal',
        'b.lan',
        'c.home.arpa',
        'a_b.example.org',
      ],
      [],
    ],
  ])('for the real domain names among %j', (domains, names) => {
    expect(certificateNames(wished({}, domains).inputs)).toEqual(names)
  })

  test('for other names too where the authority is one of the user’s own', () => {
    const { inputs } = wished({ acmeServer: 'https://ca.internal/dir' }, ['blog.internal', 'wiki'])
    expect(certificateNames(inputs)).toEqual(['blog.internal', 'wiki'])
  })

  test('for none where HTTPS is off', () => {
    expect(certificateNames(wished({ mode: 'off' }).inputs)).toEqual([])
  })
})

describe('what has to be done', () => {
  const request = (task: ReturnType<typeof tlsTask>) => (task.kind === 'secure' ? task.request : undefined)

  test('without a certificate: one is asked for', () => {
    expect(tlsTask(server(), wished({ email: 'me@example.org' }))).toEqual({
      kind: 'secure',
      tls: { certificate: OWN, key: '/etc/letsencrypt/live/web-hello/privkey.pem', names: ['example.org'] },
      request: {
        lineage: 'web-hello',
        authority: LETS_ENCRYPT,
        names: ['example.org'],
        email: 'me@example.org',
        force: false,
        key: expect.stringMatching(/^[0-9a-f]{16}$/),
      },
      provided: undefined,
    })
  })

  test('with a good one that is used: nothing', () => {
    const used = server({ certificates: [stored()], siteCertificate: OWN })
    expect(tlsTask(used, wished())).toEqual({ kind: 'none' })
  })

  test('with a good one that is not used yet: the switch, and nobody is asked', () => {
    const task = tlsTask(server({ certificates: [stored()] }), wished())
    expect(task).toMatchObject({ kind: 'secure', request: undefined, tls: { certificate: OWN } })
  })

  test.each<[string, Partial<StoredCertificate>, readonly string[], boolean]>([
    ['a name is missing', {}, ['example.org', 'www.example.org'], false],
    ['it has a name too many', { names: ['example.org', 'old.example.org'] }, ['example.org'], false],
    [
      'it comes from another authority',
      { authority: 'https://acme-staging-v02.api.letsencrypt.org/directory' },
      ['example.org'],
      true,
    ],
    ['certbot has lost it', { authority: undefined }, ['example.org'], true],
    ['less than a quarter of its time is left', { until: NOW + 3 * DAY }, ['example.org'], true],
    ['it is over', { until: NOW - DAY }, ['example.org'], true],
  ])('where %s: another is asked for', (_why, certificate, domains, force) => {
    const used = server({ certificates: [stored(certificate)], siteCertificate: OWN })
    expect(request(tlsTask(used, wished({}, domains)))).toMatchObject({ names: domains, force })
  })

  test('with one of the user’s own: it is used, and not replaced', () => {
    const own = stored({
      path: '/etc/letsencrypt/live/example.org/fullchain.pem',
      names: ['*.example.org', 'example.org'],
    })
    const task = tlsTask(server({ certificates: [own] }), wished({}, ['example.org', 'www.example.org']))
    expect(task).toMatchObject({ kind: 'secure', request: undefined, tls: { certificate: own.path } })
    expect(request(tlsTask(server({ certificates: [{ ...own, until: NOW - 1 }] }), wished()))).toBeDefined()
  })

  test('with the one that was handed over: it is a file named by its content', () => {
    const inputs = { mode: 'provided', certificate: shopPem, key: shopKey } as const
    const task = tlsTask(server(), wished(inputs, ['shop.example']))
    expect(task).toMatchObject({ kind: 'secure', provided: shopPem + shopKey, request: undefined })
    const file = task.kind === 'secure' ? task.tls.certificate : ''
    expect(file).toMatch(/^\/etc\/web-hello\/tls-[0-9a-f]{16}\.pem$/)
    const used = server({
      siteCertificate: file,
      certificates: [stored({ path: file, authority: undefined, names: ['shop.example'] })],
    })
    expect(tlsTask(used, wished(inputs, ['shop.example']))).toEqual({ kind: 'none' })
  })

  test('tls-staging and acme-server name the authority', () => {
    expect(request(tlsTask(server(), wished({ staging: true })))?.authority).toMatch(/acme-staging-v02/)
    expect(request(tlsTask(server(), wished({ acmeServer: 'https://ca.example/dir' })))?.authority).toBe(
      'https://ca.example/dir',
    )
  })
})

describe('after a refusal', () => {
  const key = (task: ReturnType<typeof tlsTask>) => (task.kind === 'secure' ? (task.request?.key ?? '') : '')
  const refused = (count: number, hoursAgo: number, request = key(tlsTask(server(), wished()))) => {
    const at = NOW / 1000 - hoursAgo * 3600
    return {
      ...facts([...readyLines, 'state generation 1', `state refused ${count} ${at} ${request}`]),
      now: NOW,
    }
  }

  test.each([
    [1, 0.9, 'waits'],
    [1, 1, 'secure'],
    [2, 1.9, 'waits'],
    [2, 2, 'secure'],
    [5, 15.9, 'waits'],
    [5, 16, 'secure'],
    [20, 7 * 24 - 1, 'waits'],
    [20, 7 * 24, 'secure'],
  ])('number %i, %d hours ago: %s', (count, hours, kind) => {
    expect(tlsTask(refused(count, hours), wished()).kind).toBe(kind)
  })

  test('other names, or another authority, are asked for at once', () => {
    expect(tlsTask(refused(3, 0), wished({}, ['other.example.org'])).kind).toBe('secure')
    expect(tlsTask(refused(3, 0), wished({ staging: true })).kind).toBe('secure')
  })

  test('a clock that was put back locks nobody out', () => {
    expect(tlsTask(refused(1, -1), wished()).kind).toBe('secure')
  })
})

describe('a site that has HTTPS', () => {
  const used = server({ certificates: [stored({ until: NOW - DAY })], siteCertificate: OWN })

  test('keeps it, even with a certificate that is over, but where it is switched off', () => {
    expect(presentTls(used, wished().inputs)?.names).toEqual(['example.org'])
    expect(presentTls(used, wished({ mode: 'off' }).inputs)).toBeUndefined()
  })

  test('is tested with the certificate that it has: by sight where it is over, or was handed over', () => {
    const smoke = (certificates: readonly StoredCertificate[]) => {
      const wanted = wish({
        tls: { mode: 'auto', acmeServer: 'https://ca.internal/dir' },
        behaviour: { smokeFrom: 'server' },
      })
      const site = server({ certificates, siteCertificate: certificates[0]?.path })
      const { check, securedCheck, trusted } = makePlan(site, wanted)
      return [
        check.smoke.verify,
        check.smoke.over,
        trusted,
        securedCheck?.smoke.verify,
        securedCheck?.smoke.over,
      ]
    }
    const handed = '/etc/web-hello/tls-0123456789abcdef.pem'
    expect(smoke([stored()])).toEqual([true, false, undefined, true, false])
    expect(smoke([stored({ until: NOW })])).toEqual([false, true, 'PEM', true, false])
    expect(smoke([stored({ path: handed, authority: undefined })])).toEqual([
      false,
      false,
      'PEM',
      true,
      false,
    ])
  })

  test('keeps it for names that no authority gives one for', () => {
    const handed = stored({
      path: '/etc/web-hello/tls-0.pem',
      authority: undefined,
      names: ['blog.internal'],
    })
    const site = server({ certificates: [handed], siteCertificate: handed.path })
    expect(presentTls(site, wished({}, ['blog.internal']).inputs)?.names).toEqual(['blog.internal'])
    expect(tlsTask(site, wished({}, ['blog.internal']))).toEqual({ kind: 'none' })
  })

  test('has it for the names that are in its certificate', () => {
    const { inputs } = wished({}, ['www.example.org', 'example.org', '203.0.113.5'])
    expect(presentTls(used, inputs)?.names).toEqual(['example.org'])
  })

  test('has it through a rollback, which asks nobody', () => {
    const state = [
      'generation 2',
      'owner 4711 someone/hello',
      'current 20261120120000-bbbbbbb',
      'previous 20261119120000-aaaaaaa',
      'release 20261119120000-aaaaaaa b d s -',
      'release 20261120120000-bbbbbbb b d s -',
    ].map((line) => `state ${line}`)
    const site = {
      ...facts([...readyLines, ...state]),
      now: NOW,
      certificates: [stored()],
      siteCertificate: OWN,
    }
    const plan = makePlan(site, wish({ tls: { mode: 'auto' }, inputs: { command: 'rollback' } }))
    expect(plan.check).toMatchObject({
      scheme: 'https',
      smoke: { url: 'https://example.org/', secure: true },
    })
    expect(plan.operations.filter(({ phase }) => phase === 'certificate')).toEqual([])
  })
})

test('only a certificate that an authority of browsers’ may vouch for has to be vouched for', () => {
  const using = (certificate: Partial<StoredCertificate>) =>
    trustedCertificate(
      server({ certificates: [stored(certificate)], siteCertificate: certificate.path ?? OWN }),
    )
  expect(using({})).toBeUndefined()
  expect(using({ authority: 'https://ca.internal/dir' })).toBeUndefined()
  expect(using({ authority: 'https://acme-staging-v02.api.letsencrypt.org/directory' })).toBe('PEM')
  expect(using({ path: '/etc/web-hello/tls-0123456789abcdef.pem', authority: undefined })).toBe('PEM')
  expect(trustedCertificate(server())).toBeUndefined()
})
