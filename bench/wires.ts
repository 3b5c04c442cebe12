import type { Server } from '../__tests__/server/boot.ts'
import { type Relay, startRelay } from '../__tests__/server/relay.ts'

/** A server seen from further away: its SSH and its web ports, each behind a relay of the same length. */
export interface Wire {
  readonly rttMs: number
  /** Of this machine, and this wire's alone. */
  readonly host: string
  /** SSH's port at `host`; the web's are 80 and 443. */
  readonly port: number
  /** known_hosts lines for `host` and `port`. */
  readonly knownHosts: string
  /** Bytes passed on so far, all ports together. */
  readonly bytes: () => { readonly up: number; readonly down: number }
  readonly close: () => Promise<void>
}

/**
 * Lays a wire to a server. The smoke test asks port 80 of the address that the SSH connection led to, so all relays
 * listen on one loopback address, made from the server's own: several benches may run at once.
 * @throws Error where port 80 or 443 of that address cannot be had: a web server of this machine listens everywhere
 */
export async function layWire(server: Server, rttMs: number): Promise<Wire> {
  const host = `127.${80 + Math.floor(rttMs / 250)}.${server.address.split('.')[3]}.${(rttMs % 250) + 1}`
  const relays: Relay[] = []
  const lay = async (to: number, listen: number) => {
    const relay = await startRelay({
      to: { host: server.address, port: to },
      rttMs,
      listen: { host, port: listen },
    })
    relays.push(relay)
    return relay
  }
  const close = async () => {
    await Promise.all(relays.map((relay) => relay.close()))
  }
  try {
    const ssh = await lay(server.port, 0)
    await lay(80, 80)
    await lay(443, 443)
    const sum = (count: (relay: Relay) => number) => relays.reduce((total, relay) => total + count(relay), 0)
    return {
      rttMs,
      host,
      port: ssh.port,
      knownHosts: server.knownHosts.replaceAll(server.address, `[${host}]:${ssh.port}`),
      bytes: () => ({ up: sum((relay) => relay.bytesUp), down: sum((relay) => relay.bytesDown) }),
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}
