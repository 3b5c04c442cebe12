import { expect, test } from 'vitest'
import { median, roundTrips, type Sample } from '../../bench/sample.ts'
import { renderTable } from '../../bench/table.ts'

const samples = (...ms: readonly number[]): readonly Sample[] =>
  ms.map((one) => ({ ms: one, up: 2_000, down: 500 }))

test('the median is the middle one, or between the two in the middle', () => {
  expect(median([3, 1, 2])).toBe(2)
  expect(median([4, 1, 2, 3])).toBe(2.5)
  expect(median([])).toBeNaN()
})

test('round trips are the slope of the medians', () => {
  const waited = new Map([
    [0, samples(300, 310, 900)],
    [100, samples(1_310, 1_305, 2_000)],
  ])
  expect(roundTrips(waited, 0, 100)).toBe(10)
  expect(roundTrips(waited, 0, 50)).toBeNaN()
})

test('a table has medians with the least beside them, and leaves out what was not measured', () => {
  const rows = [
    {
      name: 'unchanged',
      samples: new Map([
        [0, samples(300, 310, 320)],
        [50, samples(800, 810, 820)],
        [100, samples(1_300, 1_310, 1_320)],
        [1_000, samples(9_310)],
      ]),
    },
    { name: 'by hand', samples: new Map([[0, samples(12_345)]]) },
  ]
  expect(renderTable(rows, [0, 50, 100], 1_000).split('\n')).toEqual([
    '|           |       @0 ms |      @50 ms |     @100 ms | round trips 50-100 | 0-100 | 0-1000 | kB up | kB down |',
    '| --------- | ----------: | ----------: | ----------: | -----------------: | ----: | -----: | ----: | ------: |',
    '| unchanged | 0.31 (0.30) | 0.81 (0.80) | 1.31 (1.30) |               10.0 |  10.0 |    9.0 |   2.0 |     0.5 |',
    '| by hand   |       12.35 |             |             |                    |       |        |   2.0 |     0.5 |',
  ])
})
