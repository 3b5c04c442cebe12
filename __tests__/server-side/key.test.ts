import { execFileSync } from 'node:child_process'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { DeployError } from '../../src/errors.ts'
import { readKey } from '../../src/server/key.ts'
import { freshKey } from './fresh-key.ts'

const ed25519 = freshKey('ed25519')
const sound = `${ed25519.private.trim()}\n`
const publicLine = ed25519.public.split(' ').slice(0, 2).join(' ')

function errorOf(text: string, passphrase?: string): DeployError {
  try {
    readKey(text, passphrase)
  } catch (error) {
    if (error instanceof DeployError) return error
    throw error
  }
  throw new Error('the key was read')
}

test('a sound key is read with its type, fingerprint and public half, and nothing is repaired', () => {
  const key = readKey(sound, undefined)
  expect(key.type).toBe('ssh-ed25519')
  expect(key.fingerprint).toMatch(/^SHA256:[A-Za-z0-9+/]{43}$/)
  expect(key.publicLine).toBe(publicLine)
  expect(key.repaired).toEqual([])
})

describe('harmless damage is repaired, and said', () => {
  const body = sound.split('\n').slice(1, -2).join('\n')
  test.each([
    ['literal \\n', sound.trim().replaceAll('\n', '\\n'), 'literal \\n'],
    ['literal \\r\\n', sound.replaceAll('\n', '\\r\\n'), 'literal \\n'],
    ['Windows line ends', sound.replaceAll('\n', '\r\n'), 'Windows line ends'],
    ['old Mac line ends', sound.replaceAll('\n', '\r'), 'Windows line ends'],
    ['indentation', sound.replace(/^/gm, '    '), 'indentation'],
    ['trailing blanks', sound.replaceAll('\n', '  \n'), 'indentation'],
    ['a byte order mark', `\uFEFF${sound}`, 'byte order mark'],
    ['double quotes', `"${sound}"\n`, 'quotes'],
    ['single quotes', `'${sound.trim()}'`, 'quotes'],
    ['a JSON string', JSON.stringify(sound), 'quotes'],
    ['no last newline', sound.trim(), 'last newline'],
    ['base64 of the whole', Buffer.from(sound).toString('base64'), 'base64'],
    [
      'base64 of the whole in lines',
      Buffer.from(sound).toString('base64').replace(/.{76}/g, '$&\n'),
      'base64',
    ],
    ['spaces for line breaks', sound.trim().replaceAll('\n', ' '), 'spaces'],
    ['no BEGIN and END lines', body, 'BEGIN and END'],
    ['text around it', `my key:\n${sound}\nend\n`, 'text around'],
    ['empty lines within', sound.replaceAll('\n', '\n\n'), ''],
  ])('%s', (_name, damaged, said) => {
    const key = readKey(damaged, undefined)
    expect(key.publicLine).toBe(publicLine)
    expect(key.repaired.join('; ')).toContain(said)
  })
})

describe('what cannot be repaired is named', () => {
  const other = freshKey('ed25519').private
  const lines = sound.split('\n')
  test.each([
    ['nothing', '', 'key-empty'],
    ['only blanks', ' \n\t\n', 'key-empty'],
    ['a public key', ed25519.public, 'key-public'],
    ['a public key in PEM', '-----BEGIN PUBLIC KEY-----\nMCow\n-----END PUBLIC KEY-----\n', 'key-public'],
    ['an SSH2 public key', '---- BEGIN SSH2 PUBLIC KEY ----\nAAAA\n', 'key-public'],
    ['a certificate', '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n', 'key-certificate'],
    ["PuTTY's format", 'PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\n', 'key-ppk'],
    ['a path', '~/.ssh/id_ed25519', 'key-path'],
    ['something else', 'hello', 'key-unreadable'],
    ['no END line', lines.slice(0, -2).join('\n'), 'key-truncated'],
    ['lines missing', [...lines.slice(0, 2), ...lines.slice(-2)].join('\n'), 'key-truncated'],
    ['a foreign character in it', sound.replace('AAAA', 'AA*A'), 'key-truncated'],
    ['two keys', `${sound}${other}`, 'key-two'],
  ])('%s', (_name, text, code) => {
    const error = errorOf(text)
    expect(error.code).toBe(code)
    expect(error.explanations[0]?.input).toBe('ssh-key')
  })

  test('no part of what was given stands in the message', () => {
    for (const text of [lines.slice(0, 3).join('\n'), 'hunter2', `${sound}${other}`, ed25519.public]) {
      const { message } = errorOf(text)
      for (const line of text.split('\n').filter((one) => one !== '' && !one.includes('-----'))) {
        expect(message).not.toContain(line)
      }
    }
  })
})

describe('passphrases', () => {
  const locked = freshKey('ed25519', 'right one').private

  test('the right one opens the key', () => {
    expect(readKey(locked, 'right one').type).toBe('ssh-ed25519')
  })
  test('without one it is asked for', () => {
    const error = errorOf(locked)
    expect([error.code, error.explanations[0]?.input]).toEqual([
      'key-passphrase-missing',
      'ssh-key-passphrase',
    ])
    expect(errorOf(locked, '').code).toBe('key-passphrase-missing')
  })
  test('the wrong one is named', () => {
    expect(errorOf(locked, 'wrong').code).toBe('key-passphrase-wrong')
  })
  test('one that is not needed does no harm', () => {
    expect(readKey(sound, 'not needed').type).toBe('ssh-ed25519')
  })
})

describe("OpenSSL's formats are converted", () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  const ed = generateKeyPairSync('ed25519').privateKey
  const pem = (key: KeyObject, type: 'pkcs8' | 'pkcs1' | 'sec1', passphrase?: string) =>
    key
      .export({
        type,
        format: 'pem',
        ...(passphrase === undefined ? {} : { cipher: 'aes-256-cbc', passphrase }),
      })
      .toString()

  test.each([
    ['RSA in PKCS#8', pem(rsa, 'pkcs8'), undefined, 'ssh-rsa'],
    ['RSA in PKCS#1', pem(rsa, 'pkcs1'), undefined, 'ssh-rsa'],
    ['RSA in PKCS#1, encrypted', pem(rsa, 'pkcs1', 'pass'), 'pass', 'ssh-rsa'],
    ['RSA in PKCS#8, encrypted', pem(rsa, 'pkcs8', 'pass'), 'pass', 'ssh-rsa'],
    ['EC in PKCS#8', pem(ec, 'pkcs8'), undefined, 'ecdsa-sha2-nistp256'],
    ['EC in SEC1', pem(ec, 'sec1'), undefined, 'ecdsa-sha2-nistp256'],
    ['EC in SEC1, encrypted', pem(ec, 'sec1', 'pass'), 'pass', 'ecdsa-sha2-nistp256'],
    [
      'EC with its parameters before it',
      `-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n${pem(ec, 'sec1')}`,
      undefined,
      'ecdsa-sha2-nistp256',
    ],
    ['Ed25519 in PKCS#8', pem(ed, 'pkcs8'), undefined, 'ssh-ed25519'],
    ['Ed25519 in PKCS#8, encrypted', pem(ed, 'pkcs8', 'pass'), 'pass', 'ssh-ed25519'],
  ])('%s', (_name, text, passphrase, type) => {
    const { parsed, type: read } = readKey(text, passphrase)
    expect(read).toBe(type)
    const data = Buffer.from('signed')
    expect(parsed.verify(data, parsed.sign(data))).toBe(true)
  })

  test('a converted Ed25519 key is the key it was', () => {
    const { x = '' } = ed.export({ format: 'jwk' })
    const blob = Buffer.from(readKey(pem(ed, 'pkcs8'), undefined).publicLine.split(' ')[1] ?? '', 'base64')
    expect(blob.subarray(-32).toString('base64url')).toBe(x)
  })

  test.each([
    ['PKCS#8', pem(ed, 'pkcs8', 'pass')],
    ['PKCS#1', pem(rsa, 'pkcs1', 'pass')],
  ])('encrypted %s: the passphrase is asked for, and a wrong one named', (_name, text) => {
    expect(errorOf(text).code).toBe('key-passphrase-missing')
    expect(errorOf(text, 'wrong').code).toBe('key-passphrase-wrong')
  })

  test('truncated ones are named', () => {
    const cut = (text: string) =>
      text
        .split('\n')
        .filter((_line, index) => index !== 3)
        .join('\n')
    expect(errorOf(cut(pem(rsa, 'pkcs8'))).code).toBe('key-truncated')
    expect(errorOf(cut(pem(rsa, 'pkcs1'))).code).toBe('key-truncated')
    expect(errorOf(cut(pem(rsa, 'pkcs8', 'pass')), 'pass').code).toBe('key-truncated')
  })

  test('a type that SSH does not know is named', () => {
    const x25519 = generateKeyPairSync('x25519').privateKey
    expect(errorOf(pem(x25519, 'pkcs8')).code).toBe('key-type')
    const odd = generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey
    expect(errorOf(pem(odd, 'pkcs8')).code).toBe('key-type')
  })
})

describe('keys made by ssh-keygen', () => {
  const folder = mkdtempSync(join(tmpdir(), 'key-'))
  const file = join(folder, 'key')
  const keygen = (...args: string[]) => {
    try {
      rmSync(file, { force: true })
      execFileSync('ssh-keygen', ['-q', '-f', file, ...args], { stdio: 'pipe' })
      return readFileSync(file, 'utf8')
    } catch {
      return undefined
    }
  }
  const available = keygen('-t', 'ed25519', '-N', '') !== undefined

  test.runIf(available).each([
    ['ed25519', ['-t', 'ed25519', '-N', ''], undefined],
    ['rsa', ['-t', 'rsa', '-b', '2048', '-N', ''], undefined],
    ['ecdsa', ['-t', 'ecdsa', '-b', '521', '-N', ''], undefined],
    [
      'aes256-gcm',
      ['-t', 'ed25519', '-N', 'passphrase', '-a', '2', '-Z', 'aes256-gcm@openssh.com'],
      'passphrase',
    ],
    ['PEM', ['-t', 'rsa', '-m', 'PEM', '-N', 'passphrase', '-a', '2'], 'passphrase'],
    ['PKCS8', ['-t', 'ecdsa', '-m', 'PKCS8', '-N', 'passphrase', '-a', '2'], 'passphrase'],
  ])('%s', (_name, args, passphrase) => {
    const key = readKey(keygen(...args) ?? '', passphrase)
    const listed = execFileSync('ssh-keygen', ['-lf', `${file}.pub`], { encoding: 'utf8' })
    expect(listed).toContain(key.fingerprint)
    expect(readFileSync(`${file}.pub`, 'utf8')).toContain(key.publicLine)
  })

  test.runIf(available)('encrypted with gcm: a wrong passphrase is named', () => {
    const text = keygen('-t', 'ed25519', '-N', 'passphrase', '-a', '2', '-Z', 'aes256-gcm@openssh.com') ?? ''
    expect(errorOf(text, 'wrong').code).toBe('key-passphrase-wrong')
  })

  test.runIf(available)('encrypted with chacha20: how to encrypt it anew', () => {
    const text =
      keygen('-t', 'ed25519', '-N', 'passphrase', '-a', '2', '-Z', 'chacha20-poly1305@openssh.com') ?? ''
    const error = errorOf(text, 'passphrase')
    expect(error.code).toBe('key-cipher')
    expect(error.message).toContain('ssh-keygen -p -Z aes256-ctr')
  })
})
