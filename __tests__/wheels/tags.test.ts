import { describe, expect, test } from 'vitest'
import { bestWheel, parseWheelName, wheelRank } from '../../src/wheels/tags.ts'

const bookworm = { minor: 11, arch: 'x86_64', glibc: 36 }
const arm = { minor: 13, arch: 'aarch64', glibc: 41 }

test.each([
  ['flask-3.1.2-py3-none-any.whl', bookworm],
  ['six-1.17.0-py2.py3-none-any.whl', bookworm],
  ['markupsafe-3.0.3-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl', bookworm],
  ['a-1-cp311-cp311-manylinux1_x86_64.whl', bookworm],
  ['a-1-cp311-cp311-manylinux2010_x86_64.whl', bookworm],
  ['a-1-cp311-cp311-manylinux_2_36_x86_64.whl', bookworm],
  ['a-1-cp311-cp311-linux_x86_64.whl', bookworm],
  ['cryptography-46.0.0-cp38-abi3-manylinux_2_28_x86_64.whl', bookworm],
  ['a-1-cp311-abi3-manylinux_2_28_x86_64.whl', bookworm],
  ['a-1-py311-none-any.whl', bookworm],
  ['a-1-py38-none-any.whl', bookworm],
  ['a-1-cp311-none-any.whl', bookworm],
  ['a-1-py3-none-manylinux_2_17_x86_64.whl', bookworm],
  ['a-1-1build-py3-none-any.whl', bookworm],
  ['a-1-cp37-cp37m-manylinux1_x86_64.whl', { ...bookworm, minor: 7 }],
  ['uv-1-py3-none-manylinux_2_17_aarch64.manylinux2014_aarch64.musllinux_1_1_aarch64.whl', arm],
])('%s fits %o', (file, target) => {
  expect(wheelRank(file, target)).toEqual(expect.any(Number))
})

test.each([
  ['another version of Python', 'a-1-cp312-cp312-manylinux_2_17_x86_64.whl'],
  ['an older one without a stable ABI', 'a-1-cp310-cp310-manylinux_2_17_x86_64.whl'],
  ['a stable ABI of a later Python', 'a-1-cp312-abi3-manylinux_2_17_x86_64.whl'],
  ['a later Python', 'a-1-py312-none-any.whl'],
  ['Python 2', 'a-1-py2-none-any.whl'],
  ['a build without the lock', 'a-1-cp311-cp311t-manylinux_2_17_x86_64.whl'],
  ['PyPy', 'a-1-pp311-pypy311_pp73-manylinux_2_17_x86_64.whl'],
  ['a newer glibc', 'a-1-cp311-cp311-manylinux_2_39_x86_64.whl'],
  ['musl', 'a-1-cp311-cp311-musllinux_1_2_x86_64.whl'],
  ['another processor', 'a-1-cp311-cp311-manylinux_2_17_aarch64.whl'],
  ['32 bits', 'a-1-cp311-cp311-manylinux_2_17_i686.whl'],
  ['Windows', 'a-1-cp311-cp311-win_amd64.whl'],
  ['macOS', 'a-1-cp311-cp311-macosx_11_0_universal2.whl'],
])('a wheel for %s does not fit', (_what, file) => {
  expect(wheelRank(file, bookworm)).toBeUndefined()
})

describe('of several', () => {
  const best = (...files: readonly string[]) =>
    bestWheel(
      files.map((file) => ({ file })),
      bookworm,
    )?.file

  test('the closest to this Python is taken', () => {
    const [own, stable, pure] = [
      'a-1-cp311-cp311-manylinux_2_17_x86_64.whl',
      'a-1-cp39-abi3-manylinux_2_28_x86_64.whl',
      'a-1-py3-none-any.whl',
    ]
    expect(best(pure, stable, own)).toBe(own)
    expect(best(pure, stable)).toBe(stable)
    expect(best(stable, 'a-1-cp310-abi3-manylinux_2_17_x86_64.whl')).toBe(
      'a-1-cp310-abi3-manylinux_2_17_x86_64.whl',
    )
  })

  test('then the closest to its glibc', () => {
    const newer = 'a-1-cp311-cp311-manylinux_2_28_x86_64.whl'
    expect(best('a-1-cp311-cp311-manylinux2014_x86_64.whl', newer, 'a-1-cp311-cp311-linux_x86_64.whl')).toBe(
      newer,
    )
  })
})

test.each([
  '',
  'a.whl',
  'a-1.tar.gz',
  '../a-1-py3-none-any.whl',
  'a/b-1-py3-none-any.whl',
  'a-1-py3-none-any.whl\n',
  "a-1-py3-none-any'.whl",
  'a b-1-py3-none-any.whl',
  '-r-1-py3-none-any.whl'.repeat(20),
])('%j is no name of a wheel', (file) => {
  expect(parseWheelName(file)).toBeUndefined()
})

test("a project's name is compared as indexes do", () => {
  expect(parseWheelName('Flask_SQLAlchemy-3.1.1-py3-none-any.whl')?.name).toBe('flask-sqlalchemy')
})
