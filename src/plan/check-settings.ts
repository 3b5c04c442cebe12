import { readDomain } from '../config/domain.ts'
import type { SiteTls } from '../config/settings.ts'
import type { Facts } from '../server/facts.ts'
import type { CheckSettings } from './operation.ts'
import { isVouchedFor } from './tls.ts'
import type { Wish } from './wish.ts'

/** What is known of the certificate that the site has when it is tested. */
export interface Standing {
  /** An authority that everybody knows vouches for it. */
  readonly vouched: boolean
  readonly over: boolean
}

/**
 * What health check and smoke test ask, and what counts as a good answer.
 * @param tls the HTTPS that the site has when they ask
 * @param certificate its certificate's; that which is wished, unless told
 */
export function checkSettings(
  facts: Facts,
  wish: Wish,
  tls: SiteTls | undefined,
  certificate: Standing = { vouched: isVouchedFor(wish.inputs.tls), over: false },
): CheckSettings {
  const { behaviour, server, site } = wish.inputs
  const domain = site.domains[0] ?? '_'
  const host = hostHeader(domain === '_' ? server.host : domain)
  const path = behaviour.healthPath ?? '/'
  const scheme = tls?.names.includes(host) === true ? 'https' : 'http'
  const url = smokeUrl(behaviour.smokeUrl ?? `${scheme}://${host}${path}`, tls)
  return {
    host,
    scheme,
    path,
    smoke: {
      url: url.href,
      host: url.host,
      path: url.pathname + url.search,
      secure: tls?.names.includes(url.hostname) === true,
      // Where the runner tests it verifies; the server need not know every authority.
      verify: behaviour.smokeFrom === 'server' && certificate.vouched,
      over: certificate.over,
    },
    explicit: behaviour.healthPath !== undefined,
    statuses: behaviour.expectStatus ?? [],
    text: behaviour.expectText ?? '',
    timeout: Math.ceil(behaviour.healthTimeoutMs / 1000),
    nonces: {
      ...Object.fromEntries(facts.nonces),
      ...(wish.inputs.app.webCommand === undefined ? { [wish.release]: wish.nonce } : {}),
    },
  }
}

/** An address that was given for HTTP is meant for the page: where the site has HTTPS, it would only lead there. */
function smokeUrl(text: string, tls: SiteTls | undefined): URL {
  const url = new URL(text)
  const leadsOn = url.protocol === 'http:' && url.port === '' && tls?.names.includes(url.hostname) === true
  if (leadsOn) url.protocol = 'https:'
  return url
}

/** A name as browsers send it: in ASCII, an IPv6 address in brackets. */
function hostHeader(name: string): string {
  const { kind, text } = readDomain(name)
  return kind === 'ipv6' ? `[${text}]` : text
}
