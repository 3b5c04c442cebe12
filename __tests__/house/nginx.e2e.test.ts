import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'
import { renderCatchAll, renderSite, renderTlsCatchAll } from '../../src/config/nginx.ts'
import { siteOf } from '../config/sample.ts'
import { ensureTools, installTimeoutMs } from './tools.ts'

const names = ['shop.example', 'www.shop.example', `${'long-'.repeat(8)}name.${'sub.'.repeat(4)}shop.example`]

const tls = {
  certificate: '/etc/letsencrypt/live/web-shop/fullchain.pem',
  key: '/etc/letsencrypt/live/web-shop/privkey.pem',
  names: ['shop.example'],
}

/** All that a server with HTTPS has. */
function secure(nginx: string): string {
  const site = renderSite(siteOf({ tls, nginx, domains: ['shop.example', 'new.shop.example'] }))
  return [renderCatchAll({ ipv6: true }), renderTlsCatchAll({ ipv6: true, nginx }), site].join('\n')
}

describe('gixy', () => {
  let path = ''
  beforeAll(async () => {
    path = await ensureTools('gixy')
  }, installTimeoutMs)

  test.each([
    ['a site of one name', renderSite(siteOf())],
    ['a site of many names, some long, without IPv6', renderSite(siteOf({ domains: names, ipv6: false }))],
    ['a site that answers to every name', renderSite(siteOf({ domains: ['_'] }))],
    ['a site of addresses', renderSite(siteOf({ domains: ['203.0.113.10', '2001:db8::1'] }))],
    [
      'a site with large uploads and slow answers',
      renderSite(siteOf({ maxBodySize: '0', timeoutSeconds: 3600 })),
    ],
    ...['1.22.1', '1.26.0', '1.30.0'].map((nginx): [string, string] => [
      `a site with HTTPS, a name without, and what refuses unknown ones, for nginx ${nginx}`,
      secure(nginx),
    ]),
    ['what answers when nobody else does', renderCatchAll({ ipv6: true })],
    ['a site beside it', `${renderCatchAll({ ipv6: true })}\n${renderSite(siteOf())}`],
  ])('finds nothing wrong with %s', async (_, site) => {
    expect(await findings(site)).toEqual([])
  })

  test('finds one header missing for nginx 1.18, from an answer that is none: the connection is closed', async () => {
    expect(await findings(secure('1.18.0'))).toEqual(['hsts_header'])
  })

  test('finds what is wrong', async () => {
    const site =
      'server { listen 80; location /i { alias /srv/app/static/; } location / { return 302 http://$host$uri; } }'
    expect(await findings(site)).toEqual(expect.arrayContaining(['alias_traversal', 'http_splitting']))
  })

  /** The names of what gixy finds in a site that nginx includes. */
  async function findings(site: string): Promise<readonly string[]> {
    const folder = mkdtempSync(join(tmpdir(), 'gixy-'))
    try {
      const file = join(folder, 'nginx.conf')
      writeFileSync(file, `user www-data;\nevents {}\nhttp {\ninclude site.conf;\n}\n`)
      writeFileSync(join(folder, 'site.conf'), site)
      const run = promisify(execFile)('gixy', ['--format', 'json', file], {
        env: { ...process.env, PATH: path },
      })
      // It ends with 1 where it finds something.
      const { stdout } = await run.catch((error: { readonly stdout: string }) => error)
      const found: readonly { readonly plugin: string }[] = JSON.parse(stdout)
      return found.map(({ plugin }) => plugin)
    } finally {
      rmSync(folder, { recursive: true })
    }
  }
})
