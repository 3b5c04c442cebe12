import { createServer, type Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { askForCertificate } from '../../src/server/ask-certificate.ts'
import { openSocket } from '../../src/server/socket.ts'
import { readString, writeString, writeUint32 } from '../../src/server/ssh-wire.ts'

const wanted = ['ssh-ed25519-cert-v01@openssh.com', 'rsa-sha2-512-cert-v01@openssh.com']
const greeting = Buffer.from('SSH-2.0-OpenSSH_9.2\r\n')

const cleanups: (() => void)[] = []
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup()
})

/** What comes of asking a server that does this with each connection. */
async function ask(serve: (socket: Socket) => void, limitMs = 5_000, signal = new AbortController().signal) {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    cleanups.push(() => socket.destroy())
    serve(socket)
  })
  cleanups.push(() => server.close())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const tcp = await openSocket('127.0.0.1', address.port, 5_000, signal)
  if (!tcp.ok) throw new Error(tcp.message)
  const asked = await askForCertificate(tcp.socket, wanted, limitMs, signal)
  expect(tcp.socket.destroyed).toBe(true)
  return asked
}

function packet(payload: Buffer): Buffer {
  const padding = 16 - ((payload.length + 5) % 8)
  const length = writeUint32(1 + payload.length + padding)
  return Buffer.concat([length, Buffer.from([padding]), payload, Buffer.alloc(padding)])
}

function init(exchanges: string, hostKeys: string): Buffer {
  const lists = [
    exchanges,
    hostKeys,
    'aes128-ctr',
    'aes128-ctr',
    'hmac-sha2-256',
    'hmac-sha2-256',
    'none',
    'none',
  ]
  const rest = [...lists, '', ''].map(writeString)
  return packet(Buffer.concat([Buffer.from([20]), Buffer.alloc(16), ...rest, Buffer.alloc(5)]))
}

const common = init('sntrup761x25519-sha512,curve25519-sha256', `ssh-ed25519,${wanted[1]}`)
const reply = packet(Buffer.concat([Buffer.from([31]), writeString('the certificate'), writeString('')]))
const shown = { state: 'shown', blob: Buffer.from('the certificate') }

test('the certificate is taken from the answer, however it arrives', async () => {
  const answer = (write: (socket: Socket, bytes: Buffer) => void) =>
    ask((socket) => {
      write(socket, Buffer.concat([Buffer.from('Welcome\r\nto SSH-land\r\n'), greeting, common]))
      let heard = Buffer.alloc(0)
      let answered = false
      socket.on('data', (chunk: Buffer) => {
        heard = Buffer.concat([heard, chunk])
        if (answered || !heard.includes('-cert-v01@openssh.com')) return
        answered = true
        write(socket, Buffer.concat([packet(Buffer.from([2, 0, 0, 0, 0])), reply]))
      })
    })
  expect(await answer((socket, bytes) => socket.write(bytes))).toEqual(shown)
  const slowly = await answer((socket, bytes) => {
    for (const byte of bytes) socket.write(Buffer.from([byte]))
  })
  expect(slowly).toEqual(shown)
})

test('what is asked for is one that the server has, by a way that both know', async () => {
  const sent = await new Promise<Buffer>((resolve) => {
    void ask((socket) => {
      socket.write(Buffer.concat([greeting, common]))
      let heard = Buffer.alloc(0)
      socket.on('data', (chunk: Buffer) => {
        heard = Buffer.concat([heard, chunk])
        if (heard.length > 200) {
          resolve(heard)
          socket.destroy()
        }
      })
    })
  })
  const start = sent.indexOf('\n') + 1
  const lists = start + 5 + 17
  const exchanges = readString(sent, lists)
  expect(exchanges?.value.toString()).toBe('curve25519-sha256')
  expect(readString(sent, exchanges?.next ?? 0)?.value.toString()).toBe('rsa-sha2-512-cert-v01@openssh.com')
  const second = sent.subarray(start + 4 + sent.readUInt32BE(start))
  expect(second[5]).toBe(30)
  expect(readString(second, 6)?.value).toHaveLength(32)
})

test('a server without a certificate says so by its list', async () => {
  const plain = init('curve25519-sha256', 'ssh-ed25519,rsa-sha2-512')
  expect(await ask((socket) => socket.write(Buffer.concat([greeting, plain])))).toEqual({ state: 'none' })
})

describe('a server that lies comes to nothing', () => {
  const flood = (bytes: Buffer) => (socket: Socket) => {
    const more = () => {
      while (!socket.destroyed && socket.write(bytes));
    }
    socket.on('drain', more)
    more()
  }
  const zeros = Buffer.alloc(65_536)
  test.each<[string, (socket: Socket) => void]>([
    ['it hangs up', (socket) => socket.end()],
    ['it resets', (socket) => socket.once('data', () => socket.resetAndDestroy())],
    ['it is a web server', (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['it greets for ever', flood(Buffer.from('Welcome\r\n'.repeat(5000)))],
    ['it speaks SSH 1', (socket) => socket.end('SSH-1.5-old\r\n')],
    ['endless messages to be ignored', flood(Buffer.concat([greeting, packet(Buffer.alloc(30_000, 2))]))],
    ['endless nothing', flood(zeros)],
    ['a packet of 4 GB', (socket) => socket.write(Buffer.concat([greeting, Buffer.alloc(40, 0xff)]))],
    ['a packet of no length', (socket) => socket.write(Buffer.concat([greeting, zeros]))],
    [
      'more padding than packet',
      (socket) => socket.write(Buffer.concat([greeting, Buffer.from([0, 0, 0, 2, 9, 1])])),
    ],
    [
      'lists that are cut',
      (socket) => socket.write(Buffer.concat([greeting, packet(Buffer.from([20, 1, 2]))])),
    ],
    [
      'no way that is known',
      (socket) => socket.write(Buffer.concat([greeting, init('magic', wanted.join())])),
    ],
    ['an answer before the question', (socket) => socket.write(Buffer.concat([greeting, reply]))],
    [
      'an answer that is cut',
      (socket) => {
        socket.write(Buffer.concat([greeting, common]))
        socket.once('data', () => socket.write(packet(Buffer.from([31, 0, 0, 9, 9]))))
      },
    ],
    [
      'a message of another kind',
      (socket) => socket.write(Buffer.concat([greeting, packet(Buffer.from([1, 0]))])),
    ],
  ])('%s', async (_name, serve) => {
    expect(await ask(serve)).toEqual({ state: 'failed' })
  })

  test.each<[string, Buffer]>([
    ['before its greeting', Buffer.alloc(0)],
    ['after its greeting', greeting],
    ['in a packet', Buffer.concat([greeting, common.subarray(0, 20)])],
    ['after its lists', Buffer.concat([greeting, common])],
    ['after an answer before the question', Buffer.concat([greeting, common, reply])],
  ])('it falls silent %s', async (_name, bytes) => {
    const began = performance.now()
    expect(await ask((socket) => socket.write(bytes), 200)).toEqual({ state: 'failed' })
    expect(performance.now() - began).toBeGreaterThan(150)
  })

  test('and cannot hold up a run that is cancelled', async () => {
    const abort = new AbortController()
    const asked = ask(() => abort.abort(new Error('cancelled')), 60_000, abort.signal)
    await expect(asked).rejects.toThrow('cancelled')
  })
})
