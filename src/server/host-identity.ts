import { DeployError, type Explanation } from '../errors.ts'
import { entriesFor, type KnownHost, parseKnownHosts } from './known-hosts.ts'
import {
  algorithmsFor,
  fingerprintOf,
  type HostKeyAlgorithm,
  type HostKeyType,
  hostKeyTypes,
} from './public-key.ts'

/**
 * What a shown host key is: `match` is pinned; `changed` differs from what is pinned for this host; `unknown`
 * where nothing is pinned for it; `revoked` is marked as not to be trusted. Only `match` may go on.
 */
export type HostVerdict = 'match' | 'changed' | 'unknown' | 'revoked'

/** One pin that speaks of a host, for the words of an error. */
export interface Pin {
  /** undefined: a fingerprint does not tell its key's type. */
  readonly type: string | undefined
  readonly fingerprint: string
  /** The line of `known-hosts`; undefined for a fingerprint. */
  readonly line: number | undefined
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
  /** What is pinned for this host. */
  pins(host: string, port: number): readonly Pin[]
  /** `known-hosts` trusts an authority for this host instead of a key. */
  trustsAuthority(host: string, port: number): boolean
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
  const { entries } = parseKnownHosts(given.knownHosts ?? '')
  const fingerprints = new Set((given.fingerprints ?? []).flatMap((one) => bareFingerprint(one) ?? []))
  const keysFor = (host: string, port: number) =>
    entriesFor(entries, host, port).filter((entry) => entry.marker === undefined)

  return {
    byFingerprint: fingerprints.size > 0,
    unpinned: entries.length === 0 && fingerprints.size === 0,

    accepts(host, port, key) {
      const spoken = entriesFor(entries, host, port)
      if (spoken.some((entry) => entry.marker === 'revoked' && entry.key.equals(key))) return 'revoked'
      const keys = keysFor(host, port)
      if (keys.some((entry) => entry.key.equals(key)) || fingerprints.has(fingerprintOf(key))) return 'match'
      return keys.length > 0 || fingerprints.size > 0 ? 'changed' : 'unknown'
    },

    algorithms(host, port) {
      const pinned = new Set<string>(keysFor(host, port).map((entry) => entry.type))
      const first = hostKeyTypes.filter((type) => pinned.has(type))
      const others = hostKeyTypes.filter((type) => !pinned.has(type))
      return [...first, ...others].flatMap((type: HostKeyType) => algorithmsFor(type))
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

    trustsAuthority(host, port) {
      return entriesFor(entries, host, port).some((entry) => entry.marker === 'cert-authority')
    },

    elsewhere(key) {
      return entries.find((entry) => entry.marker === undefined && entry.key.equals(key))
    },
  }
}

/** The fingerprint as `fingerprintOf` writes it; undefined where the text is none. Padding is left out. */
function bareFingerprint(text: string): string | undefined {
  const match = /^SHA256:([A-Za-z0-9+/]{43})=?$/.exec(text.trim())
  return match === null ? undefined : `SHA256:${match[1]}`
}
