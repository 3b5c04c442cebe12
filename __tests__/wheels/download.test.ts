import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Downloads } from '../../src/wheels/download.ts'
import { indexesOf } from '../../src/wheels/indexes.ts'

describe('a file of an index', () => {
  let answer: (request: IncomingMessage, response: ServerResponse) => void
  let server: Server
  let folder = ''
  let base = ''
  let downloads: Downloads
  const asked: { readonly url: string; readonly authorization: string | undefined }[] = []
  const bytes = Buffer.from('the wheel')
  const sha256 = createHash('sha256').update(bytes).digest('hex')

  beforeEach(async () => {
    asked.length = 0
    answer = (_, response) => response.end(bytes)
    server = createServer((request, response) => {
      asked.push({ url: request.url ?? '', authorization: request.headers.authorization })
      answer(request, response)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    base = `127.0.0.1:${(server.address() as AddressInfo).port}`
    folder = mkdtempSync(join(tmpdir(), 'download-'))
    downloads = made({})
  })
  afterEach(async () => {
    await downloads.close()
    server.close()
    server.closeAllConnections()
    rmSync(folder, { recursive: true })
  })

  const made = (environment: Readonly<Record<string, string>>, signal = new AbortController().signal) =>
    new Downloads(
      indexesOf(new Map([['UV_DEFAULT_INDEX', `http://me:pass@${base}/simple`]]), environment),
      signal,
    )
  const fetched = () => downloads.file(new URL(`http://${base}/files/a.whl`), sha256, join(folder, 'a'))

  test('is put where it is wanted, and asked for as the user of the index', async () => {
    expect(await fetched()).toBe(bytes.length)
    expect(readFileSync(join(folder, 'a'))).toEqual(bytes)
    expect(asked).toEqual([
      { url: '/files/a.whl', authorization: `Basic ${Buffer.from('me:pass').toString('base64')}` },
    ])
  })

  test('with other bytes is refused at once', async () => {
    answer = (_, response) => response.end('other')
    await expect(fetched()).rejects.toMatchObject({ code: 'wheels-hash' })
    expect(asked).toHaveLength(1)
  })

  test('comes at another try where the index is busy, and is cut off the first time', async () => {
    answer = (_, response) => {
      if (asked.length === 1) {
        response.writeHead(200, { 'content-length': '100' })
        response.write('the')
        setTimeout(() => response.destroy(), 20)
      } else if (asked.length === 2) {
        response.writeHead(503).end()
      } else response.end(bytes)
    }
    expect(await fetched()).toBe(bytes.length)
    expect(readFileSync(join(folder, 'a'))).toEqual(bytes)
  })

  test('that is not there is told with the name and the host, and without the password', async () => {
    answer = (_, response) => response.writeHead(404).end()
    const error: unknown = await fetched().catch((one: unknown) => one)
    expect(error).toMatchObject({ code: 'wheels-index' })
    expect(String(error)).toContain(`could not get a.whl from ${base}: status 404`)
    expect(String(error)).not.toContain('pass@')
  })

  test('follows the index elsewhere without the user', async () => {
    const other = createServer((request, response) => {
      asked.push({ url: request.url ?? '', authorization: request.headers.authorization })
      response.end(bytes)
    })
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const { port } = other.address() as AddressInfo
    answer = (_, response) =>
      response.writeHead(302, { location: `http://127.0.0.1:${port}/elsewhere` }).end()
    await fetched()
    expect(asked.at(-1)).toEqual({ url: '/elsewhere', authorization: undefined })
    other.close()
    other.closeAllConnections()
  })

  test('comes by the proxy that the runner has', async () => {
    const tunnels: string[] = []
    server.on('connect', (request: IncomingMessage, client: Duplex) => {
      tunnels.push(request.url ?? '')
      const { port } = server.address() as AddressInfo
      const behind = connect(port, '127.0.0.1', () => {
        client.write('HTTP/1.1 200 OK\r\n\r\n')
        behind.pipe(client).pipe(behind)
      })
    })
    downloads = made({ http_proxy: `http://${base}`, no_proxy: 'near.invalid' })
    await downloads.file(new URL('http://index.invalid/a.whl'), sha256, join(folder, 'a'))
    expect(tunnels).toEqual(['index.invalid:80'])
    await expect(
      downloads.file(new URL('http://near.invalid/a.whl'), sha256, join(folder, 'a')),
    ).rejects.toMatchObject({ code: 'wheels-index' })
    expect(tunnels).toHaveLength(1)
  })

  test('is given up at once when the job is cancelled', async () => {
    const controller = new AbortController()
    downloads = made({}, controller.signal)
    answer = () => controller.abort(new Error('cancelled'))
    await expect(fetched()).rejects.toThrow('cancelled')
  })

  test('is a page, or none', async () => {
    const url = new URL(`http://${base}/simple/uv/`)
    answer = (_, response) => response.setHeader('content-type', 'text/html').end('<a href="x">')
    expect(await downloads.page(url, 'text/html')).toEqual({
      text: '<a href="x">',
      type: 'text/html',
      address: url,
    })
    answer = (_, response) => response.writeHead(404).end()
    expect(await downloads.page(url, 'text/html')).toBeUndefined()
  })
})
