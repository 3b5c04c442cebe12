import type { ServerEvent } from '../apply/event.ts'
import type { ProgramEnd } from '../apply/program-end.ts'
import { DeployError } from '../errors.ts'
import type { Inputs } from '../inputs.ts'
import type { Project } from '../project/project.ts'
import type { Facts } from '../server/facts.ts'
import { parseSeen } from '../server/seen.ts'
import { diagnose } from './diagnosis.ts'
import { type Ending, killedError } from './ending.ts'
import type { Situation } from './failure.ts'
import { findings } from './findings.ts'
import type { Recorder } from './recorder.ts'
import { block, type Section, sectionText } from './sections.ts'
import { statusSections } from './status.ts'
import { tellEvent } from './tell-event.ts'

/** More lines of one program than anybody reads in a summary. */
const mostLines = 1_000

/** Takes down what a command's program tells, and makes of it what is told at the end. */
export class TaskReport {
  readonly #inputs: Inputs
  readonly #facts: Facts
  readonly #name: string
  readonly #repository: string
  readonly #recorder: Recorder
  readonly #told: string[] = []
  /** What other programs printed, by what it is. */
  readonly #blocks = new Map<string, string[]>()
  #block: string[] | undefined

  constructor(inputs: Inputs, facts: Facts, project: Project, recorder: Recorder) {
    this.#inputs = inputs
    this.#facts = facts
    this.#name = project.name
    this.#repository = project.repository.id
    this.#recorder = recorder
  }

  /** The next event. */
  take(event: ServerEvent): void {
    const recorder = this.#recorder
    switch (event.kind) {
      case 'fact':
        this.#told.push(event.line)
        break
      case 'block':
        this.#block = []
        this.#blocks.set(event.what, this.#block)
        recorder.say(`${title(event.what)}:`)
        break
      case 'log':
      case 'stderr':
        tellEvent(recorder, event)
        this.#block?.push(event.line)
        if ((this.#block?.length ?? 0) > mostLines) this.#block?.shift()
        break
      default:
        tellEvent(recorder, event)
        break
    }
  }

  /** How the run ended, told in log and report. */
  ending({ end, failure, serving, lost }: ProgramEnd, release: string): Ending {
    if (end === 'done') {
      const sections = this.#sections()
      this.#recorder.note({ sections })
      for (const section of sections.filter(({ columns }) => columns.length > 0))
        this.#recorder.say(sectionText(section).join('\n'))
      return { result: 'done', serving }
    }
    this.#recorder.note({ sections: this.#blockSections() })
    if (lost instanceof DeployError) return { result: 'failed', serving, error: lost }
    const { lines } = this.#recorder
    if (end === 'lost') return { result: 'failed', serving, error: killedError(lines) }
    const { code = 'unknown', detail = '' } = failure ?? {}
    return {
      result: 'failed',
      serving,
      error: diagnose({ code, detail, lines }, situation(this.#inputs, this.#facts, this.#name, release)),
    }
  }

  #sections(): readonly Section[] {
    if (this.#inputs.command !== 'status' && this.#inputs.command !== 'doctor') return this.#blockSections()
    const seen = parseSeen(this.#told)
    if (this.#inputs.command === 'doctor') {
      const found = findings(this.#facts, seen, {
        name: this.#name,
        repository: this.#repository,
        now: Date.now(),
      })
      for (const finding of found) this.#recorder.warn(finding)
      this.#recorder.say(
        found.length + this.#facts.drift.length === 0 ? 'All is well.' : `Findings: ${found.length}.`,
      )
    }
    return [...statusSections(this.#facts, seen, this.#name), ...this.#blockSections()]
  }

  #blockSections(): readonly Section[] {
    return [...this.#blocks].map(([what, lines]) => block(title(what), lines))
  }
}

const titles: Readonly<Record<string, string>> = {
  'nginx-test': 'What `nginx -t` says',
  output: 'Output',
  app: "The app's log",
  nginx: "nginx's errors of this site",
}

function title(what: string): string {
  return Object.hasOwn(titles, what) ? (titles[what] ?? what) : what
}

function situation(inputs: Inputs, facts: Facts, name: string, release: string): Situation {
  return {
    name,
    user: inputs.server.user,
    release,
    source: inputs.app.source,
    module: '',
    requirements: 'the requirements',
    python: '',
    pythonWanted: '',
    healthPath: '/',
    healthTimeoutSeconds: 0,
    lockTimeoutSeconds: Math.round(inputs.behaviour.lockTimeoutMs / 1000),
    smokeUrl: '',
    ufw: facts.firewall,
  }
}
