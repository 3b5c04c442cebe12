import { describe, expect, test } from 'vitest'
import { renderSite, renderTlsCatchAll } from '../../src/config/nginx.ts'
import { listenTls, nginxVersion, refuseHandshake } from '../../src/config/nginx-tls.ts'
import { siteOf } from './sample.ts'

const tls = {
  certificate: '/etc/letsencrypt/live/web-shop/fullchain.pem',
  key: '/etc/letsencrypt/live/web-shop/privkey.pem',
  names: ['shop.example'],
}

/** The server blocks of a file. */
function servers(text: string): readonly string[] {
  return text.split(/^server \{$/m).slice(1)
}

describe('a site with a certificate', () => {
  test('leads from HTTP to HTTPS, with path and query, but for the authority’s question', () => {
    const [redirect = '', secure = ''] = servers(renderSite(siteOf({ tls })))
    expect(redirect).toContain('listen 80;')
    expect(redirect).toContain('return 301 https://$host$request_uri;')
    expect(redirect).toContain('location ^~ /.well-known/acme-challenge/')
    expect(redirect).not.toContain('proxy_pass')
    expect(secure).toContain(`ssl_certificate ${tls.certificate};`)
    expect(secure).toContain(`ssl_certificate_key ${tls.key};`)
    expect(secure).toContain('proxy_pass http://web-shop;')
    expect(secure).not.toContain('listen 80')
  })

  test('serves names that the certificate is not for over HTTP', () => {
    const [plain = '', redirect = '', secure = ''] = servers(
      renderSite(siteOf({ tls, domains: ['shop.example', 'new.shop.example', '203.0.113.5'] })),
    )
    expect(plain).toContain('server_name new.shop.example 203.0.113.5;')
    expect(plain).toContain('proxy_pass http://web-shop;')
    expect(redirect).toContain('server_name shop.example;')
    expect(secure).toContain('server_name shop.example;')
  })

  test('serves names whose HTTPS is yet to be tested over both, and has no browser insist on it', () => {
    const text = renderSite(siteOf({ tls, domains: ['shop.example', 'new.shop.example'] }), ['shop.example'])
    const [plain = '', secure = '', ...more] = servers(text)
    expect(more).toEqual([])
    expect(plain).toContain('server_name shop.example new.shop.example;')
    expect(plain).toContain('proxy_pass http://web-shop;')
    expect(secure).toContain('server_name shop.example;')
    expect(secure).toContain('proxy_pass http://web-shop;')
    expect(text).not.toContain('return 301')
    expect(text).not.toContain('Strict-Transport-Security')
  })

  test('tells browsers for how long to insist, unless the app does', () => {
    const text = renderSite(siteOf({ tls, hstsSeconds: 86_400 }))
    expect(text).toContain(
      'map $upstream_http_strict_transport_security $web_shop_hsts {\n    \'\' "max-age=86400";',
    )
    expect(text).toContain('add_header Strict-Transport-Security $web_shop_hsts always;')
    expect(renderSite(siteOf())).not.toContain('Strict-Transport-Security')
  })
})

test.each([
  ['1.18.0', 'listen 443 ssl http2;\nlisten [::]:443 ssl http2;\n'],
  ['1.25.0', 'listen 443 ssl http2;\nlisten [::]:443 ssl http2;\n'],
  ['1.25.1', 'listen 443 ssl;\nlisten [::]:443 ssl;\nhttp2 on;\n'],
  ['1.30.6', 'listen 443 ssl;\nlisten [::]:443 ssl;\nhttp2 on;\n'],
])('nginx %s has HTTP/2 in its own words', (version, lines) => {
  expect(listenTls(version, true)).toBe(lines)
})

test('IPv6 is listened on only where there is any', () => {
  expect(listenTls('1.26.0', false, ' default_server')).toBe('listen 443 ssl default_server;\nhttp2 on;\n')
})

test('unknown names are refused without a certificate from nginx 1.19.4 on', () => {
  expect(refuseHandshake('1.19.4')).toBe('ssl_reject_handshake on;\nlocation / {\n    return 421;\n}\n')
  expect(refuseHandshake('1.19.3')).toContain('ssl_certificate /var/lib/flask-deploy/unknown-name.pem;')
  expect(renderTlsCatchAll({ ipv6: true, nginx: '1.22.1' })).toContain('listen 443 ssl http2 default_server;')
  expect(renderTlsCatchAll({ ipv6: true, nginx: '1.18.0' })).toContain('return 444;')
})

test.each([
  ['1.27.3', false],
  ['1.27.4', true],
  ['1.30.6', true],
])('nginx %s keeps connections through a reload: %s', (nginx, kept) => {
  expect(renderSite(siteOf({ nginx })).includes('keepalive_min_timeout')).toBe(kept)
})

test.each([
  ['1.27.3', 'bookworm', '1.27.3'],
  [undefined, 'bookworm', '1.22.1'],
  [undefined, 'jammy', '1.18.0'],
  [undefined, 'forky', '1.30.0'],
  [undefined, 'of-tomorrow', '1.28.3'],
])('where nginx is %s on %s, it is taken for %s', (installed, codename, version) => {
  expect(nginxVersion(installed, codename)).toBe(version)
})
