import type { Explanation } from '../errors.ts'
import type { Failure, Situation } from './failure.ts'

/** Of a signal of Linux (signal(7), x86 and ARM): its name, what it tells, and what to do. */
interface Signal {
  readonly name: string
  readonly tells: string
  readonly cure: string
}

const crashed = (name: string): Signal => ({
  name,
  tells: 'it crashed, as code that is not Python can',
  cure: 'Pin another version of the package with compiled code that it was using (its last lines in the log may tell which).',
})
const asked = (name: string): Signal => ({
  name,
  tells: 'a program on the server, or it itself, told it to end',
  cure: 'Find out what sent that (its own code, or somebody on the server), then run the job again.',
})

const signals: Readonly<Record<number, Signal>> = {
  1: asked('SIGHUP'),
  2: asked('SIGINT'),
  3: asked('SIGQUIT'),
  4: {
    name: 'SIGILL',
    tells: "it has instructions that the server's processor does not know",
    cure: 'Pin a version of the package with compiled code that is built for older processors.',
  },
  6: crashed('SIGABRT'),
  7: crashed('SIGBUS'),
  8: crashed('SIGFPE'),
  9: {
    name: 'SIGKILL',
    tells: 'a program on the server, or it itself, ended it at once, and it was not for want of memory',
    cure: 'Find out what ends processes on the server (`journalctl -k`, a watchdog, its own code), then run the job again.',
  },
  11: crashed('SIGSEGV'),
  13: asked('SIGPIPE'),
  14: asked('SIGALRM'),
  15: asked('SIGTERM'),
  24: {
    name: 'SIGXCPU',
    tells: 'it used up the processor time that it was allowed',
    cure: 'Let it do less work at once.',
  },
  25: {
    name: 'SIGXFSZ',
    tells: 'a file of its became larger than is allowed',
    cure: 'Let it write smaller files.',
  },
  31: {
    name: 'SIGSYS',
    tells: 'it asked the kernel for something that the walls around an app forbid',
    cure: 'Do without what asks for that (its last lines in the log may tell), or report it with the log.',
  },
}

/** The signal behind the status that a shell gives to what a signal ended: 128 and its number. */
export function signalBehind(status: string): number | undefined {
  const number = /^[0-9]{3}$/.test(status) ? Number(status) - 128 : 0
  return number >= 1 && number <= 64 ? number : undefined
}

/**
 * What a signal ended, that was not the kernel's for want of memory.
 * @param who as the beginning of a sentence
 * @param more what it was to say, as an end of the sentence, or ''
 */
export function explainSignal(who: string, number: number, more = ''): Explanation {
  const { name, tells, cure } = signals[number] ?? asked(`signal ${number}`)
  return { cause: `${who} was ended by ${name}: ${tells}${more}.`, cure }
}

/** systemd's words, in the unit's journal. */
const mainEnded = /Main process exited, code=([a-z]+), status=([0-9]{1,3})\//
/** gunicorn's, of one of its processes; it sends the other signals itself. */
const workerEnded = /\bWorker \(pid:[0-9]+\) was sent (SIG(?:ILL|ABRT|BUS|FPE|SEGV|XCPU|XFSZ|SYS))!/

/**
 * The signal that ended the app's main process, or, `beside` it, one of gunicorn's processes, by the unit's journal;
 * undefined where none did, or gunicorn for a time limit of its own, or the kernel for want of memory.
 */
export function signalInJournal(lines: readonly string[], who: 'main' | 'beside'): number | undefined {
  if (lines.some((line) => /out of memory|oom-kill|OOM killer|WORKER TIMEOUT/i.test(line))) return undefined
  // What is before the end of another main process belongs to an earlier try.
  let main = who === 'beside'
  for (const line of lines.toReversed()) {
    const [ended, code, number] = mainEnded.exec(line) ?? []
    if (ended !== undefined) {
      if (main) return undefined
      if (code !== 'exited') return Number(number)
      main = true
    }
    const [, name] = workerEnded.exec(line) ?? []
    const found = Object.entries(signals).find(([, one]) => one.name === name)
    if (found !== undefined) return Number(found[0])
  }
  return undefined
}

/** What was ended while a release was made: code -> explanation. */
export const signalRows: Readonly<Record<string, (failure: Failure, situation: Situation) => Explanation>> = {
  'build-killed': ({ detail }) => {
    const [number = '', ...file] = detail.split(' ')
    const name = file.join(' ')
    const { cause, cure } = explainSignal(`The installation of the packages of ${name}`, Number(number))
    return { cause, cure, file: name }
  },
  'app-killed': ({ detail }) => ({
    ...explainSignal('The new release, when it was imported,', Number(detail)),
    input: 'app',
  }),
}
