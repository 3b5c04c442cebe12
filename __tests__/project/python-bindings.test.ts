import { describe, expect, test } from 'vitest'
import { moduleBindings } from '../../src/project/python-bindings.ts'

const names = (source: string): readonly string[] => moduleBindings(source).map((one) => one.name)

describe('moduleBindings', () => {
  test.each([
    ['an assignment', 'app = Flask(__name__)', ['app']],
    ['an annotated one', 'app: Flask = Flask(__name__)', ['app']],
    ['an annotation alone binds nothing', 'app: Flask', []],
    ['a comparison binds nothing', 'app == 1', []],
    ['an attribute binds nothing', 'app.config = {}\napp["a"] = 1', []],
    ['a chain', 'application = app = Flask(__name__)', ['application', 'app']],
    ['a tuple', 'app, db = make()', ['app', 'db']],
    ['two statements in a line', 'import os; app = os', ['os', 'app']],
    ['a comment', '# app = 1\nx = 1  # app = 2', ['x']],
    ['a docstring', '"""\napp = Flask()\n"""\nx = 1', ['x']],
    ['a docstring with quotes', `'''say "app" \\'''\napp = 1\n'''\nx = 1`, ['x']],
    ['a hash in a string', 'x = "#"; app = 1', ['x', 'app']],
    ['a string that is never closed', 'x = "abc\napp = 1', ['x', 'app']],
    ['a call over several lines', 'app = Flask(\n  __name__,  # the name\n)\nb = 1', ['app', 'b']],
    ['a joined line', 'app = \\\n  Flask()\nb = 1', ['app', 'b']],
    ['Windows line ends', 'app = Flask(\r\n__name__)\r\nb = 1\r\n', ['app', 'b']],
    ['a bracket never closed', 'x = (1,\ndef create_app():\n  pass', ['x', 'create_app']],
    ['the inside of a function', 'def f():\n    app = 1\nb = 1', ['f', 'b']],
    ['the inside of a nested block', 'class A:\n  if True:\n    app = 1\nb = 1', ['A', 'b']],
    ['a try', 'try:\n    from a import app\nexcept ImportError:\n    app = None', ['app', 'app']],
    ['an if', 'if DEBUG:\n\tapp = 1\nelse:\n\tapp = 2', ['app', 'app']],
    ['a main guard', 'if __name__ == "__main__":\n    app = 1\nb = 1', ['b']],
    ['a main guard the other way round', "if '__main__' == __name__:\n    app = 1", []],
    ['the else of a main guard', 'if __name__ == "__main__":\n    a = 1\nelse:\n    b = 1', ['b']],
    ['a byte order mark', '\u{FEFF}app = 1', ['app']],
    ['an import', 'import app', ['app']],
    ['a dotted import', 'import a.b, c.d as e', ['a', 'e']],
    ['a from import', 'from shop import app as application, db', ['application', 'db']],
    ['a bracketed one', 'from shop import (\n  app,\n  db as d,\n)', ['app', 'd']],
    ['a star binds nothing known', 'from shop import *', []],
    ['no Python at all', '<html>{{ app }} = "</html>', []],
    ['nothing', '', []],
  ])('%s', (_, source, expected) => {
    expect(names(source)).toEqual(expected)
  })

  test.each([
    ['', []],
    ['config=None', []],
    ['config', ['config']],
    ['config: str, debug: bool = False', ['config']],
    ['a: dict[str, int] = {}, *args, b, c=1, **kwargs', ['b']],
    ['a, /, b=(1, 2)', ['a']],
    ['*, key', ['key']],
    ['\n    config=None,\n    *,\n    debug=False,\n', []],
    ['a="x, y", b=")"', []],
  ])('of def create_app(%j) the required parameters are %j', (parameters, required) => {
    const [binding] = moduleBindings(`def create_app(${parameters}) -> Flask:\n    pass\n`)
    expect(binding).toEqual({ kind: 'def', name: 'create_app', required, async: false })
  })

  test('tells a coroutine', () => {
    expect(moduleBindings('async def app(scope):\n  pass')).toMatchObject([{ kind: 'def', async: true }])
  })

  test('keeps where a name is imported from', () => {
    expect(moduleBindings('from . import a\nfrom ..x.y import b as c')).toEqual([
      { kind: 'import', name: 'a', module: '.', original: 'a' },
      { kind: 'import', name: 'c', module: '..x.y', original: 'b' },
    ])
  })
})
