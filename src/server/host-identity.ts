import { DeployError, type Explanation } from '../errors.ts'
import {
  type CertificateFault,
  certificateAlgorithmsFor,
  certificateFault,
  readCertificate,
} from './host-certificate.ts'
import { entriesFor, type KnownHost, markedFor, parseKnownHosts } from './known-hosts.ts'
import {
  algorithmsFor,
  fingerprintOf,
  type HostKeyAlgorithm,
  hostKeyTypes,
  isHostKeyType,
  typeOf,
} from './public-key.ts'

/**
 * What a shown host key is: `match` is pinned; `changed` differs from what is pinned for this host; `unknown`
 * where nothing is pinned for it; `revoked` is marked as not to be trusted. Only `match` may go on.
 */
export type HostVerdict = 'match' | 'changed' | 'unknown' | 'revoked'

/**
 * What a shown host certificate comes to: `trusted`: an authority that is trusted for this host says that `key` (wire
 * format) is its key; `revoked`: its key or its authority is; `useless`: it says nothing to us, and `fault` why, where an
 * authority is trusted for this host at all.
 */
export type CertificateVerdict =
  | { readonly verdict: 'trusted'; readonly key: Buffer }
  | { readonly verdict: 'revoked'; readonly key: Buffer; readonly authority: Buffer | undefined }
  | { readonly verdict: 'useless'; readonly fault: CertificateFault | undefined }

/** One pin that speaks of a host, for the words of an error. */
export interface Pin {
  /** undefined: a fingerprint does not tell its key's type. */
  readonly type: string | undefined
  readonly fingerprint: string
  /** The line of `known-hosts`; `certificate`: proven by the server's certificate; undefined for a fingerprint. */
  readonly line: number | 'certificate' | undefined
}

/** Who the server has to be. */
export interface HostIdentity {
  /** Judges the key that a server has shown; `key` is in wire format. */
  accepts(host: string, port: number, key: Buffer): HostVerdict
  /**
   * The host key algorithms to ask for. A server shows one key only, the first of this list that it has: so the
   * pinned types stand first, and a server with several keys shows a pinned one. The others follow only so that
   * a server without any pinned type can be refused with its key and fingerprint in the message.
   */
  algorithms(host: string, port: number): readonly HostKeyAlgorithm[]
  /**
   * The certificate algorithms to ask for before the login; empty where no line with a marker speaks of this host, so
   * that no certificate matters.
   */
  certificateAlgorithms(host: string, port: number): readonly string[]
  /** Judges the certificate that a server has shown, in wire format; undefined: it has none. `now` in seconds since 1970. */
  judgeCertificate(host: string, port: number, blob: Buffer | undefined, now: number): CertificateVerdict
  /** What is pinned for this host. */
  pins(host: string, port: number): readonly Pin[]
  /** The lines that pin a key of a type that cannot be checked for this host. */
  unusable(host: string, port: number): readonly KnownHost[]
  /** A line that pins this very key under another name. */
  elsewhere(key: Buffer): KnownHost | undefined
  /** `host-fingerprint` was given: a key of any type may be the pinned one. */
  readonly byFingerprint: boolean
  /** Neither input was given. */
  readonly unpinned: boolean
}

/** The two inputs that pin a server's key, as given. */
export interface HostPins {
  /** known_hosts lines. */
  readonly knownHosts?: string | undefined
  /** `SHA256:...`, each of a key of any type. */
  readonly fingerprints?: readonly string[] | undefined
}

/** The faults of both inputs, for the phase that reports all faults of all inputs at once. */
export function hostPinFaults(pins: HostPins): readonly Explanation[] {
  const bad = (pins.fingerprints ?? []).filter((one) => bareFingerprint(one) === undefined)
  return [
    ...parseKnownHosts(pins.knownHosts ?? '').faults,
    ...bad.map((one) => ({
      cause: `\`host-fingerprint\` has an entry that is not a SHA256 fingerprint (${one.length} characters).`,
      cure: 'Write it as `ssh-keygen -lf` prints it on the server: `SHA256:` and 43 characters.',
      input: 'host-fingerprint',
    })),
  ]
}

/**
 * Reads what is pinned; with neither input there is an identity that accepts nobody.
 * @throws DeployError `host-pins-unreadable` with every fault of both inputs.
 */
export function hostIdentity(given: HostPins): HostIdentity {
  const faults = hostPinFaults(given)
  if (faults.length > 0) throw new DeployError('host-pins-unreadable', faults)
  const { entries: all } = parseKnownHosts(given.knownHosts ?? '')
  // Lines of other types pin nothing for us, and hide no other line: ssh(1) passes over types that it does not know.
  const usable = (entry: KnownHost) => entry.marker !== undefined || isHostKeyType(entry.type)
  const entries = all.filter(usable)
  const fingerprints = new Set((given.fingerprints ?? []).flatMap((one) => bareFingerprint(one) ?? []))
  const keysFor = (host: string, port: number) =>
    entriesFor(entries, host, port).filter((entry) => entry.marker === undefined)
  // By the name with the port and by the one without: ssh(1) passes over the latter where the former has a key.
  const isRevoked = (host: string, port: number, key: Buffer) =>
    markedFor(entries, host, port).some((entry) => entry.marker === 'revoked' && entry.key.equals(key))

  return {
    byFingerprint: fingerprints.size > 0,
    unpinned: all.length === 0 && fingerprints.size === 0,

    accepts(host, port, key) {
      if (isRevoked(host, port, key)) return 'revoked'
      const keys = keysFor(host, port)
      if (keys.some((entry) => entry.key.equals(key)) || fingerprints.has(fingerprintOf(key))) return 'match'
      return keys.length > 0 || fingerprints.size > 0 ? 'changed' : 'unknown'
    },

    algorithms(host, port) {
      return algorithmsFirst(keysFor(host, port).map((entry) => entry.type))
    },

    certificateAlgorithms(host, port) {
      const marked = markedFor(entries, host, port)
      if (marked.length === 0) return []
      const pinned = keysFor(host, port).map((entry) => entry.type)
      // Without an authority that is trusted, certificates matter only as those of the pinned keys: may they be revoked.
      const every = pinned.length === 0 || marked.some((entry) => entry.marker === 'cert-authority')
      return hostKeyTypes.filter((type) => every || pinned.includes(type)).flatMap(certificateAlgorithmsFor)
    },

    judgeCertificate(host, port, blob, now) {
      const authorities = markedFor(entries, host, port).filter((entry) => entry.marker === 'cert-authority')
      const useless = (fault: CertificateFault): CertificateVerdict => ({
        verdict: 'useless',
        fault: authorities.length === 0 ? undefined : fault,
      })
      if (blob === undefined) return useless(noCertificate)
      const certificate = readCertificate(blob)
      if (certificate === undefined) return useless(unreadableCertificate)
      const { key, authority } = certificate
      if (isRevoked(host, port, key)) return { verdict: 'revoked', key, authority: undefined }
      if (isRevoked(host, port, authority)) return { verdict: 'revoked', key, authority }
      if (!authorities.some((entry) => entry.key.equals(authority))) {
        return useless({
          what: `its certificate is signed by another authority, ${fingerprintOf(authority)}`,
          cure: 'If that authority is yours, add its `@cert-authority` line to `known-hosts`',
        })
      }
      const fault = certificateFault(certificate, host, now)
      return fault === undefined ? { verdict: 'trusted', key } : useless(fault)
    },

    pins(host, port) {
      const keys = keysFor(host, port).map(({ type, key, line }) => ({
        type,
        fingerprint: fingerprintOf(key),
        line,
      }))
      return [
        ...keys,
        ...[...fingerprints].map((fingerprint) => ({ type: undefined, fingerprint, line: undefined })),
      ]
    },

    unusable(host, port) {
      return entriesFor(
        all.filter((entry) => !usable(entry)),
        host,
        port,
      )
    },

    elsewhere(key) {
      return entries.find((entry) => entry.marker === undefined && entry.key.equals(key))
    },
  }
}

const noCertificate: CertificateFault = {
  what: 'it showed no certificate',
  cure: "Set `HostCertificate` in the server's sshd_config and restart sshd",
}

const unreadableCertificate: CertificateFault = {
  what: 'its certificate cannot be read',
  cure: "Sign the server's host key anew with `ssh-keygen -s CA -h` and restart sshd",
}

/** An identity that takes a certified key besides what it takes by itself, and asks for its type first. */
export function trusting(identity: HostIdentity, certified: Buffer): HostIdentity {
  const pin = { type: typeOf(certified), fingerprint: fingerprintOf(certified), line: 'certificate' } as const
  return {
    ...identity,
    accepts(host, port, key) {
      const verdict = identity.accepts(host, port, key)
      if (verdict === 'revoked') return verdict
      if (key.equals(certified)) return 'match'
      return verdict === 'unknown' ? 'changed' : verdict
    },
    pins: (host, port) => [...identity.pins(host, port), pin],
    algorithms: () => algorithmsFirst([typeOf(certified)]),
  }
}

/** Every algorithm, those of the given types first. */
function algorithmsFirst(types: readonly string[]): readonly HostKeyAlgorithm[] {
  const first = hostKeyTypes.filter((type) => types.includes(type))
  const others = hostKeyTypes.filter((type) => !types.includes(type))
  return [...first, ...others].flatMap(algorithmsFor)
}

/** The fingerprint as `fingerprintOf` writes it; undefined where the text is none. Padding is left out. */
function bareFingerprint(text: string): string | undefined {
  const match = /^SHA256:([A-Za-z0-9+/]{43})=?$/.exec(text.trim())
  return match === null ? undefined : `SHA256:${match[1]}`
}
