import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { tinyProject } from './projects.ts'
import { keyRows, keysUser } from './staged-keys.ts'
import { type Fails, LoginStage, type Row, type Seen, type Works } from './staged-logins.ts'
import { newerRows, proofRows } from './staged-proofs.ts'
import { diskRows, rootRows, shellRows, sudoRsRows } from './staged-roots.ts'
import { wayRows } from './staged-ways.ts'
import { traces } from './traces.ts'

/*
 * The table of keys and logins: each way in which the first hour with a deploy tool is lost, staged on a real sshd, and
 * answered by one sentence with the cause, one with the cure, and the input to change.
 */

const able = canBoot()

const stages = [
  {
    where: 'OpenSSH 9.2',
    boot: { suite: 'bookworm' },
    rows: [...keyRows, ...wayRows, ...proofRows, ...shellRows, ...rootRows, ...diskRows],
  },
  { where: 'OpenSSH 10.0', boot: { suite: 'trixie' }, rows: newerRows },
  { where: 'sudo-rs and uutils', boot: { suite: 'sid', uutils: true }, rows: sudoRsRows },
] as const

const table: string[] = []
afterAll(() => {
  if (table.length > 0) console.log(`${table.length} staged logins\n\n${table.join('\n')}`)
})

describe.skipIf(!able.ok).each(stages)(`$where ${able.ok ? '' : able.why}`, (given) => {
  const workspace = tinyProject().folder
  let server: Server | undefined
  let stage: LoginStage
  beforeAll(async () => {
    server = await boot(given.boot)
    stage = await LoginStage.set(server, given.rows, keysUser)
  })
  afterAll(async () => await server?.stop())

  test.each<Row>(given.rows)('$what', async (row) => {
    const seen = await stage.play(row, workspace)
    expect.soft(seen.calls, `${seen.sshdLog}${seen.log}`).toBe(row.calls)
    if (row.told !== undefined) expect.soft(seen.sshdLog).toMatch(row.told)
    if ('says' in row) worked(row, seen)
    else failed(row, seen)
  })

  test('none of them left anything on the server', async () => {
    if (server === undefined) throw new Error('no server')
    expect(await traces(server)).toBe('')
    expect(await server.must('ls -d /run/flask-deploy /var/lib/flask-deploy /srv/* 2>/dev/null || :')).toBe(
      '',
    )
  })
})

function worked({ what, says }: Works, { ran, log }: Seen): void {
  expect(ran.status, log).toBe(0)
  expect(ran.outputs.result).toBe('planned')
  expect(log).toMatch(says)
  expect(log).not.toMatch(/^::(?:error|warning)/m)
  table.push(`- ${what}\n    works: ${says.exec(log)?.[0]}`)
}

function failed(row: Fails, { ran, log, report, guesses }: Seen): void {
  expect(ran.status, log).toBe(1)
  const { phase, serving = 'unknown' } = row
  expect(ran.outputs).toMatchObject({ result: 'failed', 'failed-phase': phase, serving })
  const { error } = report
  if (error === null || error === undefined) throw new Error(log)
  expect(error.code, log).toBe(row.code)
  expect.soft(error.cause).toMatch(row.cause)
  expect.soft(error.cure).toMatch(row.cure)
  expect.soft(error.input).toBe(row.input)
  // One sentence each: one line, and no full stop before the last, but within names and quotations.
  expect.soft(error.cause).toMatch(/^(?:[A-Z0-9`]|sudo )[^\n]*\.$/)
  expect.soft(error.cause.replaceAll(/"[^"]*"|`[^`]*`/g, '')).not.toMatch(/\. /)
  expect.soft(error.cure.replaceAll(/"[^"]*"|`[^`]*`/g, '')).not.toMatch(/\. |\n/)
  // Told once, without what only we can read.
  expect.soft(log.match(/^::error/gm)).toHaveLength(1)
  expect.soft(log).toContain(error.cause)
  expect.soft(log).not.toMatch(/^\s+at .+:\d+:\d+|Error:/m)
  expect.soft(ran.summary).toContain('The server was not touched')
  // Three wrong tries of one password would lock some accounts out; PAM and sshd both write one down.
  expect.soft(guesses).toBeLessThan(4)
  table.push(
    `- ${row.what}\n    ${error.code}\n    cause: ${error.cause}\n    cure:  ${error.cure}\n    input: ${error.input}`,
  )
}
