import { describe, expect, test } from 'vitest'
import { findApp } from '../../src/project/app.ts'
import { findStatic } from '../../src/project/static.ts'
import { type Files, tree } from './trees.ts'

const app = 'from flask import Flask\napp = Flask(__name__)\n'
const factory = 'def create_app():\n  pass\n'
const standard = [{ url: '/static', folder: 'static' }]

describe('by default', () => {
  test.each<readonly [string, Files, readonly string[]]>([
    ['beside one file', { 'app.py': app, 'static/a.css': '' }, ['static']],
    ['in the package', { 'shop/__init__.py': factory, 'shop/static/a.css': '' }, ['shop/static']],
    [
      'in the package before the root',
      { 'shop/__init__.py': factory, 'shop/static/a': '', 'static/a': '' },
      ['shop/static'],
    ],
    ['in the root where the package has none', { 'shop/__init__.py': factory, 'static/a': '' }, ['static']],
    [
      'in the package that wsgi.py imports',
      {
        'wsgi.py': 'from shop import create_app\napp = create_app()',
        'shop/__init__.py': factory,
        'shop/static/a': '',
      },
      ['shop/static'],
    ],
    ['below src', { 'src/shop/__init__.py': factory, 'src/shop/static/a': '' }, ['src/shop/static']],
    ['behind a symlink', { 'app.py': app, static: { link: 'web' }, 'web/a.css': '' }, ['static']],
    ['nowhere', { 'app.py': app }, []],
    ['a file of that name is none', { 'app.py': app, static: '' }, []],
    ['a symlink that leads out is none', { 'app.py': app, static: { link: '/srv' } }, []],
  ])('%s', (_, files, folders) => {
    const data = tree(files)
    const target = findApp(data, undefined)
    const expected = folders.map((folder) => ({ url: '/static', folder }))
    expect(findStatic(data, undefined, target).folders).toEqual(expected)
    expect(findStatic(data, standard, target).folders).toEqual(expected)
  })

  test('the root alone is looked at where no app was found', () => {
    expect(findStatic(tree({ 'static/a': '' }), undefined, undefined).folders).toEqual(standard)
  })
})

describe('as named', () => {
  const files: Files = { 'app.py': app, 'assets/a.css': '', 'shop/web/b.css': '', out: { link: '..' } }

  test('folders are taken as they are', () => {
    const inputs = [
      { url: '/a', folder: 'assets' },
      { url: '/b', folder: './shop/web/' },
    ]
    expect(findStatic(tree(files), inputs, undefined).folders).toEqual([
      { url: '/a', folder: 'assets' },
      { url: '/b', folder: 'shop/web' },
    ])
  })

  test('none is none', () => {
    expect(findStatic(tree({ 'static/a': '' }), [], undefined)).toEqual({ folders: [], looked: [] })
  })

  test.each([
    ['gone', 'static-missing', 'does not exist'],
    ['web', 'static-missing', '`/x: shop/web`'],
    ['built', 'static-missing', 'Name built in `include`'],
    ['out', 'static-missing', 'does not exist'],
    ['.', 'static-outside', 'no folder below'],
    ['..', 'static-outside', 'no folder below'],
    ['assets/../../x', 'static-outside', 'no folder below'],
    ['/etc', 'static-outside', 'no folder below'],
    ['app.py', 'static-missing', 'does not exist'],
  ])('%s is refused', (folder, code, text) => {
    const find = () => findStatic(tree(files, ['built']), [{ url: '/x', folder }], undefined)
    expect(find).toThrow(expect.objectContaining({ code, message: expect.stringContaining(text) }))
    expect(find).toThrow(
      expect.objectContaining({ explanations: [expect.objectContaining({ input: 'static' })] }),
    )
  })
})
