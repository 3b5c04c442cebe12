import { assignment, expanded, type Step, shellSteps } from './command-line.ts'
import { inner, readServer } from './server-options.ts'

/** Where a command line finds the app. */
export type Pointer =
  /** `module:expression`, or a module alone. */
  | { readonly kind: 'target'; readonly text: string }
  /** A Python file that is run, e.g. by `python run.py`. */
  | { readonly kind: 'script'; readonly file: string }
  /** A file with the app in it; the name of the object where it is told. */
  | { readonly kind: 'file'; readonly file: string; readonly name: string | undefined }
  /** `flask run`: FLASK_APP says it; undefined: whatever is there. */
  | { readonly kind: 'flask'; readonly text: string | undefined }
  /** Another file says it: a script, a configuration, a Procfile. */
  | { readonly kind: 'follow'; readonly file: string; readonly arguments: readonly string[] }
  /** The configuration of gunicorn alone names the app (`wsgi_app`). */
  | { readonly kind: 'configuration' }

/** The start of a web server, as far as its command line tells. */
export interface ServerCommand {
  /** The program, without its folder. */
  readonly program: string
  readonly pointer: Pointer
  /** It takes ASGI applications too, so what it serves may be another framework's. */
  readonly asgi: boolean
  /** Folders that the command puts on Python's path, or changes to. */
  readonly folders: readonly string[]
  /** gunicorn's worker class. */
  readonly workerClass: string | undefined
  /** gunicorn's configuration file. */
  readonly configuration: string | undefined
  /** The variables that stand in front. */
  readonly variables: ReadonlyMap<string, string>
}

/** Programs that run another one, with how many words of their own stand before it; options are passed over. */
const runners: readonly (readonly [RegExp, number])[] = [
  [/^(?:exec|nohup|time|command|nice|ionice|env|tini|dumb-init|catchsegv|ddtrace-run)$/, 0],
  [
    /^(?:opentelemetry-instrument|xvfb-run|start-nginx|start-pgbouncer|start-stunnel|stdbuf|s6-setuidgid)$/,
    0,
  ],
  [/^(?:poetry|pipenv|uv|pdm|hatch|rye|doppler|dotenv|coverage|infisical|pixi)$/, 1],
  [/^newrelic-admin$/, 1],
  [/^(?:su-exec|gosu|setuser|chpst)$/, 1],
  [/^(?:sudo|doas)$/, 0],
]

/** Options of the runners that have a value of their own. */
const valued: ReadonlySet<string> = new Set([
  ...[
    '-u',
    '-g',
    '-n',
    '-o',
    '-i',
    '-e',
    '--user',
    '--group',
    '--with',
    '--extra',
    '--env-file',
    '--project',
  ],
  ...['--directory', '--python', '-p', '--package', '-f'],
])

/** A command without what only starts it: variables, `exec`, `poetry run` and such. */
export function bareCommand(words: readonly string[]): {
  readonly words: readonly string[]
  readonly variables: ReadonlyMap<string, string>
} {
  const variables = new Map<string, string>()
  let rest = [...words]
  for (;;) {
    const [first] = rest
    if (first === undefined) break
    const set = assignment(first)
    if (set !== undefined) {
      variables.set(...set)
      rest = rest.slice(1)
      continue
    }
    const program = programOf(first)
    const runner = runners.find(([name]) => name.test(program))
    // `uv sync` and `poetry install` run nothing of the project's.
    if (runner === undefined || (runner[1] === 1 && !/^(?:run|run-program|[^-].*)$/.test(rest[1] ?? '')))
      break
    if (/^(?:poetry|pipenv|uv|pdm|hatch|rye|doppler|dotenv|coverage|infisical|pixi)$/.test(program)) {
      if (!rest.slice(1).some((word) => word === 'run')) break
      rest = rest.slice(rest.indexOf('run') + 1)
    } else rest = rest.slice(1 + runner[1])
    while (rest[0]?.startsWith('-') === true) {
      const option = rest[0]
      rest = rest.slice(valued.has(option) ? 2 : 1)
      if (option === '--') break
    }
    // `coverage run app.py` runs a file with Python.
    if (program === 'coverage') rest = ['python', ...rest]
  }
  return { words: rest, variables }
}

/** A program's name without its folder: `/venv/bin/gunicorn` is `gunicorn`. */
export function programOf(word: string): string {
  return word.slice(word.lastIndexOf('/') + 1).replace(/\.exe$/, '')
}

/**
 * Reads a command that starts a web server, or another file that does.
 * @param known variables that are set already
 * @returns undefined for any other command
 */
export function serverCommand(
  words: readonly string[],
  known: ReadonlyMap<string, string> = new Map(),
): ServerCommand | undefined {
  const { words: bare, variables } = bareCommand(words)
  const all = new Map([...known, ...variables])
  const [first = '', ...rest] = bare.map((word) => expanded(word, all))
  const path = all.get('PYTHONPATH')?.split(':') ?? []
  const found = readServer(programOf(first), first, rest, all)
  if (found === undefined) return undefined
  return {
    ...found,
    folders: [...found.folders, ...path].map(plainFolder).filter((one) => one !== undefined),
    variables,
  }
}

/** A folder of the project; undefined for what a variable or another machine decides. */
function plainFolder(folder: string): string | undefined {
  const plain = folder.replace(/^\.\/+/, '').replace(/\/+$/, '')
  if (/[$`]/.test(plain) || plain.startsWith('/') || plain.split('/').includes('..')) return undefined
  return plain === '.' ? '' : plain
}

/** What a command line does in order: the steps before the server's start, and the start itself. */
export interface StartLine {
  readonly before: readonly Step[]
  readonly server: ServerCommand | undefined
  /** The server starts whenever the line runs, so what stands before it at the top runs too. */
  readonly always: boolean
  /** Variables that were set on the way. */
  readonly variables: ReadonlyMap<string, string>
  /** The folder that was changed to, '' for none. */
  readonly folder: string
}

/** Servers before scripts: of two starts in one script (`flask run` to develop, gunicorn to serve) the better one. */
function worth(server: ServerCommand): number {
  if (server.pointer.kind === 'follow') return 3
  if (server.program === 'flask') return 2
  return server.pointer.kind === 'script' ? 1 : 4
}

/**
 * Takes a command line or a script apart.
 * @param known variables that are set already
 * @param handed the arguments of a script, which stand where it says `"$@"`
 */
export function startLine(
  text: string,
  known: ReadonlyMap<string, string> = new Map(),
  handed: readonly string[] = [],
): StartLine {
  const variables = new Map(known)
  const steps = allSteps(text).map((step) => ({
    ...step,
    words: step.words.flatMap((word) => (/^\$[@*]$/.test(word) && handed.length > 0 ? handed : [word])),
  }))
  let best: { readonly at: number; readonly server: ServerCommand; readonly folder: string } | undefined
  let folder = ''
  for (const [at, step] of steps.entries()) {
    noteVariables(step.words, variables)
    if (step.words[0] === 'cd') {
      const to = plainFolder(expanded(step.words[1] ?? '', variables))
      if (to !== undefined) folder = to
      continue
    }
    const server = step.background ? undefined : serverCommand(step.words, variables)
    if (server === undefined) continue
    if (best === undefined || worth(server) > worth(best.server)) best = { at, server, folder }
  }
  if (best === undefined) return { before: steps, server: undefined, always: false, variables, folder }
  const { at, server } = best
  return {
    before: steps.slice(0, at),
    server,
    always: steps[at]?.always === true,
    variables,
    folder: best.folder,
  }
}

function noteVariables(words: readonly string[], variables: Map<string, string>): void {
  const own = words[0] === 'export' ? words.slice(1) : words
  const set = own.map(assignment)
  if (!set.every((one) => one !== undefined)) return
  for (const [name, value] of set) {
    const full = expanded(value, variables)
    if (!/[$`]/.test(full)) variables.set(name, full)
  }
}

/** The steps of a text, with those of `sh -c TEXT` in place of it. */
function allSteps(text: string, depth = 0): readonly Step[] {
  return shellSteps(text).flatMap((step) => {
    const within = depth < 3 ? inner(bareCommand(step.words).words) : undefined
    if (within === undefined) return [step]
    return allSteps(within, depth + 1).map((one) => ({ ...one, always: one.always && step.always }))
  })
}
