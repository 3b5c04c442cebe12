import { describe, expect, test } from 'vitest'
import { parseEvent } from '../../src/apply/event.ts'
import {
  dying,
  settlingAfter,
  settlingNow,
  takenBackWarning,
  tellSettling,
} from '../../src/report/settling.ts'
import { parseState } from '../../src/server/state.ts'

const NEW = '20261101000000-1111111'
const OLD = '20261001000000-2222222'

/** The settle time as it is after these lines of the program's. */
function after(...lines: readonly string[]) {
  let settling = null
  for (const line of lines) {
    const event = parseEvent(`1.0 ${line}`)
    if (event !== undefined) settling = settlingAfter(event, settling) ?? settling
  }
  return settling
}

test('is open until the server says how it ended', () => {
  const open = { old: OLD, seconds: 60, running: true, outcome: 'open' }
  expect(after(`kept ${NEW}`)).toBeNull()
  expect(after(`settling ${OLD} 60 running`, 'fail stopped')).toEqual(open)
  expect(after(`settling ${OLD} 60 stopped`)).toEqual({ ...open, running: false })
  expect(after(`settling ${OLD} 60 running`, `settled ${NEW}`)).toEqual({ ...open, outcome: 'settled' })
  expect(after(`settling ${OLD} 60 running`, 'fail taken-back app-exited')?.outcome).toBe('taken-back')
  expect(after(`settling ${OLD} 60 running`, 'fail not-settled health-status 503')?.outcome).toBe('stays')
  expect(after('settling never 60 running')).toBeNull()
})

test('is told with the release that waits', () => {
  const open = { old: OLD, seconds: 60, running: false, outcome: 'open' } as const
  expect(tellSettling({ ...open, running: true })).toContain(`\`${OLD}\`, which runs on until then`)
  expect(tellSettling(open)).toContain('Memory is short')
})

test('is told by later runs as long as it lasts', () => {
  const now = (...lines: readonly string[]) => settlingNow(parseState([`current ${NEW}`, ...lines]))
  expect(now()).toBeNull()
  expect(now(`settling ${OLD} ${NEW} running`)).toBeNull()
  const settling = now(`settling ${NEW} ${OLD} stopped`)
  expect(settling).toMatchObject({ old: OLD, running: false, outcome: 'watched' })
  expect(settling === null ? '' : tellSettling(settling)).toBe(
    `The server still watches it: should it die, release \`${OLD}\`, which would be started first, serves again.`,
  )
})

describe('what the next run says of a release that died', () => {
  const state = (reason: string) =>
    parseState([`current ${OLD}`, `taken-back ${NEW} ${'1'.repeat(40)} ${reason}`])

  test.each([
    ['app-exited', 'its web process ended'],
    ['worker-restarted 3', 'its worker processes died 3 times within a minute'],
    ['process-died web-a.worker.service', 'its process `web-a.worker.service` ended again and again'],
    ['health-timeout', 'gave no answer in time'],
    ['health-unreachable', 'gave no answer'],
    ['health-status 503', 'answered 503, three times in a row'],
    ['odd \u001b[31m words', 'words'],
  ])('%s', (reason, words) => {
    expect(dying(reason)).toContain(words)
    const warning = takenBackWarning(state(reason))
    expect(warning?.code).toBe('taken-back')
    expect(warning?.text).toContain(`Release ${NEW} (commit 1111111) died after the switch`)
    expect(warning?.text).toContain(`went back to release ${OLD}`)
    expect(warning?.text).not.toContain('\u001b')
  })

  test('is another thing where it stayed, and nothing where nothing died', () => {
    expect(takenBackWarning(state('stays health-status 503'))?.code).toBe('not-settled')
    expect(takenBackWarning(parseState([`current ${OLD}`]))).toBeUndefined()
    expect(takenBackWarning(undefined)).toBeUndefined()
  })
})
