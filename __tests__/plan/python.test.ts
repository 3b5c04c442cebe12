import { expect, test } from 'vitest'
import { DeployError } from '../../src/errors.ts'
import { askedPythons, forecastPython, pythonTries } from '../../src/plan/python.ts'
import type { PythonWish } from '../../src/project/project.ts'
import { bareLines, facts, wish } from './sample.ts'

/** A wish for Python, with and without leave to download one. */
const wanting = (python: Partial<PythonWish>, pythonDownload = true) =>
  wish({
    app: { pythonDownload },
    project: {
      python: {
        allowed: [],
        reason: 'requires-python in pyproject.toml',
        preferred: undefined,
        preferredReason: '.python-version',
        ...python,
      },
    },
  })

/** The tries as words. */
const tries = (...given: Parameters<typeof wanting>) =>
  pythonTries(wanting(...given)).map((one) => {
    if (one.how === 'server') return `server ${one.versions.join(',')}`
    return one.how === 'forbidden' ? one.how : `${one.how} ${one.version}`
  })

const server = (own: string, ...more: readonly string[]) =>
  facts([
    ...bareLines.filter((line) => !line.startsWith('python ')),
    `python /usr/bin/python${own}`,
    `pythons ${own}`,
    ...more,
  ])

test('nothing said: the server’s own, whichever it is', () => {
  expect(tries({})).toEqual(['server '])
  expect(tries({}, false)).toEqual(['server '])
  expect(askedPythons(wanting({}))).toBeUndefined()
})

test('what must hold: the server’s own, the distribution’s newest, then a download of the newest that is finished', () => {
  expect(tries({ allowed: ['3.14', '3.15', '3.16'] })).toEqual([
    'server 3.14,3.15,3.16',
    'distribution 3.16',
    'distribution 3.15',
    'distribution 3.14',
    'managed 3.15',
  ])
})

test('what is liked best is tried in every way, and gives way to the server’s own', () => {
  expect(tries({ preferred: '3.12' })).toEqual([
    'server 3.12',
    'distribution 3.12',
    'managed 3.12',
    'server ',
  ])
  expect(tries({ allowed: ['3.11', '3.12'], preferred: '3.12' })).toEqual([
    'server 3.12',
    'distribution 3.12',
    'managed 3.12',
    'server 3.11,3.12',
    'distribution 3.11',
    'managed 3.11',
  ])
})

test('without leave to download, what is liked best gives way at once, and what must hold is refused', () => {
  expect(tries({ preferred: '3.12' }, false)).toEqual(['server 3.12', 'distribution 3.12', 'server '])
  expect(tries({ allowed: ['3.15'] }, false)).toEqual(['server 3.15', 'distribution 3.15', 'forbidden'])
})

test('with wheels only a Python that is there already is taken', () => {
  const wished = wanting({ allowed: ['3.11', '3.12', '3.13'], preferred: '3.13' })
  const offline = {
    ...wished,
    inputs: { ...wished.inputs, app: { ...wished.inputs.app, dependencies: 'wheels' as const } },
  }
  expect(pythonTries(offline, server('3.11')).map(({ how }) => how)).toEqual([
    'server',
    'server',
    'distribution',
  ])
  expect(forecastPython(server('3.11'), offline)).toMatchObject({ how: 'server', version: '3.11' })
  expect(() => forecastPython(server('3.9'), offline)).toThrow(/another Python/)
})

test('one that uv cannot fetch is not asked for', () => {
  expect(tries({ allowed: ['3.6', '3.7'] })).toEqual([
    'server 3.6,3.7',
    'distribution 3.7',
    'distribution 3.6',
  ])
})

test('no app changes its Python by itself: what is there goes before what is newer', () => {
  const { pythons, managedPythons } = server('3.9', 'pythons 3.9 3.11', 'managed-pythons 3.12')
  expect(pythons).toEqual(new Set(['3.9']))
  const there = facts(['pythons 3.9 3.11', 'managed-pythons 3.12'])
  expect(managedPythons).toEqual(new Set(['3.12']))
  const found = pythonTries(wanting({ allowed: ['3.11', '3.12', '3.13'] }), there)
  expect(found[1]).toEqual({ how: 'distribution', version: '3.11' })
  expect(found.at(-1)).toEqual({ how: 'managed', version: '3.12' })
})

test.each([
  ['bullseye', '3.9'],
  ['bookworm', '3.11'],
  ['trixie', '3.13'],
  ['sid', '3.14'],
])('on %s its own is taken where it fits', (_, own) => {
  const fits = wanting({ allowed: ['3.9', '3.10', '3.11', '3.12', '3.13', '3.14'] })
  expect(forecastPython(server(own), fits)).toEqual({ how: 'server', version: own, installed: true })
})

test('another one of the distribution, installed or not', () => {
  const wanted = wanting({ allowed: ['3.14'] })
  expect(forecastPython(server('3.13', 'installable-pythons 3.13 3.14'), wanted)).toEqual({
    how: 'distribution',
    version: '3.14',
    installed: false,
  })
  const two = facts(['python /usr/bin/python3.13', 'pythons 3.13 3.14'])
  expect(forecastPython(two, wanted)).toEqual({ how: 'distribution', version: '3.14', installed: true })
})

test('a download, and one that was made earlier', () => {
  const wanted = wanting({ allowed: ['3.14'] })
  const lists = 'installable-pythons 3.11'
  expect(forecastPython(server('3.11', lists), wanted)).toMatchObject({ how: 'managed', installed: false })
  expect(forecastPython(server('3.11', lists, 'managed-pythons 3.14'), wanted)).toMatchObject({
    how: 'managed',
    installed: true,
  })
})

test('a bare server, or one without lists, has to be asked later', () => {
  expect(forecastPython(facts(bareLines), wanting({ allowed: ['3.11'] }))).toEqual({ how: 'unknown' })
  expect(forecastPython(server('3.11'), wanting({ allowed: ['3.14'] }))).toEqual({ how: 'unknown' })
})

test('where none can be had, the plan says so before anything is done', () => {
  const lists = 'installable-pythons 3.11'
  const code = (given: ReturnType<typeof wanting>) => {
    try {
      forecastPython(server('3.11', lists), given)
    } catch (error) {
      return error instanceof DeployError ? [error.code, error.message] : []
    }
    return []
  }
  expect(code(wanting({ allowed: ['3.14'] }, false))).toEqual([
    'python-forbidden',
    expect.stringMatching(
      /requires-python in pyproject\.toml, but the server's own is 3\.11.*`python-download`/,
    ),
  ])
  expect(code(wanting({ allowed: ['3.7'] }))[0]).toBe('python-absent')
})
