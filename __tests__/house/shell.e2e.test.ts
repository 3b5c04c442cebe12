import { spawnSync } from 'node:child_process'
import { gunzipSync } from 'node:zlib'
import { beforeAll, describe, expect, test } from 'vitest'
import { helperCommand } from '../../src/apply/helper-command.ts'
import { type RunSettings, renderLibrary, renderProgram } from '../../src/apply/program.ts'
import type { Plan } from '../../src/plan/operation.ts'
import { makePlan } from '../../src/plan/plan.ts'
import { bareLines, facts, wish } from '../plan/sample.ts'
import { projectFiles, repository, textOf } from './files.ts'
import { ensureTools, installTimeoutMs } from './tools.ts'

const scripts = projectFiles().filter(
  (file) => file.endsWith('.sh') || /^#!.*\b(?:ba)?sh$/m.test(firstLine(file)),
)

describe('the shell', () => {
  let path = ''
  beforeAll(async () => {
    path = await ensureTools('shellcheck')
  }, installTimeoutMs)

  test('every script is sound for shellcheck', () => {
    expect(scripts).toEqual(
      expect.arrayContaining(['remote/program.sh', 'script/test', '__tests__/server/server.sh']),
    )
    expect(shellcheck(['--external-sources', ...scripts])).toBe('')
  })

  test.each([
    ['a first deploy with everything in it', deployProgram()],
    ['a rollback', rollbackProgram()],
  ])('the whole program of %s is', (_, program) => {
    // SC2034, SC2317, SC2329: a program has all of the library, and calls what its plan needs.
    // SC2016: a `$` in what the calls are given is nginx's, systemd's or the user's, and stays as it is.
    const aside = '--exclude=SC2016,SC2034,SC2317,SC2329'
    expect(shellcheck(['--norc', '--shell=sh', aside, '-'], program)).toBe('')
  })

  test('the helper is', () => {
    const command = helperCommand({
      name: 'hello',
      run: 'ab12',
      nonce: 'cd34',
      packages: ['nginx', 'python3'],
    })
    const [, packed = ''] = /echo ([\w+/=]+) \| base64/.exec(command) ?? []
    const helper = gunzipSync(Buffer.from(packed, 'base64')).toString()
    expect(helper).toContain('send_facts')
    // It travels without comments, so without those that shellcheck heeds; each of its files is judged with them.
    const aside = '--exclude=SC1091,SC2046,SC2086'
    expect(shellcheck(['--norc', '--shell=sh', aside, '-'], helper)).toBe('')
    expect(shellcheck(['--norc', '--shell=sh', '-'], command)).toBe('')
  })

  /** What shellcheck says, each finding on its line; nothing where there is none. */
  function shellcheck(words: readonly string[], input = ''): string {
    const options = { cwd: repository, env: { ...process.env, PATH: path }, input, encoding: 'utf8' } as const
    const { stdout, stderr, error } = spawnSync('shellcheck', ['--format=gcc', ...words], options)
    if (error !== undefined) throw error
    return stdout + stderr
  }
})

function firstLine(file: string): string {
  return textOf(file).split('\n', 1)[0] ?? ''
}

const settings = {
  name: 'hello',
  run: '0123456789abcdef',
  holder: "it's me",
  lockTimeoutSeconds: 600,
  sentWaitSeconds: 90,
}

/** Every kind of operation, with values that have to be quoted. */
function deployProgram(): string {
  const plan = makePlan(
    facts(bareLines),
    wish({
      app: {
        env: new Map([['SECRET', `it's "$(id)"\nand more`]]),
        packages: ['libpq5'],
        services: ['postgresql', 'redis'],
        releaseCommand: "flask db upgrade\necho 'done'",
        persist: ['instance', 'data/up loads'],
      },
      behaviour: { upgradePackages: true },
      project: { static: [{ url: '/static', folder: 'hello/static' }] },
    }),
  )
  return wholeProgram(plan, settings)
}

function rollbackProgram(): string {
  const release = (id: string) =>
    `state release ${id} ${'b'.repeat(64)} ${'d'.repeat(64)} ${'e'.repeat(64)} -`
  const [old, now] = ['20261101000000-0000001', '20261102000000-0000002']
  const state = ['generation 7', 'owner 4711 someone/hello', `current ${now}`, `previous ${old}`].map(
    (line) => `state ${line}`,
  )
  const known = facts([...bareLines, ...state, release(old), release(now)])
  return wholeProgram(makePlan(known, wish({ inputs: { command: 'rollback' } })), settings)
}

/** With the library in its place, so that shellcheck sees both. */
function wholeProgram(plan: Plan, run: RunSettings): string {
  return renderProgram(plan, run).replace('. "$dir/library.sh"', () => renderLibrary())
}
