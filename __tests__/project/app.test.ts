import { describe, expect, test } from 'vitest'
import { DeployError } from '../../src/errors.ts'
import { candidates, findApp } from '../../src/project/app.ts'
import { type Files, tree } from './trees.ts'

const flask = 'from flask import Flask\napp = Flask(__name__)\n'
const factory = 'from flask import Flask\n\ndef create_app(config=None):\n    return Flask(__name__)\n'

function found(files: Files, input?: string): string {
  const { module, expression } = findApp(tree(files), input)
  return `${module}:${expression}`
}

function refused(files: Files, input?: string, unsent: readonly string[] = []): DeployError {
  try {
    findApp(tree(files, unsent), input)
  } catch (error) {
    if (error instanceof DeployError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

describe('detection', () => {
  const layouts: readonly (readonly [string, string, Files])[] = [
    ['one file', 'app:app', { 'app.py': flask, 'requirements.txt': 'flask' }],
    ['`application` in one file', 'app:application', { 'app.py': 'application = Flask(__name__)' }],
    ['wsgi.py', 'wsgi:app', { 'wsgi.py': flask }],
    [
      'wsgi.py before app.py',
      'wsgi:application',
      { 'app.py': flask, 'wsgi.py': 'from app import app as application' },
    ],
    [
      'wsgi.py that calls a factory',
      'wsgi:app',
      { 'wsgi.py': 'from shop import create_app\napp = create_app()', 'shop/__init__.py': factory },
    ],
    [
      'wsgi.py that imports a module called app is none',
      'app:app',
      { 'wsgi.py': 'import app\n', 'app.py': flask },
    ],
    [
      'from . import of a module is none',
      'shop:create_app()',
      { 'shop/__init__.py': `from . import app\n${factory}`, 'shop/app.py': '' },
    ],
    ['the wrapper of two names', 'wsgi:application', { 'wsgi.py': `${flask}application = ProxyFix(app)` }],
    [
      'the wrapper the other way round',
      'wsgi:app',
      { 'wsgi.py': 'application = Flask(__name__)\napp = Wrap(application)' },
    ],
    ['a placeholder before the real one', 'app:app', { 'app.py': `app = None\n${flask}` }],
    ['a package with a factory', 'shop:create_app()', { 'shop/__init__.py': factory, 'shop/views.py': '' }],
    ['make_app', 'shop:make_app()', { 'shop/__init__.py': 'def make_app():\n  pass' }],
    [
      'a factory imported into the package',
      'shop:create_app()',
      { 'shop/__init__.py': 'from .factory import create_app', 'shop/factory.py': factory },
    ],
    ['a package with an app', 'shop:app', { 'shop/__init__.py': flask }],
    [
      'an app re-exported by a package',
      'shop:app',
      { 'shop/__init__.py': 'from .main import app', 'shop/main.py': flask },
    ],
    [
      'a package beside tests and migrations',
      'shop:create_app()',
      { 'shop/__init__.py': factory, 'tests/__init__.py': factory, 'migrations/__init__.py': factory },
    ],
    [
      'a package without an app beside one with',
      'shop:create_app()',
      { 'shop/__init__.py': factory, 'lib/__init__.py': '' },
    ],
    [
      'a factory in app.py',
      'app:create_app()',
      { 'app.py': `${factory}if __name__ == "__main__":\n    app = create_app()\n` },
    ],
    [
      'a factory imported into wsgi.py',
      'wsgi:create_app()',
      {
        'wsgi.py': 'from shop import create_app\nif __name__ == "__main__":\n  app = create_app()',
        'shop/__init__.py': factory,
      },
    ],
    ['a package that hides app.py', 'app:create_app()', { 'app.py': flask, 'app/__init__.py': factory }],
    ['src/ with app.py', 'app:app', { 'src/app.py': flask }],
    ['src/ with wsgi.py', 'wsgi:app', { 'src/wsgi.py': flask, 'app.py': flask }],
    ['src/ with a package', 'shop:create_app()', { 'src/shop/__init__.py': factory, 'setup.py': '' }],
    ['src as a package itself', 'src:create_app()', { 'src/__init__.py': factory, 'src/app.py': flask }],
    [
      'an indented app in a try',
      'app:app',
      { 'app.py': 'try:\n    from shop import app\nexcept ImportError:\n    app = None' },
    ],
    [
      'a Celery app in the package',
      'shop:create_app()',
      { 'shop/__init__.py': `from .celery import app\n${factory}`, 'shop/celery.py': 'app = Celery("shop")' },
    ],
    ['a symlinked wsgi.py', 'wsgi:app', { 'wsgi.py': { link: 'deploy/wsgi.py' }, 'deploy/wsgi.py': flask }],
    [
      'a WSGI function',
      'wsgi:application',
      { 'wsgi.py': 'def application(environ, start_response):\n    pass' },
    ],
    [
      'a factory with required arguments beside a good one',
      'shop:make_app()',
      { 'shop/__init__.py': 'def create_app(config):\n  pass\ndef make_app():\n  pass' },
    ],
  ]

  test.each(layouts)('%s -> %s', (_, expected, files) => {
    expect(found(files)).toBe(expected)
  })

  test('says why', () => {
    expect(findApp(tree({ 'src/shop/__init__.py': factory }), undefined)).toEqual({
      module: 'shop',
      attribute: 'create_app',
      factory: true,
      expression: 'create_app()',
      path: ['src', ''],
      reason: '`create_app` in src/shop/__init__.py',
    })
  })

  test('puts src on the path of a wsgi.py in the root', () => {
    const files = { 'wsgi.py': 'from shop import app', 'src/shop/__init__.py': flask }
    expect(findApp(tree(files), undefined).path).toEqual(['', 'src'])
    expect(findApp(tree({ 'wsgi.py': flask, 'src/main.js': '' }), undefined).path).toEqual([''])
  })

  test('ranks what it found', () => {
    const files = { 'app.py': flask, 'wsgi.py': flask, 'shop/__init__.py': factory }
    expect(candidates(tree(files)).map(({ target }) => target.module)).toEqual(['wsgi', 'app', 'shop'])
  })

  test('asks which one where several are equally good', () => {
    const error = refused({ 'shop/__init__.py': factory, 'admin/__init__.py': factory })
    expect(error.code).toBe('app-ambiguous')
    expect(error.message).toContain('`create_app` in admin/__init__.py, `create_app` in shop/__init__.py')
    expect(error.message).toContain('`admin:create_app()` or `shop:create_app()`')
    expect(error.explanations[0]?.input).toBe('app')
  })

  test('asks for the arguments of a factory that needs some', () => {
    const error = refused({ 'shop/__init__.py': 'def create_app(config, *, debug):\n  pass' })
    expect(error.code).toBe('app-needs-arguments')
    expect(error.message).toContain('without `config`, `debug`')
    expect(error.message).toContain('`shop:create_app("...", "...")`')
  })

  test.each<readonly [string, Files]>([
    ['no Python', { 'README.md': '' }],
    ['another framework', { 'app.py': 'from fastapi import FastAPI\napp = FastAPI()' }],
    ['a Dash app', { 'app.py': 'import dash\napp = dash.Dash(__name__)' }],
    ['no app at the top level', { 'app.py': 'def main():\n    app = Flask(__name__)' }],
    ['a coroutine', { 'app.py': 'async def app(scope, receive, send):\n  pass' }],
    ['an app in a comment', { 'app.py': '# app = Flask(__name__)\n"""\napp = Flask()\n"""' }],
    [
      'modules that import each other',
      { 'wsgi.py': 'from app import app', 'app.py': 'from wsgi import app' },
    ],
  ])('finds nothing in %s', (_, files) => {
    const error = refused(files)
    expect(error.code).toBe('app-not-found')
    expect(error.message).toContain('wsgi.py, app.py')
    expect(error.explanations[0]?.input).toBe('app')
  })

  test('takes a Flask object under another name', () => {
    const files = {
      'docs/example.py': 'app = Flask(__name__)',
      'run.py': 'from flask import Flask\nserver = Flask(__name__)',
    }
    expect(found(files)).toBe('run:server')
  })

  test('proposes the Flask object that a Dash app holds', () => {
    expect(refused({ 'board.py': 'import dash\nboard = dash.Dash(__name__)' }).message).toContain(
      '`board:board.server`',
    )
  })

  test('says that the file is there but not sent', () => {
    expect(refused({ 'a.txt': '' }, undefined, ['wsgi.py']).message).toContain(
      'wsgi.py exists but is not sent',
    )
  })
})

describe('the `app` input', () => {
  const files: Files = {
    'main.py': `${flask}server = app\n`,
    'odd.py': 'x = 1',
    'shop/__init__.py': factory,
    'shop/wsgi.py': 'from shop import create_app\napp = create_app("prod")',
    'shop/needs.py': 'def create_app(config):\n  pass',
    'src/other.py': flask,
  }

  test.each([
    ['main:app', 'main:app'],
    ['main:server', 'main:server'],
    ['main', 'main:app'],
    ['main:anything', 'main:anything'],
    ['shop', 'shop:create_app()'],
    ['shop:create_app', 'shop:create_app()'],
    ['shop:create_app("prod", debug=True)', 'shop:create_app("prod", debug=True)'],
    ['shop.wsgi', 'shop.wsgi:app'],
    ['other', 'other:app'],
    ['thirdparty.wsgi:app', 'thirdparty.wsgi:app'],
  ])('%s -> %s', (input, expected) => {
    expect(found(files, input)).toBe(expected)
  })

  test.each([
    ['main.py', 'app-invalid', 'a module is wanted: main'],
    ['main:app(x)', 'app-invalid', 'literals'],
    ['shop.wsg:app', 'app-module-missing', 'no shop/wsg.py'],
    ['thirdparty', 'app-module-missing', 'no thirdparty.py'],
    ['odd', 'app-not-found', 'odd.py has no `app`'],
    ['shop.needs', 'app-needs-arguments', 'without `config`'],
    ['shop.needs:create_app', 'app-needs-arguments', '`shop.needs:create_app("...")`'],
  ])('refuses %s: %s', (input, code, text) => {
    const error = refused(files, input)
    expect(error.code).toBe(code)
    expect(error.message).toContain(text)
    expect(error.explanations[0]?.input).toBe('app')
  })
})
