import type { ServerCommand } from './server-command.ts'

type Found = Omit<ServerCommand, 'variables'>

/** Options of gunicorn without a value (gunicorn/config.py, those with an `action`). */
const gunicornFlags =
  /^(?:--reload|--preload|--daemon|-D|--spew|--check-config|--print-config|--initgroups|--reuse-port|--no-sendfile|--sendfile|--disable-redirect-access-to-syslog|--log-syslog|--capture-output|--enable-stdio-inheritance|-R|--suppress-ragged-eofs|--do-handshake-on-connect|--proxy-protocol|--permit-obsolete-folding|--strip-header-spaces|--permit-unconventional-http-\w+|--casefold-http-method|--no-control-socket|-h|--help|-v|--version)$/
/** Options of uvicorn and hypercorn without a value. */
const asgiFlags =
  /^(?:--reload|--factory|--use-colors|--no-\w[\w-]*|--proxy-headers|--server-header|--date-header|--access-log|--debug)$/
/** Options of waitress without a value (waitress/runner.py). */
const waitressFlags =
  /^(?:--call|--help|--(?:no-)?(?:expose-tracebacks|ipv4|ipv6|clear-untrusted-proxy-headers|log-untrusted-proxy-headers|log-socket-errors|asyncore-use-poll))$/
/** Options of python without a value. */
const pythonFlags = /^-[bBdEhiIOPqRsSuvVx]+$/

/**
 * Reads one program's arguments.
 * @param program without its folder; `word` is how it was written
 * @param variables those that are set, for FLASK_APP
 * @returns undefined where it starts no web server
 */
export function readServer(
  program: string,
  word: string,
  rest: readonly string[],
  variables: ReadonlyMap<string, string>,
): Found | undefined {
  if (/^gunicorn3?$/.test(program)) return gunicorn(rest)
  if (/^python(?:\d(?:\.\d+)?)?$/.test(program)) return python(rest, variables)
  if (program === 'flask') return flask(rest, variables)
  if (program === 'uwsgi' || program === 'uwsgi-core') return uwsgi(rest)
  if (program === 'waitress-serve') {
    const { options, flags, words } = taken(rest, (option) => waitressFlags.test(option))
    const target = options.get('--app') ?? words.at(-1)
    if (target === undefined) return undefined
    const call = flags.has('--call') && !target.endsWith(')')
    return found(program, { kind: 'target', text: call ? `${target}()` : target })
  }
  if (/^(?:uvicorn|hypercorn|daphne|granian)$/.test(program)) {
    const { options, flags, words } = taken(rest, (option) => asgiFlags.test(option))
    const target = words[0]
    if (target === undefined) return undefined
    const text = flags.has('--factory') && !target.endsWith(')') ? `${target}()` : target
    const folder = options.get('--app-dir') ?? options.get('--working-dir')
    const wsgi = options.get('--interface') === 'wsgi'
    const own = found(program, { kind: 'target', text: text.replace(/^(?:wsgi|asgi):/, '') }, folder)
    return { ...own, asgi: !wsgi }
  }
  if (program === 'cheroot') return rest[0] === undefined ? undefined : found(program, target(rest[0]))
  if (program === 'mod_wsgi-express') {
    const file = rest.find((one) => /\.(?:py|wsgi)$/.test(one))
    return file === undefined ? undefined : found(program, { kind: 'file', file, name: 'application' })
  }
  return follow(program, word, rest)
}

/** Programs that read from another file what they start. */
function follow(program: string, word: string, rest: readonly string[]): Found | undefined {
  if (/^(?:ba|da|z|a)?sh$/.test(program)) {
    const at = rest.findIndex((one) => !one.startsWith('-') && !one.startsWith('+'))
    const script = rest[at]
    // `sh -c "..."` is taken apart by whoever asks, see `inner`.
    if (script === undefined || rest.slice(0, at).some((one) => /^-\w*c$/.test(one))) return undefined
    return found(program, { kind: 'follow', file: script, arguments: rest.slice(at + 1) })
  }
  if (program === 'honcho' || program === 'foreman') {
    const at = rest.findIndex((one) => one === '-f' || one === '--procfile')
    return found(program, {
      kind: 'follow',
      file: at === -1 ? 'Procfile' : (rest[at + 1] ?? ''),
      arguments: [],
    })
  }
  if (program === 'supervisord') {
    const at = rest.findIndex((one) => one === '-c' || one === '--configuration')
    const file = at === -1 ? 'supervisord.conf' : (rest[at + 1] ?? '')
    return found(program, { kind: 'follow', file, arguments: [] })
  }
  if (/\.(?:sh|bash)$/.test(program) || (word.includes('/') && !program.includes('$'))) {
    return found(program, { kind: 'follow', file: word, arguments: rest })
  }
  return undefined
}

/** The text of `sh -c TEXT`; undefined for any other command. */
export function inner(words: readonly string[]): string | undefined {
  const [program = '', ...rest] = words
  if (!/(?:^|\/)(?:ba|da|z|a)?sh$/.test(program)) return undefined
  const at = rest.findIndex((one) => /^-\w*c$/.test(one))
  return at === -1 ? undefined : rest[at + 1]
}

function gunicorn(rest: readonly string[]): Found {
  const { options, words } = taken(rest, (option) => gunicornFlags.test(option))
  const own = found(
    'gunicorn',
    words[0] === undefined || words[0].includes('$@') ? { kind: 'configuration' } : target(words[0]),
    options.get('--chdir'),
    ...(options.get('--pythonpath')?.split(',') ?? []),
  )
  return {
    ...own,
    workerClass: usefulWorkerClass(options.get('-k') ?? options.get('--worker-class')),
    configuration: (options.get('-c') ?? options.get('--config'))?.replace(/^file:/, ''),
  }
}

/** Those that gunicorn has anyway say nothing; one that is a variable is not known. */
export function usefulWorkerClass(name: string | undefined): string | undefined {
  return name !== undefined && /^[\w.:+-]+$/.test(name) && !/^(?:sync|gthread)$/.test(name) ? name : undefined
}

function python(rest: readonly string[], variables: ReadonlyMap<string, string>): Found | undefined {
  let at = 0
  while (rest[at] !== undefined && (pythonFlags.test(rest[at] ?? '') || /^-[WX]/.test(rest[at] ?? ''))) {
    at += /^-[WX]$/.test(rest[at] ?? '') ? 2 : 1
  }
  const [first, ...behind] = rest.slice(at)
  if (first === '-m' || /^-\w*m$/.test(first ?? '')) {
    const [module = '', ...own] = behind
    if (module === 'gunicorn' || module.startsWith('gunicorn.')) return gunicorn(own)
    if (module === 'waitress') return readServer('waitress-serve', '', own, variables)
    if (/^(?:flask|uvicorn|hypercorn|granian|cheroot)$/.test(module))
      return readServer(module, '', own, variables)
    return /^[\w.]+$/.test(module)
      ? found('python', { kind: 'script', file: module.replaceAll('.', '/') })
      : undefined
  }
  if (first === undefined || !first.endsWith('.py')) return undefined
  // `manage.py db upgrade` is no server's start.
  const [command] = behind
  const starts =
    command === undefined ||
    command.startsWith('-') ||
    /^(?:run|runserver|serve|start|web|server)$/.test(command)
  return starts ? found('python', { kind: 'script', file: first }) : undefined
}

function flask(rest: readonly string[], variables: ReadonlyMap<string, string>): Found | undefined {
  const { options, words } = taken(rest, (option) =>
    /^(?:--debug|--no-debug|--reload|--no-reload)$/.test(option),
  )
  if (words[0] !== 'run') return undefined
  const text = options.get('--app') ?? options.get('-A') ?? variables.get('FLASK_APP')
  return found('flask', { kind: 'flask', text })
}

function uwsgi(rest: readonly string[]): Found | undefined {
  const { options, words } = taken(rest, (option) =>
    /^(?:--master|-M|--enable-threads|--die-on-term|--need-app|--vacuum|--lazy-apps|--lazy|--single-interpreter|--thunder-lock|--http-websockets|--manage-script-name|--gevent-monkey-patch|--disable-logging|--strict|--no-orphans)$/.test(
      option,
    ),
  )
  const ini = options.get('--ini') ?? words.find((one) => /\.(?:ini|xml|ya?ml)$/.test(one))
  return uwsgiOptions(options, ini)
}

/** What options of uWSGI say, from a command line or from a file. */
export function uwsgiOptions(options: ReadonlyMap<string, string>, ini?: string): Found | undefined {
  const get = (...names: readonly string[]): string | undefined =>
    names.flatMap((name) => options.get(name) ?? []).at(0)
  const callable = get('--callable')
  const folders = [get('--chdir', '--chdir2'), get('--pythonpath', '--python-path', '--pp')].filter(
    (one) => one !== undefined,
  )
  const module = get('--module', '-w', '--wsgi')
  if (module !== undefined) {
    const text = module.includes(':') ? module : `${module}:${callable ?? 'application'}`
    return found('uwsgi', { kind: 'target', text }, ...folders)
  }
  const file = get('--wsgi-file', '--file') ?? get('--mount')?.replace(/^[^=]*=/, '')
  if (file !== undefined) {
    const pointer = file.endsWith('.py')
      ? { kind: 'file' as const, file, name: callable }
      : target(file.includes(':') ? file : `${file}:${callable ?? 'application'}`)
    return found('uwsgi', pointer, ...folders)
  }
  return ini === undefined ? undefined : found('uwsgi', { kind: 'follow', file: ini, arguments: [] })
}

/** Sorts arguments into options with a value, flags, and the words that are neither. */
function taken(
  rest: readonly string[],
  isFlag: (option: string) => boolean,
): {
  readonly options: ReadonlyMap<string, string>
  readonly flags: ReadonlySet<string>
  readonly words: readonly string[]
} {
  const options = new Map<string, string>()
  const flags = new Set<string>()
  const words: string[] = []
  for (let at = 0; at < rest.length; at += 1) {
    const word = rest[at] ?? ''
    const [, long, value] = /^(--[\w-]+)=(.*)$/s.exec(word) ?? []
    const [, short, glued] = /^(-[A-Za-z])(.+)$/s.exec(word) ?? []
    if (long !== undefined && value !== undefined) options.set(long, value)
    else if (isFlag(word)) flags.add(word)
    else if (short !== undefined && glued !== undefined) options.set(short, glued.replace(/^=/, ''))
    else if (/^--?[A-Za-z]/.test(word)) {
      options.set(word, rest[at + 1] ?? '')
      at += 1
    } else if (!/^\$/.test(word) || words.length > 0 || at === rest.length - 1) words.push(word)
  }
  return { options, flags, words }
}

function target(text: string): { readonly kind: 'target'; readonly text: string } {
  return { kind: 'target', text }
}

function found(
  program: string,
  pointer: Found['pointer'],
  ...folders: readonly (string | undefined)[]
): Found {
  return {
    program,
    pointer,
    asgi: false,
    folders: folders.filter((one) => one !== undefined),
    workerClass: undefined,
    configuration: undefined,
  }
}
