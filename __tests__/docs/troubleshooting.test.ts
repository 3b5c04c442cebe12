import { expect, test } from 'vitest'
import { errorCodes, serverCodes, warningCodes } from './codes.ts'
import { section, textOf } from './pages.ts'

const page = textOf('docs/troubleshooting.md')
const warnings = section(page, '## Warnings')
const errors = page.replace(warnings, '')

/** The codes in the first column of a page's tables. */
function rows(text: string): readonly string[] {
  return [...text.matchAll(/^\| `([a-z0-9-]+)` \|/gm)].map(([, code = '']) => code)
}

test('every error has a row, and every row an error', () => {
  expect(rows(errors).toSorted()).toEqual([...errorCodes()].toSorted())
})

test('every warning has a row, and every row a warning', () => {
  expect(rows(warnings).toSorted()).toEqual([...warningCodes()].toSorted())
})

test('what the program on the server fails with can be looked up', () => {
  expect([...serverCodes()].filter((code) => !rows(errors).includes(code))).toEqual([])
})

test('the codes are found where they are', () => {
  expect([...errorCodes()]).toEqual(
    expect.arrayContaining([
      'bad-inputs',
      'owner',
      'server-unfit',
      'host-key-changed',
      'key-two',
      'static-missing',
      'project-faults',
      'smoke-tls',
    ]),
  )
  expect([...warningCodes()]).toEqual(expect.arrayContaining(['lfs-pointer', 'domain-elsewhere']))
  expect([...serverCodes()]).toEqual(
    expect.arrayContaining(['app-exited', 'no-verdict', 'upload-hash', 'server-read-only', 'stopped']),
  )
})

test('each row says what happened and what to do', () => {
  for (const line of page.split('\n').filter((one) => one.startsWith('| `'))) {
    const [, , happened = '', cure = '', end] = line.split(/(?<!\\)\|/)
    expect({ line, happened: happened.trim(), cure: cure.trim(), end }).toEqual({
      line,
      happened: expect.stringMatching(/^(?:[A-Z`]|apt-get|git|nginx|sudo|systemd|uv).{8,}\.$/),
      cure: expect.stringMatching(/^[A-Z`].+\.$/),
      end: '',
    })
  }
})
