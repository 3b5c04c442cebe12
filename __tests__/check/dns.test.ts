import { describe, expect, test } from 'vitest'
import { type AddressResolver, domainAddresses, pointsAt } from '../../src/check/dns.ts'
import { proxyOf } from '../../src/check/proxies.ts'

const fails = (code: string) => () => Promise.reject(Object.assign(new Error(code), { code }))
const says =
  (...addresses: string[]) =>
  () =>
    Promise.resolve(addresses)
const none = fails('ENODATA')
const resolver = (
  resolve4: AddressResolver['resolve4'],
  resolve6: AddressResolver['resolve6'] = none,
): AddressResolver => ({ resolve4, resolve6 })

describe('the addresses of a domain', () => {
  test('of both families', async () => {
    const found = await domainAddresses('example.com', resolver(says('203.0.113.5'), says('2001:db8::5')))
    expect(found).toEqual({ addresses: ['2001:db8::5', '203.0.113.5'], failed: false })
  })
  test('there are none', async () => {
    const found = await domainAddresses('example.com', resolver(fails('ENOTFOUND'), fails('ENOTFOUND')))
    expect(found).toEqual({ addresses: [], failed: false })
  })
  test('the name server fails', async () => {
    const found = await domainAddresses('example.com', resolver(fails('ESERVFAIL'), none))
    expect(found).toEqual({ addresses: [], failed: true })
  })
  test('one family is enough', async () => {
    const found = await domainAddresses('example.com', resolver(says('203.0.113.5'), fails('ESERVFAIL')))
    expect(found).toEqual({ addresses: ['203.0.113.5'], failed: false })
  })
  test('the name server is silent: given up in time', async () => {
    const silent = () => new Promise<string[]>(() => {})
    const found = await domainAddresses('example.com', resolver(silent, silent), 20)
    expect(found).toEqual({ addresses: [], failed: true })
  })
  test('an IP address is its own', async () => {
    const never = resolver(fails('not asked'))
    expect(await domainAddresses('203.0.113.5', never)).toEqual({ addresses: ['203.0.113.5'], failed: false })
  })
  test('a name with other letters is asked for as DNS has it', async () => {
    const asked: string[] = []
    await domainAddresses(
      'bücher.example',
      resolver((name) => {
        asked.push(name)
        return Promise.resolve([])
      }),
    )
    expect(asked).toEqual(['xn--bcher-kva.example'])
  })
})

describe('a domain that leads', () => {
  const found = (...addresses: string[]) => ({ addresses, failed: false })
  const server = ['203.0.113.5']

  test('to the server: no warning', () => {
    expect(pointsAt('example.com', found('203.0.113.5'), server)).toBeUndefined()
  })
  test('to the server, and by IPv6 to what is not known of it: no warning', () => {
    expect(pointsAt('example.com', found('203.0.113.5', '2001:db8::5'), server)).toBeUndefined()
  })
  test('to the server in another spelling: no warning', () => {
    expect(pointsAt('example.com', found('2001:db8::5'), ['2001:DB8:0:0::5'])).toBeUndefined()
    expect(pointsAt('example.com', found('203.0.113.5'), ['::ffff:203.0.113.5'])).toBeUndefined()
  })
  test('nowhere: the record to set', () => {
    const warning = pointsAt('example.com', found(), server)
    expect(warning?.cure).toBe('Set the record example.com. A 203.0.113.5.')
    expect(warning?.input).toBe('domain')
  })
  test('elsewhere: where, and the record to set', () => {
    const warning = pointsAt('example.com', found('192.0.2.9'), server)
    expect(warning?.cause).toContain('192.0.2.9')
    expect(warning?.cure).toContain('the record example.com. A 203.0.113.5')
  })
  test('to the server and elsewhere: the record to remove', () => {
    const warning = pointsAt('example.com', found('203.0.113.5', '192.0.2.9'), server)
    expect(warning?.cure).toContain('Remove the record example.com. A 192.0.2.9')
  })
  test('by IPv6 elsewhere: the record to remove', () => {
    const warning = pointsAt('example.com', found('203.0.113.5', '2001:db8::9'), [...server, '2001:db8::5'])
    expect(warning?.cure).toContain('AAAA 2001:db8::9')
  })
  test('only by a family that the server is not known to have', () => {
    expect(pointsAt('example.com', found('2001:db8::9'), server)?.cause).toContain('only IPv6')
  })
  test('to Cloudflare: said so, nothing has to change', () => {
    const warning = pointsAt('example.com', found('104.21.3.4', '172.67.1.2'), server)
    expect(warning?.cause).toContain('Cloudflare')
    expect(warning?.cure).toContain('Nothing has to change')
  })
  test('nobody knows where: no warning', () => {
    expect(pointsAt('example.com', { addresses: [], failed: true }, server)).toBeUndefined()
    expect(pointsAt('203.0.113.9', found('203.0.113.9'), server)).toBeUndefined()
  })
})

test.each([
  ['104.16.0.1', 'Cloudflare'],
  ['173.245.63.255', 'Cloudflare'],
  ['2606:4700:3030::1', 'Cloudflare'],
  ['203.0.113.5', undefined],
  ['2001:db8::1', undefined],
  ['no address', undefined],
])('%s belongs to %s', (address, proxy) => {
  expect(proxyOf(address)).toBe(proxy)
})
