import { expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import { section, textOf } from './pages.ts'

const part = section(
  textOf('docs/architecture.md'),
  '### How long a server may take, and how much it may say',
)

test('the page shows the limit of every phase, and why', () => {
  const shown = [...part.matchAll(/^\| `([a-z-]+)` \| (.*?) \| (.*?) \|$/gm)].map(([, phase, most, why]) => ({
    phase,
    most,
    why,
  }))
  const own = Object.entries(limits.phases).map(([phase, { ms, plus, why }]) => {
    const parts = [...(ms === 0 ? [] : [spoken(ms)]), ...(plus ?? []).map((input) => `\`${input}\``)]
    return { phase, most: parts.join(' and '), why }
  })
  expect(shown).toEqual(own)
})

test('and the others', () => {
  const {
    otherAppMs,
    silenceMs,
    uploadMs,
    requestMs,
    cancelMs,
    postMs,
    reconnectMs,
    reconnects,
    sentWaitMs,
  } = limits
  expect(part).toContain(`gets ${otherAppMs / 60_000} minutes more`)
  expect(part).toContain(`no byte comes for ${silenceMs / 1000} s`)
  expect(part).toContain(`nothing of the bundle for ${uploadMs / 1000} s`)
  expect(part).toContain(`smoke test takes ${requestMs / 1000} s`)
  expect(part).toContain(`waits ${cancelMs / 1000} s`)
  expect(part).toContain(`made again within ${reconnectMs / 1000} s, ${reconnects} times`)
  expect(part).toContain(`stand still for ${sentWaitMs / 1000} s`)
  expect(part).toContain(`over after ${postMs / 1000} s`)
})

function spoken(ms: number): string {
  return ms <= 60_000 ? `${ms / 1000} s` : `${ms / 60_000} min`
}
