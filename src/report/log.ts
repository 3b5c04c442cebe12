import { randomUUID } from 'node:crypto'
import type { DeployError } from '../errors.ts'
import type { Phase } from '../phases.ts'
import type { Warning } from '../project/project.ts'
import { noSecrets, type Redactor } from '../secrets.ts'
import { cutToBytes, visible } from '../text.ts'
import { command, looksLikeCommand } from './escape.ts'
import { ForeignBudget } from './foreign-budget.ts'

/** Bytes of one line of foreign output that are shown. */
const longestLine = 4096
/** GitHub cuts an annotation's message here (actions/runner, ExecutionContext.cs). */
const longestAnnotation = 4096
/** GitHub keeps this many annotations of one level for a step (the same file); the rest are plain lines. */
const mostAnnotations = 10

/** The job's log, as the rest of the action sees it. */
export interface Log {
  /** Opens the phase's group; one that is still open is closed first. */
  readonly phase: (phase: Phase) => void
  /** Closes the phase's group with its duration. */
  readonly phaseEnd: (ms: number) => void
  /** Text of ours, of one or several lines. */
  readonly info: (text: string) => void
  /**
   * What other programs printed; nothing in it can become a workflow command. Of very much, a phase shows the beginning,
   * and at its end the last lines.
   */
  readonly foreign: (lines: readonly string[]) => void
  /** How far long work is, on a line of its own. */
  readonly progress: (text: string) => void
  /** An annotation, at its file where it has one. */
  readonly warning: (warning: Warning) => void
  /** One annotation for each fault, outside of any group. */
  readonly error: (error: DeployError) => void
  /** Shown only where the workflow is run with debug logging. */
  readonly debug: (text: string) => void
  /** Tells GitHub to replace these values by `***` in everything that follows. */
  readonly mask: (values: readonly string[]) => void
  /** From now on these secrets are taken out of every line before it is written. */
  readonly redactWith: (redactor: Redactor) => void
}

/** Where the text goes: the runner reads standard output line by line. */
export type Write = (text: string) => void

/** Writes to the job's log. */
export const standardOutput: Write = (text) => {
  process.stdout.write(text)
}

/** A log in the runner's language (GitHub docs, "Workflow commands"), written to `write`. */
export function createLog(write: Write = standardOutput): Log {
  let redact = noSecrets.redact
  let phaseOpen: Phase | undefined
  /** While set, the runner takes no commands until it sees this. */
  let guard: string | undefined
  const annotated = { warning: 0, error: 0 }
  const budget = new ForeignBudget()

  const unguard = () => {
    if (guard !== undefined) write(`::${guard}::\n`)
    guard = undefined
  }
  const say = (
    name: string,
    data = '',
    properties: Readonly<Record<string, string | number | undefined>> = {},
  ) => {
    unguard()
    write(`${command(name, data, properties)}\n`)
  }
  const closeGroup = () => {
    tellLeft()
    if (phaseOpen !== undefined) say('endgroup')
    phaseOpen = undefined
  }
  const guarded = (lines: readonly string[]) => {
    if (lines.length === 0) return
    if (guard === undefined) {
      const token = randomUUID()
      say('stop-commands', token)
      guard = token
    }
    write(lines.map((line) => `${line}\n`).join(''))
  }
  const tellLeft = () => {
    const { left, last } = budget.end()
    if (left > 0) own(`${left.toLocaleString('en')} more lines are left out here; the last ones are:`)
    guarded(last.map((line) => foreignLine(line, redact)))
  }
  /** Text of ours may quote a file name or a server: the same guard where it looks like a command. */
  const own = (text: string) => {
    const lines = redact(text)
      .split(/\r\n|[\r\n]/)
      .map(visible)
    if (lines.some(looksLikeCommand)) return guarded(lines)
    unguard()
    write(lines.map((line) => `${line}\n`).join(''))
  }
  const annotate = (
    level: 'warning' | 'error',
    text: string,
    properties: Readonly<Record<string, string | number | undefined>>,
  ) => {
    annotated[level] += 1
    const message = cutToBytes(redact(text), longestAnnotation)
    if (annotated[level] <= mostAnnotations) say(level, message, properties)
    else own(`${level}: ${message}`)
  }

  return {
    phase: (phase) => {
      closeGroup()
      say('group', phase)
      phaseOpen = phase
    },
    phaseEnd: (ms) => {
      if (phaseOpen === undefined) return
      tellLeft()
      own(`${phaseOpen}: ${duration(ms)}`)
      closeGroup()
    },
    info: own,
    foreign: (lines) =>
      guarded(lines.filter((line) => budget.takes(line)).map((line) => foreignLine(line, redact))),
    progress: own,
    warning: ({ code, text, file }) =>
      annotate('warning', text, { title: code, file: file === undefined ? undefined : redact(file) }),
    error: (error) => {
      closeGroup()
      for (const { cause, cure, file, line } of error.explanations) {
        const place = file === undefined ? {} : { file: redact(file), line }
        annotate('error', `${cause} ${cure}`, { title: error.code, ...place })
      }
    },
    debug: (text) => say('debug', redact(text)),
    mask: (values) => {
      for (const value of values) if (value.trim() !== '') say('add-mask', value)
    },
    redactWith: (redactor) => {
      redact = redactor.redact
    },
  }
}

/**
 * One line of another program's output as it is shown: what a carriage return has written over is dropped, as on a
 * terminal; control characters are shown, secrets are not; long lines are cut.
 */
export function foreignLine(line: string, redact: Redactor['redact']): string {
  const parts = redact(line.replace(/[\r\n]+$/, '')).split('\r')
  const last = parts.findLast((part) => part.trim() !== '') ?? ''
  return cutToBytes(visible(last), longestLine)
}

/** Milliseconds for people: `85 ms`, `3.2 s`, `2 min 5 s`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}
