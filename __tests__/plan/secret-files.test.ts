import { expect, test } from 'vitest'
import type { Operation } from '../../src/plan/operation.ts'
import { makePlan } from '../../src/plan/plan.ts'
import { describePlan } from '../../src/report/describe-plan.ts'
import { facts, readyLines, wish } from './sample.ts'

const folder = '/etc/web-hello/20261122184800-abc1234.files'
const secretFiles = new Map([
  ['firebase.json', '{"key": "hush"}\n'],
  ['token', 'hush, hush'],
])
const old = readyLines.map((line) => (line.startsWith('systemd') ? 'systemd 245' : line))
const planOn = (lines: readonly string[], files: ReadonlyMap<string, string> = secretFiles) =>
  makePlan(facts(lines), wish({ app: { secretFiles: files, releaseCommand: 'flask db upgrade' } }))

/** Path, mode and owner of all that an operation of this plan makes below /etc/web-hello, but the env file. */
function made(operations: readonly Operation[]): readonly string[] {
  return operations.flatMap((one) =>
    (one.kind === 'folder' || one.kind === 'write-file') &&
    one.path.startsWith('/etc/web-hello') &&
    !one.path.endsWith('.env')
      ? [`${one.path} ${one.mode} ${one.owner}`]
      : [],
  )
}

test('secret files are root’s, where systemd hands them over', () => {
  expect(made(planOn(readyLines).operations)).toEqual([
    `${folder} 0700 root:root`,
    `${folder}/firebase.json 0600 root:root`,
    `${folder}/token 0600 root:root`,
  ])
})

test('below systemd 247 the app’s group may read them, and list nothing beside them', () => {
  expect(made(planOn(old).operations)).toEqual([
    '/etc/web-hello 0710 root:web-hello',
    `${folder} 0750 root:web-hello`,
    `${folder}/firebase.json 0640 root:web-hello`,
    `${folder}/token 0640 root:web-hello`,
  ])
})

test.each([
  ['247 and newer', readyLines, [`LoadCredential=token:${folder}/token`]],
  ['older', old, [`Environment=CREDENTIALS_DIRECTORY=${folder}`]],
])('the release command gets them like the web process: %s', (_, lines, wanted) => {
  const command = planOn(lines).operations.find((one) => one.kind === 'release-command')
  expect(command?.properties).toEqual(expect.arrayContaining(wanted))
})

test('a content stands in its file’s operation and nowhere else; the plan in words has names alone', () => {
  const plan = planOn(readyLines)
  const holding = plan.operations.filter((one) => JSON.stringify(one).includes('hush'))
  expect(holding.map((one) => (one.kind === 'write-file' ? one.what : one.kind))).toEqual([
    'secret file',
    'secret file',
  ])
  const words = JSON.stringify(describePlan(plan, facts(readyLines), 'hello'))
  expect(words).toContain(`write ${folder}/token`)
  expect(words).not.toContain('hush')
})

test('another content is another release, though no name has changed', () => {
  const key = (files: ReadonlyMap<string, string>) =>
    planOn(readyLines, files).operations.flatMap((one) => (one.kind === 'settle' ? [one.record] : []))
  expect(key(secretFiles)).toEqual(key(new Map(secretFiles)))
  expect(key(secretFiles)).not.toEqual(key(new Map([...secretFiles, ['token', 'hush']])))
  expect(key(secretFiles).join()).not.toContain('hush')
})

test('without any, nothing of this is done', () => {
  expect(made(planOn(old, new Map()).operations)).toEqual([])
})
