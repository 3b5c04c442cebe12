import { describe, expect, test } from 'vitest'
import { DeployError } from '../../src/errors.ts'
import { emptyReport, type Report, reportOfError } from '../../src/report/report.ts'
import { mostBytes, renderSummary, summaryContext } from '../../src/report/summary.ts'
import { context, reports } from './sample.ts'

describe('the summary of each way a run can end', () => {
  test.each(Object.entries(reports))('%s', async (name, report) => {
    await expect(renderSummary(report, context)).toMatchFileSnapshot(`golden/${name}.md`)
  })
})

const nasty = '@x|`<script>${{ y }}\n# z</pre>'

/** Every text of a report that users or servers decide, made of `value`. */
function filledWith(value: string, count: number): Report {
  const many = Array.from({ length: count })
  return {
    ...emptyReport,
    ...reportOfError(
      new DeployError(
        'x',
        many.map(() => ({ cause: value, cure: value, file: value, line: 1 })),
        many.map(() => value),
      ),
    ),
    app: value,
    release: value,
    previous: value,
    serving: value,
    url: value,
    commit: 'abc1234000000000000000000000000000000000',
    previousCommit: value,
    phases: [{ phase: 'start', ms: 1, ok: false }],
    changes: many.map(() => ({ what: value, detail: value })),
    found: many.map(() => ({ what: value, detail: value })),
    health: { ok: false, path: value, status: 500, ms: 1, answers: 1 },
    smoke: { ok: false, from: 'runner', url: value, status: null, ms: 1, release: value },
    warnings: many.map(() => ({ code: 'x', text: value, file: value })),
    drift: many.map(() => ({ fate: 'replaced', how: 'shell', detail: value, path: value, lines: [] })),
    unpinned: many.map((_, at) => ({ what: 'package', name: value, file: `${value}${at}` })),
  }
}

test('no value of a report becomes markup', () => {
  const text = renderSummary(filledWith(nasty, 2), context)
  expect(/.{0,40}(?:<script|\$\{\{|@x|^# z|\|`).{0,20}/m.exec(text)?.[0]).toBeUndefined()
  expect(text.match(/<\/pre>/g)).toHaveLength(1)
  // Each row has the number of cells that its head has.
  for (const row of text.split('\n').filter((line) => line.startsWith('|'))) {
    expect(row.split('|').length).toBeLessThanOrEqual(7)
  }
})

test('stays under 1 MiB with values of any length and number, and keeps the newest log lines', () => {
  for (const character of ['@', '`', '🦄', 'x']) {
    const text = renderSummary(filledWith(character.repeat(10_000), 1000), context)
    expect(Buffer.byteLength(text)).toBeLessThan(mostBytes)
    expect(text).toContain('and ')
  }
  const lines = Array.from({ length: 40 }, (_, at) => `${'`'.repeat(3000)} ${at}`)
  const long = renderSummary({ ...reports.failed, lines: [...lines, 'the very last'] }, context)
  expect(long).toContain('the very last</pre>')
})

test('no roll back is offered where there is nothing to go back to', () => {
  expect(renderSummary(reports['first-deploy'], context)).not.toContain('roll back')
  expect(renderSummary(reports.failed, context)).not.toContain('roll back')
  expect(renderSummary(reports.deployed, context)).toContain('    release: 20261120101500-0a1b2c3\n')
})

test('of many packages without a hash some are named and the rest is counted', () => {
  const unpinned = Array.from({ length: 50 }, (_, at) => ({
    what: 'package' as const,
    name: `package-${at}`,
    file: 'requirements.txt',
  }))
  const text = renderSummary({ ...reports.deployed, unpinned }, context)
  expect(text).toContain('### Not pinned by hash: 50\n')
  expect(text).toContain('<code>package-19</code>, and 30 more')
  expect(text).not.toContain('package-20')
})

test('of packages without a hash nothing is said where they are not new, or where there are none', () => {
  for (const name of ['unchanged', 'rolled-back', 'first-deploy'] as const)
    expect(renderSummary(reports[name], context)).not.toContain('Not pinned')
  expect(renderSummary(reports.planned, context)).toContain('### Not pinned by hash: 4\n')
})

test('links lead to the GitHub that runs the job', () => {
  expect(summaryContext({ GITHUB_SERVER_URL: 'https://ghe.example.com', GITHUB_REPOSITORY: 'o/r' })).toEqual({
    serverUrl: 'https://ghe.example.com',
    repository: 'o/r',
    action: 'org/flask-deploy-action@v1',
  })
  expect(summaryContext({ GITHUB_ACTION_REPOSITORY: 'me/fork', GITHUB_ACTION_REF: 'v2' })).toMatchObject({
    serverUrl: 'https://github.com',
    action: 'me/fork@v2',
  })
  expect(renderSummary(reports.deployed, context)).toContain(
    'https://ghe.example.com/octo/blog/compare/0a1b2c3000000000000000000000000000000000...abc1234000000000000000000000000000000000',
  )
})
