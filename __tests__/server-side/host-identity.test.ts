import { describe, expect, test } from 'vitest'
import { hostIdentity, hostPinFaults } from '../../src/server/host-identity.ts'
import { refusedHostKey } from '../../src/server/host-key-errors.ts'
import { fingerprintOf } from '../../src/server/public-key.ts'
import { keyPair } from './ssh-server.ts'

const ed = keyPair('ed25519')
const rsa = keyPair('rsa')
const ecdsa = keyPair('ecdsa')
const other = keyPair('ed25519')
const host = 'example.com'

describe('a key is judged', () => {
  test.each([
    ['pinned by known-hosts', { knownHosts: `${host} ${ed.line}` }, 'match'],
    ['another one is pinned', { knownHosts: `${host} ${other.line}` }, 'changed'],
    ['only one of another type is pinned', { knownHosts: `${host} ${rsa.line}` }, 'changed'],
    ['old and new are pinned', { knownHosts: `${host} ${other.line}\n${host} ${ed.line}` }, 'match'],
    ['pinned for another host', { knownHosts: `example.org ${ed.line}` }, 'unknown'],
    ['revoked', { knownHosts: `${host} ${ed.line}\n@revoked * ${ed.line}` }, 'revoked'],
    ['another one is revoked', { knownHosts: `${host} ${ed.line}\n@revoked * ${other.line}` }, 'match'],
    ['only an authority', { knownHosts: `@cert-authority * ${ed.line}` }, 'unknown'],
    ['pinned by fingerprint', { fingerprints: [fingerprintOf(ed.blob)] }, 'match'],
    ['pinned by padded fingerprint', { fingerprints: [`${fingerprintOf(ed.blob)}=`] }, 'match'],
    ['one of two fingerprints', { fingerprints: [other.blob, ed.blob].map(fingerprintOf) }, 'match'],
    ['another fingerprint', { fingerprints: [fingerprintOf(other.blob)] }, 'changed'],
    ['nothing is pinned', {}, 'unknown'],
  ] as const)('%s', (_name, pins, verdict) => {
    expect(hostIdentity(pins).accepts(host, 22, ed.blob)).toBe(verdict)
  })
})

describe('the pinned types are asked for first, and SHA-1 never', () => {
  test('RSA', () => {
    const list = hostIdentity({ knownHosts: `${host} ${rsa.line}` }).algorithms(host, 22)
    expect(list.slice(0, 2)).toEqual(['rsa-sha2-512', 'rsa-sha2-256'])
    expect(list).not.toContain('ssh-rsa')
  })
  test('several', () => {
    const knownHosts = `${host} ${ecdsa.line}\n${host} ${rsa.line}\nexample.org ${ed.line}`
    const list = hostIdentity({ knownHosts }).algorithms(host, 22)
    expect(list.slice(0, 3)).toEqual(['ecdsa-sha2-nistp256', 'rsa-sha2-512', 'rsa-sha2-256'])
    expect(list).toHaveLength(6)
  })
  test('a fingerprint does not tell its type: all', () => {
    const list = hostIdentity({ fingerprints: [fingerprintOf(rsa.blob)] }).algorithms(host, 22)
    expect(list[0]).toBe('ssh-ed25519')
    expect(list).toHaveLength(6)
  })
})

test('every fault of both inputs is reported at once', () => {
  const pins = { knownHosts: `oops\n${ed.line}`, fingerprints: ['MD5:aa:bb', 'SHA256:short'] }
  const faults = hostPinFaults(pins)
  expect(faults.map(({ input }) => input)).toEqual([
    'known-hosts',
    'known-hosts',
    'host-fingerprint',
    'host-fingerprint',
  ])
  expect(() => hostIdentity(pins)).toThrow(/Line 1.*\n.*Line 2/)
})

describe('what the user reads', () => {
  const text = (pins: Parameters<typeof hostIdentity>[0], port = 22) => {
    const identity = hostIdentity(pins)
    const verdict = identity.accepts(host, port, ed.blob)
    if (verdict === 'match') throw new Error('it matched')
    return refusedHostKey({ host, port, verdict, keys: [ed.blob], identity })
  }
  const seen = fingerprintOf(ed.blob)

  test('nothing pinned: what was seen, how to compare it, the line to pin it', () => {
    const error = text({})
    expect(error.code).toBe('host-key-unpinned')
    expect(error.message).toContain(`ED25519 ${seen}`)
    expect(error.message).toContain('ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub')
    expect(error.message).toContain(`${host} ${ed.line}`)
  })
  test('the line for another port has its brackets', () => {
    expect(text({}, 2222).message).toContain(`[${host}]:2222 ${ed.line}`)
  })
  test('known-hosts speaks of others only', () => {
    expect(text({ knownHosts: `example.org ${other.line}` }).code).toBe('host-key-unknown')
  })
  test('the very key is pinned under another name: its line', () => {
    const error = text({ knownHosts: `# mine\nexample.org ${ed.line}` })
    expect(error.code).toBe('host-key-unknown')
    expect(error.message).toContain('in line 2')
  })
  test('changed: both fingerprints and the pinned line', () => {
    const error = text({ knownHosts: `${host} ${other.line}` })
    expect(error.code).toBe('host-key-changed')
    expect(error.message).toContain(seen)
    expect(error.message).toContain(`ED25519 ${fingerprintOf(other.blob)} (line 1)`)
    expect(error.message).toContain(`${host} ${ed.line}`)
  })
  test('changed, by fingerprint', () => {
    const error = text({ fingerprints: [fingerprintOf(other.blob)] })
    expect(error.code).toBe('host-key-changed')
    expect(error.explanations[0]?.input).toBe('host-fingerprint')
    expect(error.explanations[0]?.cure).toContain(`put ${seen} into \`host-fingerprint\``)
  })
  test('revoked: no way to pin it', () => {
    const error = text({ knownHosts: `@revoked ${host} ${ed.line}` })
    expect(error.code).toBe('host-key-revoked')
    expect(error.message).not.toContain(ed.line)
  })
  test('an authority whose certificate proves nothing: why, what to do, or pin the key', () => {
    const identity = hostIdentity({ knownHosts: `@cert-authority *.com ${other.line}` })
    const certificate = { what: 'its certificate expired on 2026-01-02 03:04:05 UTC', cure: 'Sign it anew' }
    const error = refusedHostKey({
      host,
      port: 22,
      verdict: 'unknown',
      keys: [ed.blob],
      identity,
      certificate,
    })
    expect(error.code).toBe('host-key-authority')
    expect(error.message).toContain(
      `for ${host}, but its certificate expired on 2026-01-02 03:04:05 UTC; it showed`,
    )
    expect(error.message).toContain(
      'Sign it anew, or pin the key itself: run `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub`',
    )
    expect(error.message).toContain(`${host} ${ed.line}`)
  })
  test('a revoked authority: its fingerprint, and no way to pin', () => {
    const identity = hostIdentity({ knownHosts: `@revoked * ${other.line}` })
    const keys = [ed.blob]
    const error = refusedHostKey({
      host,
      port: 22,
      verdict: 'revoked',
      keys,
      identity,
      authority: other.blob,
    })
    expect(error.code).toBe('host-key-revoked')
    expect(error.message).toContain(`certified by ${fingerprintOf(other.blob)}, which \`known-hosts\` marks`)
    expect(error.message).not.toContain(ed.line)
  })
  test('only a type that cannot be checked is pinned: its line, and the key to pin', () => {
    const type = 'ssh-from-tomorrow'
    const blob = Buffer.concat([Buffer.from([0, 0, 0, type.length]), Buffer.from(type)])
    const error = text({ knownHosts: `${host} ${type} ${blob.toString('base64')}` })
    expect(error.code).toBe('host-key-unknown')
    expect(error.message).toContain(`only what cannot be checked here, ${type} (line 1); it showed`)
    expect(error.message).toContain(`${host} ${ed.line}`)
  })
  test('a key that is meant to flood the log is not printed', () => {
    const huge = Buffer.concat([ed.blob.subarray(0, 15), Buffer.alloc(30_000)])
    const error = refusedHostKey({
      host,
      port: 22,
      verdict: 'unknown',
      keys: [huge],
      identity: hostIdentity({}),
    })
    expect(error.message.length).toBeLessThan(1000)
  })
})
