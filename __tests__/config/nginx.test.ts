import { describe, expect, test } from 'vitest'
import { renderCatchAll, renderSite } from '../../src/config/nginx.ts'
import { errorOf, siteOf } from './sample.ts'

test('the whole site', async () => {
  await expect(renderSite(siteOf())).toMatchFileSnapshot('site.expected.conf')
})

test('the site for names that nobody serves', async () => {
  await expect(renderCatchAll({ ipv6: true })).toMatchFileSnapshot('catch-all.expected.conf')
})

test('without IPv6 in the kernel nothing listens on it', () => {
  expect(renderSite(siteOf({ ipv6: false })) + renderCatchAll({ ipv6: false })).not.toContain('[::]')
})

describe('server names', () => {
  const names = (...domains: string[]) => /server_name (.*);/.exec(renderSite(siteOf({ domains })))?.[1]

  test('are written as nginx compares them', () => {
    expect(names('Shop.example', 'bücher.example', '203.0.113.7', '2001:DB8::1')).toBe(
      'shop.example xn--bcher-kva.example 203.0.113.7 [2001:db8::1]',
    )
  })

  test('are written once', () => {
    expect(names('shop.example', 'SHOP.example.')).toBe('shop.example')
  })

  test('a long one is a pattern, so that no setting of the server’s has to be raised', () => {
    const long = `${'a'.repeat(40)}.example`
    expect(names(`${'a'.repeat(38)}.example`)).toBe(`${'a'.repeat(38)}.example`)
    expect(names(long)).toBe(`~^${'a'.repeat(40)}\\.example$`)
  })

  test('`_` answers every name', () => {
    const text = renderSite(siteOf({ domains: ['_', 'shop.example'] }))
    expect(text).toContain(
      '    listen 80 default_server;\n    listen [::]:80 default_server;\n    server_name shop.example;',
    )
    expect(names('_')).toBe('_')
  })

  test('that could end the line are refused', () => {
    expect(errorOf(() => names('a; return 200 x')).code).toBe('domain-invalid')
  })
})

test('two apps share no name in nginx', () => {
  const own = (name: string) =>
    [...renderSite(siteOf({ name })).matchAll(/(?:^upstream |^map \S+ )(\S+)/gm)].map((found) => found[1])
  expect(own('a-b')).toHaveLength(8)
  expect(own('a-b').filter((name) => own('a').includes(name))).toEqual([])
})

test('nginx waits longer than gunicorn', () => {
  expect(renderSite(siteOf({ timeoutSeconds: 120 }))).toContain('proxy_read_timeout 135s;')
})

test.each(['', '16mb', '1.5m', '-1', '16m; x', '16m\n'])('%j is no size', (maxBodySize) => {
  expect(() => renderSite(siteOf({ maxBodySize }))).toThrow(RangeError)
})
