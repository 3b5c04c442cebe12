import { describe, expect, test } from 'vitest'
import type { Section } from '../../src/report/sections.ts'
import { sectionsMarkdown } from '../../src/report/sections.ts'
import { statusSections } from '../../src/report/status.ts'
import { parseSeen } from '../../src/server/seen.ts'
import { bareLines, facts } from '../plan/sample.ts'

const OLD = '20261101000000-0000001'
const NEW = '20261122184800-abc1234'
const DEAD = '20261122190000-0000003'
const app = ['state generation 7', 'state owner 4711 someone/hello', 'home yes']
const kept = (id: string) => `state release ${id} aa bb cc ${'1'.repeat(40)} 1700000000`

const sections = (...lines: readonly string[]): readonly Section[] =>
  statusSections(facts([...bareLines, ...lines]), parseSeen([]), 'hello')

/** A value of the first table. */
function told(key: string, ...lines: readonly string[]): string | undefined {
  return sections(...lines)[0]?.rows.find(([name]) => name === key)?.[1]
}

describe('status says of an app', () => {
  test('that is not there', () => {
    expect(told('App')).toBe('`hello` is not on this server')
  })

  test('whose releases are gone', () => {
    expect(told('Visitors get', ...app)).toContain('no release is on the server')
  })

  const serving = [...app, `state current ${NEW}`, `link ${NEW}`, kept(OLD), kept(NEW)]

  test('that settles: what is watched, and what waits', () => {
    const lines = [...serving, `state settling ${NEW} ${OLD} running`]
    expect(told('Watched', ...lines)).toBe(
      `release \`${NEW}\`, until its \`settle-time\` is over; should it die, \`${OLD}\`, which runs on, serves again`,
    )
    expect(told('Watched', ...serving)).toBeUndefined()
    const roles = sections(...lines)
      .find(({ title }) => title === 'Releases')
      ?.rows.map((row) => row.at(-1))
    expect(roles).toEqual(['serves, watched', 'waits'])
  })

  test('of which the server has taken a release back: why, in words', () => {
    const commit = '7'.repeat(40)
    expect(told('Taken back', ...serving, `state taken-back ${DEAD} ${commit} app-exited`)).toBe(
      `release \`${DEAD}\` (commit 7777777), by the server itself, because its web process ended`,
    )
    const stays = told('Died', ...serving, `state taken-back ${NEW} ${commit} stays health-status 503`)
    expect(stays).toContain('its health page answered 503, three times in a row; it stayed')
  })

  test('that the server has repaired by itself: what visitors had got', () => {
    expect(told('Repaired', ...serving, `recovered ${DEAD}`)).toContain(`\`${DEAD}\` for a while`)
    expect(told('Repaired', ...serving, `recovered ${NEW}`)).not.toContain('for a while')
  })
})

test('each table has a head that says something', () => {
  const lines = sectionsMarkdown(sections(...app, `state current ${NEW}`, `link ${NEW}`, kept(NEW)), 100_000)
  for (const [at, line] of lines.entries())
    if (line.startsWith('| ---') || line.startsWith('|---')) expect(lines[at - 1]).not.toMatch(/\| +\|/)
})
