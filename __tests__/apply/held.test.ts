import { expect, test } from 'vitest'
import { missingFrom, missingWheels, parseHeld } from '../../src/apply/held.ts'

const A = 'a'.repeat(64)
const B = 'b'.repeat(64)
const C = 'c'.repeat(64)
const wheel = (sha256: string, bytes: number) => ({
  sha256,
  bytes,
  path: `/tmp/${sha256}`,
})

test('what the server says of what it has is read', () => {
  const held = parseHeld(['held starts 2', 'held bundle 4096', `held ${A} 10`, 'held 0123456789abcdef 0'])
  expect(held).toEqual({
    starts: 2,
    bundle: 4096,
    wheels: new Map([
      [A, 10],
      ['0123456789abcdef', 0],
    ]),
  })
  expect(parseHeld(['held bundle whole']).bundle).toBe('whole')
  expect(parseHeld(['held bundle taken']).bundle).toBe('taken')
})

test.each(['held', 'held starts', 'held starts -1', 'held bundle 1e9', 'held ../x 3', 'starts 4', ''])(
  'nothing is there by %j',
  (line) => {
    expect(parseHeld([line])).toEqual({ starts: 0, bundle: 0, wheels: new Map() })
  },
)

test('the rest of a file is sent; all of it where the server has more than there is', () => {
  expect(missingFrom(undefined, 10)).toBe(0)
  expect(missingFrom(7, 10)).toBe(7)
  expect(missingFrom(10, 10)).toBe(10)
  expect(missingFrom(11, 10)).toBe(0)
})

test('of wheels those that are whole are left out, and one goes on where it broke off', () => {
  const held = parseHeld([`held ${A} 10`, `held ${B} 4`])
  expect(missingWheels([wheel(A, 10), wheel(B, 10), wheel(C, 10)], held)).toEqual([
    { wheel: wheel(B, 10), from: 4 },
    { wheel: wheel(C, 10), from: undefined },
  ])
  expect(missingWheels([wheel(A, 10)], undefined)).toEqual([{ wheel: wheel(A, 10), from: undefined }])
})
