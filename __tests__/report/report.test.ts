import { describe, expect, test } from 'vitest'
import { outputNames, results } from '../../src/outputs.ts'
import { emptyReport, outputsOf, type Report, redactedReport, reportJson } from '../../src/report/report.ts'
import { reports } from './sample.ts'

describe('outputs', () => {
  test.each(results)('all are set where the run ended `%s`', (result) => {
    const outputs = outputsOf(reports[result])
    expect(Object.keys(outputs).toSorted()).toEqual([...outputNames].toSorted())
    for (const name of outputNames) expect(typeof outputs[name]).toBe('string')
    expect(outputs.result).toBe(result)
    expect(JSON.parse(outputs.report)).toEqual(reports[result])
  })

  test('say what the report says', () => {
    const { report, ...others } = outputsOf(reports.reverted)
    expect(others).toEqual({
      result: 'reverted',
      release: '20261122184800-abc1234',
      'previous-release': '20261120101500-0a1b2c3',
      serving: '20261120101500-0a1b2c3',
      url: 'http://blog.example.com/',
      'failed-phase': 'smoke',
      'health-status': '200',
      'duration-ms': '8123',
    })
    expect(report).toContain('"code":"smoke-status"')
  })

  test('are there for a run that came to nothing', () => {
    expect(outputsOf(emptyReport)).toMatchObject({
      result: 'failed',
      serving: 'unknown',
      'health-status': '',
    })
  })
})

describe('the report as JSON', () => {
  test('never exceeds what an environment variable takes, and never loses the result', () => {
    const long = 'ü'.repeat(60_000)
    const many = Array.from({ length: 100 }, () => long)
    const cases: readonly Partial<Report>[] = [
      { lines: many },
      { changes: many.map((detail) => ({ what: 'x', detail })) },
      {
        error: {
          code: 'x',
          cause: long,
          cure: long,
          faults: many.slice(0, 5).map((cause) => ({ cause, cure: long })),
        },
      },
      { url: long },
    ]
    for (const part of cases) {
      const text = reportJson({ ...reports.failed, ...part })
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(100_000)
      expect(JSON.parse(text)).toMatchObject({ schema: 1, result: 'failed', failedPhase: 'start' })
    }
  })
})

test('redacting keeps the words of the outputs, so that they never lie', () => {
  const report = redactedReport(reports.failed, {
    redact: (text) => text.replaceAll(/failed|start|yaml|views|app/g, '***'),
  })
  expect(report).toMatchObject({
    result: 'failed',
    failedPhase: 'start',
    error: { code: 'app-import', file: 'pkg/***.py' },
  })
  expect(report.error?.cause).not.toContain('yaml')
  expect(report.lines.join()).not.toContain('yaml')
})
