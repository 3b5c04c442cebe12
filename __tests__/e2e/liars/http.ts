import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { MARK, nasty } from './attack.ts'

/** A web server that lies: what it does with each connection once a request has come. */
export interface WebLie {
  readonly name: string
  readonly answer: (socket: Socket) => void
  /** The smoke test's word for it. */
  readonly code: string
  readonly inputs?: Readonly<Record<string, string>>
}

const head = 'HTTP/1.1 200 OK\r\n'

/** Writes for ever, as fast as it is read. */
function pour(socket: Socket, piece: string): void {
  const more = () => {
    while (!socket.destroyed && socket.write(piece));
  }
  socket.on('drain', more)
  more()
}

function drip(socket: Socket, text: string): void {
  let at = 0
  const timer = setInterval(() => socket.write(text[at++ % text.length] ?? ''), 50)
  socket.on('close', () => clearInterval(timer))
}

const text = { 'expect-text': 'hello' }

export const webLies: readonly WebLie[] = [
  { name: 'no answer', answer: () => {}, code: 'unreachable-outside' },
  {
    name: 'headers without end',
    answer: (socket) => pour(socket, `${head}${`X-A: ${'y'.repeat(900)}\r\n`.repeat(50)}`),
    code: 'not-http',
  },
  {
    name: 'a header of 10 MB',
    answer: (socket) => socket.write(`${head}X-A: ${'y'.repeat(10_000_000)}`),
    code: 'not-http',
  },
  {
    name: 'a byte at a time',
    answer: (socket) => drip(socket, `${head}X-A: ${'y'.repeat(100_000)}`),
    code: 'unreachable-outside',
  },
  {
    name: 'a body without end',
    inputs: text,
    answer: (socket) => {
      socket.write(`${head}\r\n`)
      pour(socket, 'x'.repeat(65_536))
    },
    code: 'wrong-release',
  },
  {
    name: 'a body that drips',
    inputs: text,
    answer: (socket) => {
      socket.write(`${head}\r\n`)
      drip(socket, 'x')
    },
    code: 'unreachable-outside',
  },
  {
    name: 'a length that is too long',
    inputs: text,
    answer: (socket) => socket.write(`${head}Content-Length: 99999999999999\r\n\r\nx`),
    code: 'unreachable-outside',
  },
  {
    name: 'a length that is none',
    answer: (socket) => socket.end(`${head}Content-Length: -1\r\n\r\nx`),
    code: 'not-http',
  },
  {
    name: 'a chunk of 2^64 bytes',
    inputs: text,
    answer: (socket) => socket.write(`${head}Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\nx`),
    code: 'not-http',
  },
  {
    name: 'early hints without end',
    answer: (socket) => pour(socket, 'HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n'.repeat(100)),
    code: 'not-http',
  },
  {
    name: 'something else than HTTP',
    answer: (socket) => socket.end(`::error::${MARK}\r\n##[error]${MARK}\r\n`),
    code: 'not-http',
  },
  {
    name: 'a way elsewhere, in control characters and commands',
    answer: (socket) =>
      socket.end(
        `HTTP/1.1 302 ::error::${MARK}\r\nServer: ##[error]${MARK} ${nasty[16]}\r\nLocation: javascript:${MARK}\r\nX-Flask-Deploy-Release: ::error::${MARK}\r\n\r\n`,
      ),
    code: 'wrong-release',
  },
  { name: 'a broken connection', answer: (socket) => socket.resetAndDestroy(), code: 'unreachable-outside' },
]

/** A web server on the loopback that gives every request the same lie. */
export async function webServer(lie: WebLie): Promise<{ readonly port: number; readonly close: () => void }> {
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('data', () => lie.answer(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}
