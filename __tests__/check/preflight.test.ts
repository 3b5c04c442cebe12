import { createServer, type RequestListener, type Server } from 'node:http'
import { afterEach, describe, expect, test } from 'vitest'
import type { DomainAddresses } from '../../src/check/dns.ts'
import { preflight } from '../../src/check/preflight.ts'

/*
 * Addresses of loopback stand for servers: each name may lead to another one. Port 80 is needed, so these tests are for
 * whoever may open it.
 */
const servers: Server[] = []
afterEach(async () => {
  await Promise.all(servers.splice(0).map((one) => new Promise((resolve) => one.close(resolve))))
})

async function listen(address: string, answer: RequestListener): Promise<void> {
  const server = createServer(answer)
  servers.push(server)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(80, address, resolve)
  })
}

const ours: RequestListener = (request, response) => {
  if (request.url === '/.well-known/acme-challenge/token') response.end('content')
  else response.writeHead(404).end()
}

const may = await listen('127.0.0.9', ours).then(
  () => true,
  () => false,
)

/** The causes, for one name with these addresses, on a server with the first. */
async function causes(found: Partial<DomainAddresses>, server: readonly string[] = ['127.0.0.10']) {
  const faults = await preflight(
    {
      names: ['blog.example.org'],
      token: 'token',
      content: 'content',
      look: () => Promise.resolve({ addresses: [], failed: false, ...found }),
      server,
    },
    new AbortController().signal,
  )
  return faults.map(({ cause, cure }) => `${cause} ${cure}`)
}

describe.skipIf(!may)(`a name ${may ? '' : '(skipped: port 80 may not be opened)'}`, () => {
  test('that leads to our file at each address is good', async () => {
    await listen('127.0.0.10', ours)
    await listen('127.0.0.11', ours)
    expect(await causes({ addresses: ['127.0.0.10', '127.0.0.11'] })).toEqual([])
  })

  test('is good where a proxy leads there by a redirect', async () => {
    await listen('127.0.0.10', ours)
    await listen('127.0.0.12', (_request, response) =>
      response.writeHead(301, { location: 'http://127.0.0.10/.well-known/acme-challenge/token' }).end(),
    )
    expect(await causes({ addresses: ['127.0.0.12'] })).toEqual([])
  })

  test('that leads to another server has a record to set', async () => {
    await listen('127.0.0.13', (_request, response) => response.end('welcome to nginx'))
    expect(await causes({ addresses: ['127.0.0.13'] })).toEqual([
      'blog.example.org leads to 127.0.0.13, which is not the server; 127.0.0.13 answered 200, not with our file. Set the record blog.example.org. A 127.0.0.10, and remove the old one.',
    ])
  })

  test('that leads to another server as well is no better', async () => {
    await listen('127.0.0.10', ours)
    await listen('127.0.0.13', (_request, response) => response.writeHead(404).end())
    const [fault] = await causes({ addresses: ['127.0.0.10', '127.0.0.13'] })
    expect(fault).toContain('leads to the server, but also to 127.0.0.13')
  })

  test('that leads to a closed port 80 says so', async () => {
    expect(await causes({ addresses: ['127.0.0.10'] })).toEqual([
      "blog.example.org leads to the server, but 127.0.0.10 port 80 refused the connection. Open port 80 in the firewall of the server and in the provider's control panel: authorities ask there.",
    ])
  })

  test('without an address, or without an answer of DNS, is not good', async () => {
    expect((await causes({}))[0]).toContain('blog.example.org has no address in DNS')
    expect((await causes({ failed: true }))[0]).toContain('DNS gave no answer for blog.example.org')
  })

  test('whose redirects never end is not good', async () => {
    await listen('127.0.0.10', (request, response) =>
      response.writeHead(302, { location: request.url ?? '/' }).end(),
    )
    expect((await causes({ addresses: ['127.0.0.10'] }))[0]).toContain('127.0.0.10 redirects without end')
  })

  test('with an IPv6 address that cannot be reached from here is judged by what the server says of itself', async () => {
    await listen('127.0.0.10', ours)
    // Nobody listens there, as nobody answers where there is no IPv6.
    const addresses = ['127.0.0.10', '::1']
    expect(await causes({ addresses }, ['127.0.0.10', '::1'])).toEqual([])
    expect((await causes({ addresses }, ['127.0.0.10', '2001:db8::2']))[0]).toContain('but also to ::1')
    expect((await causes({ addresses }, ['127.0.0.10']))[0]).toContain('::1 port 80')
  })
})
