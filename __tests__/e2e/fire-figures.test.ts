import { expect, test } from 'vitest'
import { figuresOf, tellFigures } from './fire-figures.ts'
import type { Visit, VisitKind } from './load.ts'

const visit = (began: number, ms: number, kind: VisitKind = 'page', fault = ''): Visit => ({
  kind,
  began,
  ended: began + ms,
  version: 'v1',
  fault,
})

test('requests are counted by kind, and latencies by what went on when they began', () => {
  const quiet = [1, 2, 3].map((at) => visit(at * 1000, 5))
  const work = [visit(10_100, 9)]
  const flip = [visit(14_900, 20), visit(15_500, 30), visit(15_990, 40)]
  const others = [visit(13_000, 4_000, 'slow'), visit(15_200, 90, 'page', '/: 502')]
  const figures = figuresOf({
    visits: [...quiet, ...work, ...flip, ...others],
    served: ['v1'],
    flips: [15_000],
    runs: [{ from: 10_000, until: 20_000 }],
    turns: [],
  })
  expect(figures).toMatchObject({
    requests: 9,
    flips: 1,
    across: 1,
    flip: { count: 3, median: 30, p99: 40, max: 40 },
    work: { count: 1, median: 9 },
    quiet: { count: 3, median: 5, max: 5 },
  })
  expect(figures.kinds).toEqual([
    { kind: 'page', count: 8, failed: 1, max: 90 },
    { kind: 'slow', count: 1, failed: 0, max: 4_000 },
  ])
  const text = tellFigures(figures)
  expect(text).toContain('9 requests, 1 failed, 1 flips; 1 requests were answered across a flip')
  expect(text).toContain('added by a flip: median 25.0 ms, 99 % 35.0 ms')
})
