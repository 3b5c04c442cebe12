import type { Files } from './trees.ts'

/** A project as somebody wrote it, and what is to be found in it by reading. */
export interface Layout {
  readonly name: string
  readonly files: Files
  /** `module:expression`; undefined: a question is expected. */
  readonly target?: string
  /** The first folder for sys.path, where it is not the root. */
  readonly base?: string
  /** A part of the reason. */
  readonly because?: string
  /** The less likely ones. */
  readonly others?: readonly string[]
  readonly release?: string
  readonly processes?: Readonly<Record<string, string>>
  readonly workerClass?: string
  /** Codes of the warnings. */
  readonly warnings?: readonly string[]
  /** The question: its code and a part of its text. */
  readonly asks?: readonly [code: string, text: string]
}

const flask = 'from flask import Flask\napp = Flask(__name__)\n'
const named = (name: string) => `from flask import Flask\n${name} = Flask(__name__)\n`
const factory = (name = 'create_app', parameters = 'config=None') =>
  `from flask import Flask\n\ndef ${name}(${parameters}):\n    app = Flask(__name__)\n    return app\n`
const made = (from: string, name = 'app') => `from ${from} import create_app\n\n${name} = create_app()\n`
const guard = '\nif __name__ == "__main__":\n    '

/** Where the app lies, and what it is called. */
export const places: readonly Layout[] = [
  { name: 'one file', files: { 'app.py': flask }, target: 'app:app' },
  { name: 'main.py', files: { 'main.py': flask }, target: 'main:app' },
  { name: 'run.py with a guard', files: { 'run.py': `${flask}${guard}app.run()` }, target: 'run:app' },
  {
    name: 'autoapp.py over a package',
    files: { 'autoapp.py': made('blog.app'), 'blog/__init__.py': '', 'blog/app.py': factory() },
    target: 'autoapp:app',
    others: ['blog.app:create_app()'],
  },
  {
    name: 'application.py',
    files: { 'application.py': named('application') },
    target: 'application:application',
  },
  { name: 'server.py', files: { 'server.py': named('server') }, target: 'server:server' },
  {
    name: 'any file, any name',
    files: { 'guestbook.py': named('book'), 'models.py': 'x = 1' },
    target: 'guestbook:book',
  },
  {
    name: 'an object of another name that a factory made',
    files: { 'site.py': made('shop', 'flask_app'), 'shop/__init__.py': factory() },
    target: 'site:flask_app',
  },
  {
    name: 'a script of the project name that calls the factory',
    files: {
      'shop.py':
        'import os\nfrom app import create_app, db\napp = create_app(os.getenv("C") or "default")\n@app.cli.command()\ndef test(): pass',
      'app/__init__.py': factory('create_app', 'config_name'),
      'config.py': 'class Config: pass',
    },
    target: 'shop:app',
  },
  {
    name: 'an app that other files of the root import',
    files: {
      'main.py': flask,
      'models.py': 'from main import app\n',
      'views.py': 'from main import app\n@app.get("/")\ndef index(): pass',
    },
    target: 'main:app',
    others: [],
  },
  {
    name: 'a job beside the app',
    files: {
      'board.py': made('core'),
      'fill.py': 'from core import create_app\napp = create_app()\nwith app.app_context():\n    pass\n',
      'celery_worker.py': made('core'),
      'core/__init__.py': factory(),
    },
    target: 'board:app',
  },
  {
    name: 'wsgi.py in a package',
    files: { 'shop/__init__.py': factory(), 'shop/wsgi.py': made('shop') },
    target: 'shop.wsgi:app',
  },
  {
    name: 'wsgi.py in a package of src/, called application',
    files: {
      'src/shop/__init__.py': '',
      'src/shop/wsgi.py': made('shop.factory', 'application'),
      'src/shop/factory.py': factory(),
    },
    target: 'shop.wsgi:application',
    base: 'src',
  },
  {
    name: 'a package that passes its app on',
    files: { 'shop/__init__.py': 'from shop.core import site\n', 'shop/core.py': named('site') },
    target: 'shop:site',
  },
  {
    name: 'a package that passes everything on',
    files: {
      'shop/__init__.py': 'from .core import *\n',
      'shop/core.py': flask,
      'wsgi.py': 'from shop import app\n',
    },
    target: 'wsgi:app',
  },
  {
    name: 'an object deep in a package',
    files: { 'shop/__init__.py': '', 'shop/webapp.py': flask },
    target: 'shop.webapp:app',
  },
  {
    name: 'a factory deep in a package',
    files: { 'shop/__init__.py': '', 'shop/web/__init__.py': '', 'shop/web/factory.py': factory() },
    target: 'shop.web.factory:create_app()',
  },
  {
    name: 'the tutorial: a factory in a package of pyproject.toml',
    files: {
      'pyproject.toml': '[project]\nname = "blog"\n',
      'blog/__init__.py': factory('create_app', 'test_config=None'),
      'blog/db.py': '',
      'tests/conftest.py': '',
    },
    target: 'blog:create_app()',
  },
  {
    name: 'src/ with a factory',
    files: { 'pyproject.toml': '', 'src/shop/__init__.py': factory() },
    target: 'shop:create_app()',
    base: 'src',
  },
  {
    name: 'src/ with main.py',
    files: { 'src/main.py': flask, 'src/models.py': '' },
    target: 'main:app',
    base: 'src',
  },
  { name: 'build_app', files: { 'shop/__init__.py': factory('build_app') }, target: 'shop:build_app()' },
  {
    name: 'a factory called *_factory',
    files: { 'shop/__init__.py': factory('web_factory') },
    target: 'shop:web_factory()',
  },
  {
    name: 'a function of any name that returns what it made',
    files: { 'shop/__init__.py': '', 'shop/boot.py': factory('assemble') },
    target: 'shop.boot:assemble()',
  },
  {
    name: 'a factory that says what it returns',
    files: { 'shop/__init__.py': 'def get_application() -> Flask:\n    return build()' },
    target: 'shop:get_application()',
  },
  {
    name: 'a factory over a class of the project',
    files: {
      'shop/__init__.py':
        'from flask import Flask\nclass Shop(Flask):\n    pass\n\ndef new_app():\n    return Shop(__name__)',
    },
    target: 'shop:new_app()',
  },
  {
    name: 'several factories in a package: the usual name',
    files: { 'shop/__init__.py': factory('build_app') + factory('create_app') + factory('create_admin_app') },
    target: 'shop:create_app()',
  },
  {
    name: 'several packages with factories: the one that the script uses',
    files: {
      'run.py': `from shop import create_app${guard}app = create_app()\n    app.run()`,
      'shop/__init__.py': factory(),
      'admin/__init__.py': factory(),
    },
    target: 'shop:create_app()',
    others: ['admin:create_app()'],
  },
  {
    name: 'several packages with factories: the one that is called as the project is',
    files: {
      'setup.py': 'setup(name="shop")',
      'shop/__init__.py': factory(),
      'admin/__init__.py': factory(),
    },
    target: 'shop:create_app()',
  },
  {
    name: 'an app that is complete only after its factory',
    files: {
      'books/__init__.py': `${flask}\ndef create_app():\n    app.config.from_prefixed_env()\n    return app\n`,
    },
    target: 'books:create_app()',
  },
  {
    name: 'a module that makes its own app by its factory',
    files: { 'app.py': `${factory()}\napp = create_app()\n` },
    target: 'app:app',
  },
  {
    name: 'the server of a Dash app',
    files: { 'app.py': 'from dash import Dash\napp = Dash(__name__)\nserver = app.server\n' },
    target: 'app:server',
  },
  {
    name: 'manage.py with an app, and nothing else',
    files: { 'manage.py': `${flask}${guard}cli()` },
    target: 'manage:app',
  },
  {
    name: 'manage.py beside a package',
    files: { 'manage.py': made('shop'), 'shop/__init__.py': factory() },
    target: 'shop:create_app()',
  },
  {
    name: 'an API beside the pages, in one package each',
    files: { 'app.py': `${named('admin')}from fastapi import FastAPI\napi = FastAPI()` },
    target: 'app:admin',
  },
  {
    name: 'an outer app around two',
    files: {
      'app.py': `${named('site')}admin = Flask("admin")\napplication = DispatcherMiddleware(site, {"/admin": admin})`,
    },
    target: 'app:application',
  },
]

/** An app in a folder of the project. */
export const folders: readonly Layout[] = [
  {
    name: 'backend/ beside frontend/',
    files: { 'backend/app.py': flask, 'backend/requirements.txt': 'flask', 'frontend/package.json': '{}' },
    target: 'app:app',
    base: 'backend',
  },
  {
    name: 'api/ with a package',
    files: { 'api/shop/__init__.py': factory(), 'api/pyproject.toml': '', 'README.md': '' },
    target: 'shop:create_app()',
    base: 'api',
  },
  {
    name: 'two folders deep',
    files: {
      'services/web/manage.py': '',
      'services/web/project/__init__.py': flask,
      'services/db/create.sql': '',
    },
    target: 'project:app',
    base: 'services/web',
  },
  {
    name: 'app/ as a folder, not a package',
    files: {
      'app/main.py': 'from flask import Flask\nfrom views import x\napp = Flask(__name__)',
      'app/views.py': 'x = 1',
      'requirements.txt': 'flask',
    },
    target: 'main:app',
    base: 'app',
  },
  {
    name: 'a package whose modules import each other by their bare names',
    files: { 'server/__init__.py': '', 'server/app.py': `import models\n${flask}`, 'server/models.py': '' },
    target: 'app:app',
    base: 'server',
  },
  {
    name: 'of two folders the one with requirements',
    files: { 'web/app.py': flask, 'web/requirements.txt': '', 'play/app.py': flask },
    target: 'app:app',
    base: 'web',
  },
  {
    name: 'two folders alike',
    files: {
      'shop/app.py': flask,
      'shop/requirements.txt': '',
      'blog/app.py': flask,
      'blog/requirements.txt': '',
    },
    asks: ['app-ambiguous', '`source`'],
  },
  {
    name: 'a Procfile in the folder',
    files: {
      'backend/app.py': flask,
      'backend/start.py': named('site'),
      'backend/Procfile': 'web: flask db upgrade && gunicorn start:site\nworker: python work.py',
    },
    target: 'start:site',
    base: 'backend',
    because: 'the web line of backend/Procfile',
    release: 'cd backend\nflask db upgrade',
    processes: { worker: 'cd backend && python work.py' },
  },
]

/** What a Procfile says. */
export const procfiles: readonly Layout[] = [
  {
    name: 'a plain line before the usual names',
    files: { Procfile: 'web: gunicorn shop:app --log-file -\n', 'shop.py': flask, 'wsgi.py': flask },
    target: 'shop:app',
    because: '`app` in shop.py, as the web line of Procfile has it',
    others: ['wsgi:app'],
  },
  {
    name: 'options with values',
    files: {
      Procfile:
        'web: gunicorn -w 4 -b 0.0.0.0:$PORT --timeout=90 -k gevent -c conf.py --preload "shop:create_app()"',
      'shop/__init__.py': factory(),
    },
    target: 'shop:create_app()',
    workerClass: 'gevent',
  },
  {
    name: 'a factory with arguments',
    files: {
      Procfile: `web: gunicorn "shop:create_app('production')"`,
      'shop/__init__.py': factory('create_app', 'config'),
    },
    target: "shop:create_app('production')",
  },
  {
    name: 'a module alone',
    files: { Procfile: 'web: gunicorn wsgi', 'wsgi.py': named('application') },
    target: 'wsgi:application',
  },
  {
    name: '--chdir',
    files: { Procfile: 'web: gunicorn --chdir backend app:app', 'backend/app.py': flask, 'app.py': 'x = 1' },
    target: 'app:app',
    base: 'backend',
  },
  {
    name: 'cd',
    files: { Procfile: 'web: cd backend && gunicorn app:app', 'backend/app.py': flask },
    target: 'app:app',
    base: 'backend',
  },
  {
    name: 'PYTHONPATH',
    files: { Procfile: 'web: PYTHONPATH=lib gunicorn shop:app', 'lib/shop.py': flask },
    target: 'shop:app',
    base: 'lib',
  },
  {
    name: 'chained migrations and a worker',
    files: {
      Procfile:
        'web: flask db upgrade; flask translate compile; gunicorn shop:app\nworker: rq worker shop-tasks\n',
      'shop.py': flask,
    },
    target: 'shop:app',
    release: 'flask db upgrade\nflask translate compile',
    processes: { worker: 'rq worker shop-tasks' },
  },
  {
    name: 'a release line before chained steps',
    files: {
      Procfile: 'release: python manage.py db upgrade\nweb: python seed.py && exec gunicorn shop:app',
      'shop.py': flask,
    },
    target: 'shop:app',
    release: 'python manage.py db upgrade\npython seed.py',
  },
  {
    name: 'build steps',
    files: {
      Procfile: 'web: npm run build && pip install -e . && flask db upgrade && gunicorn shop:app',
      'shop.py': flask,
    },
    target: 'shop:app',
    release: 'flask db upgrade',
    warnings: ['start-steps-left-out'],
  },
  {
    name: 'runners of environments',
    files: {
      Procfile:
        'release: poetry run flask db upgrade\nweb: poetry run gunicorn shop:app\nbeat: pipenv run celery -A shop beat',
      'shop.py': flask,
    },
    target: 'shop:app',
    release: 'flask db upgrade',
    processes: { beat: 'celery -A shop beat' },
  },
  {
    name: 'newrelic-admin',
    files: {
      Procfile: 'web: NEW_RELIC_CONFIG_FILE=nr.ini newrelic-admin run-program gunicorn shop:app',
      'shop.py': flask,
    },
    target: 'shop:app',
    warnings: ['start-variables-left-out'],
  },
  {
    name: 'python -m gunicorn',
    files: { Procfile: 'web: python3 -u -m gunicorn shop:app', 'shop.py': flask },
    target: 'shop:app',
  },
  {
    name: 'sh -c',
    files: { Procfile: `web: sh -c 'flask db upgrade && gunicorn -b :$PORT shop:app'`, 'shop.py': flask },
    target: 'shop:app',
    release: 'flask db upgrade',
  },
  {
    name: 'a script',
    files: {
      Procfile: 'web: bash bin/web.sh',
      'bin/web.sh': '#!/bin/bash\nset -e\nflask db upgrade\nexec gunicorn shop:app\n',
      'shop.py': flask,
    },
    target: 'shop:app',
    because: 'bin/web.sh starts it',
    release: 'flask db upgrade',
  },
  {
    name: 'flask run with --app',
    files: {
      Procfile: 'web: flask --app shop run --host 0.0.0.0 -p $PORT',
      'shop.py': flask,
      'wsgi.py': flask,
    },
    target: 'shop:app',
  },
  {
    name: 'waitress-serve --call',
    files: {
      Procfile: 'web: waitress-serve --port=$PORT --call shop:create_app',
      'shop/__init__.py': factory(),
    },
    target: 'shop:create_app()',
  },
  {
    name: 'uwsgi and its file',
    files: {
      Procfile: 'web: uwsgi uwsgi.ini',
      'uwsgi.ini': '[uwsgi]\nmodule = shop\ncallable = site\nhttp-socket = :$(PORT)\n',
      'shop.py': named('site'),
    },
    target: 'shop:site',
    because: 'uwsgi.ini has it',
  },
  {
    name: 'uwsgi with a file of Python',
    files: {
      Procfile: 'web: uwsgi --http :$PORT --wsgi-file web/start.py --callable app',
      'web/start.py': flask,
    },
    target: 'start:app',
    base: 'web',
  },
  {
    name: 'hypercorn with a Flask app',
    files: { Procfile: 'web: hypercorn -b :$PORT shop:app', 'shop.py': flask },
    target: 'shop:app',
  },
  {
    name: 'uvicorn with another framework',
    files: {
      Procfile: 'web: uvicorn api:app',
      'api.py': 'from fastapi import FastAPI\napp = FastAPI()',
      'wsgi.py': flask,
    },
    target: 'wsgi:app',
    others: [],
  },
  {
    name: 'python with a guarded script',
    files: { Procfile: 'web: python serve.py', 'serve.py': `${flask}${guard}app.run()`, 'wsgi.py': flask },
    target: 'serve:app',
  },
  {
    name: 'python with a script that makes the app under its guard',
    files: {
      Procfile: 'web: python start.py',
      'start.py': `from shop import create_app${guard}app = create_app("prod")\n    app.run()`,
      'shop/__init__.py': factory(),
    },
    target: 'shop:create_app("prod")',
  },
  {
    name: 'a module that is not there',
    files: { Procfile: 'web: gunicorn gone:app', 'app.py': flask },
    target: 'app:app',
  },
  {
    name: 'processes of other tools',
    files: {
      Procfile: 'web: gunicorn app:app\nassets: npm run watch\nClock_1: python clock.py\n',
      'app.py': flask,
    },
    target: 'app:app',
    processes: { 'clock-1': 'python clock.py' },
    warnings: ['process-left-out'],
  },
  {
    name: 'the usual worker classes',
    files: { Procfile: 'web: gunicorn -k gthread --threads 8 app:app', 'app.py': flask },
    target: 'app:app',
  },
]

/** What other files say of how the server is started. */
export const starters: readonly Layout[] = [
  {
    name: 'CMD in exec form',
    files: {
      Dockerfile:
        'FROM python:3.12\nCOPY . .\nCMD ["gunicorn", "-b", "0.0.0.0:80", "shop:app", "-k", "gevent"]\n',
      'shop/__init__.py': flask,
      'wsgi.py': 'x = 1',
    },
    target: 'shop:app',
    because: 'CMD in Dockerfile',
    workerClass: 'gevent',
  },
  {
    name: 'CMD in shell form, in the last stage',
    files: {
      Dockerfile:
        'FROM node AS assets\nCMD npm start\nFROM python\nCMD gunicorn \\\n  -b :8000 \\\n  shop:site\n',
      'shop.py': named('site'),
      'wsgi.py': flask,
    },
    target: 'shop:site',
  },
  {
    name: 'ENTRYPOINT with the module in CMD',
    files: {
      Dockerfile: 'FROM python\nENTRYPOINT ["/opt/bin/gunicorn", "-w", "4"]\nCMD ["shop.run"]\n',
      'shop/__init__.py': '',
      'shop/run.py': named('application'),
    },
    target: 'shop.run:application',
  },
  {
    name: 'an entry script that migrates always',
    files: {
      Dockerfile: 'FROM python\nENTRYPOINT ["/opt/shop/docker-entrypoint.sh"]\n',
      'docker-entrypoint.sh':
        '#!/bin/sh\nset -e\nWORKERS=${WORKERS:-1}\nif [ "$SKIP" != true ]; then\n  python ping.py\nfi\nflask db upgrade\nexec gunicorn "shop:create_app()" --workers $WORKERS\n',
      'shop/__init__.py': factory(),
      'wsgi.py': made('shop'),
    },
    target: 'shop:create_app()',
    because: 'docker-entrypoint.sh starts it',
    release: 'flask db upgrade',
  },
  {
    name: 'an entry script that migrates in a loop',
    files: {
      'boot.sh':
        '#!/bin/bash\nwhile true; do\n    flask db upgrade\n    if [[ "$?" == "0" ]]; then\n        break\n    fi\n    sleep 5\ndone\nexec gunicorn -b :5000 shop:app\n',
      'shop.py': flask,
    },
    target: 'shop:app',
    warnings: ['release-command-suggested'],
  },
  {
    name: 'an entry script that runs what it is given',
    files: {
      Dockerfile: 'FROM python\nENTRYPOINT ["./entry.sh"]\nCMD ["gunicorn", "shop:app"]\n',
      'entry.sh': '#!/bin/sh\nexec "$@"\n',
      'shop.py': flask,
      'wsgi.py': flask,
    },
    target: 'shop:app',
  },
  {
    name: 'a script that develops or serves',
    files: {
      'start.sh': 'if [ "$1" = dev ]; then\n  flask --app dev run\nelse\n  gunicorn shop:app\nfi\n',
      'shop.py': flask,
      'dev.py': flask,
    },
    target: 'shop:app',
  },
  {
    name: 'wsgi_app of gunicorn.conf.py',
    files: {
      'run.sh': 'gunicorn -c gunicorn.conf.py',
      'gunicorn.conf.py': 'bind = ":80"\nwsgi_app = "shop:site"\nworker_class = "eventlet"\n',
      'shop.py': named('site'),
      'app.py': flask,
    },
    target: 'shop:site',
    because: '`wsgi_app` in gunicorn.conf.py',
    workerClass: 'eventlet',
  },
  {
    name: 'FLASK_APP in .flaskenv',
    files: { '.flaskenv': '# local\nFLASK_APP=shop.py\nFLASK_DEBUG=1\n', 'shop.py': flask, 'app.py': flask },
    target: 'shop:app',
    because: 'FLASK_APP in .flaskenv',
  },
  {
    name: 'FLASK_APP in .flaskenv names a factory',
    files: {
      '.flaskenv': 'export FLASK_APP="shop:make_site()"\n',
      'shop/__init__.py': factory('make_site'),
      'app.py': flask,
    },
    target: 'shop:make_site()',
  },
  {
    name: 'FLASK_APP in a Dockerfile, a file in a folder',
    files: {
      Dockerfile: 'FROM python\nENV FLASK_APP=backend/shop.py\nCMD ["flask", "run"]\n',
      'backend/shop.py': flask,
    },
    target: 'shop:app',
    base: 'backend',
  },
  {
    name: 'FLASK_APP in docker-compose.yml',
    files: {
      'docker-compose.yml': 'services:\n  web:\n    environment:\n      - FLASK_APP=shop\n',
      'shop.py': flask,
      'app.py': flask,
    },
    target: 'shop:app',
  },
  {
    name: 'a start command of a host',
    files: {
      'render.yaml': 'services:\n  - type: web\n    startCommand: gunicorn shop:app\n',
      'shop.py': flask,
      'app.py': flask,
    },
    target: 'shop:app',
  },
  {
    name: 'uwsgi.ini alone',
    files: {
      'uwsgi.ini': '[uwsgi]\nwsgi-file = start.py\ncallable = site\n',
      'start.py': named('site'),
      'app.py': flask,
    },
    target: 'start:site',
  },
  {
    name: 'supervisord',
    files: {
      Dockerfile: 'FROM python\nCMD ["supervisord", "-c", "super.conf"]\n',
      'super.conf': '[program:web]\ncommand=/venv/bin/gunicorn shop:app\n',
      'shop.py': flask,
      'app.py': flask,
    },
    target: 'shop:app',
  },
]

/** Programs, other frameworks, and what cannot be told by reading. */
export const questions: readonly Layout[] = [
  {
    name: 'app.run at import, beside a good module',
    files: { 'app.py': `${flask}app.run()\n`, 'shop/__init__.py': factory() },
    target: 'shop:create_app()',
  },
  {
    name: 'app.run at import, and nothing better',
    files: { 'app.py': `${flask}app.run()\n` },
    target: 'app:app',
  },
  {
    name: 'socketio.run at import',
    files: { 'app.py': `${flask}socketio = SocketIO(app)\nsocketio.run(app)\n` },
    asks: ['app-starts-itself', '`web-command`'],
  },
  {
    name: 'socketio.run under the guard',
    files: { 'app.py': `${flask}socketio = SocketIO(app)${guard}socketio.run(app)\n` },
    target: 'app:app',
  },
  {
    name: 'waitress at import',
    files: { 'server.py': `${flask}serve(app, port=80)\n` },
    asks: ['app-starts-itself', 'python server.py'],
  },
  {
    name: 'a server in a function that is called at import',
    files: { 'server.py': `${flask}\ndef main():\n    serve(app)\n\nmain()\n` },
    asks: ['app-starts-itself', 'server.py'],
  },
  {
    name: 'sys.argv at import',
    files: { 'tool.py': `import sys\n${flask}port = int(sys.argv[1])\n` },
    asks: ['app-starts-itself', 'tool.py'],
  },
  {
    name: 'a script with arguments beside its package',
    files: {
      'run.py': `import argparse\nfrom shop import app\nargs = argparse.ArgumentParser().parse_args()\napp.run(port=args.port)`,
      'shop/__init__.py': flask,
    },
    target: 'shop:app',
  },
  {
    name: 'two objects alike',
    files: { 'main.py': `${named('shop')}blog = Flask("blog")\n` },
    asks: ['app-ambiguous', '`main:shop` or `main:blog`'],
  },
  {
    name: 'two scripts alike',
    files: { 'one.py': flask, 'two.py': flask },
    asks: ['app-ambiguous', '`one:app` or `two:app`'],
  },
  {
    name: 'two scripts over one factory',
    files: { 'one.py': made('shop'), 'two.py': made('shop'), 'shop/__init__.py': factory() },
    target: 'shop:create_app()',
  },
  {
    name: 'two factories alike',
    files: { 'shop/__init__.py': factory(), 'blog/__init__.py': factory() },
    asks: ['app-ambiguous', '`blog:create_app()` or `shop:create_app()`'],
  },
  {
    name: 'a factory that needs an argument',
    files: { 'shop/__init__.py': factory('create_app', 'config') },
    asks: ['app-needs-arguments', '`shop:create_app("...")`'],
  },
  {
    name: 'FastAPI',
    files: {
      'main.py': 'from fastapi import FastAPI\ndef create_app():\n    return FastAPI()\napp = create_app()',
    },
    asks: ['app-not-found', 'No Flask app'],
  },
  {
    name: 'Typer and click',
    files: {
      'app.py': 'import typer\napp = typer.Typer()',
      'main.py': '@click.group()\ndef app():\n    pass',
    },
    asks: ['app-not-found', 'No Flask app'],
  },
  {
    name: 'Celery',
    files: { 'shop/__init__.py': '', 'shop/celery.py': 'from celery import Celery\napp = Celery("shop")' },
    asks: ['app-not-found', 'No Flask app'],
  },
  {
    name: 'functions that return something else',
    files: {
      'shop/__init__.py':
        'def session_factory():\n    return Session()\ndef create_celery_app():\n    return Flask("x")',
    },
    asks: ['app-not-found', 'No Flask app'],
  },
  {
    name: 'tests and examples alone',
    files: { 'tests/app.py': flask, 'examples/app.py': flask, 'docs/conf.py': flask },
    asks: ['app-not-found', 'No Flask app'],
  },
  {
    name: 'another language',
    files: { 'index.js': '', Procfile: 'web: node index.js' },
    asks: ['app-not-found', 'No Flask app'],
  },
]
