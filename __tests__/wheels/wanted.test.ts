import { describe, expect, test } from 'vitest'
import type { Requirements } from '../../src/project/project.ts'
import { wantedOf } from '../../src/wheels/wanted.ts'
import { wish } from '../plan/sample.ts'

const of = (
  change: Partial<Requirements>,
  texts: Readonly<Record<string, string>>,
  app: Partial<ReturnType<typeof wish>['inputs']['app']> = {},
) => {
  const plain = wish({})
  const requirements = { ...plain.project.requirements, ...change }
  const inputs = { ...plain.inputs, app: { ...plain.inputs.app, ...app } }
  return wantedOf({ ...plain, inputs, project: { ...plain.project, requirements } }, async (file) => {
    const text = texts[file]
    if (text === undefined) throw new Error(`no ${file}`)
    return text
  })
}
const install = { how: 'install', folder: '', fixed: false, project: undefined } as const

describe('what is resolved on the runner', () => {
  test('is what the server would install: the files, and texts made of them', async () => {
    const wanted = await of(
      {
        file: 'requirements.txt',
        files: ['requirements.txt', 'base.txt'],
        texts: new Map([['base.txt', 'flask\n']]),
        steps: [{ ...install, words: ['--require-hashes', '-r', 'requirements.txt', '--extra', 'web'] }],
      },
      { 'requirements.txt': '-r base.txt\n', 'base.txt': '-e .\n' },
    )
    expect([...wanted.texts]).toEqual([
      ['requirements.txt', '-r base.txt\n'],
      ['base.txt', 'flask\n'],
    ])
    expect(wanted.steps).toEqual([
      { folder: '', words: ['requirements.txt', '--extra', 'web'], complete: false, exports: undefined },
    ])
  })

  test('of a converted lock is complete', async () => {
    const step = {
      ...install,
      words: ['--no-deps', '--require-hashes', '-r', 'poetry.lock.txt'],
      fixed: true,
    }
    const wanted = await of(
      { file: 'poetry.lock', files: ['poetry.lock'], steps: [step] },
      { 'poetry.lock': '' },
    )
    expect(wanted.steps).toEqual([
      { folder: '', words: ['poetry.lock.txt'], complete: true, exports: undefined },
    ])
  })

  test('of pylock.toml is the packages that the extras and groups want', async () => {
    const text = `
[[packages]]
name = "flask"
version = "3.1"
[[packages]]
name = "gunicorn"
version = "23"
marker = "'web' in extras"
[[packages]]
name = "pytest"
version = "8"
marker = "'dev' in dependency_groups and sys_platform == 'linux'"
[[packages]]
name = "plain"
version = "1"
marker = "'web' not in extras"
`
    const wanted = await of(
      { file: 'pylock.toml', kind: 'pylock', files: ['pylock.toml'] },
      { 'pylock.toml': text },
      { extras: ['web'] },
    )
    expect(wanted.texts.get('pylock.toml.txt')?.split('\n')).toEqual([
      'flask==3.1',
      "gunicorn==23 ; python_version > '0'",
      "pytest==8 ; python_version < '0' and sys_platform == 'linux'",
      "plain==1 ; python_version < '0'",
      '',
    ])
  })

  test('is nothing that would have to be built', async () => {
    await expect(of({ local: ['lib'] }, {})).rejects.toMatchObject({ code: 'wheels-source' })
    await expect(of({ local: [''] }, {})).rejects.toThrow('the project itself would have to be built')
    await expect(
      of(
        { file: 'pylock.toml', kind: 'pylock', files: ['pylock.toml'] },
        { 'pylock.toml': '[[packages]]\nname = "a"\n' },
      ),
    ).rejects.toThrow('a has no version')
  })

  test('takes no line of its own out of a lock', async () => {
    const text = '[[packages]]\nname = "a"\nversion = "1\\n--index-url http://x"\n'
    await expect(
      of({ file: 'pylock.toml', kind: 'pylock', files: ['pylock.toml'] }, { 'pylock.toml': text }),
    ).rejects.toMatchObject({ code: 'wheels-source' })
  })
})
