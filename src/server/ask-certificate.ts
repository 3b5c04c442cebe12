import { createDiffieHellmanGroup, createECDH, generateKeyPairSync, randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import { readString, writeString, writeUint32 } from './ssh-wire.ts'

/*
 * ssh2 cannot be shown a certificate, so it is asked for in a key exchange of its own, which goes no further than the
 * server's first answer. Nothing is believed because of it: a certificate is proven by its authority's signature, and that
 * the server has the certified key by the login that follows, which accepts that key.
 */

/** `shown`: the certificate in wire format, from a stranger. `none`: it has none of these. `failed`: it did not come to an answer. */
export type AskedCertificate =
  | { readonly state: 'shown'; readonly blob: Buffer }
  | { readonly state: 'none' }
  | { readonly state: 'failed' }

/** Bytes of the whole conversation; OpenSSH lets a packet have as many at most (PACKET_MAX_SIZE). */
const mostBytes = 256 * 1024

/** Bytes until a server has greeted. */
const mostGreeting = 16 * 1024

/** Message numbers (RFC 4253, section 12; RFC 5656, section 7). */
const ignore = 2
const unimplemented = 3
const debug = 4
const kexInit = 20
const exchangeInit = 30
const exchangeReply = 31

/**
 * Asks the server at the other end of an open socket for its host certificate, and ends the socket.
 * @param algorithms such as `ssh-ed25519-cert-v01@openssh.com`, best first.
 * @throws the signal's reason when it is aborted.
 */
export async function askForCertificate(
  socket: Socket,
  algorithms: readonly string[],
  limitMs: number,
  signal: AbortSignal,
): Promise<AskedCertificate> {
  const stop = () => socket.destroy()
  const timer = setTimeout(stop, limitMs)
  signal.addEventListener('abort', stop, { once: true })
  const heard = Buffer.alloc(mostBytes)
  let end = 0
  const talk = conversation(algorithms)
  try {
    socket.write('SSH-2.0-flask_deploy\r\n')
    for await (const chunk of socket) {
      if (!Buffer.isBuffer(chunk) || end + chunk.length > mostBytes) break
      end += chunk.copy(heard, end)
      const step = talk(heard.subarray(0, end))
      if (step.send !== undefined) socket.write(step.send)
      if (step.answer !== undefined) return step.answer
    }
  } catch {
    // The socket broke, or was destroyed for the time or the signal.
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
    socket.destroy()
  }
  signal.throwIfAborted()
  return { state: 'failed' }
}

interface Step {
  readonly send?: Buffer
  readonly answer?: AskedCertificate
}

/** What to do about what was heard so far: greeting, then packets. Each call gets everything from the beginning. */
function conversation(algorithms: readonly string[]): (heard: Buffer) => Step {
  let offset = 0
  let greeted = false
  let exchanging = false
  return (heard) => {
    if (!greeted) {
      const after = afterGreeting(heard)
      if (after === undefined) return heard.length < mostGreeting ? {} : { answer: { state: 'failed' } }
      greeted = true
      offset = after
    }
    for (;;) {
      const packet = readPacket(heard, offset)
      if (packet === 'more') return {}
      if (packet === 'bad') return { answer: { state: 'failed' } }
      offset = packet.next
      const { payload } = packet
      const type = payload[0]
      if (type === ignore || type === unimplemented || type === debug) continue
      if (type === kexInit && !exchanging) {
        exchanging = true
        return answerInit(payload, algorithms)
      }
      const shown = type === exchangeReply && exchanging ? readString(payload, 1) : undefined
      if (shown === undefined) return { answer: { state: 'failed' } }
      return { answer: { state: 'shown', blob: Buffer.from(shown.value) } }
    }
  }
}

/** Where the line with which an SSH server greets ends; it may say other lines before (RFC 4253, section 4.2). */
function afterGreeting(heard: Buffer): number | undefined {
  const match = /^SSH-(?:2\.0|1\.99)-[^\n]*\n/m.exec(heard.toString('latin1', 0, mostGreeting))
  return match === null ? undefined : match.index + match[0].length
}

/** A packet before encryption (RFC 4253, section 6). */
function readPacket(
  heard: Buffer,
  offset: number,
): { readonly payload: Buffer; readonly next: number } | 'more' | 'bad' {
  if (heard.length < offset + 5) return 'more'
  const length = heard.readUInt32BE(offset)
  const padding = heard.readUInt8(offset + 4)
  if (length > mostBytes || length < padding + 2) return 'bad'
  const next = offset + 4 + length
  if (heard.length < next) return 'more'
  return { payload: heard.subarray(offset + 5, next - padding), next }
}

function packet(payload: Buffer): Buffer {
  const padding = 16 - ((payload.length + 5) % 8)
  const header = Buffer.concat([writeUint32(1 + payload.length + padding), Buffer.from([padding])])
  return Buffer.concat([header, payload, Buffer.alloc(padding)])
}

/**
 * Answers the server's KEXINIT (RFC 4253, section 7.1) with one that agrees with it, and with the first message of the
 * exchange. The lists behind the first two are the server's own: what they are about is never used.
 */
function answerInit(payload: Buffer, algorithms: readonly string[]): Step {
  const lists: string[] = []
  let offset = 17 // the type, and 16 bytes at random
  for (let count = 0; count < 10; count++) {
    const list = readString(payload, offset)
    if (list === undefined) return { answer: { state: 'failed' } }
    lists.push(list.value.toString('latin1'))
    offset = list.next
  }
  const [exchanges = '', hostKeys = '', ...others] = lists
  const algorithm = algorithms.find((one) => hostKeys.split(',').includes(one))
  if (algorithm === undefined) return { answer: { state: 'none' } }
  const exchange = Object.entries(exchangesKnown).find(([name]) => exchanges.split(',').includes(name))
  if (exchange === undefined) return { answer: { state: 'failed' } }
  const init = Buffer.concat([
    Buffer.from([kexInit]),
    randomBytes(16),
    ...[exchange[0], algorithm, ...others].map((list) => writeString(Buffer.from(list, 'latin1'))),
    Buffer.alloc(5), // no guess follows; reserved
  ])
  const begin = Buffer.concat([Buffer.from([exchangeInit]), writeString(exchange[1]())])
  return { send: Buffer.concat([packet(init), packet(begin)]) }
}

/** What to send first, for each way of exchanging keys: a public key that is good, whose private half is forgotten at once. */
const exchangesKnown: Readonly<Record<string, () => Buffer>> = {
  'curve25519-sha256': x25519,
  'curve25519-sha256@libssh.org': x25519,
  'ecdh-sha2-nistp256': () => createECDH('prime256v1').generateKeys(),
  'ecdh-sha2-nistp384': () => createECDH('secp384r1').generateKeys(),
  'ecdh-sha2-nistp521': () => createECDH('secp521r1').generateKeys(),
  'diffie-hellman-group14-sha256': () => positive(createDiffieHellmanGroup('modp14').generateKeys()),
  'diffie-hellman-group16-sha512': () => positive(createDiffieHellmanGroup('modp16').generateKeys()),
}

function x25519(): Buffer {
  const { x = '' } = generateKeyPairSync('x25519').publicKey.export({ format: 'jwk' })
  return Buffer.from(x, 'base64url')
}

/** A number with a zero before it where it would be read as a negative one (RFC 4251, section 5, mpint). */
function positive(bytes: Buffer): Buffer {
  return (bytes[0] ?? 0) < 0x80 ? bytes : Buffer.concat([Buffer.alloc(1), bytes])
}
