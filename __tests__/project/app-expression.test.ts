import { describe, expect, test } from 'vitest'
import { parseApp } from '../../src/project/app-expression.ts'

describe('parseApp', () => {
  test.each([
    ['wsgi', { module: 'wsgi', attribute: undefined, factory: false, expression: undefined }],
    ['wsgi:app', { module: 'wsgi', attribute: 'app', factory: false, expression: 'app' }],
    [' shop.wsgi : app ', { module: 'shop.wsgi', attribute: 'app', factory: false, expression: 'app' }],
    ['wsgi:app\n', { module: 'wsgi', attribute: 'app', factory: false, expression: 'app' }],
    ['app:app.server', { module: 'app', attribute: 'app.server', factory: false, expression: 'app.server' }],
    ['größe:été', { module: 'größe', attribute: 'été', factory: false, expression: 'été' }],
    [
      'shop:create_app()',
      { module: 'shop', attribute: 'create_app', factory: true, expression: 'create_app()' },
    ],
  ])('reads %j', (text, expected) => {
    expect(parseApp(text)).toEqual(expected)
  })

  test.each([
    '"prod"',
    "'it''s'",
    String.raw`"a \" ) b"`,
    'r"\\d"',
    'b"x"',
    '"a" "b"',
    '1',
    '-1.5e3',
    '0x1F',
    'True, None',
    'config="prod"',
    '"a", debug = False',
    '["a", 1,]',
    '{"a": {"b": (1, 2)}, }',
    '()',
    '{"a"}',
    '"a",',
  ])('accepts the arguments %s', (text) => {
    expect(parseApp(`shop:create_app(${text})`)).toMatchObject({
      factory: true,
      expression: `create_app(${text})`,
    })
  })

  test.each([
    'x',
    'os.system("x")',
    '__import__("os")',
    'f"{x}"',
    '"a" + "b"',
    '"a',
    '"a"b',
    '1 2',
    '01',
    ',',
    '"a",,',
    'k="a", "b"',
    'k=',
    'if=1',
    '*[]',
    '[1',
    'lambda: 1',
    '"a\nb"',
    '"a\\\nb"',
    'Truex',
    '1)(2',
    '#',
  ])('refuses the arguments %j', (text) => {
    expect(parseApp(`shop:create_app(${text})`)).toMatch(/literals|a name or a call/)
  })

  test.each([
    ['', 'begins with ""'],
    ['1app:app', 'begins with "1app"'],
    ['a..b:app', 'begins with "a..b"'],
    ['class:app', 'begins with "class"'],
    ['-m x', 'begins with'],
    ['app.py', 'a module is wanted: app'],
    ['src/shop/wsgi.py:app', 'a module is wanted: src.shop.wsgi:app'],
    ['./app:app', 'a module is wanted: app:app'],
    ['shop:', 'has "" behind the colon'],
    ['shop:a b', 'has "a b" behind the colon'],
    ['shop:import', 'has "import" behind the colon'],
    ['shop:app; import os', 'behind the colon'],
    ['shop:create_app()()', 'literals'],
    ['shop:app[0]', 'behind the colon'],
    ['shop:a\nb', 'behind the colon'],
  ])('of %j says what is wrong', (text, fault) => {
    expect(parseApp(text)).toContain(fault)
  })
})
