import { shellSteps } from './command-line.ts'
import { settingsFile } from './gunicorn-file.ts'
import { foreignProgram, isOwnCommand, ownText, processName, readProcfile, sortSteps } from './procfile.ts'
import type { Declared, Warning } from './project.ts'
import { type Start, startsIn } from './start-files.ts'
import { below, type Tree, textOf } from './tree.ts'

/** What is declared, and what the user should know of it. */
export interface FoundDeclared {
  readonly declared: Declared
  readonly warnings: readonly Warning[]
}

/** What the inputs say already, so that nobody needs to be told of the project's own. */
export interface Said {
  readonly releaseCommand: boolean
  readonly processes: boolean
}

/** Variables in front of a server's start that say nothing of the app's own settings. */
const known = /^(?:PORT|HOST|FLASK_APP|FLASK_RUN_\w+|PYTHON\w+|WEB_CONCURRENCY|GUNICORN_CMD_ARGS)$/
/** Commands that bring a database up to date, by their words. */
const migrates = /\b(?:upgrade|migrate|deploy|init-?db|create-?db|setup-?db|init_db|create_db|setup)\b/

/**
 * Reads what the project's own files say of how it is run, beside the app object: the Procfile first, then what an image
 * made of its Dockerfile starts.
 * @param folder where the files lie; the root's go first
 * @param said what the inputs say
 */
export function findDeclared(tree: Tree, folder: string, said: Said): FoundDeclared {
  const root = startsIn(tree)
  const own = folder === '' || root.length > 0 || tree.has('Procfile')
  const place = own ? tree : below(tree, folder)
  const prefix = own ? '' : `${folder}/`
  const starts = own ? root : startsIn(place)
  const lines = readProcfile(textOf(place, 'Procfile') ?? '')
  const enter = own ? '' : `cd ${quoted(folder)}\n`

  const procfile = fromProcfile(lines, starts, `${prefix}Procfile`)
  const script = starts.find((one) => one.kind === 'script' && (!lines.has('web') || one.via === 'Procfile'))
  const fromScript = script === undefined ? undefined : ofScript(script, prefix)
  const release = procfile.release ?? fromScript
  const processes = processesOf(lines, `${prefix}Procfile`, own ? '' : `cd ${quoted(folder)} && `)
  const suggested = starts.flatMap((one) => (one.kind === 'script' ? suggestion(one, prefix) : []))
  return {
    declared: {
      processes: processes.processes,
      releaseCommand: release === undefined ? undefined : { ...release, text: `${enter}${release.text}` },
      workerClass: workerClassOf(place, starts),
    },
    warnings: [
      ...procfile.warnings,
      ...(said.processes ? [] : processes.warnings),
      ...(said.releaseCommand || release !== undefined ? [] : suggested.slice(0, 1)),
    ],
  }
}

interface Release {
  readonly text: string
  readonly reason: string
}

/** The `release:` line, then what stands before the server's start in the web line. */
function fromProcfile(
  lines: ReadonlyMap<string, string>,
  starts: readonly Start[],
  file: string,
): { readonly release: Release | undefined; readonly warnings: readonly Warning[] } {
  const web = starts.find((one) => one.kind === 'procfile' && one.because.file === 'Procfile')
  const chained = sortSteps(web?.line.before ?? [])
  const line = lines.get('release')
  const released = sortSteps(line === undefined ? [] : shellSteps(line))
  // A release line is the user's own word: what is no command of the app's (`./release.sh`) is run as well.
  const first = line === undefined ? [] : released.dropped.length > 0 ? [line] : released.commands
  const text = [...first, ...chained.commands].join('\n')
  const where = [
    ...(first.length > 0 ? ['the release line'] : []),
    ...(chained.commands.length > 0 ? ['what stands before the server in the web line'] : []),
  ]
  const warnings: Warning[] = []
  if (chained.dropped.length > 0) {
    warnings.push({
      code: 'start-steps-left-out',
      text: `Not run on the server: ${chained.dropped.map((one) => `\`${one}\``).join(', ')}, which ${file} has before the server's start. Builds belong into the workflow (their results into \`include\`), variables into \`env\`, and the app's own commands into \`release-command\`.`,
      file,
    })
  }
  const variables = [...(web?.server.variables.keys() ?? [])].filter((name) => !known.test(name))
  if (variables.length > 0) {
    const which = variables.map((one) => `\`${one}\``).join(', ')
    const text_ = `The web line of ${file} sets ${which} for the server alone: set it in \`env\` if the app needs it.`
    warnings.push({ code: 'start-variables-left-out', text: text_, file })
  }
  return {
    release: text === '' ? undefined : { text, reason: `${where.join(', and ')} of ${file}`.trim() },
    warnings,
  }
}

/** What an entry script runs in any case before it starts the server. */
function ofScript(start: Start, prefix: string): Release | undefined {
  if (!start.line.always) return undefined
  const steps = start.line.before.filter(
    (one) => one.always && isOwnCommand(one) && !/[$`]/.test(one.text.replaceAll(/'[^']*'/g, '')),
  )
  if (steps.length === 0) return undefined
  return {
    text: steps.map(ownText).join('\n'),
    reason: `what ${prefix}${start.because.file} runs before it starts the server`,
  }
}

/** What an entry script runs at times: a migration in a loop or an `if`. */
function suggestion(start: Start, prefix: string): readonly Warning[] {
  const step = start.line.before.find(
    (one) => isOwnCommand(one) && migrates.test(one.text) && !one.text.includes('$'),
  )
  if (step === undefined) return []
  const file = `${prefix}${start.because.file}`
  return [
    {
      code: 'release-command-suggested',
      text: `${file} runs \`${ownText(step)}\` before it starts the server, at least at times: set it as \`release-command\` if every release needs it.`,
      file,
    },
  ]
}

function processesOf(
  lines: ReadonlyMap<string, string>,
  file: string,
  front: string,
): { readonly processes: ReadonlyMap<string, string>; readonly warnings: readonly Warning[] } {
  const processes = new Map<string, string>()
  const dropped: string[] = []
  for (const [line, command] of lines) {
    if (line === 'web' || line === 'release') continue
    const name = processName(line)
    const steps = shellSteps(command)
    const [only] = steps
    if (name === undefined || processes.has(name) || /\p{Cc}/u.test(command) || only === undefined) {
      dropped.push(`\`${line}\``)
      continue
    }
    const program = foreignProgram(steps)
    if (program !== undefined) {
      dropped.push(`\`${line}\` (${program})`)
      continue
    }
    processes.set(name, `${front}${steps.length === 1 && isOwnProcess(only.words) ? ownText(only) : command}`)
  }
  if (dropped.length === 0) return { processes, warnings: [] }
  const which = dropped.length === 1 ? `the process ${dropped[0]}` : `the processes ${dropped.join(', ')}`
  const text = `${file} has ${which}, which ${dropped.length === 1 ? 'is' : 'are'} not started: only what Python runs is. Name what you need in \`processes\`.`
  return { processes, warnings: [{ code: 'process-left-out', text, file }] }
}

/** It begins with a runner such as `poetry run`, or with the folder of an environment, neither of which the server has. */
function isOwnProcess(words: readonly string[]): boolean {
  return (
    /^(?:poetry|pipenv|uv|pdm|hatch|rye|exec)$/.test(words[0] ?? '') || /(?:^|\/)bin\//.test(words[0] ?? '')
  )
}

function workerClassOf(tree: Tree, starts: readonly Start[]): string | undefined {
  for (const { server } of starts) {
    if (server.program !== 'gunicorn') continue
    const found = server.workerClass ?? settingsFile(tree, server.configuration)?.workerClass
    if (found !== undefined) return found
    // The first gunicorn is the one that counts, whatever others have.
    return undefined
  }
  return starts.length === 0 ? settingsFile(tree, undefined)?.workerClass : undefined
}

function quoted(folder: string): string {
  return /^[\w./-]+$/.test(folder) ? folder : `'${folder.replaceAll("'", `'\\''`)}'`
}
