import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { outputNames, results } from '../../src/outputs.ts'
import { runnerResults } from '../../src/report/publish.ts'
import { outputsOf } from '../../src/report/report.ts'
import { reports } from './sample.ts'

let folder = ''
const complaints: string[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'publish-'))
  complaints.length = 0
})

afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true })
})

function complain(text: string): void {
  complaints.push(text)
}

/** Reads GITHUB_OUTPUT as the runner does: `name<<DELIMITER`, lines, `DELIMITER`. */
function readOutputs(text: string): ReadonlyMap<string, string> {
  const found = text.matchAll(/^([\w-]+)<<(ghadelimiter_\S+)\n([\s\S]*?)\n\2$/gm)
  return new Map([...found].map(([, name = '', , value = '']) => [name, value]))
}

describe('what the runner is left with', () => {
  test.each(results)('every output of a run that ended `%s`', (result) => {
    const file = join(folder, 'output')
    writeFileSync(file, '')
    vi.stubEnv('GITHUB_OUTPUT', file)
    const outputs = outputsOf(reports[result])
    runnerResults(complain).outputs(outputs)
    const read = readOutputs(readFileSync(file, 'utf8'))
    expect([...read.keys()]).toEqual([...outputNames])
    for (const name of outputNames) expect(read.get(name)).toBe(outputs[name])
    expect(complaints).toEqual([])
  })

  test('a summary that is added to what is there', () => {
    const file = join(folder, 'summary')
    writeFileSync(file, 'before\n')
    runnerResults(complain, { GITHUB_STEP_SUMMARY: file }).summary('## blog\n')
    expect(readFileSync(file, 'utf8')).toBe('before\n## blog\n')
  })

  test('nothing, without a runner', () => {
    const nowhere = runnerResults(complain, {})
    nowhere.outputs(outputsOf(reports.deployed))
    nowhere.summary('x')
    expect(complaints).toEqual([])
  })

  test('a complaint, where a file cannot be written: the deploy itself is over', () => {
    vi.stubEnv('GITHUB_OUTPUT', join(folder, 'missing', 'output'))
    const results = runnerResults(complain, {
      GITHUB_STEP_SUMMARY: folder,
      GITHUB_OUTPUT: join(folder, 'missing'),
    })
    results.summary('x')
    results.outputs(outputsOf(reports.deployed))
    expect(complaints).toHaveLength(1 + outputNames.length)
    expect(complaints[0]).toMatch(/^The summary could not be written: /)
  })
})
