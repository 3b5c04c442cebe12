import { DeployError } from '../errors.ts'
import type { AppTarget } from '../project/project.ts'
import { NONCE_VARIABLE } from './env-file.ts'
import { renderLive } from './live.ts'
import { releasePaths, sourceFolder } from './paths.ts'
import { isDottedName, pythonList, pythonString } from './python.ts'
import type { ReleaseSettings } from './settings.ts'

/** A request that carries the release's nonce in this header is answered with the two headers below. */
export const NONCE_HEADER = 'X-Flask-Deploy-Nonce'
/** The ID of the release that answered. */
export const RELEASE_HEADER = 'X-Flask-Deploy-Release'
/** The process ID of the worker that answered: a worker that restarted has another one. */
export const WORKER_HEADER = 'X-Flask-Deploy-Worker'

/**
 * Renders a release's entry module: what gunicorn imports in each worker. It puts the project on sys.path, imports the
 * app's object, lets it see the visitor's address and scheme (Werkzeug's ProxyFix; twice is the same as once, so an app
 * that has it already keeps working), and answers "which release is this?" to whoever knows the nonce.
 *
 * remote/probe.py runs the same text by another name, to load the app step by step.
 *
 * The answer of the app goes through untouched, but for the two headers and the end of an event stream (src/config/live.ts): `write()`, `close()`, streams and
 * `wsgi.file_wrapper` are the server's and the app's own (PEP 3333).
 * @param target the app's object, where it is not the likeliest one
 * @throws DeployError `app-target-invalid` for a module or attribute that Python has no name for
 */
export function renderEntry(settings: ReleaseSettings, target: AppTarget = settings.target): string {
  const release = releasePaths(settings.name, settings.release)
  const source = sourceFolder(release.root, settings.source)
  const folders = target.path.map((path) => sourceFolder(source, path))
  const { module, attribute, expression } = checkedTarget(target)
  return `import ast
import faulthandler
import fcntl
import functools
import hmac
import importlib
import os
import select
import signal
import socket
import struct
import sys
import termios
import threading
import time

folders = ${pythonList(folders)}
# What was built of the project; it comes first where the project's own folder alone cannot be imported.
folders.insert(0 if os.path.exists(${pythonString(release.siteFirst)}) else len(folders), ${pythonString(release.site)})
sys.path[:0] = [path for path in folders if os.path.isdir(path)]
# They are gunicorn's, and a project that reads them would take them for its own.
del sys.argv[1:]
# The app and the programs that it starts need not know it.
NONCE = os.environ.pop(${pythonString(NONCE_VARIABLE)}, "").encode()
TARGET = (${pythonString(module)}, ${pythonString(attribute)}, ${pythonString(expression)})
# The health check asks a release that never answers where it hangs.
faulthandler.register(signal.SIGUSR2, all_threads=True)


def load(module, attribute, expression):
    try:
        imported(module)
        return call(find(module, attribute), module, attribute, expression)
    except SystemExit as end:
        # gunicorn would start the worker again, for ever and without a word of where it ended.
        told = RuntimeError("sys.exit(%r) was called while %s was imported" % (end.code, module))
        raise told.with_traceback(end.__traceback__) from None


imported = importlib.import_module


def find(module, attribute):
    return functools.reduce(getattr, attribute.split("."), imported(module))


def arguments(expression):
    call = ast.parse(expression, mode="eval").body
    if not isinstance(call, ast.Call):
        return None
    given = [ast.literal_eval(one) for one in call.args]
    return given, {one.arg: ast.literal_eval(one.value) for one in call.keywords}


def call(found, module, attribute, expression):
    wanted = arguments(expression)
    if wanted is not None:
        found = found(*wanted[0], **wanted[1])
    if not callable(found):
        raise TypeError("%s:%s is no WSGI application but %r" % (module, expression, found))
    return found


def ready(app):
    """A Flask app without a key gets the one of its environment."""
    flask = app
    for _ in range(5):
        if hasattr(flask, "url_map") and hasattr(flask, "secret_key"):
            flask.secret_key = flask.secret_key or os.environ.get("SECRET_KEY")
            break
        flask = getattr(flask, "app", None) or getattr(flask, "application", None)
    return app


def behind_proxy(app):
    try:
        from werkzeug.middleware.proxy_fix import ProxyFix
    except ImportError:
        return app
    return ProxyFix(app, x_for=1, x_proto=1, x_host=1, x_port=1)


def known_by_nonce(app):
    def answer(environ, start_response):
        nonce = environ.pop(${pythonString(environKey(NONCE_HEADER))}, None)
        if not NONCE or nonce is None or not hmac.compare_digest(nonce.encode("utf-8", "replace"), NONCE):
            return app(environ, start_response)

        def start(status, headers, *exc_info):
            about = [
                (${pythonString(RELEASE_HEADER)}, ${pythonString(settings.release)}),
                (${pythonString(WORKER_HEADER)}, str(os.getpid())),
            ]
            return start_response(status, list(headers) + about, *exc_info)

        return app(environ, start)

    return answer


${renderLive(settings.timeoutSeconds)}

# The probe takes the same steps one by one.
if __name__ != "flask_deploy_probe":
    application = alive(known_by_nonce(behind_proxy(ready(load(*TARGET)))))
`
}

/** The key of a request header in WSGI's environ (PEP 3333, "environ Variables"). */
function environKey(header: string): string {
  return `HTTP_${header.toUpperCase().replaceAll('-', '_')}`
}

function checkedTarget(target: AppTarget): AppTarget {
  for (const [what, text] of [
    ['module', target.module],
    ['object', target.attribute],
  ] as const) {
    if (isDottedName(text)) continue
    throw new DeployError('app-target-invalid', {
      cause: `${JSON.stringify(text)} is not the name of a Python ${what}.`,
      cure: 'Set `app` to `module:attribute` or `module:factory()`.',
      input: 'app',
    })
  }
  // A factory named without a call is called without arguments.
  const called = target.factory && isDottedName(target.expression)
  return called ? { ...target, expression: `${target.expression}()` } : target
}
