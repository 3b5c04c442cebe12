import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { formatDotenv, parseDotenv } from '../../src/config/dotenv.ts'
import { DeployError } from '../../src/errors.ts'
import { type InputName, inputNames } from '../../src/inputs/declared.ts'
import { parseInputs } from '../../src/inputs/parse.ts'
import { secretFileContents } from '../../src/inputs/secret-files.ts'
import { secretInputs } from '../../src/inputs/table.ts'
import { createLog } from '../../src/report/log.ts'
import { outputsOf, type Report, redactedReport, reportOfError } from '../../src/report/report.ts'
import { renderSummary } from '../../src/report/summary.ts'
import { redactor, secretsToMask } from '../../src/secrets.ts'
import { inputsOf } from '../inputs/sample.ts'
import { context, reports } from './sample.ts'

/** A text that is in no log by accident; with letters, so that it is no number. */
function marker(length: number): string {
  return `q${randomBytes(length)
    .toString('hex')
    .slice(0, length - 2)}Z`
}

/** The secret inputs, each with a marker of `length`; the odd ones have characters that encodings change. */
function secrets(length: number): {
  readonly given: Partial<Record<InputName, string>>
  readonly markers: readonly string[]
} {
  const markers: string[] = []
  const next = (odd = '') => {
    const text = odd === '' ? marker(length) : `${marker(length)}${odd}${marker(length)}`
    markers.push(text)
    return text
  }
  const lines = [next(), next('"\\')]
  const given = {
    'ssh-key': `-----BEGIN OPENSSH PRIVATE KEY-----\n${next()}\n${next()}\n-----END OPENSSH PRIVATE KEY-----\n`,
    'ssh-key-passphrase': next('"\\'),
    password: next(' |&'),
    'sudo-password': next('`<'),
    env: formatDotenv(
      new Map([
        ['A', next()],
        ['B', `${next()}\n${next()}`],
        ['C', next('@\u00e9')],
        ['D', next("'\x1b")],
      ]),
    ),
    'secret-files': [
      `token: ${JSON.stringify(next('%é'))}`,
      `lines.pem: ${JSON.stringify(`${lines.join('\n')}\n`)}`,
    ].join('\n'),
    'tls-key': `-----BEGIN PRIVATE KEY-----\n${next()}\n${next()}\n-----END PRIVATE KEY-----\n`,
  }
  return { given, markers }
}

/** A run that says the worst: everything it was given, in every place it can write to. */
function blabbing(given: Partial<Record<InputName, string>>): string {
  const get = inputsOf(given)
  const values = inputNames.map(get).filter((text) => text !== '')
  const all = [
    ...values,
    ...parseDotenv(get('env')).values(),
    ...secretFileContents(get('secret-files')),
    ...values.flatMap((text) => text.split('\n')),
  ].flatMap((text) => [
    text,
    JSON.stringify(text),
    encodeURIComponent(text),
    Buffer.from(text).toString('base64'),
    `http://x/?q=${text}&y`,
  ])
  let log = ''
  const out = createLog((text) => {
    log += text
  })
  const redact = redactor(get)
  out.redactWith(redact)
  out.phase('facts')
  for (const text of all) {
    out.info(text)
    out.progress(`at ${text}`)
    out.foreign(text.split('\n'))
    out.debug(text)
    out.warning({ code: 'x', text, file: text })
    out.error(new DeployError('x', { cause: text, cure: text, file: text }, [text]))
  }
  out.phaseEnd(1)
  const report: Report = redactedReport(
    {
      ...reports.deployed,
      ...reportOfError(
        new DeployError(
          'x',
          all.map((text) => ({ cause: text, cure: text, file: text })),
          all.flatMap((text) => text.split('\n')),
        ),
      ),
      url: all.join(' '),
      changes: all.map((text) => ({ what: text, detail: text })),
      health: { ok: true, path: all.join(), status: 200, ms: 1, answers: 1 },
      smoke: { ok: true, from: 'runner', url: all.join(), status: 200, ms: 1, release: '' },
      warnings: all.map((text) => ({ code: 'x', text, file: text })),
    },
    redact,
  )
  return [log, renderSummary(report, context), ...Object.values(outputsOf(report))].join('\n')
}

test.each([4, 5, 7, 8, 16, 40])('no secret of %i bytes reaches log, summary or outputs', (length) => {
  const { given, markers } = secrets(length)
  expect(Object.keys(given).toSorted()).toEqual(secretInputs.toSorted())
  const said = blabbing(given)
  expect(said).toContain('***')
  for (const one of markers) {
    for (const form of [
      one,
      encodeURIComponent(one),
      Buffer.from(one).toString('base64'),
      JSON.stringify(one).slice(1, -1),
    ]) {
      expect(said.includes(form), `${JSON.stringify(one)} as ${form}`).toBe(false)
    }
    // Nor its plain half, where the middle is odd.
    expect(said.includes(one.slice(0, length)), `half of ${JSON.stringify(one)}`).toBe(false)
  }
})

test('every secret of 8 bytes and more is told to GitHub', () => {
  const { given, markers } = secrets(12)
  const masks = secretsToMask(inputsOf(given))
  for (const one of markers) expect(masks).toContain(one)
})

test('faults of the inputs hold no secret either', () => {
  const { given, markers } = secrets(12)
  const faulty = { ...given, env: `${given.env}\nE=x # y\n`, password: `${given.password}\nmore`, host: '' }
  const get = inputsOf(faulty)
  const error = (() => {
    try {
      parseInputs(get)
    } catch (caught) {
      return caught
    }
    return undefined
  })()
  expect(error).toBeInstanceOf(DeployError)
  for (const one of markers) expect(String(error)).not.toContain(one)
})
