import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { Retry } from '../../src/server/connection.ts'
import { fingerprintOf } from '../../src/server/public-key.ts'
import { failing, host, hostKey, rsaHostKey, serve, to, user } from './connecting.ts'
import { keyPair } from './ssh-server.ts'

describe('the login', () => {
  test('offers the key at once and tells what it met', async () => {
    const server = await serve({ banner: 'be nice' })
    const connection = await to(server.port)
    // Once to ask whether the key will do, once to prove it; never `none` before it.
    expect(server.tried).toEqual(['publickey', 'publickey'])
    expect(connection.serverIdent).toMatch(/^SSH-2\.0-ssh2js/)
    expect(connection.hostKeyFingerprint).toBe(fingerprintOf(hostKey.blob))
    expect(connection.hostKeyType).toBe('ssh-ed25519')
    expect(connection.remoteAddress).toBe(host)
    expect(connection.banner).toContain('be nice')
    expect(connection.timings.readyMs).toBeGreaterThan(connection.timings.tcpMs)
    expect(connection.lost()).toBeUndefined()
  })

  test('with a password only', async () => {
    const server = await serve({ authorized: undefined, password: 'hunter22' })
    await to(server.port, { key: undefined, password: 'hunter22' })
    expect(server.tried).toEqual(['password'])
  })

  test('with a password where the key is not taken', async () => {
    const server = await serve({ authorized: randomBytes(51), password: 'hunter22' })
    await to(server.port, { password: 'hunter22' })
    expect(server.tried).toEqual(['publickey', 'password'])
  })

  test('with a password that is asked for', async () => {
    const server = await serve({ authorized: undefined, password: 'hunter22', interactive: true })
    await to(server.port, { key: undefined, password: 'hunter22' })
    expect(server.tried).toEqual(['password', 'keyboard-interactive'])
    const error = await failing(to(server.port, { key: undefined, password: 'wrong' }))
    expect(error.code).toBe('login-password-refused')
  })

  test('with a wrong key: says whom and which key, once', async () => {
    const server = await serve({ authorized: randomBytes(51) })
    const error = await failing(to(server.port))
    expect(error.code).toBe('login-key-refused')
    expect(error.message).toContain(user.key.fingerprint)
    expect(error.message).toContain('user deploy')
    expect(error.message).toContain(user.key.publicLine)
    expect(server.connections()).toBe(1)
  })

  test('with a wrong password: the password is in no message', async () => {
    const server = await serve({ authorized: undefined, password: 'right' })
    const error = await failing(to(server.port, { key: undefined, password: 'wrong-marker' }))
    expect(error.code).toBe('login-password-refused')
    expect(error.message).not.toContain('wrong-marker')
  })

  test('with a password where only keys are allowed', async () => {
    const server = await serve()
    const error = await failing(to(server.port, { key: undefined, password: 'any' }))
    expect(error.code).toBe('login-password-off')
  })

  test('with a key where only passwords are allowed', async () => {
    const server = await serve({ authorized: undefined, password: 'right' })
    expect((await failing(to(server.port))).code).toBe('login-keys-off')
  })
})

describe('the host key', () => {
  const hashless = (port: number, line: string) => `[${host}]:${port} ${line}`

  test.each([
    ['[host]:port', (port: number) => hashless(port, hostKey.line)],
    ['the plain name', () => `${host} ${hostKey.line}`],
    ['a pattern', () => `127.0.0.* ${hostKey.line}`],
    [
      'old and new',
      (port: number) => `${hashless(port, keyPair('ed25519').line)}\n${hashless(port, hostKey.line)}`,
    ],
  ])('matches a known_hosts line with %s', async (_name, line) => {
    const server = await serve()
    await to(server.port, { pins: { knownHosts: line(server.port) } })
  })

  test.each([
    ['nothing is pinned', {}, 'host-key-unpinned'],
    ['another host is pinned', { knownHosts: `example.org ${rsaHostKey.line}` }, 'host-key-unknown'],
    ['another key is pinned', { knownHosts: `${host} ${keyPair('ed25519').line}` }, 'host-key-changed'],
    ['a key of another type is pinned', { knownHosts: `${host} ${rsaHostKey.line}` }, 'host-key-changed'],
    ['another fingerprint is pinned', { fingerprints: [fingerprintOf(rsaHostKey.blob)] }, 'host-key-changed'],
    ['it is revoked', { knownHosts: `@revoked * ${hostKey.line}` }, 'host-key-revoked'],
    [
      'only an authority is pinned',
      { knownHosts: `@cert-authority * ${rsaHostKey.line}` },
      'host-key-authority',
    ],
  ])('%s: refused, shown, and nobody is logged in', async (_name, pins, code) => {
    const server = await serve()
    const retries: Retry[] = []
    const error = await failing(to(server.port, { pins, onRetry: (retry) => retries.push(retry) }))
    expect(error.code).toBe(code)
    expect(error.message).toContain(fingerprintOf(hostKey.blob))
    expect(server.tried).toEqual([])
    expect(retries).toEqual([])
  })

  test('a server with both keys shows the pinned one', async () => {
    const server = await serve({ hostKeys: [hostKey.secret, rsaHostKey.secret] })
    const connection = await to(server.port, { pins: { knownHosts: `${host} ${rsaHostKey.line}` } })
    expect(connection.hostKeyType).toBe('ssh-rsa')
    expect(server.connections()).toBe(1)
  })

  test('a fingerprint of the key that is not shown first is found too', async () => {
    const server = await serve({ hostKeys: [hostKey.secret, rsaHostKey.secret] })
    const pins = { fingerprints: [fingerprintOf(rsaHostKey.blob)] }
    const connection = await to(server.port, { pins })
    expect(connection.hostKeyType).toBe('ssh-rsa')
    expect(server.connections()).toBe(2)
  })

  test('a fingerprint of none of its keys: all of them are named', async () => {
    const server = await serve({ hostKeys: [hostKey.secret, rsaHostKey.secret] })
    const pins = { fingerprints: [fingerprintOf(keyPair('ecdsa').blob)] }
    const error = await failing(to(server.port, { pins }))
    expect(error.code).toBe('host-key-changed')
    expect(error.message).toContain(fingerprintOf(hostKey.blob))
    expect(error.message).toContain(fingerprintOf(rsaHostKey.blob))
  })
})
