import type { Step } from './command-line.ts'
import { bareCommand, programOf } from './server-command.ts'

/** The lines of a Procfile: process -> command, in order. */
export function readProcfile(source: string): ReadonlyMap<string, string> {
  const lines = new Map<string, string>()
  for (const line of source.split(/\r?\n/)) {
    const [, name, command] = /^\s*([A-Za-z0-9_-]+)\s*:\s*(\S.*?)\s*$/.exec(line) ?? []
    if (name !== undefined && command !== undefined && !lines.has(name)) lines.set(name, command)
  }
  return lines
}

/** Steps that the app's own commands are. */
const own = /^(?:flask|python(?:\d(?:\.\d+)?)?|alembic)$/
/** Steps of which nobody needs to be told that they are left out. */
const silent =
  /^(?:echo|printf|set|cd|true|:|sleep|wait|ls|cat|pwd|date|trap|shift|exit|return|local|break|continue|done|\[|\[\[|test)$/
/** Programs that are not Python's, by which a process is known as one of another tool. */
const foreign =
  /^(?:npm|npx|pnpm|yarn|node|nodejs|bun|deno|webpack|vite|tailwindcss|esbuild|parcel|gulp|grunt|make|docker|docker-compose|podman|redis-server|postgres|mongod|mysqld|memcached|mailhog|mailpit|maildev|ngrok|caddy|nginx|bundle|ruby|rails|rake|java|php|go|cargo|sass|stripe|minio|elasticsearch|livereload)$/

/** What stands before a server's start, sorted. */
export interface Before {
  /** To be run with each release, as shell text. */
  readonly commands: readonly string[]
  /** Left out, as written. */
  readonly dropped: readonly string[]
}

/** Sorts steps into the app's own commands and what has no place on the server (build steps, variables). */
export function sortSteps(steps: readonly Step[]): Before {
  const commands: string[] = []
  const dropped: string[] = []
  let folder: string | undefined
  for (const step of steps) {
    const { words } = bareCommand(step.words)
    const program = programOf(words[0] ?? '')
    if (program === 'cd') folder = step.text
    if (isOwnCommand(step)) {
      if (folder !== undefined) commands.push(folder)
      folder = undefined
      commands.push(ownText(step))
    } else if (!silent.test(program) && words.length > 0) dropped.push(step.text)
  }
  return { commands, dropped }
}

/** A step that the project's own code does: `flask`, `python`, `alembic`, but no installation or build. */
export function isOwnCommand(step: Step): boolean {
  const { words } = bareCommand(step.words)
  if (step.background || !own.test(programOf(words[0] ?? ''))) return false
  return !words.some((word) => /^(?:pip|ensurepip|venv|collectstatic|pytest|unittest)$/.test(word))
}

/** The step's text without `poetry run` and such, which the server has not, and without the folder of a program. */
export function ownText(step: Step): string {
  const { words, variables } = bareCommand(step.words)
  const [first = ''] = words
  const at = step.text.indexOf(first)
  if (variables.size === 0 && step.words[0] === first && !first.includes('/')) return step.text
  const text = `${programOf(first)}${at === -1 ? '' : step.text.slice(at + first.length)}`
  // Variables stood before the runner or before the program; both are what they were for.
  const front = [...variables].map(([name, value]) => `${name}='${value.replaceAll("'", `'\\''`)}' `)
  return `${front.join('')}${text}`
}

/** A process's name as it can stand in a unit's name; undefined where nothing is left of it. */
export function processName(name: string): string | undefined {
  const plain = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, '-')
    .replace(/^[^a-z]+/, '')
    .slice(0, 31)
  return plain === '' || plain === 'web' ? undefined : plain
}

/** The program of another tool that a command starts; undefined where all is Python's or the project's own. */
export function foreignProgram(steps: readonly Step[]): string | undefined {
  return steps
    .map((step) => programOf(bareCommand(step.words).words[0] ?? ''))
    .find((program) => foreign.test(program))
}
