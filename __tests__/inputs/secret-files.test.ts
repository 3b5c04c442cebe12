import { generateKeyPairSync, randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Explanation } from '../../src/errors.ts'
import { secretFileContents, secretFiles } from '../../src/inputs/secret-files.ts'

const files = (text: string) => {
  const reading = secretFiles(text, 'secret-files')
  return 'value' in reading ? Object.fromEntries(reading.value) : reading.faults.map((fault) => fault.cause)
}
const faults = (text: string): readonly Explanation[] => {
  const reading = secretFiles(text, 'secret-files')
  return 'faults' in reading ? reading.faults : []
}

/** What a service account looks like: several lines, and lines within its texts. */
const account = `{
  "type": "service_account",
  "private_key": "-----BEGIN PRIVATE KEY-----\\nMIIEvQ==\\n-----END PRIVATE KEY-----\\n"
}`
const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()

describe('files as GitHub puts them into the workflow’s text', () => {
  test('with toJSON, each to the byte on a line of its own', () => {
    const odd = ' \r\n\t"\\é\u{1f600}#: ${{ x }}'
    const text = `firebase.json: ${JSON.stringify(account)}\n\nkey.pem: ${JSON.stringify(pem)}\r\n  odd:\t${JSON.stringify(odd)} \n`
    expect(files(text)).toEqual({ 'firebase.json': account, 'key.pem': pem, odd })
  })

  test('one file alone, as it stands', () => {
    expect(files(`firebase.json: ${account}\n`)).toEqual({ 'firebase.json': `${account}\n` })
    expect(files(`key.pem: ${pem}\n\n`)).toEqual({ 'key.pem': pem })
    expect(files('token: abc def\n')).toEqual({ token: 'abc def' })
    expect(files('token:\n  first\n\n  second\n')).toEqual({ token: 'first\n\n  second\n' })
  })

  test('every content that can be a text arrives, whatever it looks like', () => {
    const name = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,20}$/)
    const content = fc
      .string({ unit: 'binary', minLength: 1 })
      .map((text) => text.replaceAll('\0', ''))
      .filter((text) => text.trim() !== '')
    fc.assert(
      fc.property(fc.dictionary(name, content, { minKeys: 1, noNullPrototype: true }), (given) => {
        const text = Object.entries(given).map(([key, value]) => `${key}: ${JSON.stringify(value)}`)
        expect(files(text.join('\n'))).toEqual(given)
      }),
    )
  })

  test('several plain ones are never guessed at: refused, or the one file that the text can be', () => {
    const line = fc.constantFrom(
      '{',
      '  "a": 1',
      'host: db',
      'b.txt: "x"',
      '.c: y',
      '-----END',
      '',
      'Proc-Type: 4',
    )
    fc.assert(
      fc.property(fc.array(line, { minLength: 1 }), (further) => {
        const found = files(`a.txt: first\n${further.join('\n')}`)
        if (!Array.isArray(found)) expect(Object.keys(found)).toEqual(['a.txt'])
        expect(Array.isArray(found)).toBe(further.some((one) => /^\S+: /.test(one) && !one.startsWith('"')))
      }),
    )
  })
})

describe('what is refused, and how it is mended', () => {
  test.each([
    ['two plain files', 'a: one\nb: two', 1, 'toJSON'],
    ['a plain file behind one with toJSON', `a: ${JSON.stringify(account)}\nb: two`, 2, 'toJSON'],
    ['a secret with lines like names', 'cfg.yml: host: db\npassword: hunter2', 1, 'toJSON'],
    ['a block of YAML', 'a: |\n  one\n  two', 1, 'toJSON'],
    ['a JSON string that is cut', 'a: "one', 1, 'toJSON'],
    ['something behind a JSON string', 'a: "one"\ntwo', 2, 'toJSON'],
    ['no name', account, 1, 'a name has letters'],
    ['a path', '../x: "y"', 1, 'a name has letters'],
    ['a hidden file', '.env: "y"', 1, 'a name has letters'],
    ['a name like an option', '-rf: "y"', 1, 'a name has letters'],
    ['a name that is too long', `${'x'.repeat(101)}: "y"`, 1, 'a name has letters'],
    ['an empty secret', 'a: ""', 1, 'exactly the name'],
    ['an empty plain secret', 'a: \n', 1, 'exactly the name'],
    ['a secret that is not there', 'a: "x"\nb: null', 2, 'exactly the name'],
    ['a name twice', 'a: "x"\na: "y"', 2, 'a name of its own'],
    ['NUL', 'a: "x\\u0000y"', 1, 'base64'],
    ['half a surrogate pair', 'a: "\\ud800"', 1, 'base64'],
  ])('%s', (_, text, line, cure) => {
    const [fault, ...others] = faults(text)
    expect(others).toEqual([])
    expect(fault?.cause).toContain(`Line ${line} of \`secret-files\``)
    expect(fault?.cure).toContain(cure)
    expect(fault?.input).toBe('secret-files')
  })

  test('more than a service takes', () => {
    const large = (bytes: number) => `a: ${JSON.stringify('x'.repeat(bytes))}\nb: "y"`
    expect(faults(large(999_997))).toEqual([])
    expect(faults(large(999_998)).map((fault) => fault.cure)).toEqual([expect.stringContaining('persist')])
  })

  test('no message holds a part of the text', () => {
    const marker = `q${randomBytes(8).toString('hex')}`
    const texts = [`${marker}`, `a: ${marker}\n${marker}: x`, `a: "${marker}\nb: x`, `a: "x"\n${marker}`]
    for (const text of texts) expect(JSON.stringify(faults(text))).not.toContain(marker)
  })
})

test('all contents are known as secrets, and everything where the text cannot be read', () => {
  expect(secretFileContents(`a: ${JSON.stringify('x\ny')}\nb: "z"`)).toEqual(['x\ny', 'z', 'x\\ny'])
  expect(secretFileContents(`a: ${pem}`)).toEqual([pem])
  expect(secretFileContents('a: one\nb: two')).toEqual(expect.arrayContaining(['one', 'two']))
  expect(secretFileContents('')).toEqual([])
})
