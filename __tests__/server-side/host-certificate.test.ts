import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { certificateFault, readCertificate } from '../../src/server/host-certificate.ts'
import { hostIdentity, trusting } from '../../src/server/host-identity.ts'
import { fingerprintOf, typeOf } from '../../src/server/public-key.ts'
import { checkSignature, readPublicKey } from '../../src/server/signature.ts'
import { certificate, ed25519, type Said, signers } from './certificates.ts'

const authority = ed25519()
const now = 1_800_000_000

/** What is wrong with a certificate, in words; undefined where nothing is. */
function fault(blob: Buffer, host = 'example.com', at = now): string | undefined {
  const read = readCertificate(blob)
  return read === undefined ? 'unreadable' : certificateFault(read, host, at)?.what
}

test.each(Object.entries(signers))('an authority that signs with %s is understood', (algorithm, make) => {
  const signer = make()
  expect(readPublicKey(signer.blob)).toBeDefined()
  const said = fault(certificate(signer, { key: make().blob }))
  if (algorithm === 'ssh-rsa') expect(said).toBe('its certificate is signed with SHA-1, which can be forged')
  else expect(said).toBeUndefined()
})

describe('a certificate is judged', () => {
  const day = 86_400n
  const at = BigInt(now)
  test.each<[string, Said, RegExp | undefined]>([
    ['for ever', {}, undefined],
    ['from this second on', { validAfter: at }, undefined],
    ['from the next second on', { validAfter: at + 1n }, /is not valid before 2027-01-15 08:00:01 UTC$/],
    ['until the next second', { validBefore: at + 1n }, undefined],
    ['until this second', { validBefore: at }, /expired on 2027-01-15 08:00:00 UTC$/],
    ['of yesterday', { validAfter: at - 2n * day, validBefore: at - day }, /expired/],
    [
      'of a time that no date has',
      { validAfter: 2n ** 63n },
      /is not valid before second 9223372036854775808$/,
    ],
    ['for users', { kind: 1 }, /is for users/],
    ['of no kind', { kind: 0 }, /is for users, not for hosts/],
    ['for another host', { principals: ['example.org'] }, /is for `example\.org`, not `example\.com`$/],
    ['for no host', { principals: [] }, /names no host, not `example\.com`$/],
    ['for several', { principals: ['a.example', 'example.com'] }, undefined],
    ['for a pattern', { principals: ['*.com'] }, undefined],
    [
      'for a pattern that does not match',
      { principals: ['*.example.com', 'example.co?m'] },
      /is for `\*\.example/,
    ],
    ['for a part of the name', { principals: ['example.co', 'xample.com'] }, /is for/],
    ['for many others', { principals: Array.from({ length: 9 }, (_, n) => `h${n}`) }, /`h4` and others, not/],
    ['for a name with a newline', { principals: ['a\n::error::b'] }, /is for `a\\n::error::b`/],
    ['with a critical option', { critical: Buffer.from('\0\0\0\x01a\0\0\0\0') }, /critical option/],
  ])('%s', (_name, said, words) => {
    const read = fault(certificate(authority, said))
    if (words === undefined) expect(read).toBeUndefined()
    else expect(read).toMatch(words)
  })

  test('names are compared in lower case', () => {
    expect(fault(certificate(authority), 'EXAMPLE.com')).toBeUndefined()
  })

  test('a hardware key as authority cannot be checked, and is named', () => {
    const type = 'sk-ssh-ed25519@openssh.com'
    const length = Buffer.from([0, 0, 0, type.length])
    const hardware = { blob: Buffer.concat([length, Buffer.from(type)]), sign: authority.sign }
    expect(fault(certificate(hardware))).toContain(`signed by a key of ${type}`)
  })

  test('another authority’s signature is none', () => {
    const forged = { blob: authority.blob, sign: ed25519().sign }
    expect(fault(certificate(forged))).toContain(
      `has a signature that ${fingerprintOf(authority.blob)} did not make`,
    )
  })
})

test('a certificate of which any byte is altered proves nothing', () => {
  for (const make of [signers['ssh-ed25519'], signers['rsa-sha2-256'], signers['ecdsa-sha2-nistp521']]) {
    const good = certificate(make())
    expect(fault(good)).toBeUndefined()
    for (let at = 0; at < good.length; at++) {
      const bad = Buffer.from(good)
      bad.writeUInt8((bad[at] ?? 0) ^ 0x10, at)
      expect(fault(bad), `byte ${at}`).toBeDefined()
    }
  }
})

test('a certificate that is cut anywhere, or has something behind it, is unreadable', () => {
  const good = certificate(authority)
  for (let end = 0; end < good.length; end++) expect(fault(good.subarray(0, end))).toBe('unreadable')
  expect(fault(Buffer.concat([good, Buffer.alloc(1)]))).toBe('unreadable')
})

test('no bytes of a stranger throw', () => {
  const bytes = fc.uint8Array({ maxLength: 300 }).map((one) => Buffer.from(one))
  const good = certificate(authority)
  fc.assert(
    fc.property(bytes, fc.nat(good.length), (some, at) => {
      const mixed = Buffer.concat([
        good.subarray(0, at),
        some,
        good.subarray(Math.min(good.length, at + some.length)),
      ])
      expect(mixed.equals(good) || fault(mixed) !== undefined).toBe(true)
      expect(checkSignature(some, some, some)).toBe('unknown')
      expect(checkSignature(authority.blob, some, some)).not.toBe('good')
    }),
    { numRuns: 2000 },
  )
})

describe('the identity takes a certificate', () => {
  const line = (blob: Buffer) => `${typeOf(blob)} ${blob.toString('base64')}`
  const key = ed25519().blob
  const shown = certificate(authority, { key })
  const judged = (knownHosts: string, blob: Buffer | undefined = shown, host = 'example.com', port = 22) =>
    hostIdentity({ knownHosts }).judgeCertificate(host, port, blob, now)
  const trust = `@cert-authority *.com,example.org ${line(authority.blob)}`

  test('of a trusted authority for the host, and then the key alone', () => {
    expect(judged(trust)).toEqual({ verdict: 'trusted', key })
    const identity = trusting(hostIdentity({ knownHosts: trust }), key)
    expect(identity.accepts('example.com', 22, key)).toBe('match')
    expect(identity.accepts('example.com', 22, ed25519().blob)).toBe('changed')
    expect(identity.algorithms('example.com', 22)[0]).toBe('ssh-ed25519')
  })

  test('but not for a host that the line or the certificate does not name', () => {
    expect(judged(trust, shown, 'example.net')).toEqual({ verdict: 'useless', fault: undefined })
    expect(judged(trust, shown, 'example.org')).toMatchObject({
      fault: { what: expect.stringContaining('is for `example.com`, not `example.org`') },
    })
  })

  test('but not of another authority, nor none, nor what is no certificate', () => {
    const other = ed25519()
    expect(judged(trust, certificate(other, { key }))).toMatchObject({
      fault: { what: `its certificate is signed by another authority, ${fingerprintOf(other.blob)}` },
    })
    expect(
      hostIdentity({ knownHosts: trust }).judgeCertificate('example.com', 22, undefined, now),
    ).toMatchObject({
      fault: { what: 'it showed no certificate' },
    })
    expect(judged(trust, key)).toMatchObject({ fault: { what: 'its certificate cannot be read' } })
  })

  test('but not where the key or the authority is revoked', () => {
    const revoked = { verdict: 'revoked', key }
    expect(judged(`${trust}\n@revoked * ${line(key)}`)).toEqual({ ...revoked, authority: undefined })
    const byAuthority = { ...revoked, authority: authority.blob }
    expect(judged(`${trust}\n@revoked * ${line(authority.blob)}`)).toEqual(byAuthority)
    expect(judged(`${trust}\n@revoked *.org ${line(authority.blob)}`)).toEqual({ verdict: 'trusted', key })
    // With a port, a revocation without it counts too.
    expect(
      judged(`${trust}\n@revoked example.com ${line(authority.blob)}`, shown, 'example.com', 2222),
    ).toEqual(byAuthority)
    const identity = trusting(hostIdentity({ knownHosts: `${trust}\n@revoked * ${line(key)}` }), key)
    expect(identity.accepts('example.com', 22, key)).toBe('revoked')
  })

  test('and asks for one only where a line with a marker speaks of the host', () => {
    const asked = (knownHosts: string, host = 'example.com') =>
      hostIdentity({ knownHosts }).certificateAlgorithms(host, 22)
    expect(asked(`example.com ${line(key)}`)).toEqual([])
    expect(asked(trust, 'example.net')).toEqual([])
    expect(asked(trust)).toHaveLength(6)
    expect(asked(trust)[0]).toBe('ssh-ed25519-cert-v01@openssh.com')
    expect(asked(trust)).not.toContain('ssh-rsa-cert-v01@openssh.com')
    expect(asked(`example.com ${line(key)}\n@revoked * ${line(authority.blob)}`)).toEqual([
      'ssh-ed25519-cert-v01@openssh.com',
    ])
  })
})
