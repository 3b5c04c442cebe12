import { describe, expect, test } from 'vitest'
import { DeployError } from '../../src/errors.ts'
import type { Requirements } from '../../src/project/project.ts'
import { requirementLines, requirementName } from '../../src/project/requirement-lines.ts'
import { findRequirements as find } from '../../src/project/requirements.ts'
import type { Tree } from '../../src/project/tree.ts'
import { type Files, tree } from './trees.ts'

const pyproject = '[project]\nname = "x"\ndependencies = ["flask>=3"]\n'

function findRequirements(project: Tree, requirements: string | undefined): Requirements {
  return find(project, { requirements, extras: [], groups: [] }, undefined)
}

function refused(files: Files, input?: string, unsent: readonly string[] = []): DeployError {
  try {
    findRequirements(tree(files, unsent), input)
  } catch (error) {
    if (error instanceof DeployError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

describe('requirementName', () => {
  test.each([
    ['flask', 'flask'],
    ['Flask_SQLAlchemy==3.1', 'flask-sqlalchemy'],
    ['zope.interface[x] >= 1 ; python_version < "3.13"', 'zope-interface'],
    ['gunicorn @ https://example.org/g.whl', 'gunicorn'],
    ['a--_b', 'a-b'],
    ['./local', undefined],
    ['-e .', undefined],
  ])('%s -> %s', (text, name) => {
    expect(requirementName(text)).toBe(name)
  })
})

describe('requirementLines', () => {
  test('reads names, hashes, comments and joined lines', () => {
    const text = [
      '# a comment',
      'flask==3.0 \\',
      '    --hash=sha256:aa \\',
      '    --hash=sha256:bb  # why',
      'gunicorn#not-a-comment',
      '--index-url https://example.org/simple',
      '',
    ].join('\r\n')
    expect(requirementLines(text).requirements).toMatchObject([
      { name: 'flask', hashed: true },
      { name: undefined, hashed: false },
    ])
  })

  test('reads includes in every spelling', () => {
    const text =
      '-r a.txt\n-rb.txt\n--requirement c.txt\n--requirement=d.txt\n-c e.txt\n--constraint=f.txt\n-r "g h.txt"\n-r https://example.org/x.txt'
    expect(requirementLines(text)).toMatchObject({
      requirements: [],
      includes: ['a.txt', 'b.txt', 'c.txt', 'd.txt', 'g h.txt'],
      constraints: ['e.txt', 'f.txt'],
    })
  })

  test.each([
    ['-e .', '.'],
    ['--editable ./lib[x]', './lib'],
    ['.', '.'],
    ['../lib', '../lib'],
    ['./wheels/a.whl ; python_version > "3"', './wheels/a.whl'],
    ['a-1.0-py3-none-any.whl', 'a-1.0-py3-none-any.whl'],
    ['lib @ file:///srv/lib', '/srv/lib'],
    ['file:./lib#egg=lib', './lib'],
    ['lib/sub', 'lib/sub'],
    ['flask', undefined],
    ['-e git+https://example.org/a/b.git#egg=b', undefined],
    ['https://example.org/a.whl', undefined],
    ['flask>=1', undefined],
  ])('in %j the local path is %j', (text, local) => {
    expect(requirementLines(text).requirements[0]?.local).toBe(local)
  })
})

describe('findRequirements', () => {
  test('takes requirements.txt before pyproject.toml', () => {
    const found = findRequirements(
      tree({ 'requirements.txt': 'flask', 'pyproject.toml': pyproject }),
      undefined,
    )
    expect(found).toMatchObject({
      file: 'requirements.txt',
      kind: 'requirements',
      reason: 'requirements.txt is there',
    })
    expect(found.sha256).toMatch(/^[0-9a-f]{64}$/)
  })

  test('takes pyproject.toml where there is no requirements.txt, or where it lists nothing', () => {
    expect(findRequirements(tree({ 'pyproject.toml': pyproject }), undefined).kind).toBe('pyproject')
    const empty = tree({ 'requirements.txt': '# see pyproject\n', 'pyproject.toml': pyproject })
    expect(findRequirements(empty, undefined)).toMatchObject({
      kind: 'pyproject',
      reason: 'requirements.txt lists nothing',
    })
  })

  test('takes what the input names', () => {
    const files = tree({
      'requirements.txt': 'flask',
      'deploy/prod.txt': 'flask',
      'api/pyproject.toml': pyproject,
    })
    expect(findRequirements(files, 'deploy/prod.txt')).toMatchObject({
      file: 'deploy/prod.txt',
      kind: 'requirements',
    })
    expect(findRequirements(files, 'api/pyproject.toml')).toMatchObject({ kind: 'pyproject' })
  })

  test.each<readonly [string, Files, boolean]>([
    ['a line', { 'requirements.txt': 'flask\nGunicorn[gevent]>=20; sys_platform != "win32"' }, true],
    ['an included file', { 'requirements.txt': '-r base.txt', 'base.txt': 'gunicorn==23.0' }, true],
    ['a git address', { 'requirements.txt': 'git+https://example.org/g.git#egg=gunicorn' }, true],
    ['pyproject.toml', { 'pyproject.toml': '[project]\ndependencies = ["flask", "gunicorn>20"]' }, true],
    ['a constraint only', { 'requirements.txt': 'flask\n-c c.txt', 'c.txt': 'gunicorn==23' }, false],
    ['a comment only', { 'requirements.txt': 'flask # gunicorn' }, false],
    ['a plugin', { 'requirements.txt': 'gunicorn-x' }, false],
  ])('gunicorn in %s', (_, files, listed) => {
    expect(findRequirements(tree(files), undefined).listsGunicorn).toBe(listed)
  })

  test.each<readonly [string, string, boolean]>([
    ['all lines', 'flask==3 --hash=sha256:aa\nclick==8 \\\n  --hash=sha256:bb', true],
    ['some lines', 'flask==3 --hash=sha256:aa\nclick==8', false],
    ['no line', 'flask', false],
    ['no line but the option', '--require-hashes\nflask==3', true],
  ])('hashes on %s', (_, text, hashed) => {
    expect(findRequirements(tree({ 'requirements.txt': text }), undefined).hashed).toBe(hashed)
  })

  test.each<readonly [string, string, readonly string[]]>([
    ['nothing where each has a hash', 'flask==3 --hash=sha256:aa\nclick==8 --hash=blake2b:bb', []],
    ['nothing where hashes are demanded', '--require-hashes\nflask==3', []],
    ['nothing for a hash in an address', 'a @ https://example.org/a.whl#egg=a&sha256=00', []],
    [
      'a package by its name, with a version or without',
      'Flask==3.1\nzope.interface',
      ['flask', 'zope-interface'],
    ],
    ['those that have none among others that have', 'flask==3 --hash=sha256:aa\nclick==8', ['click']],
    ['what has a hash that is easily forged', 'flask==3 --hash=md5:aa', ['flask']],
    [
      'an address, without what may be secret',
      'https://me:token@example.org/a.whl?key=1',
      ['https://example.org/a.whl'],
    ],
    ['a named address by its name', 'a @ https://example.org/a.whl', ['a']],
    ['a branch', 'git+ssh://git@example.org/a.git@main', ['git+ssh://example.org/a.git@main']],
    [
      'of a commit what it depends on',
      `b @ git+https://example.org/b.git@${'0'.repeat(40)}#subdirectory=x`,
      ['dependencies of b'],
    ],
    ['a short commit', 'git+https://example.org/b.git@0123456#egg=b', ['b']],
    ['of the own folder what it depends on', './lib', ['dependencies of ./lib']],
    ['a list at an address', '-r https://me:token@example.org/all.txt', ['-r https://example.org/all.txt']],
    ['no constraint', '-c c.txt\nflask', ['flask']],
  ])('not pinned by hash: %s', (_, text, names) => {
    const files = tree({ 'requirements.txt': text, 'lib/setup.py': '', 'c.txt': 'click==8' })
    const found = findRequirements(files, undefined).unpinned ?? []
    expect(found.map(({ what, name }) => (what === 'package' ? name : `dependencies of ${name}`))).toEqual(
      names,
    )
  })

  test('not pinned by hash: each is told with the file that lists it', () => {
    const files = {
      'pyproject.toml':
        '[project]\ndependencies = ["flask>=3"]\ndynamic = ["dependencies"]\n[tool.setuptools.dynamic]\ndependencies = { file = ["base.txt"] }\n',
      'base.txt': 'click\n-r more/all.txt',
      'more/all.txt': 'jinja2',
    }
    expect(findRequirements(tree(files), undefined).unpinned).toEqual([
      { what: 'package', name: 'flask', file: 'pyproject.toml' },
      { what: 'package', name: 'click', file: 'base.txt' },
      { what: 'package', name: 'jinja2', file: 'more/all.txt' },
    ])
    const unread = { 'pyproject.toml': '[project]\nname = "x"\ndynamic = ["dependencies"]\n' }
    expect(findRequirements(tree(unread), undefined).unpinned).toEqual([
      { what: 'dependencies', name: 'pyproject.toml', file: 'pyproject.toml' },
    ])
  })

  test('reads UTF-16, as PowerShell writes it', () => {
    const files = {
      ...tree({ 'requirements.txt': '' }),
      read: () => Buffer.from('\u{FEFF}gunicorn\r\n', 'utf16le'),
    }
    expect(findRequirements(files, undefined).listsGunicorn).toBe(true)
  })

  describe('the hash', () => {
    const contents: Readonly<Record<string, string>> = {
      'requirements.txt': '-r reqs/base.txt\n-e .\n./wheels/a.whl',
      'reqs/base.txt': '-c ../c.txt\n-r more.txt\nflask',
      'reqs/more.txt': '-r base.txt\nclick',
      'c.txt': 'flask==3',
      'wheels/a.whl': 'bytes',
      'pyproject.toml': pyproject,
      'app.py': '',
    }
    const sha256 = (changes: Files): string =>
      findRequirements(tree({ ...contents, ...changes }), undefined).sha256

    test('is over every file that decides, each once', () => {
      const found = findRequirements(tree(contents), undefined)
      expect(found.files?.toSorted()).toEqual(
        Object.keys(contents)
          .filter((own) => own !== 'app.py')
          .toSorted(),
      )
      // The project itself is not installed into the environment; what it depends on is.
      expect(found.local).toEqual(['wheels/a.whl'])
    })

    test.each([
      'requirements.txt',
      'reqs/base.txt',
      'reqs/more.txt',
      'c.txt',
      'wheels/a.whl',
      'pyproject.toml',
    ])('changes with %s', (own) => {
      expect(sha256({ [own]: `${contents[own]}\n# x` })).not.toBe(sha256({}))
    })

    test('changes with any file of a folder that is installed from its path', () => {
      const own: Files = {
        'requirements.txt': './lib',
        'lib/setup.py': '',
        'lib/lib/code.py': '',
        'library/x.py': '',
      }
      const hash = (changes: Files) => findRequirements(tree({ ...own, ...changes }), undefined).sha256
      expect(hash({ 'lib/lib/code.py': 'changed' })).not.toBe(hash({}))
      expect(hash({ 'library/x.py': 'changed' })).toBe(hash({}))
    })

    test('does not change with anything else', () => {
      expect(sha256({ 'app.py': 'changed', 'reqs/dev.txt': 'pytest' })).toBe(sha256({}))
    })
  })

  test('follows the files that setuptools reads dependencies from', () => {
    const dynamic =
      '[project]\ndynamic = ["dependencies"]\n[tool.setuptools.dynamic]\ndependencies = {file = ["deps.txt"]}'
    const found = findRequirements(
      tree({ 'pyproject.toml': dynamic, 'deps.txt': 'flask\ngunicorn' }),
      undefined,
    )
    expect(found).toMatchObject({
      kind: 'pyproject',
      listsGunicorn: true,
      files: ['pyproject.toml', 'deps.txt'],
    })
  })

  test.each<readonly [string, Files, string | undefined, string, string]>([
    ['nothing', {}, undefined, 'requirements-missing', 'there is no requirements.txt'],
    [
      'a file that is not there',
      { 'requirements.txt': 'flask' },
      'prod.txt',
      'requirements-missing',
      'prod.txt',
    ],
    [
      'an empty file',
      { 'requirements.txt': '' },
      undefined,
      'requirements-empty',
      'requirements.txt lists no dep',
    ],
    [
      'settings of tools only',
      { 'pyproject.toml': '[tool.ruff]' },
      undefined,
      'requirements-empty',
      'under [project]',
    ],
    [
      'a file of another kind',
      { 'package.json': '{}' },
      'package.json',
      'requirements-invalid',
      'no file that dependencies',
    ],
    ['a lock without what it locks', { 'uv.lock': '' }, 'uv.lock', 'requirements-missing', 'pyproject.toml'],
    ['bad TOML', { 'pyproject.toml': 'a = \n' }, undefined, 'requirements-invalid', 'line 1'],
    [
      '-r upwards',
      { 'requirements.txt': '-r ../base.txt' },
      undefined,
      'requirements-invalid',
      'outside of what is sent',
    ],
    [
      '-e upwards',
      { 'requirements.txt': '-e ../lib' },
      undefined,
      'requirements-invalid',
      'outside of what is sent',
    ],
    [
      '-r absolute',
      { 'requirements.txt': '-r /etc/passwd' },
      undefined,
      'requirements-invalid',
      'outside of what is sent',
    ],
    [
      '-r to nothing',
      { 'requirements.txt': '-r base.txt' },
      undefined,
      'requirements-invalid',
      'base.txt does not exist',
    ],
    [
      '-r through a link',
      { 'requirements.txt': '-r l/b.txt', l: { link: '/etc' } },
      undefined,
      'requirements-invalid',
      'does not exist',
    ],
  ])('refuses %s', (_, files, input, code, text) => {
    const error = refused(files, input)
    expect(error.code).toBe(code)
    expect(error.message).toContain(text)
  })

  test('names every include that is wrong', () => {
    expect(refused({ 'requirements.txt': '-r a.txt\n-c ../b.txt\n./c' }).explanations).toHaveLength(3)
  })

  test('says that a file is there but not sent', () => {
    expect(refused({}, undefined, ['requirements.txt']).message).toContain(
      'requirements.txt exists but is not sent',
    )
    expect(refused({ 'requirements.txt': '-r a.txt' }, undefined, ['a.txt']).message).toContain(
      'not tracked by git',
    )
  })
})
