import { X509Certificate } from 'node:crypto'

/** A certificate, as far as anybody here asks about it. */
export interface Certificate {
  /** The DNS names it is for, in lower case; `*.example.com` stands for itself. */
  readonly names: readonly string[]
  /** Who signed it, e.g. `Let's Encrypt (R13)`. */
  readonly issuer: string
  /** When it begins and ends to be valid, in ms since 1970. */
  readonly from: number
  readonly until: number
  /** The certificate itself, without those of its authorities, as PEM. */
  readonly pem: string
}

/**
 * Reads one certificate.
 * @param encoded PEM or DER
 * @returns undefined for what is none
 */
export function readCertificate(encoded: string | Buffer): Certificate | undefined {
  try {
    const parsed = new X509Certificate(encoded)
    const issuer = new Map(
      parsed.issuer
        .split('\n')
        .map((line) => [...line.split('=', 2)] as const)
        .map(([key = '', value = '']) => [key, value]),
    )
    const [from, until] = [parsed.validFromDate.getTime(), parsed.validToDate.getTime()]
    if (!Number.isFinite(from) || !Number.isFinite(until)) return undefined
    const [organisation, name] = [issuer.get('O'), issuer.get('CN')]
    return {
      names: dnsNames(parsed.subjectAltName ?? ''),
      issuer:
        organisation === undefined
          ? (name ?? 'an unknown authority')
          : name === undefined
            ? organisation
            : `${organisation} (${name})`,
      from,
      until,
      pem: parsed.toString(),
    }
  } catch {
    return undefined
  }
}

/** `DNS:a.example, IP Address:...`; whatever is in quotes is no name that a server is asked for. */
function dnsNames(alternative: string): readonly string[] {
  return alternative
    .split(', ')
    .flatMap((entry) => /^DNS:([A-Za-z0-9*._-]+)$/.exec(entry)?.[1]?.toLowerCase() ?? [])
    .toSorted()
}

/** Says whether browsers take a certificate's names for a host name (RFC 6125, 6.4.3: `*` is one whole label). */
export function covers(certificate: Pick<Certificate, 'names'>, name: string): boolean {
  const parent = name.replace(/^[^.]+/, '*')
  return certificate.names.includes(name) || (parent !== name && certificate.names.includes(parent))
}

/** Less than a quarter of its time is left: whatever renews it should have done so long ago. */
export function endsSoon(certificate: Pick<Certificate, 'from' | 'until'>, now: number): boolean {
  return certificate.until - now < (certificate.until - certificate.from) / 4
}

/** Whole days left; negative once it is over. */
export function daysLeft(certificate: Pick<Certificate, 'until'>, now: number): number {
  return Math.floor((certificate.until - now) / 86_400_000)
}
