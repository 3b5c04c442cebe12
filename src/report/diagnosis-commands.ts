import type { Explanation } from '../errors.ts'
import { cutToBytes, visible, withoutStop } from '../text.ts'
import { explainTraceback, lastWord } from './diagnosis-app.ts'
import { explainSignal, signalBehind } from './diagnosis-signals.ts'
import type { Failure, Situation } from './failure.ts'
import { lastTraceback } from './traceback.ts'

/** What dash says of a program that is not there: `FILE: 1: exec: celery: not found`. */
const absent = /: \d+: (?:exec: )?([A-Za-z0-9_./-]{1,100}): (?:not found|Permission denied)$/

/** What a shell says of a program that a signal ended (dash's words are strsignal(3)'s). */
const shellSaid =
  /^(?:Killed|Terminated|Hangup|Aborted|Segmentation fault|Bus error|Illegal instruction|Bad system call)(?: \(core dumped\))?$/

/** The failures of what the project itself runs beside its web process: code -> explanation. */
export const commandRows: Readonly<Record<string, (failure: Failure, situation: Situation) => Explanation>> =
  {
    'release-command': (failure, situation) => explainCommand('release-command', failure, situation),
    'first-deploy-command': (failure, situation) =>
      explainCommand('first-deploy-command', failure, situation),
    run: (failure, situation) => explainCommand('run', failure, situation),
    'command-timeout': ({ detail, lines }) => {
      const [input = 'release-command', seconds = 'its'] = detail.split(' ')
      return {
        cause: `\`${input}\` was not done after ${seconds} s, and was stopped${lastSaid(lines)}.`,
        cure: 'Find out what it waits for, or raise `command-timeout`.',
        input: 'command-timeout',
      }
    },
    'database-locked': ({ detail }) => ({
      cause: `\`${detail || 'release-command'}\` found its SQLite database locked, three times: another process was writing to it all the while.`,
      cure: "Stop what holds it (a job, or a session of somebody's), or keep the data in a database server such as PostgreSQL.",
      input: detail || 'release-command',
    }),
    'process-died': (failure, situation) => {
      const process = failure.detail || 'beside the web process'
      const begin = `The process ${process} of the new release ended within its first five seconds`
      const traceback = lastTraceback(failure.lines, situation.name)
      if (traceback !== undefined) {
        return explainTraceback(
          begin,
          { ...traceback, exception: cutToBytes(visible(traceback.exception.trim()), 300) },
          situation,
        )
      }
      const missing = missingProgram(failure.lines, situation)
      if (missing !== undefined)
        return { cause: `${begin}: ${missing.what}.`, cure: missing.cure, input: 'processes' }
      const last = lastWord(failure.lines)
      return {
        cause: `${begin}${last === undefined ? ', without a word' : `; its last line is: ${last}`}.`,
        cure: `Correct the command of ${process} in \`processes\` (or the Procfile) so that it goes on running; what it printed is in the log.`,
        input: 'processes',
      }
    },
  }

const spoken: Readonly<Record<string, string>> = {
  'release-command': 'release command',
  'first-deploy-command': 'first-deploy command',
  run: 'command',
}

function explainCommand(input: string, failure: Failure, situation: Situation): Explanation {
  const which = spoken[input] ?? input
  const signal = signalBehind(failure.detail)
  if (signal !== undefined) {
    const own = failure.lines.filter((line) => !shellSaid.test(line.trim()))
    return { ...explainSignal(`The ${which}`, signal, lastSaid(own)), input }
  }
  const traceback = lastTraceback(failure.lines, situation.name)
  const begin = `The ${which} failed (exit status ${failure.detail || 'unknown'})`
  if (traceback !== undefined) {
    const exception = cutToBytes(visible(traceback.exception.trim()), 300)
    return explainTraceback(begin, { ...traceback, exception }, situation)
  }
  const missing = missingProgram(failure.lines, situation)
  if (missing !== undefined) return { cause: `${begin}: ${missing.what}.`, cure: missing.cure, input }
  const said = lastSaid(failure.lines)
  return {
    cause: `${begin}${said === '' ? ', without a word' : said}.`,
    cure: `Correct \`${input}\`, or what it runs; all it printed is in the log.`,
    input,
  }
}

function missingProgram(lines: readonly string[], { requirements }: Situation) {
  const [, program] = absent.exec(lines.findLast((line) => absent.test(line)) ?? '') ?? []
  if (program === undefined) return undefined
  return {
    what: `\`${program}\` is not there, or is no program`,
    cure: `Correct its name, or add the Python package that brings it to ${requirements}, or its system package to \`packages\`.`,
  }
}

function lastSaid(lines: readonly string[]): string {
  const last = lines.findLast((line) => line.trim() !== '')
  return last === undefined ? '' : `; its last line is: ${withoutStop(cutToBytes(visible(last.trim()), 300))}`
}
