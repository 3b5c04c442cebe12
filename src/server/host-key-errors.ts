import { DeployError, type Explanation } from '../errors.ts'
import type { CertificateFault } from './host-certificate.ts'
import type { HostIdentity, HostVerdict } from './host-identity.ts'
import { nameInKnownHosts } from './known-hosts.ts'
import { familyOf, fingerprintOf, typeOf } from './public-key.ts'

/** A server whose key was refused, and what it showed. */
export interface RefusedHost {
  readonly host: string
  readonly port: number
  readonly verdict: Exclude<HostVerdict, 'match'>
  /** Every key that it showed, in wire format, at least one; several where it was asked for several types. */
  readonly keys: readonly Buffer[]
  readonly identity: HostIdentity
  /** Why its certificate proved nothing, where `known-hosts` trusts an authority for it. */
  readonly certificate?: CertificateFault | undefined
  /** The authority of its certificate, in wire format, where that is what is revoked. */
  readonly authority?: Buffer | undefined
}

/**
 * The error for a host key that is not pinned: what was seen, how to compare it on the server itself, and the
 * exact line to pin it. Codes: `host-key-unpinned` (neither input given), `host-key-unknown`,
 * `host-key-authority` (an authority is trusted, and its certificate proves nothing), `host-key-changed`, `host-key-revoked`.
 */
export function refusedHostKey(refused: RefusedHost): DeployError {
  const { verdict, identity } = refused
  switch (verdict) {
    case 'revoked':
      return new DeployError('host-key-revoked', revoked(refused))
    case 'changed':
      return new DeployError('host-key-changed', changed(refused))
    case 'unknown':
      if (identity.unpinned) return new DeployError('host-key-unpinned', unpinned(refused))
      if (refused.certificate !== undefined)
        return new DeployError('host-key-authority', authority(refused, refused.certificate))
      return new DeployError('host-key-unknown', unknown(refused))
  }
}

function unpinned(refused: RefusedHost): Explanation {
  return {
    cause: `Neither \`known-hosts\` nor \`host-fingerprint\` is given, so nothing says that the machine that answered is ${name(refused)}: it showed ${seen(refused)}.`,
    cure: `${capital(compare(refused))} and, if it prints the same, add to \`known-hosts\` the line: ${theLine(refused)}`,
    input: 'known-hosts',
  }
}

function unknown(refused: RefusedHost): Explanation {
  const key = refused.keys.find((one) => refused.identity.elsewhere(one))
  const line = key && refused.identity.elsewhere(key)
  if (line !== undefined) {
    return {
      cause: `\`known-hosts\` pins the key that was shown (${seen(refused)}) in line ${line.line}, but for another name than ${name(refused)}.`,
      cure: `If both names are one server, add to \`known-hosts\` the line: ${theLine(refused)}`,
      input: 'known-hosts',
    }
  }
  const unusable = refused.identity.unusable(refused.host, refused.port)
  const only = unusable.map(({ type, line: at }) => `${type} (line ${at})`).join(' and ')
  return {
    cause:
      only === ''
        ? `\`known-hosts\` has no line for ${name(refused)}, which showed ${seen(refused)}.`
        : `\`known-hosts\` pins for ${name(refused)} only what cannot be checked here, ${only}; it showed ${seen(refused)}.`,
    cure: `${capital(compare(refused))} and, if it prints the same, add to \`known-hosts\` the line: ${theLine(refused)}`,
    input: 'known-hosts',
  }
}

function authority(refused: RefusedHost, { what, cure }: CertificateFault): Explanation {
  return {
    cause: `\`known-hosts\` trusts a certificate authority for ${name(refused)}, but ${what}; it showed ${seen(refused)}.`,
    cure: `${cure}, or pin the key itself: ${compare(refused)} and, if it prints the same, add to \`known-hosts\` the line: ${theLine(refused)}`,
    input: 'known-hosts',
  }
}

function revoked(refused: RefusedHost): Explanation {
  const { authority } = refused
  const certified = authority === undefined ? '' : `, certified by ${fingerprintOf(authority)}`
  return {
    cause: `${name(refused)} showed ${seen(refused)}${certified}, which \`known-hosts\` marks as @revoked.`,
    cure:
      authority === undefined
        ? 'Do not connect: give the server a new host key, and pin that one.'
        : "Do not connect: have the server's host key certified by an authority that is not revoked, or pin the key itself.",
    input: 'known-hosts',
  }
}

function changed(refused: RefusedHost): Explanation {
  const pins = refused.identity.pins(refused.host, refused.port)
  const pinned = pins.map(({ type, fingerprint, line }) => {
    const family = type === undefined ? '' : `${familyOf(type)} `
    const where =
      line === undefined ? '' : line === 'certificate' ? ' (by its certificate)' : ` (line ${line})`
    return `${family}${fingerprint}${where}`
  })
  const input = pins.some((one) => one.line !== undefined) ? 'known-hosts' : 'host-fingerprint'
  const old = pins.filter(({ line }) => typeof line === 'number').length
  const place = old === 0 ? ' the' : `, in place of the old line${old > 1 ? 's, this' : ', this'}`
  const fix =
    input === 'known-hosts'
      ? `put into \`known-hosts\`${place} line: ${theLine(refused)}`
      : `put ${refused.keys.map(fingerprintOf)[0]} into \`host-fingerprint\`.`
  const proof = refused.certificate === undefined ? '' : `; ${refused.certificate.what}`
  return {
    cause: `${name(refused)} is not the server that is pinned: it showed ${seen(refused)}, and \`${input}\` has ${pinned.join(' and ')}${proof}.`,
    cure: `Unless the server was set up anew, another machine may be answering in its place; ${compare(refused)} and, only if it prints the same, ${fix}`,
    input,
  }
}

const name = ({ host, port }: RefusedHost) => (port === 22 ? host : `${host} (port ${port})`)

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)

/** `the host key ED25519 key SHA256:...`, one after the other. */
function seen({ keys }: RefusedHost): string {
  const each = keys.map((key) => `${familyOf(typeOf(key))} ${fingerprintOf(key)}`)
  return `the host key ${each.join(' and ')}`
}

/** What to run where nobody can be in between: on the server's own console. */
function compare({ keys }: RefusedHost): string {
  const [first] = keys
  const family = first === undefined ? 'ed25519' : familyOf(typeOf(first)).toLowerCase()
  const file = ['ed25519', 'ecdsa', 'rsa'].includes(family) ? family : 'ed25519'
  return `run \`ssh-keygen -lf /etc/ssh/ssh_host_${file}_key.pub\` on the server's console`
}

/** The line that pins the key; last in its sentence, with no full stop that could be copied along. */
function theLine({ host, port, keys }: RefusedHost): string {
  const [first = Buffer.alloc(0)] = keys
  // No key in use is longer (RSA with 16384 bits: 2 kB); what is longer is meant to flood the log.
  if (first.length > 4096) return '(left out: the key that was shown is too long to be a real one)'
  return `${nameInKnownHosts(host, port)} ${typeOf(first)} ${first.toString('base64')}`
}
