import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { hasPython } from '../config/sample.ts'

const remote = join(import.meta.dirname, '..', '..', 'remote')

/** What the judge of remote/flask_deploy_watch.py says of each thing that was seen: Python expressions. */
function judged(...seen: readonly string[]): readonly (string | boolean | null)[] {
  const script = [
    'import json, sys',
    `sys.path.insert(0, ${JSON.stringify(remote)})`,
    'from flask_deploy_watch import Judge',
    'judge = Judge(True)',
    'judge.begins("web")',
    'print(json.dumps([',
    ...seen.map((one) => `  ${one},`),
    ']))',
  ].join('\n')
  return JSON.parse(execFileSync('python3', ['-I', '-B', '-c', script], { encoding: 'utf8' }))
}

const web = (restarts: number, at: number) =>
  `judge.unit("web", {"NRestarts": "${restarts}", "ActiveState": "active"}, ${at}, True)`
const beside = (restarts: number, at: number) =>
  `judge.unit("worker", {"NRestarts": "${restarts}", "ActiveState": "active"}, ${at}, False)`
const workers = (pids: string, at: number, master = '1') => `judge.workers("${master}", {${pids}}, ${at})`
const answer = (at: number, code?: string) =>
  `judge.answer(${at}, ${code === undefined ? 'None' : `"${code}"`})`

describe.skipIf(!hasPython)('a release that is watched', () => {
  test('is dying when its web process ended once', () => {
    expect(judged(web(0, 0), web(0, 2), web(1, 4))).toEqual([null, null, 'app-exited'])
  })

  test('lives on when somebody restarts it by hand', () => {
    // systemd counts from nothing then, and the processes are others.
    expect(judged(web(0, 0), workers('2, 3', 0), workers('5, 6', 1, '4'), web(0, 2))).toEqual([
      null,
      null,
      null,
      null,
    ])
  })

  test('may lose a worker, and a second one, within a minute, but not three', () => {
    expect(judged(workers('2', 0), workers('3', 5), workers('4', 10), workers('5', 15))).toEqual([
      null,
      null,
      null,
      'worker-restarted 3',
    ])
    expect(judged(workers('2', 0), workers('3', 5), workers('4', 10), workers('5', 66))).toEqual([
      null,
      null,
      null,
      null,
    ])
  })

  test('loses all its workers at once by one cause', () => {
    expect(judged(workers('2, 3, 4, 5', 0), workers('4, 5', 1), workers('6', 1.5))).toEqual([
      null,
      null,
      null,
    ])
  })

  test('is dying when a process beside it ends three times within a minute', () => {
    expect(judged(beside(4, 0), beside(5, 5), beside(6, 10), beside(7, 15))).toEqual([
      null,
      null,
      null,
      'process-died worker',
    ])
  })

  test('may give two bad answers in a row, but not three', () => {
    expect(
      judged(answer(0, 'a'), answer(5, 'a'), answer(10), answer(15, 'b'), answer(20, 'b'), answer(25, 'c')),
    ).toEqual([null, null, null, null, null, 'c'])
  })

  test('is settled by a good answer that was asked for when the time was over', () => {
    const well = 'judge.well(8)'
    expect(judged(well, answer(5), well, answer(10, 'a'), well, answer(15), well)).toEqual([
      false,
      null,
      false,
      null,
      false,
      null,
      true,
    ])
  })
})
