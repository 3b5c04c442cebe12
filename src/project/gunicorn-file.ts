import { usefulWorkerClass } from './server-options.ts'
import { type Tree, textOf } from './tree.ts'

/** What gunicorn's configuration file says, as far as it is written out (it is Python, and not run here). */
export interface GunicornFile {
  readonly file: string
  /** `wsgi_app`. */
  readonly app: string | undefined
  /** `chdir`. */
  readonly folder: string | undefined
  readonly workerClass: string | undefined
}

/** gunicorn reads the first by itself; the others are what projects call it. */
const usual = [
  'gunicorn.conf.py',
  'gunicorn_config.py',
  'gunicorn_conf.py',
  'gunicorn.py',
  'config/gunicorn.py',
]

/**
 * Reads gunicorn's configuration file.
 * @param named the file that a command names; undefined: the usual ones
 */
export function settingsFile(tree: Tree, named: string | undefined): GunicornFile | undefined {
  const plain = named
    ?.replace(/^(?:\.\/)+/, '')
    .replace(/^python:(.*)$/, (_, module: string) => `${module.replaceAll('.', '/')}.py`)
  const name = plain?.slice(plain.lastIndexOf('/') + 1)
  const file = [...(plain === undefined ? [] : [plain, name ?? '', `docker/${name ?? ''}`]), ...usual].find(
    (one) => tree.has(one),
  )
  if (file === undefined) return undefined
  const text = textOf(tree, file) ?? ''
  const folder = setting(text, 'chdir')
  return {
    file,
    app: setting(text, 'wsgi_app'),
    folder:
      folder === undefined || /^\/|\.\./.test(folder)
        ? undefined
        : folder.replace(/^\.\//, '').replace(/\/$/, ''),
    workerClass: usefulWorkerClass(setting(text, 'worker_class')),
  }
}

function setting(text: string, name: string): string | undefined {
  return new RegExp(`^${name}\\s*=\\s*(["'])([^"'\\n]*)\\1\\s*(?:#.*)?$`, 'm').exec(text)?.[2]
}
