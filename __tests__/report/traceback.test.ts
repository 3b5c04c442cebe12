import { describe, expect, test } from 'vitest'
import { hangingFrame, isProjectFile, lastTraceback, projectFile } from '../../src/report/traceback.ts'

const root = '/srv/web-blog/releases/20261122184800-abc1234'
const library = `${root}/.venv/lib/python3.11/site-packages`

/** What gunicorn 23 writes into the journal when a worker cannot import the app. */
const importError = [
  '[2026-11-22 18:48:03 +0000] [412] [INFO] Starting gunicorn 23.0.0',
  '[2026-11-22 18:48:03 +0000] [413] [INFO] Booting worker with pid: 413',
  '[2026-11-22 18:48:03 +0000] [413] [ERROR] Exception in worker process',
  'Traceback (most recent call last):',
  `  File "${library}/gunicorn/arbiter.py", line 608, in spawn_worker`,
  '    worker.init_process()',
  '  File "<frozen importlib._bootstrap>", line 1204, in _gcd_import',
  `  File "${root}/.deploy/flask_deploy_entry.py", line 12, in <module>`,
  '    from wsgi import app',
  `  File "${root}/wsgi.py", line 1, in <module>`,
  '    from blog import create_app',
  `  File "${root}/blog/__init__.py", line 3, in <module>`,
  '    import flask_sqlalchemy',
  `  File "${library}/flask_sqlalchemy/__init__.py", line 5, in <module>`,
  '    from .extension import SQLAlchemy',
  "ModuleNotFoundError: No module named 'sqlalchemy'",
  '[2026-11-22 18:48:03 +0000] [413] [INFO] Worker exiting (pid: 413)',
  '[2026-11-22 18:48:03 +0000] [412] [ERROR] Worker (pid:413) exited with code 3',
]

describe('the last traceback', () => {
  test('has its exception and the deepest file of the project, not of a library nor of ours', () => {
    expect(lastTraceback(importError, 'blog')).toEqual({
      exception: "ModuleNotFoundError: No module named 'sqlalchemy'",
      frame: { file: 'blog/__init__.py', line: 3 },
    })
  })

  test('of a syntax error is where the error is, with the caret lines of newer Pythons', () => {
    const lines = [
      'Traceback (most recent call last):',
      `  File "${root}/wsgi.py", line 1, in <module>`,
      '    from blog.views import bp',
      '    ^^^^^^^^^^^^^^^^^^^^^^^^^',
      `  File "${root}/blog/views.py", line 7`,
      '    def index(:',
      '              ^',
      'SyntaxError: invalid syntax',
    ]
    expect(lastTraceback(lines, 'blog')).toEqual({
      exception: 'SyntaxError: invalid syntax',
      frame: { file: 'blog/views.py', line: 7 },
    })
  })

  test('of a chain is the last one, with the frame of the one before where it has none', () => {
    const lines = [
      'Traceback (most recent call last):',
      `  File "${root}/app.py", line 9, in connect`,
      '    db.connect()',
      'ConnectionRefusedError: [Errno 111] Connection refused',
      '',
      'The above exception was the direct cause of the following exception:',
      '',
      'Traceback (most recent call last):',
      `  File "${library}/sqlalchemy/engine/base.py", line 143, in __init__`,
      '    self._dbapi_connection = engine.raw_connection()',
      'sqlalchemy.exc.OperationalError: (psycopg2.OperationalError) connection to server failed: Connection refused',
      '(Background on this error at: https://sqlalche.me/e/20/e3q8)',
    ]
    expect(lastTraceback(lines, 'blog')).toEqual({
      exception:
        'sqlalchemy.exc.OperationalError: (psycopg2.OperationalError) connection to server failed: Connection refused',
      frame: { file: 'app.py', line: 9 },
    })
  })

  test('of another try counts, not the first', () => {
    const again = importError.map((line) => line.replace("'sqlalchemy'", "'other'"))
    expect(lastTraceback([...importError, ...again], 'blog')?.exception).toContain("'other'")
  })

  test('is none where there is none, or where the log ends within it', () => {
    expect(lastTraceback(['hello', 'Error: no traceback'], 'blog')).toBeUndefined()
    expect(lastTraceback(importError.slice(0, 8), 'blog')).toBeUndefined()
  })
})

/** What Python's faulthandler prints of all threads. */
const thread = (head: string, ...calls: readonly string[]) => [
  `${head} (most recent call first):`,
  ...calls.map((call) => `  File "${call.replace(':', '", line ')} in somewhere`),
  '',
]

describe('where a release hangs', () => {
  const main = 'Current thread 0x00007f5a3c5e1040'
  const other = 'Thread 0x00007f5a38dff6c0'
  const gunicorn = `${library}/gunicorn/workers/gthread.py:200`

  test('is the deepest call of the project in the thread that imports', () => {
    const lines = [
      ...thread(other, '/usr/lib/python3.11/threading.py:324', `${root}/blog/clock.py:9`),
      ...thread(
        main,
        `${library}/redis/client.py:80`,
        `${root}/blog/db.py:12`,
        `${root}/wsgi.py:1`,
        gunicorn,
      ),
      '[2026-11-22 18:48:03 +0000] [413] [INFO] Worker exiting (pid: 413)',
    ]
    expect(hangingFrame(lines, 'blog')).toEqual({ file: 'blog/db.py', line: 12 })
  })

  test('is, once the app is imported, in a thread that has a request, not in one of the app’s own', () => {
    const lines = [
      ...thread(other, `${root}/blog/clock.py:9`, '/usr/lib/python3.11/threading.py:324'),
      ...thread(other, `${root}/blog/views.py:30`, `${library}/flask/app.py:880`, gunicorn),
      ...thread(main, '/usr/lib/python3.11/selectors.py:468', gunicorn),
    ]
    expect(hangingFrame(lines, 'blog')).toEqual({ file: 'blog/views.py', line: 30 })
  })

  test('is nowhere where nothing was printed, or nothing of the project', () => {
    expect(hangingFrame(importError, 'blog')).toBeUndefined()
    expect(hangingFrame(thread(main, gunicorn), 'blog')).toBeUndefined()
  })
})

test('only files of the project become paths in the repository', () => {
  expect(projectFile(`${root}/pkg/x.py`, 'blog')).toBe('pkg/x.py')
  expect(projectFile('/srv/web-blog/current/x.py', 'blog')).toBe('x.py')
  for (const path of [
    `${library}/x.py`,
    '/usr/lib/python3/os.py',
    `${root}/../x.py`,
    '/srv/web-other/releases/1/x.py',
    '<string>',
  ]) {
    expect(projectFile(path, 'blog')).toBeUndefined()
  }
})

test.each([
  '/etc/passwd',
  'a//b.py',
  'a/../../b.py',
  './a.py',
  '..',
  'a/.',
  'C:\\x',
  'a\0b',
  'a\nb',
  '',
  'x'.repeat(501),
])('no annotation is put at %j', (file) => {
  expect(isProjectFile(file)).toBe(false)
  expect(projectFile(`/srv/web-hello/releases/x/${file}`, 'hello')).toBeUndefined()
})

test.each(['app.py', 'a/b.py', '.venv', 'a.b/..c.py', 'größe.py'])('one is put at %j', (file) => {
  expect(isProjectFile(file)).toBe(true)
})
