import { describe, expect, test } from 'vitest'
import { shellWords } from '../../src/project/command-line.ts'
import { bareCommand, serverCommand, startLine } from '../../src/project/server-command.ts'

const server = (line: string, known: Readonly<Record<string, string>> = {}) =>
  serverCommand(shellWords(line), new Map(Object.entries(known)))

describe('the app in a command line', () => {
  test.each([
    ['gunicorn a:b', 'a:b'],
    ['gunicorn -w 4 -k gevent a:b', 'a:b'],
    ['gunicorn -w4 --bind=:80 a:b', 'a:b'],
    ['gunicorn --preload --access-logfile - a:b', 'a:b'],
    ['gunicorn a:b --workers $((2 * 2)) --reload', 'a:b'],
    ['gunicorn $GUNICORN_OPTIONS a:b', 'a:b'],
    ['exec /venv/bin/gunicorn a:b', 'a:b'],
    ['FLASK_ENV=x env A=1 gunicorn a:b', 'a:b'],
    ['python3.12 -u -W ignore -m gunicorn a:b', 'a:b'],
    ['poetry run gunicorn a:b', 'a:b'],
    ['uv run --no-dev --with gunicorn gunicorn a:b', 'a:b'],
    ['pipenv run gunicorn a:b', 'a:b'],
    ['newrelic-admin run-program gunicorn a:b', 'a:b'],
    ['ddtrace-run gunicorn a:b', 'a:b'],
    ['su-exec app gunicorn a:b', 'a:b'],
    ['gosu app:app gunicorn a:b', 'a:b'],
    ['sudo -E -u app gunicorn a:b', 'a:b'],
    ['tini -- gunicorn a:b', 'a:b'],
    ['dumb-init gunicorn a:b', 'a:b'],
    ['waitress-serve --listen=*:80 a:b', 'a:b'],
    ['waitress-serve --call a:b', 'a:b()'],
    ['python -m waitress --port 80 a:b', 'a:b'],
    ['uwsgi --http :80 --master -w a:b', 'a:b'],
    ['uwsgi --module=a --callable=b', 'a:b'],
    ['uwsgi --module a', 'a:application'],
    ['uvicorn --interface wsgi a:b', 'a:b'],
    ['hypercorn -b :80 wsgi:a:b', 'a:b'],
    ['hypercorn --factory a:b', 'a:b()'],
    ['granian --interface wsgi a:b', 'a:b'],
  ])('%s', (line, text) => {
    expect(server(line)?.pointer).toEqual({ kind: 'target', text })
  })

  test('takes variables that are known', () => {
    expect(server('gunicorn ${APP:-a:b}')?.pointer).toEqual({ kind: 'target', text: 'a:b' })
    expect(server('gunicorn $APP', { APP: 'c:d' })?.pointer).toEqual({ kind: 'target', text: 'c:d' })
  })

  test.each([
    ['flask run', {}, undefined],
    ['flask --debug run', { FLASK_APP: 'x' }, 'x'],
    ['flask -A y run -p 80', { FLASK_APP: 'x' }, 'y'],
    ['FLASK_APP=z.py python -m flask run', {}, 'z.py'],
  ])('%s with %j', (line, known, text) => {
    expect(server(line, known)?.pointer).toEqual({ kind: 'flask', text })
  })

  test.each([
    'flask db upgrade',
    'python manage.py db upgrade',
    'python -c "import x"',
    'alembic upgrade head',
    'npm start',
    'celery -A x worker',
    'poetry install',
    'uv sync',
    '',
  ])('%j starts no web server', (line) => {
    expect(server(line)).toBeUndefined()
  })

  test.each([
    ['gunicorn --chdir web a:b', ['web']],
    ['gunicorn --chdir=./web/ --pythonpath lib,etc a:b', ['web', 'lib', 'etc']],
    ['gunicorn --chdir /app a:b', []],
    ['gunicorn --chdir ../x a:b', []],
    ['PYTHONPATH=.:src gunicorn a:b', ['', 'src']],
  ])('%s has the folders %j', (line, folders) => {
    expect(server(line)?.folders).toEqual(folders)
  })

  test.each([
    ['gunicorn -k gevent a:b', 'gevent'],
    ['gunicorn -keventlet a:b', 'eventlet'],
    [
      'gunicorn --worker-class=geventwebsocket.gunicorn.workers.GeventWebSocketWorker a:b',
      'geventwebsocket.gunicorn.workers.GeventWebSocketWorker',
    ],
    ['gunicorn -k gthread a:b', undefined],
    ['gunicorn -k sync a:b', undefined],
    ['gunicorn -k "$CLASS" a:b', undefined],
    ['gunicorn a:b', undefined],
  ])('%s has the worker class %s', (line, workerClass) => {
    expect(server(line)?.workerClass).toBe(workerClass)
  })
})

test.each([
  ['A=1 exec poetry run flask db upgrade', 'flask db upgrade', ['A']],
  ['nice -n 5 python x.py', 'python x.py', []],
  ['pdm run -p web flask x', 'flask x', []],
])('%s is %s', (line, words, variables) => {
  const bare = bareCommand(shellWords(line))
  expect([bare.words.join(' '), [...bare.variables.keys()]]).toEqual([words, variables])
})

describe('a line', () => {
  test('has its steps before the server, in order', () => {
    const line = startLine('cd web && flask db upgrade && exec gunicorn a:b && echo never')
    expect(line.before.map((one) => one.text)).toEqual(['cd web', 'flask db upgrade'])
    expect([line.folder, line.always]).toEqual(['web', true])
  })

  test('knows the variables that were set on the way', () => {
    const line = startLine('export NAME=a\nOTHER="$NAME:b"\ngunicorn $OTHER')
    expect(line.server?.pointer).toEqual({ kind: 'target', text: 'a:b' })
  })

  test('puts what it is handed in place of "$@"', () => {
    expect(startLine('exec "$@"', new Map(), ['gunicorn', 'a:b']).server?.pointer).toEqual({
      kind: 'target',
      text: 'a:b',
    })
  })

  test('has no server in the background', () => {
    expect(startLine('gunicorn a:b & npm start').server).toBeUndefined()
  })
})
