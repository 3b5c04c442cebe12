import { DeployError } from '../errors.ts'
import type { AppTarget } from '../project/project.ts'
import { NONCE_VARIABLE } from './env-file.ts'
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
 * The answer of the app goes through untouched, but for the two headers: `write()`, `close()`, streams and
 * `wsgi.file_wrapper` are the server's and the app's own (PEP 3333).
 * @throws DeployError `app-target-invalid` for a module or attribute that Python has no name for
 */
export function renderEntry(settings: ReleaseSettings): string {
  const release = releasePaths(settings.name, settings.release)
  const source = sourceFolder(release.root, settings.source)
  const folders = [...settings.target.path.map((path) => sourceFolder(source, path)), release.site]
  const { module, attribute, expression } = checkedTarget(settings.target)
  return `import ast
import faulthandler
import functools
import hmac
import importlib
import os
import signal
import sys

sys.path[:0] = [path for path in ${pythonList(folders)} if os.path.isdir(path)]
# The app and the programs that it starts need not know it.
NONCE = os.environ.pop(${pythonString(NONCE_VARIABLE)}, "").encode()
# The health check asks a release that never answers where it hangs.
faulthandler.register(signal.SIGUSR2, all_threads=True)


def load(module, attribute, expression):
    try:
        return loaded(module, attribute, expression)
    except SystemExit as end:
        # gunicorn would start the worker again, for ever and without a word of where it ended.
        told = RuntimeError("sys.exit(%r) was called while %s was imported" % (end.code, module))
        raise told.with_traceback(end.__traceback__) from None


def loaded(module, attribute, expression):
    found = functools.reduce(getattr, attribute.split("."), importlib.import_module(module))
    call = ast.parse(expression, mode="eval").body
    if isinstance(call, ast.Call):
        arguments = [ast.literal_eval(one) for one in call.args]
        named = {one.arg: ast.literal_eval(one.value) for one in call.keywords}
        found = found(*arguments, **named)
    if not callable(found):
        raise TypeError("%s:%s is no WSGI application but %r" % (module, expression, found))
    return found


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


application = known_by_nonce(behind_proxy(load(
    ${pythonString(module)},
    ${pythonString(attribute)},
    ${pythonString(expression)},
)))
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
