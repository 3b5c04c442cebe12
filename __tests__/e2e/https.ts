import { connect as connectHttp2 } from 'node:http2'
import { request } from 'node:https'
import { connect, type TLSSocket } from 'node:tls'
import type { Server } from '../server/boot.ts'
import type { Page } from './look.ts'

/** What a visitor got over HTTPS, and from whom. */
export interface SecurePage extends Page {
  /** As `TLSv1.3`. */
  readonly protocol: string
  /** As `h2`; '' where the server named none. */
  readonly alpn: string
  readonly certificate: {
    /** Its DNS names, in its order. */
    readonly names: readonly string[]
    /** The issuer's common name. */
    readonly issuer: string
    readonly notBefore: Date
    readonly notAfter: Date
    /** SHA-256, colons between the bytes. */
    readonly fingerprint: string
  }
}

/** How to ask. */
export interface SecureVisit {
  readonly path?: string
  /** What the visitor offers, best first; `h2` and `http/1.1` unless told. */
  readonly alpn?: readonly ('h2' | 'http/1.1')[]
  /** The name in the TLS handshake, where it is not the one that is asked for. */
  readonly servername?: string
}

const timeoutMs = 20_000

/**
 * Asks a server's nginx over TLS as a browser would: the name in the handshake, the chain and the name verified, HTTP/2
 * where both sides have it.
 * @param rootPem the only root that is trusted
 * @throws Error with Node's code: of the chain (as UNABLE_TO_GET_ISSUER_CERT_LOCALLY), of the name
 *   (ERR_TLS_CERT_ALTNAME_INVALID), of the handshake or the connection
 */
export async function secureVisit(
  server: Server,
  name: string,
  rootPem: string,
  { path = '/', alpn = ['h2', 'http/1.1'], servername = name }: SecureVisit = {},
): Promise<SecurePage> {
  const socket = await handshake(server.address, servername, rootPem, alpn)
  try {
    const page = socket.alpnProtocol === 'h2' ? overHttp2(socket, name, path) : overHttp1(socket, name, path)
    const certificate = socket.getPeerCertificate()
    return {
      ...(await page),
      protocol: socket.getProtocol() ?? '',
      alpn: socket.alpnProtocol || '',
      certificate: {
        names: (certificate.subjectaltname ?? '').split(', ').map((one) => one.replace(/^DNS:/, '')),
        issuer: [certificate.issuer.CN].flat().join(),
        notBefore: new Date(certificate.valid_from),
        notAfter: new Date(certificate.valid_to),
        fingerprint: certificate.fingerprint256,
      },
    }
  } finally {
    socket.destroy()
  }
}

function handshake(
  host: string,
  servername: string,
  ca: string,
  alpn: readonly string[],
): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: 443, servername, ca, ALPNProtocols: [...alpn] })
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error('no answer within 20 s')))
    socket.on('error', reject)
    socket.once('secureConnect', () => resolve(socket))
  })
}

function overHttp1(socket: TLSSocket, name: string, path: string): Promise<Page> {
  return new Promise((resolve, reject) => {
    const asking = request({ createConnection: () => socket, path, headers: { host: name } }, (answer) => {
      let body = ''
      answer.setEncoding('utf8')
      answer.on('data', (chunk: string) => {
        body += chunk
      })
      answer.on('error', reject)
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body }))
    })
    asking.on('error', reject)
    asking.end()
  })
}

function overHttp2(socket: TLSSocket, name: string, path: string): Promise<Page> {
  return new Promise((resolve, reject) => {
    const session = connectHttp2(`https://${name}`, { createConnection: () => socket })
    session.on('error', reject)
    const asking = session.request({ ':path': path })
    let body = ''
    let page: Omit<Page, 'body'> | undefined
    asking.setEncoding('utf8')
    asking.on('response', ({ ':status': status, ...headers }) => {
      page = { status: status ?? 0, headers }
    })
    asking.on('data', (chunk: string) => {
      body += chunk
    })
    asking.on('error', reject)
    asking.on('end', () => {
      session.close()
      if (page === undefined) reject(new Error('the server closed the stream without a word'))
      else resolve({ ...page, body })
    })
    asking.end()
  })
}
