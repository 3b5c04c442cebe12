import { Resolver } from 'node:dns/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Server } from './boot.ts'

/** What DNS says of a name. */
export type Records = {
  ipv4?: readonly string[]
  ipv6?: readonly string[]
  /** Its name server answers SERVFAIL. */
  failing?: boolean
}

/**
 * Sets what DNS says of a name from now on; without an address the name does not exist (any more). The names below it
 * exist with it.
 * @throws Error where it does not say so within 5 s
 */
export type SetName = (name: string, records?: Records) => Promise<void>

/** Zones in which only those names exist that are set. */
const zones = ['test', 'example', 'example.com', 'example.net', 'example.org']
const timeoutMs = 5_000
const pollMs = 10

/**
 * The DNS of the test network: pebble-challtestsrv answers for the names that are set, and dnsmasq in front of it asks
 * this machine's resolver for all others.
 * @param server an authority whose services run (`authority.sh`)
 */
export function testNames(server: Server): SetName {
  const known = new Set<string>()
  return async (name, records = {}) => {
    const { ipv4 = [], ipv6 = [], failing = false } = records
    const order = async (path: string, addresses?: readonly string[]) => {
      const body = JSON.stringify({ host: `${name}.`, addresses })
      const answer = await fetch(`http://${server.address}:8055/${path}`, { method: 'POST', body })
      if (!answer.ok) throw new Error(`the test DNS: ${path} ${body}: ${answer.status}`)
    }
    for (const path of ['clear-a', 'clear-aaaa', 'clear-servfail']) await order(path)
    if (ipv4.length > 0) await order('add-a', ipv4)
    if (ipv6.length > 0) await order('add-aaaa', ipv6)
    if (failing) await order('set-servfail')
    if (failing || ipv4.length + ipv6.length > 0) known.add(name)
    else known.delete(name)
    const lines = [
      ...zones.map((zone) => `server=/${zone}/`),
      ...[...known].map((one) => `server=/${one}/127.0.0.1#8053`),
    ]
    await server.must('cat > /etc/authority/names && systemctl reload dnsmasq', {
      stdin: `${lines.join('\n')}\n`,
    })
    await untilSaid(server.address, name, failing ? 'ESERVFAIL' : [...ipv4, ...ipv6].toSorted().join())
  }
}

/** dnsmasq reads its file in its own time. */
async function untilSaid(address: string, name: string, wanted: string): Promise<void> {
  const resolver = new Resolver({ timeout: 500, tries: 1 })
  resolver.setServers([address])
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const found = await Promise.all([resolver.resolve4(name), resolver.resolve6(name)].map(answer))
    const said = found.includes('ESERVFAIL') ? 'ESERVFAIL' : found.flat().toSorted().join()
    if (said === wanted) return
    if (performance.now() > deadline) throw new Error(`the test DNS says of ${name}: ${said}, not: ${wanted}`)
    await sleep(pollMs)
  }
}

/** The addresses, or why there are none. */
async function answer(looked: Promise<string[]>): Promise<string[] | string> {
  try {
    return await looked
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    return code === 'ENOTFOUND' || code === 'ENODATA' ? [] : code
  }
}
