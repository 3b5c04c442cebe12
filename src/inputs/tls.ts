import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { covers, readCertificate } from '../config/certificate.ts'
import { readDomain } from '../config/domain.ts'
import type { SiteInputs, TlsInputs } from '../inputs.ts'
import { repairKeyText } from '../server/key-repair.ts'
import { shown } from '../text.ts'
import { bad, good, type Kind, type Reading } from './reading.ts'

const BLOCK = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g

const CHAIN = "Put in the certificate's PEM text whole, with its BEGIN and END lines, the site's own first."

/** A certificate and those of its authorities, PEM, the harmless damage of copying undone. */
export const certificateChain: Kind<string> = (raw, input) => {
  const { text } = repairKeyText(raw)
  if (text.includes('PRIVATE KEY-----')) {
    return bad(input, 'holds a private key', 'Put the key into `tls-key`, and the certificate alone here.')
  }
  const blocks = text.match(BLOCK) ?? []
  if (blocks.length === 0) return bad(input, 'holds no certificate', CHAIN)
  if (blocks.length > 10) return bad(input, `holds ${blocks.length} certificates`, CHAIN)
  if (blocks.some((block) => readCertificate(block) === undefined)) {
    return bad(input, 'holds a certificate that cannot be read', CHAIN)
  }
  return good(`${blocks.join('\n')}\n`)
}

/** A private key for TLS in any PEM form without passphrase; the value is PKCS#8. */
export const tlsKey: Kind<string> = (raw, input) => {
  const { text } = repairKeyText(raw)
  if (/-----BEGIN ENCRYPTED|Proc-Type: 4,ENCRYPTED/.test(text)) {
    const cure = 'nginx could not start by itself with it: put it in without, from `openssl pkey -in KEY`.'
    return bad(input, 'has a passphrase', cure)
  }
  const key = read(text)
  if (key !== undefined) return good(key.export({ type: 'pkcs8', format: 'pem' }).toString())
  if (text.includes('-----BEGIN CERTIFICATE-----')) {
    return bad(
      input,
      'holds a certificate',
      'Put the private key here, and the certificate into `tls-certificate`.',
    )
  }
  return bad(
    input,
    'is no private key that can be read',
    'Put in its PEM text whole, with its BEGIN and END lines.',
  )
}

function read(text: string): KeyObject | undefined {
  try {
    return createPrivateKey(text)
  } catch {
    return undefined
  }
}

/** What is wrong between the inputs about HTTPS, each of them good by itself. */
export function tlsTogether(tls: TlsInputs, site: SiteInputs, now: number): readonly Reading<unknown>[] {
  const { mode, certificate, key } = tls
  if (mode !== 'provided') return unused(tls)
  if (certificate === undefined || key === undefined) {
    const cure =
      'Check that the secret exists under exactly that name; `tls: provided` needs `tls-certificate` and `tls-key`.'
    return [
      ...(certificate === undefined ? [bad('tls-certificate', 'is empty', cure)] : []),
      ...(key === undefined ? [bad('tls-key', 'is empty', cure)] : []),
    ]
  }
  const own = readCertificate(certificate)
  if (own === undefined) return [bad('tls-certificate', 'cannot be read', CHAIN)]
  const faults: Reading<unknown>[] = []
  if (!new X509Certificate(own.pem).checkPrivateKey(createPrivateKey(key))) {
    const cure = "Put in the key that the certificate was made for; the site's own certificate stands first."
    faults.push(bad('tls-key', 'does not belong to the first certificate in `tls-certificate`', cure))
  }
  if (own.until < now) {
    const day = new Date(own.until).toISOString().slice(0, 10)
    faults.push(bad('tls-certificate', `ended on ${day}`, 'Put in the one that took its place.'))
  }
  const domains = site.domains.map(readDomain)
  for (const { kind, text } of domains) {
    if (kind !== 'name' || covers(own, text)) continue
    const cure = `Put in a certificate for all of \`domain\`; this one is for ${own.names.join(', ') || 'no name'}.`
    faults.push(bad('tls-certificate', `is not for ${text}`, cure))
  }
  if (domains.every(({ kind }) => kind !== 'name')) {
    faults.push(
      bad(
        'tls',
        'is `provided`, but no `domain` is a name',
        'Set `domain` to a name that the certificate is for.',
      ),
    )
  }
  return faults
}

/** What says something about HTTPS that is not wanted: most likely `tls: provided` was forgotten. */
function unused({ mode, certificate, key, staging, acmeServer }: TlsInputs): readonly Reading<unknown>[] {
  const wrong = `is given with \`tls\` ${shown(mode)}`
  const cure = 'Leave it out, or set `tls` to `provided`.'
  return [
    ...(certificate === undefined ? [] : [bad('tls-certificate', wrong, cure)]),
    ...(key === undefined ? [] : [bad('tls-key', wrong, cure)]),
    ...(staging && acmeServer !== undefined
      ? [
          bad(
            'tls-staging',
            'is `true` beside `acme-server`',
            "It is Let's Encrypt's: leave one of the two out.",
          ),
        ]
      : []),
  ]
}
