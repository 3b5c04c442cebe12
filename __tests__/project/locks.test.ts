import { describe, expect, test } from 'vitest'
import type { Requirements } from '../../src/project/project.ts'
import { findRequirements } from '../../src/project/requirements.ts'
import { type Files, tree } from './trees.ts'

const a = 'a'.repeat(64)
const b = 'b'.repeat(64)

function find(files: Files, extras: readonly string[] = [], groups: readonly string[] = []): Requirements {
  return findRequirements(tree(files), { requirements: undefined, extras, groups }, undefined)
}

/** The requirements that a lock was made into, a line each, hashes joined. */
function lines(found: Requirements): readonly string[] {
  return [...found.texts.values()].flatMap((text) =>
    text
      .replaceAll(/ \\\n +/g, ' ')
      .trim()
      .split('\n'),
  )
}

const poetry = (more = '') => `[tool.poetry]
name = "shop"
[tool.poetry.dependencies]
python = "^3.8"
flask = "^2.0"
${more}`

describe('poetry.lock', () => {
  /** Before format 2.1 the ways to a package say when it is installed. */
  const old = (files: string, category = '') => `
[[package]]
name = "flask"
version = "2.3"
${category}
optional = false
python-versions = ">=3.8"
[package.dependencies]
click = ">=8"
colorama = { version = "*", markers = "sys_platform == 'win32'" }
importlib-metadata = { version = ">=3.6", markers = "python_version < '3.10'" }
asgiref = { version = ">=3.2", optional = true, markers = "extra == 'async'" }
[package.extras]
async = ["asgiref (>=3.2)"]
[[package]]
name = "asgiref"
version = "3.7"
optional = true
python-versions = "*"
[[package]]
name = "click"
version = "8.1"
optional = false
python-versions = "*"
[package.dependencies]
colorama = { version = "*", markers = "platform_system == \\"Windows\\"" }
[[package]]
name = "colorama"
version = "0.4"
optional = false
python-versions = "*"
[[package]]
name = "importlib-metadata"
version = "6.0"
optional = false
python-versions = "*"
[package.dependencies]
zipp = "*"
[[package]]
name = "zipp"
version = "3.1"
optional = false
python-versions = "*"
[[package]]
name = "pytest"
version = "7.0"
optional = false
python-versions = "*"
[package.dependencies]
colorama = "*"
${files}
`
  const hashed = ['flask', 'asgiref', 'click', 'colorama', 'importlib-metadata', 'zipp', 'pytest']

  test.each([
    [
      '1.1, with its files at the end',
      `[metadata]\nlock-version = "1.1"\n[metadata.files]\n${hashed.map((name) => `${name} = [{ file = "x", hash = "sha256:${a}" }]`).join('\n')}`,
    ],
    [
      'before 1.0, with bare hashes',
      `[metadata]\npython-versions = "*"\n[metadata.hashes]\n${hashed.map((name) => `${name} = ["${a}"]`).join('\n')}`,
    ],
  ])('%s', (_, files) => {
    const found = find({
      'pyproject.toml': poetry('[tool.poetry.dev-dependencies]\npytest = "*"\n'),
      'poetry.lock': old(files, 'category = "main"'),
    })
    expect(lines(found)).toEqual([
      `flask==2.3 --hash=sha256:${a}`,
      `click==8.1 --hash=sha256:${a}`,
      `importlib-metadata==6.0 ; python_version < '3.10' --hash=sha256:${a}`,
      `zipp==3.1 ; python_version < '3.10' --hash=sha256:${a}`,
    ])
    expect(found.hashed).toBe(true)
    expect(found.unpinned).toEqual([])
  })

  test('an extra of a dependency brings what it names, and a group brings its own', () => {
    const project = poetry('').replace('"^2.0"', '{ version = "^2.0", extras = ["async"] }')
    const dev = '[tool.poetry.group.test.dependencies]\npytest = "*"\n'
    const found = find({ 'pyproject.toml': project + dev, 'poetry.lock': old('') }, [], ['test'])
    expect(found.names.toSorted()).toEqual(
      ['asgiref', 'click', 'colorama', 'flask', 'importlib-metadata', 'pytest', 'zipp'].toSorted(),
    )
    expect(found.hashed).toBe(false)
    expect(found.unpinned?.map(({ name }) => name)).toContain('flask')
  })

  test('2.1: groups, markers of each group, and extras', () => {
    const one = (name: string, more: string) =>
      `[[package]]\nname = "${name}"\nversion = "1.0"\n${more}\nfiles = [{ file = "x", hash = "sha256:${a}" }, { file = "y", hash = "sha256:${b}" }]\n`
    const lock = [
      one(
        'flask',
        'optional = false\ngroups = ["main", "dev"]\nmarkers = { dev = "python_version < \'3.9\'" }',
      ),
      one('win', 'optional = false\ngroups = ["main"]\nmarkers = "sys_platform == \\"win32\\""'),
      one(
        'gevent',
        'optional = true\ngroups = ["main"]\nmarkers = "extra == \\"fast\\" and python_version < \\"3.13\\""',
      ),
      one('pytest', 'optional = false\ngroups = ["dev"]'),
      '[extras]\nfast = ["gevent"]\n[metadata]\nlock-version = "2.1"\n',
    ].join('\n')
    const project = `${poetry('gevent = { version = "*", optional = true }\n')}[tool.poetry.extras]\nfast = ["gevent"]\n[tool.poetry.group.dev.dependencies]\npytest = "*"\n`
    const files = { 'pyproject.toml': project, 'poetry.lock': lock }
    const hashes = `--hash=sha256:${a} --hash=sha256:${b}`
    expect(lines(find(files))).toEqual([`flask==1.0 ${hashes}`])
    expect(lines(find(files, ['fast']))).toEqual([
      `flask==1.0 ${hashes}`,
      `gevent==1.0 ; python_version < '3.13' ${hashes}`,
    ])
    expect(lines(find(files, [], ['dev']))).toEqual([`flask==1.0 ${hashes}`, `pytest==1.0 ${hashes}`])
  })

  test('what comes from elsewhere: a commit, an address, a folder, another index', () => {
    const one = (name: string, source: string) =>
      `[[package]]\nname = "${name}"\nversion = "1.0"\noptional = false\ngroups = ["main"]\nfiles = [{ file = "x", hash = "sha256:${a}" }]\n[package.source]\n${source}\n`
    const commit = '0123456789012345678901234567890123456789'
    const lock = [
      one('flask', 'type = "legacy"\nurl = "https://index.example/simple"\nreference = "own"'),
      one(
        'tools',
        `type = "git"\nurl = "git@git.example:a/tools.git"\nreference = "main"\nresolved_reference = "${commit}"\nsubdirectory = "py"`,
      ),
      one('archive', 'type = "url"\nurl = "https://files.example/archive.zip"'),
      one('lib', 'type = "directory"\nurl = "libs/lib"'),
    ].join('\n')
    const found = find({ 'pyproject.toml': poetry(), 'poetry.lock': lock, 'libs/lib/setup.py': '' })
    expect(lines(found)).toEqual([
      '--extra-index-url https://index.example/simple',
      `flask==1.0 --hash=sha256:${a}`,
      `tools @ git+ssh://git@git.example/a/tools.git@${commit}#subdirectory=py`,
      `archive @ https://files.example/archive.zip --hash=sha256:${a}`,
      'lib @ ./libs/lib',
    ])
    expect(found).toMatchObject({ hashed: false, local: ['libs/lib'], unpinned: [] })
    expect(found.steps).toMatchObject([{ words: ['--no-deps', '-r', 'poetry.lock.txt'] }])
  })

  test('of two versions that an edge allows, each Python gets the newest that is for it', () => {
    const one = (version: string, python: string) =>
      `[[package]]\nname = "flask"\nversion = "${version}"\noptional = false\npython-versions = "${python}"\n`
    const lock = `${one('2.2', '>=3.7')}${one('2.3', '>=3.8')}`
    expect(lines(find({ 'pyproject.toml': poetry(), 'poetry.lock': lock }))).toEqual([
      "flask==2.2 ; python_version < '3.8' and python_version >= '3.7'",
      "flask==2.3 ; python_version >= '3.8'",
    ])
  })
})

test('Pipfile.lock: markers, sources, git and folders', () => {
  const lock = {
    _meta: {
      sources: [{ url: 'https://pypi.org/simple' }, { url: 'https://index.example/simple', name: 'own' }],
    },
    default: {
      Flask: {
        version: '==3.1',
        hashes: [`sha256:${b}`, `sha256:${a}`],
        extras: ['async'],
        markers: "python_version >= '3.9'",
      },
      pywin32: { version: '==306', hashes: [`sha256:${a}`], markers: "sys_platform == 'win32'" },
      tools: { git: 'https://git.example/tools.git', ref: '0123456789012345678901234567890123456789' },
      lib: { path: './lib', editable: true },
    },
  }
  const found = find({ 'Pipfile.lock': JSON.stringify(lock), 'lib/setup.py': '' })
  expect(lines(found)).toEqual([
    '--extra-index-url https://index.example/simple',
    `flask==3.1 ; python_version >= '3.9' --hash=sha256:${a} --hash=sha256:${b}`,
    'tools @ git+https://git.example/tools.git@0123456789012345678901234567890123456789',
    'lib @ ./lib',
  ])
  expect(found).toMatchObject({ local: ['lib'], unpinned: [], hashed: false })
})

describe('uv.lock', () => {
  const workspace = `version = 1
[[package]]
name = "backend"
version = "1"
source = { editable = "backend" }
dependencies = [{ name = "flask" }, { name = "lib" }]
[[package]]
name = "flask"
version = "3.1"
source = { registry = "https://pypi.org/simple" }
sdist = { url = "https://files.example/f.tar.gz", hash = "sha256:${a}" }
[[package]]
name = "lib"
version = "1"
source = { editable = "packages/lib" }
dependencies = [{ name = "gunicorn" }]
[[package]]
name = "gunicorn"
version = "23"
source = { registry = "https://pypi.org/simple" }
wheels = [{ url = "https://files.example/g.whl", hash = "sha256:${a}" }]
[[package]]
name = "worker"
version = "1"
source = { virtual = "worker" }
dependencies = [{ name = "celery" }]
[[package]]
name = "celery"
version = "5"
source = { git = "https://git.example/celery?rev=x#0123" }
`
  const files: Files = {
    'uv.lock': workspace,
    'pyproject.toml': '[tool.uv.workspace]\nmembers = ["backend", "packages/*", "worker"]\n',
    'backend/pyproject.toml': '[project]\nname = "backend"\n',
    'backend/app.py': '',
    'packages/lib/pyproject.toml': '[project]\nname = "lib"\n',
    'packages/lib/lib.py': '',
    'worker/pyproject.toml': '[project]\nname = "worker"\n[tool.uv]\nrequired-version = ">=9"\n',
  }
  const target = { module: 'app', attribute: 'app', factory: false, expression: 'app', reason: '' }
  const at = (folder: string) =>
    findRequirements(
      tree(files),
      { requirements: undefined, extras: [], groups: [] },
      { ...target, path: [folder] },
    )

  test('of a workspace, the member that the app lies in and what it needs', () => {
    const found = at('backend')
    expect(found.steps).toEqual([
      { how: 'uv-lock', folder: '', words: ['--package', 'backend'], hashed: false },
    ])
    expect(found.names.toSorted()).toEqual(['flask', 'gunicorn', 'lib'])
    expect(found).toMatchObject({ listsGunicorn: true, local: ['packages/lib'], unpinned: [] })
    expect(found.files).toContain('packages/lib/lib.py')
    expect(found.files).not.toContain('backend/app.py')
    expect(found.texts.get('worker/pyproject.toml')).not.toContain('required-version')
  })

  test('all members, where the app lies in none', () => {
    expect(at('').steps).toMatchObject([{ words: ['--all-packages'] }])
    expect(at('').names).toContain('celery')
  })

  test('another version of a file is another environment', () => {
    const changed = { ...files, 'packages/lib/lib.py': 'changed' }
    const again = findRequirements(
      tree(changed),
      { requirements: undefined, extras: [], groups: [] },
      { ...target, path: ['backend'] },
    )
    expect(again.sha256).not.toBe(at('backend').sha256)
  })
})
