import { DeployError } from '../errors.ts'
import type { LimitInput, ServerPhase } from '../limits.ts'
import type { ServerEvent } from './event.ts'

/** What the server's work may take, in ms. */
export interface WorkLimits {
  readonly of: (phase: ServerPhase) => number
  /** The input that makes a phase's limit longer; undefined where none does. */
  readonly inputOf: (phase: ServerPhase) => LimitInput | undefined
  readonly otherAppMs: number
  readonly uploadMs: number
  readonly cancelMs: number
}

/** Tells when the server stays in one phase for longer than it may, whatever it says meanwhile. */
export class PhaseClock {
  readonly #limits: WorkLimits
  readonly #onOver: (error: DeployError) => void
  #phase: ServerPhase = 'facts'
  #waited = false
  #until = 0
  #timer: NodeJS.Timeout | undefined

  /** Begins with `facts`: until its first phase the program waits for the lock. */
  constructor(limits: WorkLimits, onOver: (error: DeployError) => void) {
    this.#limits = limits
    this.#onOver = onOver
    this.#arm(limits.of('facts'))
  }

  /** The program's next event. */
  hear(event: ServerEvent): void {
    if (event.kind === 'phase') this.enter(event.phase)
    if (event.kind === 'flipped') this.enter('smoke')
    if (event.kind === 'waiting') this.waits()
  }

  enter(phase: ServerPhase): void {
    if (phase === this.#phase) return
    this.#phase = phase
    this.#waited = false
    this.#arm(this.#limits.of(phase))
  }

  /** The server waits for another app of its own: it may, once in a phase. The app's own lock has its input. */
  waits(): void {
    if (this.#waited || this.#phase === 'facts') return
    this.#waited = true
    this.#arm(this.#until - performance.now() + this.#limits.otherAppMs)
  }

  /** The server took another piece of the bundle: as long as it does, it may stay in the phase that waits for it. */
  took(): void {
    if (this.#phase === 'upload') this.#arm(this.#limits.of('upload'))
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  #arm(ms: number): void {
    clearTimeout(this.#timer)
    this.#until = performance.now() + ms
    this.#timer = setTimeout(() => this.#onOver(overdue(this.#phase, this.#limits)), ms)
  }
}

/** Tells when the server takes nothing of what is sent for longer than it may. */
export class UploadClock {
  readonly #ms: number
  readonly #onOver: (error: DeployError) => void
  #timer: NodeJS.Timeout | undefined
  #over = false

  constructor(ms: number, onOver: (error: DeployError) => void) {
    this.#ms = ms
    this.#onOver = onOver
    this.took()
  }

  /** It took something. */
  took(): void {
    clearTimeout(this.#timer)
    if (this.#over) return
    this.#timer = setTimeout(() => this.#onOver(stalled(this.#ms)), this.#ms)
  }

  /** It can take nothing, for the connection is lost; up to the next `took`. */
  pause(): void {
    clearTimeout(this.#timer)
  }

  stop(): void {
    this.#over = true
    clearTimeout(this.#timer)
  }
}

function overdue(phase: ServerPhase, limits: WorkLimits): DeployError {
  const input = limits.inputOf(phase)
  const raise = input === undefined ? '' : `, or raise \`${input}\``
  return new DeployError('phase-timeout', {
    cause: `The server was still in the phase \`${phase}\` after ${spoken(limits.of(phase))}, the most that it may take, and was told to stop.`,
    cure: `See in the last lines of the log what it was busy with, look at its load (\`uptime\`, \`df -h\`), and run the job again${raise}.`,
    input: input ?? 'host',
  })
}

function stalled(ms: number): DeployError {
  return new DeployError('upload-stalled', {
    cause: `The server took nothing of what was sent to it for ${spoken(ms)}.`,
    cure: 'Look at its disk and load (`df -h`, `uptime`) and at the connection, and run the job again.',
    input: 'host',
  })
}

function spoken(ms: number): string {
  const seconds = Math.round(ms / 1000)
  return seconds < 180 ? `${seconds} s` : `${Math.round(seconds / 60)} minutes`
}
