import { expect, test } from 'vitest'
import { DeployError } from '../../src/errors.ts'
import { findPython } from '../../src/project/python.ts'
import { type Files, tree } from './trees.ts'

const find = (files: Files, { used = 'requirements.txt', input }: { used?: string; input?: string } = {}) => {
  const { python, warnings } = findPython(tree(files), { file: used }, input)
  return { ...python, warnings: warnings.map(({ code }) => code) }
}

/** The first allowed version, why, the preferred one, and why. */
const brief = (files: Files, used?: string) => {
  const { allowed, reason, preferred, preferredReason } = find(files, used === undefined ? {} : { used })
  return [allowed[0] ?? 'any', reason, preferred ?? '-', preferredReason]
}

const pyproject = (requires: string) => `[project]\nname = "x"\nrequires-python = "${requires}"\n`

test('nothing said: any Python will do', () => {
  expect(find({ 'app.py': '' })).toEqual({
    allowed: [],
    reason: '',
    preferred: undefined,
    preferredReason: '',
    warnings: [],
  })
})

test.each<readonly [string, Files, string | undefined, string, string]>([
  [
    'pyproject.toml',
    { 'pyproject.toml': pyproject('>=3.10') },
    undefined,
    '3.10',
    'requires-python >=3.10 in pyproject.toml',
  ],
  [
    "Poetry's section",
    { 'pyproject.toml': '[tool.poetry.dependencies]\npython = "^3.9"\nflask = "*"\n' },
    undefined,
    '3.9',
    'python ^3.9 in pyproject.toml',
  ],
  [
    'setup.cfg',
    {
      'setup.cfg':
        '[metadata]\nname = x\n[options]\npackages = find:\npython_requires = >=3.8\n[options.extras_require]\nx = y\n',
    },
    undefined,
    '3.8',
    'python_requires >=3.8 in setup.cfg',
  ],
  [
    'a setup.py',
    {
      'setup.py':
        "from setuptools import setup\n# python_requires='>=3.18'\nsetup(\n    python_requires='>=3.7',\n)\n",
    },
    undefined,
    '3.7',
    'python_requires >=3.7 in setup.py',
  ],
  [
    'uv.lock',
    { 'uv.lock': 'version = 1\nrequires-python = ">=3.12"\n\n[[package]]\nrequires-python = ">=3.19"\n' },
    'uv.lock',
    '3.12',
    'requires-python >=3.12 in uv.lock',
  ],
  [
    'pylock.toml',
    { 'pylock.toml': "lock-version = '1.0'\nrequires-python = '>=3.11'\n" },
    'pylock.toml',
    '3.11',
    'requires-python >=3.11 in pylock.toml',
  ],
  [
    'poetry.lock',
    {
      'poetry.lock':
        '[[package]]\nname = "x"\npython-versions = ">=3.19"\n\n[metadata]\nlock-version = "2.1"\npython-versions = "^3.10"\n',
    },
    'poetry.lock',
    '3.10',
    'python-versions ^3.10 in poetry.lock',
  ],
])('%s is read', (_, files, used, first, reason) => {
  expect(brief(files, used)).toEqual([first, reason, '-', ''])
})

test('all that must hold holds together, and is named', () => {
  expect(
    find({ 'pyproject.toml': pyproject('>=3.9'), 'setup.cfg': '[options]\npython_requires = <3.11\n' }),
  ).toMatchObject({
    allowed: ['3.9', '3.10'],
    reason: 'requires-python >=3.9 in pyproject.toml and python_requires <3.11 in setup.cfg',
  })
})

test('a lock that is not used has no say', () => {
  expect(
    brief({
      'uv.lock': 'requires-python = ">=3.19"\n',
      'Pipfile.lock': '{"_meta":{"requires":{"python_version":"3.6"}}}',
    }),
  ).toEqual(['any', '', '-', ''])
})

test.each<readonly [string, Files, string]>([
  ['.python-version', { '.python-version': '3.12\n' }, '3.12'],
  ['a patch of it', { '.python-version': '3.12.4' }, '3.12'],
  ['an implementation before it', { '.python-version': 'cpython-3.12.4-linux-x86_64-gnu\n' }, '3.12'],
  ['a word before it', { '.python-version': 'python-3.10.1\n' }, '3.10'],
  [
    'several lines: the first that is a version',
    { '.python-version': '# ours\nmyenv\n3.11.2\n3.9.1\n' },
    '3.11',
  ],
  ['another implementation', { '.python-version': 'pypy3.10\n' }, '-'],
  ['the name of an environment', { '.python-version': 'myproject\n' }, '-'],
  ['.tool-versions', { '.tool-versions': 'nodejs 20.1.0\npython 3.12.1 3.11.0\n' }, '3.12'],
  ['mise.toml', { 'mise.toml': '[tools]\npython = "3.13"\n' }, '3.13'],
  ['a list in mise.toml', { 'mise.toml': '[tools]\npython = ["3.12", "3.11"]\n' }, '3.12'],
  ['runtime.txt, where nothing else is said', { 'runtime.txt': 'python-3.9.18\n' }, '3.9'],
])('what is liked best: %s', (_, files, preferred) => {
  expect(find(files).preferred ?? '-').toBe(preferred)
})

test('.python-version goes before .tool-versions, and Pipenv’s own lock before both', () => {
  const files = {
    '.python-version': '3.12',
    '.tool-versions': 'python 3.11.1',
    'Pipfile.lock': JSON.stringify({ _meta: { requires: { python_version: '3.10' } } }),
  }
  expect(find(files).preferred).toBe('3.12')
  expect(find(files, { used: 'Pipfile.lock' })).toMatchObject({
    preferred: '3.10',
    preferredReason: 'python_version in Pipfile.lock',
  })
})

test('an old runtime.txt never overrules anything', () => {
  expect(
    find({ 'runtime.txt': 'python-3.6.8', 'pyproject.toml': pyproject('>=3.6') }).preferred,
  ).toBeUndefined()
  expect(find({ 'runtime.txt': 'python-3.6.8', '.python-version': '3.12' }).preferred).toBe('3.12')
})

test('what is liked but excluded is passed over, with a warning', () => {
  expect(find({ 'pyproject.toml': pyproject('>=3.11'), '.python-version': '3.9' })).toMatchObject({
    preferred: undefined,
    warnings: ['python-excluded'],
  })
})

test('a specifier that nobody can read is passed over, with a warning', () => {
  expect(find({ 'pyproject.toml': pyproject('three or so') })).toMatchObject({
    allowed: [],
    warnings: ['python-unclear'],
  })
  expect(find({ 'pyproject.toml': 'not toml at all' }).allowed).toEqual([])
})

test('files that exclude each other are named', () => {
  const files = { 'pyproject.toml': pyproject('>=3.12'), 'setup.cfg': '[options]\npython_requires = <3.10\n' }
  expect(() => find(files)).toThrow(DeployError)
  expect(() => find(files)).toThrow(
    />=3\.12 in pyproject\.toml and python_requires <3\.10 in setup\.cfg.*set `python`/,
  )
  expect(() => find({ 'pyproject.toml': pyproject('<3') })).toThrow(/No Python from 3\.6 on fits/)
})

test('the input overrules the files, and `3` is the server’s own', () => {
  const files = { 'pyproject.toml': pyproject('>=3.12'), '.python-version': '3.13' }
  expect(find(files, { input: '3.12' })).toMatchObject({
    allowed: ['3.12'],
    reason: '`python` is 3.12',
    preferred: undefined,
    warnings: [],
  })
  expect(find(files, { input: '3.9' })).toMatchObject({ allowed: ['3.9'], warnings: ['python-overruled'] })
  expect(find(files, { input: '3' })).toMatchObject({ allowed: [], preferred: undefined, warnings: [] })
})
