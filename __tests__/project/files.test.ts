import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Entry } from '../../src/project/entry.ts'
import { type Exec, runnerExec } from '../../src/project/exec.ts'
import { type Files, type FilesWish, listFiles } from '../../src/project/files.ts'
import { folder, git, repository, write } from './checkouts.ts'

const list = (workspace: string, wish: Partial<FilesWish> = {}, exec: Exec = runnerExec): Promise<Files> =>
  listFiles({ workspace, source: '', include: [], exclude: [], ...wish }, exec, folder())

const paths = async (workspace: string, wish: Partial<FilesWish> = {}, exec: Exec = runnerExec) =>
  (await list(workspace, wish, exec)).entries.map((entry) => entry.path)

const codes = ({ warnings }: Files) => warnings.map((warning) => warning.code)

const entry = ({ entries }: Files, own: string): Entry | undefined => entries.find((one) => one.path === own)

describe('in a git work tree', () => {
  test('lists tracked files and no others', async () => {
    const root = repository({ 'app.py': 'x', 'a/b.txt': 'y', '.gitignore': 'dist/\n' })
    write(root, { 'untracked.txt': '', 'dist/x.js': '', '.env': 'SECRET=1' })
    const files = await list(root)
    expect(files.entries.map((one) => one.path)).toEqual(['.gitignore', 'a/b.txt', 'app.py'])
    expect(files.commit).toBe(git(root, 'rev-parse', 'HEAD'))
    expect(files.warnings).toEqual([])
  })

  test('takes the state of the work tree: changed, staged, deleted, replaced', async () => {
    const root = repository({ changed: 'x', deleted: 'x', 'became-folder': 'x', 'became-link': 'x' })
    write(root, { changed: 'longer', staged: 'new' })
    git(root, 'add', 'staged')
    rmSync(path.join(root, 'deleted'))
    rmSync(path.join(root, 'became-folder'))
    write(root, { 'became-folder/inside': 'x' })
    rmSync(path.join(root, 'became-link'))
    symlinkSync('changed', path.join(root, 'became-link'))
    const files = await list(root)
    expect(files.entries.map((one) => one.path)).toEqual(['became-link', 'changed', 'staged'])
    expect(entry(files, 'changed')).toMatchObject({ kind: 'file', size: 6 })
    expect(entry(files, 'became-link')).toEqual({ kind: 'link', path: 'became-link', target: 'changed' })
  })

  test('keeps exec bits as the index has them, whatever the file system says', async () => {
    const root = repository({ 'run.sh': { program: '#!/bin/sh' }, plain: 'x' })
    chmodSync(path.join(root, 'run.sh'), 0o644)
    chmodSync(path.join(root, 'plain'), 0o777)
    const files = await list(root)
    expect(entry(files, 'run.sh')).toMatchObject({ executable: true })
    expect(entry(files, 'plain')).toMatchObject({ executable: false })
  })

  test('keeps symlinks and warns about those that lead nowhere', async () => {
    const root = repository({
      'app.py': 'x',
      good: { link: 'app.py' },
      'sub/up': { link: '../app.py' },
      out: { link: '../../etc' },
      absolute: { link: '/etc/passwd' },
      dangling: { link: 'nowhere' },
    })
    const files = await list(root)
    expect(entry(files, 'sub/up')).toEqual({ kind: 'link', path: 'sub/up', target: '../app.py' })
    expect(files.warnings.map(({ code, file }) => [code, file])).toEqual([
      ['link-outside', 'absolute'],
      ['link-dangling', 'dangling'],
      ['link-outside', 'out'],
    ])
  })

  test('reads symlinks that a file system without them holds as files', async () => {
    const root = repository({ 'app.py': 'x', link: { link: 'app.py' } })
    git(root, 'config', 'core.symlinks', 'false')
    rmSync(path.join(root, 'link'))
    writeFileSync(path.join(root, 'link'), 'app.py')
    expect(entry(await list(root), 'link')).toEqual({ kind: 'link', path: 'link', target: 'app.py' })
  })

  test('knows names with spaces, quotes, newlines, tabs, unicode and leading dashes', async () => {
    const names = [
      '-rf',
      ' lead',
      'a b',
      'new\nline',
      'qu"ote',
      "si'ngle",
      'tab\there',
      'back\\slash',
      'é',
      '\u{1F600}',
      '*',
      '$(x)',
    ]
    const root = repository(Object.fromEntries(names.map((name) => [name, name])))
    expect((await paths(root)).toSorted()).toEqual(names.toSorted())
  })

  test('refuses a name that is not UTF-8', async () => {
    const root = repository({ 'a.txt': '' })
    writeFileSync(Buffer.concat([Buffer.from(`${root}/bad-`), Buffer.from([0xff])]), '')
    git(root, 'add', '--all')
    await expect(list(root)).rejects.toMatchObject({
      code: 'path-not-utf8',
      message: expect.stringContaining('bad-'),
    })
  })

  test('lists 3,000 files in one call of git for them', async () => {
    const root = repository(
      Object.fromEntries(Array.from({ length: 3000 }, (_, n) => [`d${n % 50}/f${n}`, `${n}`])),
    )
    const calls: string[] = []
    const counting: Exec = (command, args, options) => {
      calls.push(args.join(' '))
      return runnerExec(command, args, options)
    }
    expect(await paths(root, {}, counting)).toHaveLength(3000)
    expect(calls.filter((call) => call.includes('ls-files'))).toHaveLength(1)
  })

  test('sends the files of submodules, those within them too', async () => {
    const inner = repository({ 'inner.txt': 'x' })
    const middle = repository({ 'middle.txt': 'x', 'run.sh': { program: 'x' } })
    git(middle, 'submodule', 'add', '--quiet', inner, 'deep/inner')
    git(middle, 'commit', '--quiet', '--message', 'sub')
    const root = repository({ 'app.py': 'x' })
    git(root, 'submodule', 'add', '--quiet', middle, 'lib')
    git(root, 'submodule', 'update', '--quiet', '--init', '--recursive')
    git(root, 'commit', '--quiet', '--message', 'sub')
    const files = await list(root)
    expect(files.entries.map((one) => one.path)).toEqual([
      ...[
        '.gitmodules',
        'app.py',
        'lib/.gitmodules',
        'lib/deep/inner/inner.txt',
        'lib/middle.txt',
        'lib/run.sh',
      ],
    ])
    expect(entry(files, 'lib/run.sh')).toMatchObject({ executable: true })
    expect(files.warnings).toEqual([])
    expect(await paths(root, { source: 'lib' })).toContain('deep/inner/inner.txt')
  })

  test('warns about a submodule that is not checked out', async () => {
    const inner = repository({ 'inner.txt': 'x' })
    const origin = repository({ 'app.py': 'x' })
    git(origin, 'submodule', 'add', '--quiet', inner, 'lib')
    git(origin, 'commit', '--quiet', '--message', 'sub')
    const root = path.join(folder(), 'clone')
    git(origin, 'clone', '--quiet', origin, root)
    const files = await list(root)
    expect(files.entries.map((one) => one.path)).toEqual(['.gitmodules', 'app.py'])
    expect(files.warnings).toMatchObject([{ code: 'submodule-missing', file: 'lib' }])
    expect(files.warnings[0]?.text).toContain('submodules: recursive')
    expect(codes(await list(root, { exclude: ['lib'] }))).toEqual([])
  })

  test.skipIf(process.getuid?.() !== 0)('takes a checkout that belongs to another user', async () => {
    const inner = repository({ 'inner.txt': 'x' })
    const root = repository({ 'app.py': 'x' })
    git(root, 'submodule', 'add', '--quiet', inner, 'lib')
    git(root, 'commit', '--quiet', '--message', 'sub')
    for (const own of readdirSync(root, { recursive: true, encoding: 'utf8' }))
      chownSync(path.join(root, own), 4321, 4321)
    chownSync(root, 4321, 4321)
    expect(() => git(root, 'ls-files')).toThrow(/dubious ownership/)
    const files = await list(root)
    expect(files.entries.map((one) => one.path)).toEqual(['.gitmodules', 'app.py', 'lib/inner.txt'])
    expect(files.commit).toMatch(/^[0-9a-f]{40}$/)
  })

  test('is not misled by the environment of a hook', async () => {
    const root = repository({ 'app.py': 'x' })
    const other = repository({ 'other.py': 'x' })
    process.env.GIT_DIR = path.join(other, '.git')
    try {
      expect(await paths(root)).toEqual(['app.py'])
    } finally {
      delete process.env.GIT_DIR
    }
  })

  test('runs no program that the work tree names', async () => {
    const root = repository({ 'app.py': 'x', evil: { program: '#!/bin/sh\ntouch ran\n' } })
    git(root, 'config', 'core.fsmonitor', path.join(root, 'evil'))
    await list(root)
    expect(readdirSync(root)).not.toContain('ran')
  })

  test('lists a file once that is in the middle of a merge', async () => {
    const root = repository({ 'app.py': 'one' })
    git(root, 'checkout', '--quiet', '-b', 'other')
    write(root, { 'app.py': 'two' })
    git(root, 'commit', '--quiet', '--all', '--message', 'two')
    git(root, 'checkout', '--quiet', 'main')
    write(root, { 'app.py': 'three' })
    git(root, 'commit', '--quiet', '--all', '--message', 'three')
    expect(() => git(root, 'merge', 'other')).toThrow('Command failed')
    expect(await paths(root)).toEqual(['app.py'])
  })

  test('a repository without a commit has none', async () => {
    const root = folder()
    git(root, 'init', '--quiet')
    write(root, { 'app.py': 'x' })
    git(root, 'add', '--all')
    const files = await list(root)
    expect(files.commit).toBeUndefined()
    expect(files.entries).toHaveLength(1)
  })

  test('says what git said where it refuses', async () => {
    const root = repository({ 'app.py': 'x' })
    writeFileSync(path.join(root, '.git', 'index'), 'rubbish')
    await expect(list(root)).rejects.toMatchObject({
      code: 'git-failed',
      lines: [expect.stringMatching(/\w/)],
    })
  })

  test('leaves nothing in the folder for temporary files', async () => {
    const temporary = folder()
    const wish = { workspace: repository({ 'app.py': 'x' }), source: '', include: [], exclude: [] }
    await listFiles(wish, runnerExec, temporary)
    expect(readdirSync(temporary)).toEqual([])
  })
})

describe('where git is of no help', () => {
  const project = {
    'app.py': 'x',
    'run.sh': { program: 'x' },
    '.gitignore': '*.log\n',
    'a.log': '',
    '.env': 'S=1',
    'node_modules/x/y.js': '',
    '__pycache__/a.pyc': '',
    '.github/workflows/x.yml': '',
  }

  test('lists every file but the ignored and the never sent', async () => {
    const root = folder()
    write(root, project)
    const files = await list(root)
    expect(files.entries.map((one) => one.path)).toEqual(['.gitignore', 'app.py', 'run.sh'])
    expect(entry(files, 'run.sh')).toMatchObject({ executable: true })
    expect(files.commit).toBeUndefined()
  })

  test('does so where there is no git program, and says it', async () => {
    const root = repository(project)
    const none: Exec = () => Promise.resolve({ status: 127, stdout: Buffer.alloc(0), stderr: 'not found' })
    const files = await list(root, {}, none)
    expect(files.entries.map((one) => one.path)).toEqual(['.gitignore', 'app.py', 'run.sh'])
    expect(codes(files)).toEqual(['git-missing'])
  })

  test('does so where the work tree around it tracks nothing of it', async () => {
    const around = repository({ 'other.txt': '' })
    write(around, { 'work/app.py': 'x' })
    expect(await paths(path.join(around, 'work'))).toEqual(['app.py'])
  })

  test('heeds the .gitignore above `source`', async () => {
    const root = folder()
    write(root, { '.gitignore': '*.log\n/web/tmp\n', 'web/app.py': '', 'web/a.log': '', 'web/tmp/x': '' })
    expect(await paths(root, { source: 'web' })).toEqual(['app.py'])
  })
})

describe('source', () => {
  test('is the root of the bundle', async () => {
    const root = repository({ 'web/app.py': 'x', 'web/a/b.txt': '', 'other/x.txt': '', 'website.txt': '' })
    const files = await list(root, { source: 'web' })
    expect(files.entries.map((one) => one.path)).toEqual(['a/b.txt', 'app.py'])
    expect(files.commit).toMatch(/^[0-9a-f]{40}$/)
  })

  test('can be a repository of its own (checkout with `path`)', async () => {
    const root = folder()
    renameSync(repository({ 'app.py': 'x' }), path.join(root, 'checkout'))
    write(root, { 'checkout/untracked': '' })
    expect(await paths(root, { source: 'checkout' })).toEqual(['app.py'])
  })

  test('that does not exist is named', async () => {
    const root = repository({ 'app.py': 'x' })
    const wrong = expect.objectContaining({ input: 'source' })
    await expect(list(root, { source: 'web' })).rejects.toMatchObject({
      code: 'source-missing',
      explanations: [wrong],
    })
    await expect(list(root, { source: 'app.py' })).rejects.toMatchObject({ code: 'source-missing' })
    await expect(list('/no/such/folder')).rejects.toMatchObject({ code: 'source-missing' })
  })

  test('that is empty is no bundle', async () => {
    await expect(list(folder())).rejects.toMatchObject({ code: 'no-files' })
  })
})

describe('exclude', () => {
  test('takes gitignore patterns relative to the repository', async () => {
    const root = repository({
      'web/app.py': '',
      'web/tests/a.py': '',
      'web/a.md': '',
      'web/keep.md': '',
      'web/docs/x': '',
    })
    const exclude = ['*.md', '!keep.md', '/web/tests', 'docs/']
    expect(await paths(root, { source: 'web', exclude })).toEqual(['app.py', 'keep.md'])
    expect(await paths(root, { exclude: ['/tests'] })).toContain('web/tests/a.py')
  })

  test('holds without git and for included files', async () => {
    const root = folder()
    write(root, { 'app.py': '', 'tests/a.py': '', 'dist/a.js': '', 'dist/a.js.map': '' })
    expect(await paths(root, { include: ['dist'], exclude: ['tests', '*.map'] })).toEqual([
      'app.py',
      'dist/a.js',
    ])
  })
})

describe('include', () => {
  const root = () => {
    const made = repository({ 'app.py': '', '.gitignore': 'static/\n.env\n' })
    write(made, {
      'static/dist/a.js': 'x',
      'static/dist/deep/b.css': 'x',
      'static/dist/node_modules/c.js': 'x',
      'static/link': { link: 'dist' },
      '.env': 'S=1',
      'tool.sh': { program: 'x' },
    })
    return made
  }

  test('adds files and folders that git does not know', async () => {
    const files = await list(root(), { include: ['static/dist/', './tool.sh', 'static/link', 'app.py'] })
    expect(files.entries.map((one) => one.path)).toEqual([
      ...['.gitignore', 'app.py', 'static/dist/a.js', 'static/dist/deep/b.css', 'static/link', 'tool.sh'],
    ])
    expect(entry(files, 'tool.sh')).toMatchObject({ executable: true })
  })

  test('brings what is never sent only by its own name', async () => {
    expect(await paths(root(), { include: ['.env', 'static/dist/node_modules'] })).toEqual([
      ...['.env', '.gitignore', 'app.py', 'static/dist/node_modules/c.js'],
    ])
    const everything = await paths(root(), { include: ['.'] })
    expect(everything).toContain('static/dist/a.js')
    expect(everything).not.toContain('.env')
    expect(everything.some((own) => own.startsWith('.git/'))).toBe(false)
  })

  test('is relative to the repository, below source', async () => {
    const made = repository({ 'web/app.py': '' })
    write(made, { 'web/dist/a.js': '', 'other/b.js': '' })
    expect(await paths(made, { source: 'web', include: ['web/dist'] })).toEqual(['app.py', 'dist/a.js'])
    await expect(list(made, { source: 'web', include: ['other'] })).rejects.toMatchObject({
      code: 'include-outside',
    })
  })

  test('names every line that is wrong', async () => {
    const wrong = { include: ['gone', 'app.py', '../up', '/etc/passwd', 'also/gone'] }
    await expect(list(root(), wrong)).rejects.toMatchObject({
      explanations: [
        { cause: 'gone does not exist, though `include` names it.', input: 'include' },
        { cause: expect.stringContaining('../up') },
        { cause: expect.stringContaining('/etc/passwd') },
        { cause: expect.stringContaining('also/gone') },
      ],
    })
  })
})

describe('what is never in a bundle', () => {
  test('.github and the names that a release needs for itself', async () => {
    const root = repository({
      'app.py': '',
      '.github/x.yml': '',
      '.public/a': '',
      '.venv/bin/python': '',
      'a/.public/b': '',
    })
    const files = await list(root)
    expect(files.entries.map((one) => one.path)).toEqual(['a/.public/b', 'app.py'])
    expect(files.warnings.map((one) => [one.code, one.file])).toEqual([
      ['reserved-path', '.public'],
      ['reserved-path', '.venv'],
    ])
  })

  test('a path that runs through a symlink of the bundle', async () => {
    const root = folder()
    write(root, { 'real/x.txt': '', link: { link: 'real' } })
    mkdirSync(path.join(root, 'a'))
    expect(await paths(root, { include: ['link/x.txt'] })).toEqual(['link', 'real/x.txt'])
  })
})

describe('warnings', () => {
  test('name Git LFS pointers once', async () => {
    const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n'
    const files = await list(
      repository({ 'a.png': pointer, 'b.png': pointer, 'c.png': pointer, 'd.txt': 'version 1' }),
    )
    expect(files.warnings).toMatchObject([{ code: 'lfs-pointer', file: 'a.png' }])
    expect(files.warnings[0]?.text).toBe(
      'a.png, b.png and 1 more each are a Git LFS pointer, not the content: set `lfs: true` for actions/checkout.',
    )
  })

  test('name paths that differ only in case', async () => {
    const files = await list(repository({ 'README.md': '', 'readme.md': '', 'a/B': '', 'A/b': '' }))
    expect(files.warnings.map((one) => [one.code, one.file])).toEqual([
      ['case-collision', 'a/B'],
      ['case-collision', 'readme.md'],
    ])
  })
})
