import { describe, expect, test } from 'vitest'
import type { Visit } from './load.ts'
import { faults } from './load-verdict.ts'

const visit = (began: number, ended: number, version: string, fault = ''): Visit => ({
  kind: 'page',
  began,
  ended,
  version,
  fault,
})

describe('what went wrong with requests under load', () => {
  test('nothing, where versions follow each other', () => {
    const visits = [visit(0, 10, 'a'), visit(5, 15, 'a'), visit(20, 30, 'b'), visit(40, 50, 'a')]
    expect(faults(visits, ['a', 'b', 'a'])).toEqual([])
  })

  test('nothing, where a slow request ends with the version that it began with', () => {
    expect(faults([visit(0, 2_000, 'a'), visit(100, 110, 'b'), visit(200, 210, 'b')], ['a', 'b'])).toEqual([])
  })

  test('a request that failed', () => {
    expect(faults([visit(0, 10, 'a'), visit(500, 510, '', '/: 502')], ['a'])).toEqual([
      'page at 0.50 s: /: 502',
    ])
  })

  test('the old version answers after the new one has', () => {
    const visits = [visit(0, 10, 'a'), visit(20, 30, 'b'), visit(31, 40, 'a')]
    expect(faults(visits, ['a', 'b'])).toEqual(['page at 0.03 s: version a answered, though b had before'])
  })

  test('a version that was never to serve', () => {
    expect(faults([visit(0, 10, 'broken')], ['a', 'b'])).toHaveLength(1)
  })
})
