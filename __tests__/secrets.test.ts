import { describe, expect, test } from 'vitest'
import { redactor, secretsToMask } from '../src/secrets.ts'
import { inputsOf } from './inputs/sample.ts'

const key =
  '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\nBG5vbmUAAAAE\n-----END OPENSSH PRIVATE KEY-----\n'

describe('what GitHub is told to mask', () => {
  test('values of 8 bytes and more, each line of a key, and their encodings', () => {
    const masks = secretsToMask(inputsOf({ 'ssh-key': key, env: 'TOKEN="tök\\n\\"en/value"\nSHORT=abc1234' }))
    expect(masks).toContain('b3BlbnNzaC1rZXktdjEAAAAA')
    expect(masks).toContain('BG5vbmUAAAAE')
    expect(masks).toContain('"en/value')
    expect(masks).toContain('%22en%2Fvalue')
    expect(masks).toContain('\\"en/value')
    expect(masks).toContain(Buffer.from('"en/value').toString('base64'))
    expect(masks).not.toContain('abc1234')
    expect(masks.every((mask) => Buffer.byteLength(mask) >= 8)).toBe(true)
  })

  test('the spellings of Python: `repr`, `quote` and `urlencode`', () => {
    const masks = secretsToMask(inputsOf({ password: "it's a\\secret" }))
    expect(masks).toContain("it\\'s a\\\\secret")
    expect(masks).toContain('it%27s%20a%5Csecret')
    expect(masks).toContain('it%27s+a%5Csecret')
  })

  test('a password in base64 together with its user name', () => {
    const masks = secretsToMask(inputsOf({ password: 'correct horse battery' }))
    const basic = Buffer.from('me:correct horse battery').toString('base64')
    expect(masks.some((mask) => basic.includes(mask))).toBe(true)
  })

  test('not what the log cannot do without: names, numbers, booleans, the words of the outputs, a key’s frame', () => {
    const masks = secretsToMask(
      inputsOf({
        'ssh-key': key,
        host: 'server.example.com',
        domain: 'blog.example.com\nwww.example.com',
        name: 'blogblogblog',
        user: 'deployuser',
        env: [
          'SERVER_NAME=blog.example.com',
          'SITE=https://www.example.com/',
          'APP=blogblogblog',
          'DB_USER=deployuser',
          'DB_HOST=server.example.com',
          'PORT=12345678',
          'RATE=0.12345678',
          'DEBUG=false',
          'STATE=deployed',
        ].join('\n'),
      }),
    )
    expect(
      masks.filter((mask) => /example|blog|deploy|12345678|false|^-----(BEGIN|END)[^\\n%]*$/.test(mask)),
    ).toEqual([])
  })

  test('everything in an `env` that cannot be read: which part is the secret is not known', () => {
    const masks = secretsToMask(inputsOf({ env: 'TOKEN="never-closed-secret\nAnother = other-secret # x' }))
    expect(masks).toContain('never-closed-secret')
    expect(masks.some((mask) => mask.includes('other-secret'))).toBe(true)
  })

  test('a long number in a secret input is a PIN, in `env` it is a number', () => {
    expect(secretsToMask(inputsOf({ password: '1234567890', env: 'N=9876543210' }))).toContain('1234567890')
    expect(secretsToMask(inputsOf({ env: 'N=9876543210' })).join()).not.toContain('9876543210')
  })
})

describe('the redactor', () => {
  test('takes out secrets of 4 bytes and more, wherever they stand', () => {
    const { redact } = redactor(inputsOf({ env: 'A=s3cr\nB=abc', password: 'pass-word' }))
    expect(redact('xs3cry pass-word, abc')).toBe('x***y ***, abc')
    expect(redact('nothing')).toBe('nothing')
  })

  test('leaves nothing of two secrets that overlap', () => {
    const { redact } = redactor(inputsOf({ env: 'A=abcdEFGH\nB=EFGHijkl\nC=FGHi' }))
    expect(redact('-abcdEFGHijkl-EFGHijkl-')).toBe('-***-***-')
    expect(redact('aaaaa')).toBe('aaaaa')
    expect(redactor(inputsOf({ env: 'A=aaaa' })).redact('xaaaaaay')).toBe('x***y')
  })

  test('keeps names and numbers, which are in every log', () => {
    const { redact } = redactor(inputsOf({ env: 'HOST=203.0.113.10\nPORT=5000\nDEBUG=true' }))
    expect(redact('203.0.113.10 on 5000 is true')).toBe('203.0.113.10 on 5000 is true')
  })
})

describe('what is within a larger secret', () => {
  const account = JSON.stringify(
    { type: 'service_account', key: '-----BEGIN X-----\nMIIEvQIBADANBg\n-----END X-----\n', pin: 'abc123' },
    undefined,
    2,
  )

  test.each([
    ['secret-files', `firebase.json: ${JSON.stringify(account)}`],
    ['secret-files', `firebase.json: ${account}`],
    ['env', `ACCOUNT='${account}'`],
  ])('the texts of a JSON in %s are masked, and each of their lines', (input, text) => {
    const get = inputsOf({ [input]: text })
    expect(secretsToMask(get)).toEqual(expect.arrayContaining(['service_account', 'MIIEvQIBADANBg']))
    // A program that prints the key itself, or a dict that holds it.
    expect(redactor(get).redact("{'key': '-----BEGIN X-----\\nMIIEvQIBADANBg\\n-----END'}")).not.toContain(
      'MII',
    )
    expect(redactor(get).redact('MIIEvQIBADANBg')).toBe('***')
  })

  test('a short word of it is no secret by itself', () => {
    expect(redactor(inputsOf({ 'secret-files': `a.json: ${account}` })).redact('pin abc123')).toBe(
      'pin abc123',
    )
  })

  test('a text of secret files that cannot be read is all secret', () => {
    const masks = secretsToMask(inputsOf({ 'secret-files': 'one: first-secret\ntwo: "second-secret"' }))
    expect(masks).toEqual(expect.arrayContaining(['first-secret', 'second-secret']))
  })
})
