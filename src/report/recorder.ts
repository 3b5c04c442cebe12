import type { Phase } from '../phases.ts'
import type { Warning } from '../project/project.ts'
import { heartbeat, systemClock } from './heartbeat.ts'
import type { Log } from './log.ts'
import { type Change, emptyReport, type PhaseReport, type Report } from './report.ts'

/**
 * What a run takes down while it goes on: the log as it happens, and the report that is made from it at the end.
 * Phases follow each other; the one that is open when the run ends badly is the failed one.
 */
export class Recorder {
  readonly #log: Log
  readonly #began = performance.now()
  readonly #beat
  readonly #phases: PhaseReport[] = []
  readonly #changes: Change[] = []
  readonly #found: Change[] = []
  readonly #warnings: Warning[] = []
  readonly #appLines: string[] = []
  readonly #toolLines: string[] = []
  #open: { readonly phase: Phase; readonly since: number } | undefined
  #facts: Partial<Report> = {}

  constructor(log: Log) {
    this.#log = log
    this.#beat = heartbeat(systemClock, (line) => log.progress(line))
  }

  /** Opens a phase; the one before it is over and was good. */
  phase(phase: Phase): void {
    if (this.#open?.phase === phase) return
    this.#close(true)
    this.#open = { phase, since: performance.now() }
    this.#log.phase(phase)
  }

  /** The phase that is open. */
  get current(): Phase | undefined {
    return this.#open?.phase
  }

  /**
   * Closes the last phase.
   * @param failed the phase that the run failed in, which may be an earlier one; '' where it did not
   */
  finish(failed: Phase | ''): void {
    this.#close(failed !== this.#open?.phase)
    const at = this.#phases.findLastIndex(({ phase }) => phase === failed)
    const found = this.#phases[at]
    if (found !== undefined) this.#phases[at] = { ...found, ok: false }
    this.#beat.stop()
  }

  /** Long work begins: it is named every few seconds until something else is said. */
  running(what: string): void {
    this.#log.info(what)
    this.#beat.start(what)
  }

  say(text: string): void {
    this.#beat.touch()
    this.#log.info(text)
  }

  /** A line of the application's own log. */
  appLine(line: string): void {
    this.#log.foreign([line])
    keep(this.#appLines, line)
  }

  /** A line of a tool that ran on the server. */
  toolLine(line: string): void {
    this.#beat.touch()
    this.#log.foreign([line])
    keep(this.#toolLines, line)
  }

  /** Text of somebody else's that explains no failure. */
  foreign(lines: readonly string[]): void {
    this.#log.foreign(lines)
  }

  change(what: string, detail: string): void {
    this.#changes.push({ what, detail })
  }

  /** Something that was found out about the project, said in the log too. */
  find(what: string, detail: string): void {
    this.#found.push({ what, detail })
    this.say(`found: ${what}: ${detail}`)
  }

  warn(warning: Warning): void {
    this.#warnings.push(warning)
    this.#log.warning(warning)
  }

  /** Facts for the report. */
  note(facts: Partial<Report>): void {
    this.#facts = { ...this.#facts, ...facts }
  }

  /** What was said so far led to a repair: it explains no failure that comes later. */
  forgetLines(): void {
    this.#appLines.length = 0
    this.#toolLines.length = 0
  }

  /** The last lines that bear on a failure: the application's where it said anything, else the tools'. */
  get lines(): readonly string[] {
    return this.#appLines.length > 0 ? this.#appLines : this.#toolLines
  }

  /** The report as far as it is known. */
  report(): Report {
    return {
      ...emptyReport,
      phases: this.#phases,
      changes: this.#changes,
      found: this.#found,
      warnings: this.#warnings,
      durationMs: Math.round(performance.now() - this.#began),
      ...this.#facts,
    }
  }

  #close(ok: boolean): void {
    const open = this.#open
    if (open === undefined) return
    const ms = Math.round(performance.now() - open.since)
    this.#phases.push({ phase: open.phase, ms, ok })
    this.#open = undefined
    this.#beat.stop()
    this.#log.phaseEnd(ms)
  }
}

/** So many lines are kept: a compiler's complaints are long, and what names the package stands above them. */
const mostKept = 1_000

/** The last lines, in bounded memory. */
function keep(lines: string[], line: string): void {
  lines.push(line)
  if (lines.length > mostKept) lines.splice(0, lines.length - mostKept)
}
