import { readDomain } from '../config/domain.ts'
import type { Facts } from '../server/facts.ts'
import type { CheckSettings } from './operation.ts'
import type { Wish } from './wish.ts'

/** What the server's own requests ask, and what counts as a good answer. */
export function checkSettings(facts: Facts, wish: Wish): CheckSettings {
  const { behaviour, server } = wish.inputs
  const domain = wish.inputs.site.domains[0] ?? '_'
  const host = hostHeader(domain === '_' ? server.host : domain)
  const path = behaviour.healthPath ?? '/'
  const smokeUrl = behaviour.smokeUrl === undefined ? undefined : new URL(behaviour.smokeUrl)
  return {
    host,
    scheme: 'http',
    port: 80,
    path,
    smoke:
      smokeUrl === undefined
        ? { host, path }
        : { host: smokeUrl.host, path: smokeUrl.pathname + smokeUrl.search },
    explicit: behaviour.healthPath !== undefined,
    statuses: behaviour.expectStatus ?? [],
    text: behaviour.expectText ?? '',
    timeout: Math.ceil(behaviour.healthTimeoutMs / 1000),
    nonces: { ...Object.fromEntries(facts.nonces), [wish.release]: wish.nonce },
  }
}

/** A name as browsers send it: in ASCII, an IPv6 address in brackets. */
function hostHeader(name: string): string {
  const { kind, text } = readDomain(name)
  return kind === 'ipv6' ? `[${text}]` : text
}
