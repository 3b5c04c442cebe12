import { createHash } from 'node:crypto'
import { type Certificate, covers, endsSoon } from '../config/certificate.ts'
import { readDomain } from '../config/domain.ts'
import { LINEAGES, paths } from '../config/paths.ts'
import type { SiteTls } from '../config/settings.ts'
import type { Inputs } from '../inputs.ts'
import type { Facts, StoredCertificate } from '../server/facts.ts'
import type { Wish } from './wish.ts'

/** Let's Encrypt's directories (letsencrypt.org/docs, "ACME Endpoints" and "Staging Environment"). */
const LETS_ENCRYPT = 'https://acme-v02.api.letsencrypt.org/directory'
const LETS_ENCRYPT_STAGING = 'https://acme-staging-v02.api.letsencrypt.org/directory'

/** Names that no public authority knows: RFC 6761, 6762, 8375, 9476 and ICANN's `internal`; `lan` is common practice. */
const PRIVATE_NAME = /(^|\.)(test|example|invalid|localhost|local|internal|lan|home\.arpa|onion|alt)$/

/** The first wait after a refusal; each one after it is twice as long, up to the longest. */
const FIRST_WAIT_MS = 3_600_000
const LONGEST_WAIT_MS = 7 * 24 * FIRST_WAIT_MS

/** What is to be asked of an authority. */
export interface CertificateRequest {
  /** What certbot calls it: its folder in `live`. */
  readonly lineage: string
  readonly authority: string
  readonly names: readonly string[]
  readonly email: string | undefined
  /** Ask though the present one is not near its end. */
  readonly force: boolean
  /** All of this as a hash: a refusal holds for the same request only. */
  readonly key: string
}

/** What has to be done about a site's HTTPS. */
export type TlsTask =
  /** The site is as it is wished to be. */
  | { readonly kind: 'none' }
  /** The authority refused, and is not asked again before this time (ms since 1970). */
  | { readonly kind: 'waits'; readonly until: number; readonly names: readonly string[] }
  | {
      readonly kind: 'secure'
      readonly tls: SiteTls
      /** What has to be asked for first; undefined where the certificate is there, or was handed over. */
      readonly request: CertificateRequest | undefined
      /** The certificate's chain and key, PEM, to be written to `tls.certificate`. */
      readonly provided: string | undefined
    }

/** What was handed over, or comes from a test service, need not be known to anybody's machine. */
export function isVouchedFor({ mode, staging }: Inputs['tls']): boolean {
  return mode !== 'provided' && !staging
}

/** The site's names that a certificate can be had for, as browsers send them. */
export function certificateNames(inputs: Pick<Inputs, 'site' | 'tls'>): readonly string[] {
  const { tls } = inputs
  // An authority of one's own may well know names that are nobody else's.
  const anyName = tls.mode === 'provided' || tls.acmeServer !== undefined
  const known = (name: string) =>
    anyName || (name.includes('.') && !name.includes('_') && !PRIVATE_NAME.test(name))
  return wishedNames(inputs).filter(known)
}

/** All of the site's names, but where HTTPS is switched off. */
function wishedNames({ site, tls }: Pick<Inputs, 'site' | 'tls'>): readonly string[] {
  if (tls.mode === 'off') return []
  const names = site.domains.map(readDomain).flatMap(({ kind, text }) => (kind === 'name' ? [text] : []))
  return [...new Set(names)]
}

/** The HTTPS that the site has now, as far as it serves names that are wished; it is never taken away but by `tls: off`. */
export function presentTls(facts: Facts, inputs: Pick<Inputs, 'site' | 'tls'>): SiteTls | undefined {
  const present = usedCertificate(facts)
  return present === undefined ? undefined : tlsWith(present, wishedNames(inputs))
}

/**
 * The certificate in use, PEM, where no authority of browsers' may vouch for it: handed over, a test service's, or one
 * whose time is over.
 */
export function trustedCertificate(facts: Facts): string | undefined {
  const used = usedCertificate(facts)
  const known = used?.path.startsWith(`${LINEAGES}/`) && used.authority !== LETS_ENCRYPT_STAGING
  return known && !isOver(facts) ? undefined : used?.pem
}

/** The time of the certificate in use is over. */
export function isOver(facts: Facts): boolean {
  const used = usedCertificate(facts)
  return used !== undefined && used.until <= facts.now
}

function usedCertificate(facts: Facts): StoredCertificate | undefined {
  return facts.certificates.find(({ path }) => path === facts.siteCertificate)
}

/** What has to be done so that the site has the HTTPS that is wished. */
export function tlsTask(facts: Facts, { inputs, project }: Pick<Wish, 'inputs' | 'project'>): TlsTask {
  const names = certificateNames(inputs)
  if (names.length === 0) return { kind: 'none' }
  const wished =
    inputs.tls.mode === 'provided'
      ? provided(project.name, inputs, names)
      : automatic(facts, project.name, inputs, names)
  if (wished.kind !== 'secure' || wished.request !== undefined) return wished
  const present = presentTls(facts, inputs)
  const stands =
    present?.certificate === wished.tls.certificate && present.names.length === wished.tls.names.length
  return stands ? { kind: 'none' } : wished
}

function provided(name: string, { tls }: Inputs, names: readonly string[]): TlsTask {
  const chain = tls.certificate ?? ''
  // Named by what is in it: another certificate is another file, so nginx's file says which one is used.
  const file = `${paths(name).etc}/tls-${hash(chain)}.pem`
  return {
    kind: 'secure',
    tls: { certificate: file, key: file, names },
    request: undefined,
    provided: chain + (tls.key ?? ''),
  }
}

function automatic(facts: Facts, name: string, { tls }: Inputs, names: readonly string[]): TlsTask {
  const lineage = paths(name).user
  const path = `${LINEAGES}/${lineage}/fullchain.pem`
  const own = facts.certificates.find((one) => one.path === path)
  const users = facts.certificates.find(
    (one) =>
      one.path !== path &&
      one.path.startsWith(`${LINEAGES}/`) &&
      one.until > facts.now &&
      coversAll(one, names),
  )
  // One that the user has had before us is used and not replaced.
  if (own === undefined && users !== undefined) return secure(tlsWith(users, names))
  const authority = tls.acmeServer ?? (tls.staging ? LETS_ENCRYPT_STAGING : LETS_ENCRYPT)
  const elsewhere = own !== undefined && own.authority !== authority
  const isEnding = own !== undefined && endsSoon(own, facts.now)
  const good = own !== undefined && !elsewhere && !isEnding && own.names.join() === names.toSorted().join()
  if (good) return secure(tlsWith(own, names))
  const key = hash(JSON.stringify([authority, names.toSorted()]))
  const until = nextTry(facts, key)
  if (until !== undefined) {
    return own !== undefined && coversAll(own, names)
      ? secure(tlsWith(own, names))
      : { kind: 'waits', until, names }
  }
  return {
    kind: 'secure',
    tls: { certificate: path, key: keyFile(path), names },
    request: { lineage, authority, names, email: tls.email, force: elsewhere || isEnding, key },
    provided: undefined,
  }
}

/** When the authority may be asked again; undefined: now. A clock that was put back does not lock anybody out. */
function nextTry(facts: Facts, request: string): number | undefined {
  const refused = facts.state?.refused
  if (refused === undefined || refused.request !== request || refused.at > facts.now) return undefined
  const until = refused.at + Math.min(FIRST_WAIT_MS * 2 ** (refused.count - 1), LONGEST_WAIT_MS)
  return until > facts.now ? until : undefined
}

function secure(tls: SiteTls | undefined): TlsTask {
  return tls === undefined
    ? { kind: 'none' }
    : { kind: 'secure', tls, request: undefined, provided: undefined }
}

function tlsWith(certificate: StoredCertificate, names: readonly string[]): SiteTls | undefined {
  const covered = names.filter((name) => covers(certificate, name))
  if (covered.length === 0) return undefined
  return { certificate: certificate.path, key: keyFile(certificate.path), names: covered }
}

function coversAll(certificate: Certificate, names: readonly string[]): boolean {
  return names.every((name) => covers(certificate, name))
}

/** certbot keeps the key beside the certificate; what was handed over is one file. */
function keyFile(certificate: string): string {
  return certificate.replace(/\/fullchain\.pem$/, '/privkey.pem')
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}
