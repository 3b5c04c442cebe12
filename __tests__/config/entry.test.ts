import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { renderEntry } from '../../src/config/entry.ts'
import type { AppTarget } from '../../src/project/project.ts'
import { errorOf, hasPython, python, releaseOf } from './sample.ts'

const nonce = '0123456789abcdef0123456789abcdef'

function target(change: Partial<AppTarget>): { target: AppTarget } {
  return { target: { ...releaseOf().target, ...change } }
}

/**
 * Imports the entry module of a release whose project is `app`, without gunicorn and Werkzeug, asks it once, and says
 * what came of it.
 */
function ask(app: string, change: Partial<AppTarget> = {}, headers: Record<string, string> = {}) {
  const program = `
import json, os, sys, types
given = json.load(sys.stdin)
module = types.ModuleType("wsgi")
exec(given["app"], module.__dict__)
sys.modules["wsgi"] = module
sys.modules["werkzeug"] = None
entry = {}
exec(given["entry"], entry)
seen = {}
def start_response(status, headers, *rest):
    seen.update(status=status, headers=[list(pair) for pair in headers], rest=len(rest))
    return "writer"
environ = dict(given["headers"], REQUEST_METHOD="GET")
body = entry["application"](environ, start_response)
seen.update(body=repr(body), environ=sorted(environ), variable=os.environ.get("FLASK_DEPLOY_NONCE"), pid=os.getpid())
print(json.dumps(seen))
`
  const done = spawnSync('python3', ['-I', '-c', program], {
    input: JSON.stringify({ app, entry: renderEntry(releaseOf(target(change))), headers }),
    env: { ...process.env, FLASK_DEPLOY_NONCE: nonce },
    encoding: 'utf8',
  })
  if (done.status !== 0) throw new Error(done.stderr)
  return JSON.parse(done.stdout)
}

const plain = `
def app(environ, start_response):
    return [start_response("200 OK", [("A", "1")])]
`

describe.runIf(hasPython)('the entry module', () => {
  test('a visitor gets the app’s own answer', () => {
    expect(ask(plain)).toMatchObject({ status: '200 OK', headers: [['A', '1']], body: "['writer']" })
  })

  test('whoever knows the nonce is told release and worker', () => {
    const answer = ask(plain, {}, { HTTP_X_FLASK_DEPLOY_NONCE: nonce })
    expect(answer.headers).toEqual([
      ['A', '1'],
      ['X-Flask-Deploy-Release', '20261122184800-abc1234'],
      ['X-Flask-Deploy-Worker', String(answer.pid)],
    ])
  })

  test.each(['', 'wrong', nonce.slice(1), `${nonce}0`, '\u00e9'])('%j is not the nonce', (wrong) => {
    expect(ask(plain, {}, { HTTP_X_FLASK_DEPLOY_NONCE: wrong }).headers).toEqual([['A', '1']])
  })

  test('the app sees neither the nonce that was sent nor the one that was set', () => {
    const answer = ask(plain, {}, { HTTP_X_FLASK_DEPLOY_NONCE: nonce })
    expect(answer.environ).toEqual(['REQUEST_METHOD'])
    expect(answer.variable).toBeNull()
  })

  test('what the app returns is handed on as it is, and an error’s exc_info too', () => {
    const app = `
class Body:
    def __iter__(self): return iter([])
    def close(self): pass
    def __repr__(self): return "the app's own object"
def app(environ, start_response):
    start_response("500 X", [], (None, None, None))
    return Body()
`
    const answer = ask(app, {}, { HTTP_X_FLASK_DEPLOY_NONCE: nonce })
    expect(answer).toMatchObject({ body: "the app's own object", rest: 1 })
  })

  test.each([
    ['make()', '() {}'],
    ['make', '() {}'],
    ['make(1, [None])', '(1, [None]) {}'],
    ['make(level={"a": "it is"})', "() {'level': {'a': 'it is'}}"],
  ])('a factory is called: %s', (expression, called) => {
    const app = `
def make(*given, **named):
    return lambda environ, start_response: [given, named]
`
    const { body } = ask(app, { attribute: 'make', expression, factory: true })
    expect(body).toBe(`[${called.replace(' {', ', {')}]`)
  })

  test.each([
    ['without a key gets that of its environment', 'None', 'of the environment'],
    ['with a key keeps its own', '"its own"', 'its own'],
  ])('a Flask app %s, within a middleware too', (_, key, expected) => {
    const app = `
import os
os.environ["SECRET_KEY"] = "of the environment"
class Flask:
    url_map = []
    secret_key = ${key}
class Middleware:
    app = Flask()
    def __call__(self, environ, start_response):
        start_response("200 OK", [])
        return [self.app.secret_key]
app = Middleware()
`
    expect(ask(app).body).toBe(`['${expected}']`)
  })

  test('an expression runs no code but the factory', () => {
    expect(() => ask(plain, { expression: 'app(__import__("os").getcwd())' })).toThrow(/malformed node/)
  })

  test('what cannot be called is named', () => {
    expect(() => ask('app = None')).toThrow('TypeError: wsgi:app is no WSGI application but None')
  })

  test('an attribute of an attribute is found', () => {
    const app = `
class site:
    def web(environ, start_response): return ["found"]
`
    expect(ask(app, { attribute: 'site.web', expression: 'site.web' }).body).toBe("['found']")
  })
})

test.each([
  { module: 'wsgi"; import os' },
  { module: 'a-b' },
  { attribute: 'app.__class__()' },
  { attribute: '' },
])('%j is refused', (change) => {
  const error = errorOf(() => renderEntry(releaseOf(target(change))))
  expect(error.code).toBe('app-target-invalid')
  expect(error.explanations[0]?.input).toBe('app')
})

test.each([
  ['the folders of the project come first on the path, then what was built of it', false],
  ['what was built of the project comes first where its folder alone cannot be imported', true],
])('%s', (_, first) => {
  const text = renderEntry(releaseOf({ source: 'backend', ...target({ path: ['src', ''] }) }))
  const root = '/srv/web-shop/releases/20261122184800-abc1234'
  const found = python(`
import os
os.path.exists = lambda path: ${first ? 'True' : 'False'} and path == ${JSON.stringify(`${root}/.deploy/site-first`)}
os.path.isdir = lambda path: True
import sys
text = ${JSON.stringify(text)}
exec(text[: text.index("NONCE =")])
print("\\n".join(sys.path[:3]))
`)
  const own = [`${root}/backend/src`, `${root}/backend`]
  expect(found.trim().split('\n')).toEqual(first ? [`${root}/.site`, ...own] : [...own, `${root}/.site`])
})
