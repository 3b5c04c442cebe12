import { expect, test } from 'vitest'
import { foundRow, resolvedOn } from '../../src/report/found.ts'

const day = 86_400
const at = Date.UTC(2026, 9, 1, 12) / 1000

test.each([
  [0, 'chosen on 2026-10-01 (today); `refresh: true` chooses them anew'],
  [day, 'chosen on 2026-10-01 (a day ago); `refresh: true` chooses them anew'],
  [56 * day + 5, 'chosen on 2026-10-01 (56 days ago); `refresh: true` chooses them anew'],
  // A clock that was put back.
  [-day, 'chosen on 2026-10-01 (today); `refresh: true` chooses them anew'],
])('%i s later it is said when versions were chosen', (later, said) => {
  expect(resolvedOn(at, at + later)).toBe(said)
  expect(foundRow('resolved', `${at} ${at + later}`)).toEqual({ what: 'versions', detail: said })
})

test.each(['0 5', 'x y', '', `${1e20} 1`])('no day is made of %j', (detail) => {
  expect(foundRow('resolved', detail).detail).toBe('chosen on a day that is not known')
})
