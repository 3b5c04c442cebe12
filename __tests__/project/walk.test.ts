import { describe, expect, test } from 'vitest'
import { alwaysOff, gitignoreFiles, patterns, walk } from '../../src/project/walk.ts'
import { folder, git, write } from './checkouts.ts'

describe('gitignoreFiles', () => {
  test('agrees with git itself at every level', () => {
    const root = folder()
    const names = [
      ...[
        'a.log',
        'keep.log',
        'sub/a.log',
        'sub/keep.log',
        'sub/deep/a.log',
        'sub/deep/b.tmp',
        'build/x',
        'sub/build/x',
      ],
      ...[
        'only/here.txt',
        'sub/only/here.txt',
        'Upper.LOG',
        'spa ce',
        '#hash',
        'sub/deep/inner/z',
        'docs/a/b/c.md',
        '.hidden',
      ],
    ]
    write(root, Object.fromEntries(names.map((name) => [name, 'x'])))
    write(root, {
      '.gitignore': '*.log\n!keep.log\n/only\nbuild/\n\\#hash\nspa\\ ce\ndocs/**/c.md\n',
      'sub/.gitignore': 'keep.log\n!deep/a.log\n',
      'sub/deep/.gitignore': '*\n!.gitignore\n!b.tmp\n',
    })
    git(root, 'init', '--quiet')
    const byGit = git(root, 'ls-files', '-z', '--cached', '--others', '--exclude-standard')
      .split('\0')
      .filter(Boolean)
    const ignored = gitignoreFiles(root)
    const byUs = [...walk(root, (own) => ignored(own) || own === '.git/')]
    expect(byUs.toSorted()).toEqual(byGit.toSorted())
    expect(byUs).toContain('sub/deep/b.tmp')
  })
})

describe('alwaysOff', () => {
  const off = patterns(alwaysOff)

  test.each([
    '.git/',
    'a/.git',
    '__pycache__/',
    'a/__pycache__/x.pyc',
    '.venv/',
    'venv/',
    'a/node_modules/',
    '.env',
    'a/.env',
    '.env.local',
  ])('leaves %s out', (own) => expect(off.ignores(own)).toBe(true))

  test.each(['.gitignore', '.flaskenv', 'env/', 'environment.py', 'a.env', 'venv.py', 'Venv/'])(
    'keeps %s',
    (own) => {
      expect(off.ignores(own)).toBe(false)
    },
  )
})
