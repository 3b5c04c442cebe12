import { execFile, execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { createServer as createTcpServer, connect as dial, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { type SmokeRequest, smoke } from '../../src/check/smoke.ts'
import { otherKey, otherPem, overKey, overPem, shopKey, shopPem } from '../config/certificates.ts'

const nonce = '0123456789abcdef0123456789abcdef'
const release = '20261122T101500-abcdef0'
const never = new AbortController().signal

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
})

async function listen(server: Server): Promise<number> {
  const sockets: Socket[] = []
  server.on('connection', (socket) => sockets.push(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy()
    return new Promise((resolve) => server.close(resolve))
  })
  const address = server.address()
  return typeof address === 'object' ? (address?.port ?? 0) : 0
}

/** The release's own answer: its ID for whoever knows the nonce. */
function app(status = 200, body = 'hello', id = release): RequestListener {
  return (request, response) => {
    if (request.headers['x-flask-deploy-nonce'] === nonce) response.setHeader('X-Flask-Deploy-Release', id)
    response.statusCode = status
    response.end(body)
  }
}

async function serve(listener: RequestListener) {
  const requests: IncomingMessage[] = []
  const peers: (number | undefined)[] = []
  const port = await listen(
    createServer((request, response) => {
      requests.push(request)
      peers.push(request.socket.remotePort)
      listener(request, response)
    }),
  )
  return { port, requests, peers }
}

const pauses: number[] = []
function check(port: number, more: Partial<SmokeRequest> = {}, signal = never) {
  pauses.length = 0
  return smoke(
    {
      address: '127.0.0.1',
      port,
      url: new URL('http://example.com/shop/?q=1'),
      nonce,
      release,
      expectStatus: undefined,
      explicitPath: false,
      expectText: undefined,
      timeoutMs: 2_000,
      ...more,
    },
    signal,
    async (ms) => void pauses.push(ms),
  )
}

describe('this release answers', () => {
  test('at the address, with the domain as Host, and proves it by its ID', async () => {
    const { port, requests } = await serve(app())
    expect(await check(port)).toMatchObject({ ok: true, status: 200, release, advice: undefined })
    const [request] = requests
    expect(request?.url).toBe('/shop/?q=1')
    expect(request?.headers).toMatchObject({
      host: 'example.com',
      'x-flask-deploy-nonce': nonce,
      'accept-encoding': 'identity',
      connection: 'close',
    })
    expect(requests).toHaveLength(1)
  })
  test('with a 4xx: good by default, with advice', async () => {
    const { port } = await serve(app(404))
    const result = await check(port)
    expect(result.ok && result.advice).toContain('`health-path`')
  })
  test('with a redirect: not followed', async () => {
    const { port, requests } = await serve(app(302))
    expect(await check(port, { explicitPath: true })).toMatchObject({ ok: true, status: 302 })
    expect(requests).toHaveLength(1)
  })
  test('with a page that never ends: not read', async () => {
    const { port } = await serve((request, response) => {
      response.setHeader('X-Flask-Deploy-Release', release)
      response.write('part')
      request.resume()
    })
    expect(await check(port)).toMatchObject({ ok: true })
  })
  test('over a connection that is open already', async () => {
    const { port, peers } = await serve(app())
    const preconnect = dial({ port, host: '127.0.0.1' })
    await new Promise((resolve) => preconnect.once('connect', resolve))
    const { localPort } = preconnect
    expect(await check(port, { preconnect })).toMatchObject({ ok: true })
    expect(peers).toEqual([localPort])
    expect(preconnect.destroyed).toBe(true)
  })
  test('though the open connection was closed meanwhile', async () => {
    const { port } = await serve(app())
    const preconnect = dial({ port, host: '127.0.0.1' }).on('error', () => {})
    await new Promise((resolve) => preconnect.once('connect', resolve))
    preconnect.destroy()
    expect(await check(port, { preconnect })).toMatchObject({ ok: true })
    expect(pauses).toEqual([])
  })
})

describe('something else answers', () => {
  test('the old release: named, asked twice', async () => {
    const { port, requests } = await serve(app(200, 'old', '20260101T000000-1111111'))
    const result = await check(port)
    expect(result).toMatchObject({ ok: false, code: 'wrong-release', status: 200 })
    expect(!result.ok && result.detail).toContain('Release 20260101T000000-1111111 answered')
    expect(requests).toHaveLength(2)
    expect(pauses).toEqual([300])
  })
  test('the old release at first, then this one: good', async () => {
    let count = 0
    const { port } = await serve((request, response) =>
      app(200, '', count++ === 0 ? 'older' : release)(request, response),
    )
    expect(await check(port)).toMatchObject({ ok: true })
  })
  test('another site: no ID; its server and redirect are said', async () => {
    const { port } = await serve((_request, response) => {
      response.writeHead(301, { Server: 'cloudy', Location: 'https://elsewhere.example/' })
      response.end()
    })
    const result = await check(port)
    expect(result).toMatchObject({ ok: false, code: 'wrong-release', status: 301 })
    expect(!result.ok && result.detail).toContain('(cloudy) and redirected to https://elsewhere.example/')
  })
  test('nginx itself with 502: the status is the fault', async () => {
    const { port } = await serve((_request, response) => {
      response.writeHead(502, { Server: 'nginx' })
      response.end('Bad Gateway')
    })
    const result = await check(port)
    expect(result).toMatchObject({ ok: false, code: 'status', status: 502 })
    expect(!result.ok && result.detail).toContain('(nginx), not from the app')
  })
  test('no HTTP at all: said once', async () => {
    let count = 0
    const port = await listen(
      createTcpServer((socket) => {
        count += 1
        socket.on('error', () => {}).end('SSH-2.0-OpenSSH_9.2\r\n')
      }),
    )
    expect(await check(port)).toMatchObject({ ok: false, code: 'not-http' })
    expect(count).toBe(1)
  })
})

describe('this release answers badly', () => {
  test.each([
    ['500 by default', 500, {}],
    ['404 on a chosen path', 404, { explicitPath: true }],
    ['200 where 401 is expected', 200, { expectStatus: [[401, 401]] as const }],
  ])('%s', async (_name, status, more) => {
    const { port, requests } = await serve(app(status))
    expect(await check(port, more)).toMatchObject({ ok: false, code: 'status', status })
    expect(requests).toHaveLength(2)
  })
})

describe('expect-text', () => {
  const text = 'größer als Welt'
  test('found', async () => {
    const { port } = await serve(app(200, `<h1>${text}</h1>`))
    expect(await check(port, { expectText: text })).toMatchObject({ ok: true })
  })
  test('found though it comes byte by byte', async () => {
    const { port } = await serve((_request, response) => {
      response.setHeader('X-Flask-Deploy-Release', release)
      const bytes = [...Buffer.from(`<h1>${text}</h1>`)]
      const next = () => {
        const byte = bytes.shift()
        if (byte === undefined) response.end()
        else response.write(Buffer.from([byte]), () => setImmediate(next))
      }
      next()
    })
    expect(await check(port, { expectText: text })).toMatchObject({ ok: true })
  })
  test('not found', async () => {
    const { port } = await serve(app(200, 'something else'))
    const result = await check(port, { expectText: text })
    expect(result).toMatchObject({ ok: false, code: 'text', status: 200 })
  })
  test('behind the first MiB: not found, and the rest is not read', async () => {
    const { port } = await serve((_request, response) => {
      response.setHeader('X-Flask-Deploy-Release', release)
      response.on('error', () => {})
      const pour = () => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536, 'x')));
      }
      response.on('drain', pour)
      pour()
    })
    expect(await check(port, { expectText: text })).toMatchObject({ ok: false, code: 'text' })
  })
})

describe('nobody answers', () => {
  test('a closed port: three tries', async () => {
    const { port } = await serve(app())
    for (const cleanup of cleanups.splice(0)) await cleanup()
    const result = await check(port)
    expect(result).toMatchObject({ ok: false, code: 'unreachable', status: undefined })
    expect(!result.ok && result.detail).toContain('refused')
    expect(pauses).toEqual([300, 300])
  })
  test('connections that are cut: three tries, or as many as asked for', async () => {
    const port = await listen(createTcpServer((socket) => socket.destroy()))
    expect(await check(port)).toMatchObject({ ok: false, code: 'unreachable' })
    expect(pauses).toHaveLength(2)
    await check(port, { attempts: 1 })
    expect(pauses).toHaveLength(0)
  })
  test('a request that hangs ends in time', async () => {
    const { port } = await serve(() => {})
    const result = await check(port, { timeoutMs: 50, attempts: 1 })
    expect(result).toMatchObject({ ok: false, code: 'timeout' })
  })
  test('an abort ends it with its reason', async () => {
    const { port } = await serve(() => {})
    const abort = new AbortController()
    setTimeout(() => abort.abort(new Error('cancelled')), 30)
    await expect(check(port, {}, abort.signal)).rejects.toThrow('cancelled')
  })
})

describe('over HTTPS', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tls-'))
  const available = (() => {
    try {
      const subject = ['-subj', '/CN=example.com', '-addext', 'subjectAltName=DNS:example.com']
      const files = ['-keyout', join(folder, 'key'), '-out', join(folder, 'crt')]
      const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1']
      execFileSync('openssl', ['req', '-x509', ...kind, ...subject, ...files], { stdio: 'pipe' })
      return true
    } catch {
      return false
    }
  })()
  const pem = (name: string) => readFileSync(join(folder, name), 'utf8')
  const url = new URL('https://example.com/')

  test.runIf(available)('a certificate that nobody signed is refused, once', async () => {
    let count = 0
    const server = createTlsServer({ key: pem('key'), cert: pem('crt') }, app())
    server.on('connection', () => count++)
    const port = await listen(server)
    expect(await check(port, { url })).toMatchObject({ ok: false, code: 'tls' })
    expect(count).toBe(1)
  })

  test.runIf(available)(
    'one that was handed over is good enough for its own name, and that is said',
    async () => {
      const server = createTlsServer({ key: pem('key'), cert: pem('crt') }, app())
      const port = await listen(server)
      const trusted = pem('crt')
      const result = await check(port, { url, trusted })
      expect(result).toMatchObject({ ok: true, advice: expect.stringContaining('Browsers do not know') })
      expect(await check(port, { url: new URL('https://other.example/'), trusted })).toMatchObject({
        code: 'tls',
      })
      expect(await check(port, { url, trusted: otherPem })).toMatchObject({ ok: false, code: 'tls' })
    },
  )

  test('one that is over is no fault of the release where that is known, and that is said', async () => {
    const port = await listen(createTlsServer({ key: overKey, cert: overPem }, app()))
    const site = { url: new URL('https://shop.example/'), trusted: overPem }
    expect(await check(port, site)).toMatchObject({ ok: false, code: 'tls' })
    const known = await check(port, { ...site, over: true })
    expect(known).toMatchObject({ ok: true, advice: 'Its certificate is over.' })
    const stranger = { ...site, trusted: otherPem, over: true }
    expect(await check(port, stranger)).toMatchObject({ ok: false, code: 'tls' })
  })

  test('one that nginx has just been told of may need a moment to be there', async () => {
    const before = { key: otherKey, cert: otherPem }
    const server = createTlsServer(before, app())
    const port = await listen(server)
    const site = { url: new URL('https://shop.example/'), trusted: shopPem }
    let asked = 0
    server.on('tlsClientError', () => {
      asked += 1
      if (asked === 3) server.setSecureContext({ key: shopKey, cert: shopPem })
    })
    expect(await check(port, { ...site, anew: true })).toMatchObject({ ok: true })
    server.setSecureContext(before)
    expect(await check(port, { ...site, anew: true })).toMatchObject({ ok: false, code: 'tls' })
    expect(pauses).toHaveLength(4)
  })

  test.runIf(available)('a port without TLS is told', async () => {
    const { port } = await serve(app())
    expect(await check(port, { url })).toMatchObject({ ok: false, code: 'tls' })
  })

  test.runIf(available)(
    'a trusted certificate of that name is good, one of another is not',
    async () => {
      const server = createTlsServer({ key: pem('key'), cert: pem('crt') }, app())
      let connections = 0
      server.on('connection', () => connections++)
      const port = await listen(server)
      // Trust is the process's, so this runs in one of its own.
      const run = (name: string, reuse: 'none' | 'tcp' | 'early') => {
        const script = `
        import { connect } from 'node:net'
        import { EarlyConnection } from ${JSON.stringify(join(import.meta.dirname, '../../src/check/early-connection.ts'))}
        import { smoke } from ${JSON.stringify(join(import.meta.dirname, '../../src/check/smoke.ts'))}
        const early = new EarlyConnection('127.0.0.1', '${reuse}' === 'early' ? ${port} : 1, new URL('https://example.com/'))
        await new Promise((resolve) => setTimeout(resolve, 200))
        const preconnect = '${reuse}' === 'tcp' ? connect({ port: ${port}, host: '127.0.0.1' }) : early.take('127.0.0.1', ${port})
        if ('${reuse}' === 'tcp') await new Promise((resolve) => preconnect.once('connect', resolve))
        const result = await smoke({ address: '127.0.0.1', port: ${port}, url: new URL('https://${name}/'),
          nonce: '${nonce}', release: '${release}', explicitPath: false, timeoutMs: 5000, preconnect }, AbortSignal.timeout(9000))
        console.log(JSON.stringify(result))`
        const { promise, resolve } = Promise.withResolvers<string>()
        execFile(
          process.execPath,
          ['--input-type=module', '-e', script],
          { env: { ...process.env, NODE_EXTRA_CA_CERTS: join(folder, 'crt') } },
          (_error, stdout, stderr) => resolve(stdout || stderr),
        )
        return promise
      }
      expect(JSON.parse(await run('example.com', 'none'))).toMatchObject({ ok: true, status: 200 })
      expect(JSON.parse(await run('example.com', 'tcp'))).toMatchObject({ ok: true, status: 200 })
      expect(JSON.parse(await run('example.com', 'early'))).toMatchObject({ ok: true, status: 200 })
      // Each used one connection: the open one, where there was one.
      expect(connections).toBe(3)
      expect(JSON.parse(await run('example.org', 'none'))).toMatchObject({ ok: false, code: 'tls' })
    },
    20_000,
  )
})
