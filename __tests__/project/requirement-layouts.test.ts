import { describe, expect, test } from 'vitest'
import { DeployError } from '../../src/errors.ts'
import type { AppTarget, Requirements } from '../../src/project/project.ts'
import { findRequirements } from '../../src/project/requirements.ts'
import { type Files, tree } from './trees.ts'

interface Asked {
  readonly requirements?: string
  readonly extras?: readonly string[]
  readonly groups?: readonly string[]
  /** The app's module, and the folder that it is imported from. */
  readonly app?: readonly [module: string, folder: string]
}

function find(files: Files, asked: Asked = {}): Requirements {
  const [module, folder] = asked.app ?? ['app', '']
  const target: AppTarget = {
    module,
    attribute: 'app',
    factory: false,
    expression: 'app',
    path: [folder],
    reason: 'test',
  }
  const { requirements, extras = [], groups = [] } = asked
  return findRequirements(tree(files), { requirements, extras, groups }, target)
}

/** What is installed, a line for each call of uv; a text of ours is shown in the place of its file. */
function shown({ steps, texts }: Requirements): readonly string[] {
  return steps.map((step) => {
    const words = step.words.map((word) => {
      const text = texts.get(step.folder === '' ? word : `${step.folder}/${word}`)
      return text === undefined || word === 'pyproject.toml'
        ? word
        : `{${text.trim().replaceAll(/\s+/g, ' ')}}`
    })
    const at = step.folder === '' ? '' : `in ${step.folder}: `
    return `${at}${step.how === 'uv-lock' ? 'export ' : ''}${words.join(' ')}`
  })
}

const hash = `sha256:${'a'.repeat(64)}`
const project = '[project]\nname = "shop"\nversion = "1"\ndependencies = ["flask>=3"]\n'
const optional = '[project.optional-dependencies]\nweb = ["waitress"]\ndb = ["psycopg"]\n'
const groups = '[dependency-groups]\nprod = ["gunicorn"]\ndev = ["pytest"]\n'
const setuptools = '[build-system]\nrequires = ["setuptools"]\n'
const uvLock = `version = 1
[[package]]
name = "flask"
version = "3.1"
source = { registry = "https://pypi.org/simple" }
sdist = { url = "https://files.example/flask.tar.gz", hash = "${hash}" }
[[package]]
name = "shop"
version = "1"
source = { editable = "." }
dependencies = [{ name = "flask" }]
[package.optional-dependencies]
web = [{ name = "waitress" }]
[[package]]
name = "waitress"
version = "3.0"
source = { registry = "https://pypi.org/simple" }
wheels = [{ url = "https://files.example/w.whl", hash = "${hash}" }]
`
const poetryLock = `[[package]]
name = "Flask"
version = "3.1"
optional = false
files = [{ file = "flask.whl", hash = "${hash}" }]
[metadata]
lock-version = "2.0"
`
const poetry = '[tool.poetry]\nname = "shop"\n[tool.poetry.dependencies]\npython = "^3.9"\nFlask = "^3.0"\n'
const pipfileLock = JSON.stringify({
  _meta: { sources: [{ url: 'https://pypi.org/simple' }] },
  default: { flask: { version: '==3.1', hashes: [hash] } },
  develop: { pytest: { version: '==8.0', hashes: [hash] } },
})
const pylock = `lock-version = "1.0"
[[packages]]
name = "flask"
version = "3.1"
wheels = [{ url = "https://files.example/f.whl", hashes = { sha256 = "${'a'.repeat(64)}" } }]
`

describe('what is installed, and by which file', () => {
  test.each<readonly [string, Files, Asked, string, readonly string[]]>([
    ['requirements.txt', { 'requirements.txt': 'flask' }, {}, 'requirements.txt', ['-r requirements.txt']],
    [
      'hashes for all',
      { 'requirements.txt': `flask==3 --hash=${hash}` },
      {},
      'requirements.txt',
      ['--require-hashes -r requirements.txt'],
    ],
    [
      'uv.lock before all',
      {
        'uv.lock': uvLock,
        'pyproject.toml': project,
        'poetry.lock': poetryLock,
        'requirements.txt': 'flask',
        'setup.py': '',
      },
      {},
      'uv.lock',
      ['export '],
    ],
    [
      'uv.lock with an extra',
      { 'uv.lock': uvLock, 'pyproject.toml': project + optional },
      { extras: ['web'] },
      'uv.lock',
      ['export --extra web'],
    ],
    [
      'uv.lock without its pyproject.toml',
      { 'uv.lock': uvLock, 'requirements.txt': 'flask' },
      {},
      'requirements.txt',
      ['-r requirements.txt'],
    ],
    [
      'pylock.toml before requirements.txt',
      { 'pylock.toml': pylock, 'requirements.txt': 'flask' },
      {},
      'pylock.toml',
      ['--preview-features pylock -r pylock.toml'],
    ],
    [
      'the only pylock of a name',
      { 'pylock.web.toml': pylock },
      {},
      'pylock.web.toml',
      ['--preview-features pylock -r pylock.web.toml'],
    ],
    [
      'several pylocks: none without the input',
      { 'pylock.web.toml': pylock, 'pylock.dev.toml': pylock, 'requirements.txt': 'flask' },
      {},
      'requirements.txt',
      ['-r requirements.txt'],
    ],
    [
      'poetry.lock',
      { 'poetry.lock': poetryLock, 'pyproject.toml': poetry, 'requirements.txt': 'flask' },
      {},
      'poetry.lock',
      [`--no-deps --require-hashes -r {flask==3.1 \\ --hash=${hash}}`],
    ],
    [
      'Pipfile.lock without its develop',
      { 'Pipfile.lock': pipfileLock, Pipfile: '[packages]\nflask = "*"' },
      {},
      'Pipfile.lock',
      [`--no-deps --require-hashes -r {flask==3.1 \\ --hash=${hash}}`],
    ],
    [
      'Pipfile.lock with dev',
      { 'Pipfile.lock': pipfileLock },
      { groups: ['dev'] },
      'Pipfile.lock',
      [`--no-deps --require-hashes -r {flask==3.1 \\ --hash=${hash} pytest==8.0 \\ --hash=${hash}}`],
    ],
    [
      'a Pipfile alone',
      { Pipfile: '[packages]\nflask = ">=3"\nrequests = {version = "*", extras = ["socks"]}\n' },
      {},
      'Pipfile',
      ['-r {flask>=3 requests[socks]}'],
    ],
    ['[project]', { 'pyproject.toml': project }, {}, 'pyproject.toml', ['-r pyproject.toml']],
    [
      '[project] with extras and groups',
      { 'pyproject.toml': project + optional + groups },
      { extras: ['Web'], groups: ['prod'] },
      'pyproject.toml',
      ['-r pyproject.toml --extra web --group prod'],
    ],
    [
      '[project] with what setuptools reads elsewhere',
      {
        'pyproject.toml':
          '[project]\nname = "shop"\ndynamic = ["dependencies"]\n[tool.setuptools.dynamic]\ndependencies = {file = "deps.txt"}',
        'deps.txt': 'flask',
      },
      {},
      'pyproject.toml',
      ['-r deps.txt'],
    ],
    [
      '[project] that only a build knows',
      {
        'pyproject.toml': `${setuptools}[project]\nname = "shop"\ndynamic = ["dependencies"]`,
        'setup.py': 'x',
      },
      {},
      'pyproject.toml',
      ['-r pyproject.toml'],
    ],
    [
      '[tool.poetry] without a lock',
      { 'pyproject.toml': `${poetry}gevent = { version = "*", optional = true }\n` },
      {},
      'pyproject.toml',
      ['-r {flask>=3.0,<4.0}'],
    ],
    [
      '[tool.poetry] with an extra and a group',
      {
        'pyproject.toml': `${poetry}gevent = { version = "~21.1", optional = true, python = "<3.12" }
[tool.poetry.extras]
fast = ["gevent"]
[tool.poetry.group.ops.dependencies]
tools = { git = "git@example.org:a/tools.git", tag = "v1" }
[tool.poetry.dev-dependencies]
pytest = "*"`,
      },
      { extras: ['fast'], groups: ['ops'] },
      'pyproject.toml',
      [
        "-r {flask>=3.0,<4.0 gevent>=21.1,<21.2 ; python_version < '3.12' tools @ git+ssh://git@example.org/a/tools.git@v1}",
      ],
    ],
    [
      "Flit's old table",
      {
        'pyproject.toml':
          '[tool.flit.metadata]\nmodule = "shop"\nrequires = ["flask"]\n[tool.flit.metadata.requires-extra]\nweb = ["waitress"]',
      },
      { extras: ['web'] },
      'pyproject.toml',
      ['-r {flask waitress}'],
    ],
    [
      'setup.py with a plain list',
      {
        'setup.py':
          "from setuptools import setup\nsetup(name='shop', install_requires=['flask>=3', \"click\"])",
      },
      {},
      'setup.py',
      ['-r {flask>=3 click}'],
    ],
    [
      'setup.py with a list by name',
      {
        'setup.py':
          "REQUIRES = [\n  'flask',  # the framework\n  'click',\n]\nsetup(install_requires=REQUIRES)",
      },
      {},
      'setup.py',
      ['-r {flask click}'],
    ],
    [
      'setup.py that computes its list',
      { 'setup.py': "reqs = ['flask']\nif x: reqs.append('click')\nsetup(install_requires=reqs)" },
      {},
      'setup.py',
      ['-r setup.py'],
    ],
    [
      'setup.cfg',
      {
        'setup.py': 'from setuptools import setup\nsetup()',
        'setup.cfg':
          '[metadata]\nname = shop\n[options]\ninstall_requires =\n    flask>=3\n    # no\n    click; python_version > "3"\n[options.extras_require]\nweb = waitress\n',
      },
      { extras: ['web'] },
      'setup.py',
      ['-r {flask>=3 click; python_version > "3" waitress}'],
    ],
    [
      'setup.cfg that reads a file',
      { 'setup.cfg': '[options]\ninstall_requires = file: reqs/all.txt\n', 'reqs/all.txt': 'flask' },
      {},
      'setup.cfg',
      ['in reqs: -r all.txt'],
    ],
    [
      'requirements.txt beside a setup.py',
      { 'requirements.txt': 'flask', 'setup.py': "setup(install_requires=['broken'])" },
      {},
      'requirements.txt',
      ['-r requirements.txt'],
    ],
    [
      'requirements for production',
      {
        'requirements/prod.txt': '-r base.txt\ngevent',
        'requirements/base.txt': 'flask',
        'requirements/dev.txt': 'pytest',
      },
      {},
      'requirements/prod.txt',
      ['in requirements: -r prod.txt'],
    ],
    [
      'the only file of requirements/',
      { 'requirements/web.txt': 'flask' },
      {},
      'requirements/web.txt',
      ['in requirements: -r web.txt'],
    ],
    [
      'requirements-prod.txt',
      { 'requirements-prod.txt': 'flask', 'requirements-dev.txt': 'x' },
      {},
      'requirements-prod.txt',
      ['-r requirements-prod.txt'],
    ],
    ['requirements.in', { 'requirements.in': 'flask' }, {}, 'requirements.in', ['-r requirements.in']],
    [
      "the app's own folder",
      { 'backend/requirements.txt': 'flask', 'frontend/requirements.txt': 'x', 'backend/app.py': '' },
      { app: ['app', 'backend'] },
      'backend/requirements.txt',
      ['in backend: -r requirements.txt'],
    ],
    [
      "the package's own folder",
      { 'shop/requirements.txt': 'flask', 'docs/requirements.txt': 'sphinx', 'shop/__init__.py': '' },
      { app: ['shop.web', ''] },
      'shop/requirements.txt',
      ['in shop: -r requirements.txt'],
    ],
    [
      'the only requirements.txt there is',
      { 'deploy/requirements.txt': 'flask', 'app.py': '' },
      {},
      'deploy/requirements.txt',
      ['in deploy: -r requirements.txt'],
    ],
    [
      'the project itself, editable, with an extra',
      { 'requirements.txt': '-e .[web]\ngevent', 'pyproject.toml': project + optional },
      {},
      'requirements.txt',
      ['-r {gevent} -r pyproject.toml --extra web'],
    ],
    [
      'nothing but the project itself',
      { 'requirements.txt': '.', 'setup.py': "setup(install_requires=['flask'])" },
      {},
      'requirements.txt',
      ['-r {flask}'],
    ],
    [
      'requirements that omit Flask, which the project declares',
      { 'requirements.txt': 'gevent', 'pyproject.toml': project },
      {},
      'requirements.txt',
      ['-r requirements.txt -r pyproject.toml'],
    ],
    [
      'hashed requirements that omit it',
      { 'requirements.txt': `gevent==1 --hash=${hash}`, 'pyproject.toml': project },
      {},
      'requirements.txt',
      ['--require-hashes -r requirements.txt', '-r pyproject.toml'],
    ],
    [
      'requirements with an extra of the project',
      { 'requirements.txt': 'flask', 'pyproject.toml': project + optional },
      { extras: ['db'] },
      'requirements.txt',
      ['-r requirements.txt -r pyproject.toml --extra db'],
    ],
    [
      'a lock without Flask beside requirements that have it',
      {
        'poetry.lock': poetryLock.replace('Flask', 'sphinx'),
        'pyproject.toml': poetry.replace('Flask', 'sphinx'),
        'requirements.txt': 'flask',
      },
      {},
      'requirements.txt',
      ['-r requirements.txt'],
    ],
    [
      'a package that is editable from its address, and what Ubuntu made up',
      {
        'requirements.txt':
          'flask\n-e git+https://example.org/a.git@v1#egg=a&subdirectory=x\npkg-resources==0.0.0\n--editable ./lib[x]\n',
        'lib/setup.py': '',
      },
      {},
      'requirements.txt',
      ['-r {flask a @ git+https://example.org/a.git@v1#subdirectory=x ./lib[x]}'],
    ],
    [
      'what the input names, of any kind',
      { 'requirements.txt': 'flask', 'api/Pipfile.lock': pipfileLock },
      { requirements: 'api/Pipfile.lock' },
      'api/Pipfile.lock',
      [`in api: --no-deps --require-hashes -r {flask==3.1 \\ --hash=${hash}}`],
    ],
    [
      'a demand for another version of uv',
      { 'pyproject.toml': `${project}[tool.uv]\nrequired-version = "==0.4"\n` },
      {},
      'pyproject.toml',
      ['-r pyproject.toml'],
    ],
  ])('%s', (_, files, asked, file, installed) => {
    const found = find(files, asked)
    expect(found.file).toBe(file)
    expect(shown(found)).toEqual(installed)
  })
})

describe('what was not used is told with the reason', () => {
  const why = (files: Files, asked: Asked = {}) =>
    find(files, asked).passedOver.map((one) => `${one.file}: ${one.why}`)

  test('a lock stands for what it locks', () => {
    const files = { 'uv.lock': uvLock, 'pyproject.toml': project, 'requirements.txt': 'flask' }
    expect(why(files)).toEqual([
      'requirements.txt: uv.lock is there, which locks the same',
      'pyproject.toml: uv.lock is there, which locks the same',
    ])
  })

  test('settings of tools, an empty list and a lock without its project', () => {
    const files = {
      'poetry.lock': poetryLock,
      'requirements.txt': '# none',
      'pyproject.toml': '[tool.ruff]',
      Pipfile: '[packages]\nflask = "*"',
    }
    expect(why({ ...files, 'poetry.lock': '' })).toEqual([
      'poetry.lock: it lists nothing',
      'requirements.txt: it lists nothing',
      'pyproject.toml: it only configures tools',
    ])
    const { 'pyproject.toml': _, ...others } = files
    expect(why(others)[0]).toBe('poetry.lock: the pyproject.toml that it locks is not there')
  })

  test('a lock that lists no Flask', () => {
    const files = {
      'poetry.lock': poetryLock.replace('Flask', 'sphinx'),
      'pyproject.toml': poetry.replace('Flask', 'sphinx'),
      'requirements.txt': 'flask',
    }
    expect(why(files)[0]).toBe('poetry.lock: it lists no Flask, which requirements.txt does')
    expect(find(files).reason).toBe('poetry.lock lists no Flask')
  })

  test('two that are used together are both told', () => {
    const found = find({ 'requirements.txt': 'gevent', 'pyproject.toml': project })
    expect(found.reason).toBe('requirements.txt is there; with what pyproject.toml lists')
    expect(found.passedOver).toEqual([])
    expect(found.files?.toSorted()).toEqual(['pyproject.toml', 'requirements.txt'])
  })
})

describe('names', () => {
  test.each<readonly [string, Files, Asked, readonly string[]]>([
    ['of uv.lock what the project reaches', { 'uv.lock': uvLock, 'pyproject.toml': project }, {}, ['flask']],
    [
      'of uv.lock with an extra',
      { 'uv.lock': uvLock, 'pyproject.toml': project },
      { extras: ['web'] },
      ['flask', 'waitress'],
    ],
    ['of poetry.lock', { 'poetry.lock': poetryLock, 'pyproject.toml': poetry }, {}, ['flask']],
    [
      'of a build as far as its lists tell',
      { 'setup.py': "deps = ['Flask>=2']\ndeps += ['gunicorn']\nsetup(install_requires=deps, author='me')" },
      {},
      ['flask', 'gunicorn'],
    ],
  ])('%s', (_, files, asked, names) => {
    expect(find(files, asked).names.toSorted()).toEqual(names.toSorted())
  })
})

describe('the project itself', () => {
  test.each<readonly [string, Files, boolean, boolean]>([
    ['has no way to be built', { 'pyproject.toml': project }, false, false],
    ['has a build system', { 'pyproject.toml': project + setuptools }, true, false],
    ['has a setup.py', { 'requirements.txt': 'flask', 'setup.py': 'setup()' }, true, false],
    [
      'has a command for Flask',
      { 'pyproject.toml': `${project}[project.entry-points."flask.commands"]\nx = "shop:x"\n${setuptools}` },
      true,
      true,
    ],
    [
      'has programs only',
      {
        'requirements.txt': 'flask',
        'setup.py': 'setup(entry_points={"console_scripts": ["shop=shop:main"]})',
      },
      true,
      false,
    ],
    [
      'has plugins in setup.cfg',
      {
        'requirements.txt': 'flask',
        'setup.py': '',
        'setup.cfg': '[options.entry_points]\nshop.plugins =\n  a = shop.a\n',
      },
      true,
      true,
    ],
    [
      'has plugins in setup.py',
      { 'requirements.txt': 'flask', 'setup.py': "setup(entry_points='''\n[flask.commands]\nx=shop:x\n''')" },
      true,
      true,
    ],
  ])('%s', (_, files, buildable, plugins) => {
    expect(find(files)).toMatchObject({ buildable, plugins })
  })

  test('is never among what the environment is made of, but for a build that has to tell', () => {
    expect(find({ 'requirements.txt': '-e .\nflask', 'setup.py': '', 'app.py': '' }).local).toEqual([])
    expect(find({ 'setup.py': 'setup(install_requires=read())' }).local).toEqual([''])
  })
})

describe('extras and groups that nobody declares', () => {
  test.each<readonly [string, Files, Asked, string]>([
    [
      'an extra',
      { 'pyproject.toml': project + optional },
      { extras: ['wep'] },
      'There is no extra `wep` in pyproject.toml: it has db, web.',
    ],
    [
      'a group',
      { 'pyproject.toml': project + groups },
      { groups: ['live'] },
      'There is no group `live` in pyproject.toml: it has dev, prod.',
    ],
    [
      'a lock',
      { 'uv.lock': uvLock, 'pyproject.toml': project },
      { extras: ['x'] },
      'There is no extra `x` in uv.lock: it has web.',
    ],
    [
      'requirements alone',
      { 'requirements.txt': 'flask' },
      { extras: ['x'] },
      'There is no extra `x` in requirements.txt, which declares no extras.',
    ],
    [
      'a Pipfile',
      { 'Pipfile.lock': pipfileLock },
      { groups: ['test'] },
      'There is no group `test` in Pipfile.lock: it has dev.',
    ],
  ])('%s', (_, files, asked, cause) => {
    try {
      find(files, asked)
      throw new Error('nothing was thrown')
    } catch (error) {
      if (!(error instanceof DeployError)) throw error
      expect(error.code).toBe('extras-unknown')
      expect(error.explanations[0]?.cause).toBe(cause)
    }
  })
})

test('the hash changes with extras, groups and what a lock is made into', () => {
  const files = { 'pyproject.toml': project + optional + groups }
  const hashes = [{}, { extras: ['web'] }, { extras: ['db'] }, { groups: ['prod'] }].map(
    (asked) => find(files, asked).sha256,
  )
  expect(new Set(hashes).size).toBe(4)
})
