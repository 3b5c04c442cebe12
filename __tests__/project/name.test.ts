import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { appName, nameFault } from '../../src/project/name.ts'

describe('appName', () => {
  test.each([
    ['octo/hello', 'hello'],
    ['hello', 'hello'],
    ['owner/My_App.py', 'my-app-py'],
    ['octo/.github', 'github'],
    ['octo/--a__b..c--', 'a-b-c'],
    ['octo/2048', 'app-2048'],
    ['octo/3d-viewer', 'app-3d-viewer'],
    ['octo/shop-build', 'shop'],
    ['octo/shop-build-build', 'shop'],
    ['octo/shop.build', 'shop'],
    ['octo/build', 'build'],
    ['octo/-build', 'build'],
    ['octo/rebuild', 'rebuild'],
    ['octo/___', 'app'],
    ['octo/été', 't'],
    ['', 'app'],
    ['octo/abcdefghij-abcdefghij', 'abcdefghij-abcdefghij'],
    ['postgresql', 'postgresql'],
  ])('derives from %j the name %j', (repository, name) => {
    expect(appName(repository)).toBe(name)
  })

  test('cuts a long name and keeps two of them apart', () => {
    const one = appName('octo/an-awfully-long-repository-name-one')
    const other = appName('octo/an-awfully-long-repository-name-two')
    expect(one).toMatch(/^an-awfully-long-[0-9a-f]{5}$/)
    expect(other).toMatch(/^an-awfully-long-[0-9a-f]{5}$/)
    expect(one).not.toBe(other)
  })

  test('does not depend on the case that GitHub ignores', () => {
    expect(appName('Octo/An-Awfully-Long-Repository-Name')).toBe(
      appName('octo/an-awfully-long-repository-name'),
    )
  })

  test('always gives a good name', () => {
    const likely = fc.stringMatching(/^[A-Za-z0-9._-]{0,60}(?:-build)?$/)
    fc.assert(
      fc.property(fc.oneof(likely, fc.string({ unit: 'binary', maxLength: 60 })), (repository) => {
        const name = appName(repository)
        expect(name).toMatch(/^[a-z][a-z0-9-]{0,20}$/)
        expect(name).not.toMatch(/-(?:build)?$/)
        expect(nameFault(name)).toBeUndefined()
      }),
    )
  })

  test('leaves a good name as it is', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z][a-z0-9]{0,9}(?:-[a-z0-9]{1,10})?$/), (name) => {
        fc.pre(nameFault(name) === undefined)
        expect(appName(`octo/${name}`)).toBe(name)
      }),
    )
  })
})

describe('nameFault', () => {
  test.each(['a', 'shop', 'my-app-2', 'a'.repeat(21), 'build', 'a-builder'])('accepts %j', (name) => {
    expect(nameFault(name)).toBeUndefined()
  })

  test.each([
    ['', 'is empty'],
    ['Shop', 'may hold only'],
    ['shöp', 'may hold only'],
    ['a\nb', 'may hold only'],
    ['a/b', 'may hold only'],
    ['2shop', 'must begin with a letter'],
    ['-shop', 'must begin with a letter'],
    ['a'.repeat(22), 'is 22 characters long; 21 are allowed'],
    ['shop-', 'must not end in -'],
    ['shop-build', 'must not end in -build'],
  ])('refuses %j: it %s', (name, fault) => {
    expect(nameFault(name)).toContain(fault)
  })
})
