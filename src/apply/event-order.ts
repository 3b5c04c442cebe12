import { DeployError } from '../errors.ts'
import { phases } from '../phases.ts'
import type { Plan } from '../plan/operation.ts'
import type { ServerEvent } from './event.ts'

/** More events (not lines of other programs) than the longest program has. */
const mostEvents = 1_000

/**
 * Looks whether what the server says can be true: the program is ours, so its events come in an order that is known, name
 * the releases of the plan, and its good end is the last of certain steps. It cannot tell a lie that is told well; but no
 * success, no release and no phase is believed that the program could not have come to.
 */
export class EventOrder {
  readonly #plan: Plan
  #phase = -1
  #count = 0
  /** The release that it may flip to next. */
  #flip: string | undefined
  #mayKeep = false
  #kept = false
  #failed = false
  #serving = ''
  /** Questions that it may ask the runner once. */
  readonly #questions: Set<string>
  /** Something is to be done about HTTPS. */
  readonly #secures: boolean

  constructor(plan: Plan) {
    this.#plan = plan
    this.#flip = this.#has('cutover') ? plan.release : undefined
    this.#secures = plan.operations.some(({ phase }) => phase === 'certificate')
    this.#questions = new Set(
      plan.operations.flatMap(({ kind }) =>
        kind === 'preflight' ? ['preflight'] : kind === 'secure' ? ['secured'] : [],
      ),
    )
  }

  /** The runner said this about the release that was flipped to. */
  said(word: 'keep' | 'try-old' | 'revert'): void {
    if (word === 'keep') this.#mayKeep = true
    if (word === 'try-old') this.#flip = this.#plan.from
  }

  /** Takes the next event. @returns what is wrong with it, as the end of a sentence; undefined where nothing is */
  next(event: ServerEvent): string | undefined {
    if (event.kind === 'log' || event.kind === 'app' || event.kind === 'stderr') return undefined
    this.#count += 1
    if (this.#count > mostEvents) return `told more than ${mostEvents} steps`
    switch (event.kind) {
      case 'phase':
        return this.#enter(phases.indexOf(event.phase), event.phase)
      case 'flipped':
        if (event.release === '' || event.release !== this.#flip)
          return 'flipped to a release that nobody asked for'
        this.#flip = undefined
        return undefined
      case 'kept':
        if (event.release !== this.#plan.release || !this.#mayKeep || this.#kept)
          return 'kept a release without a verdict on it'
        this.#kept = true
        return undefined
      case 'reverted':
        return event.release === this.#plan.from ? undefined : 'went back to a release that did not serve'
      case 'preflight':
      case 'secured':
        return this.#questions.delete(event.kind) ? undefined : 'asked about a certificate that is in no plan'
      case 'certificate':
        return this.#secures ? undefined : 'told of a certificate that is in no plan'
      case 'fail':
        this.#failed = true
        return undefined
      case 'serving':
        this.#serving = event.release
        return undefined
      case 'end':
        return event.status === 0
          ? this.#goodEnd()
          : this.#failed
            ? undefined
            : 'failed without a word about why'
      default:
        return undefined
    }
  }

  #enter(phase: number, name: string): string | undefined {
    if (phase < this.#phase) return `went back to the phase \`${name}\``
    if (!this.#plan.operations.some((operation) => operation.phase === name))
      return `came to the phase \`${name}\`, which is in no plan`
    this.#phase = phase
    return undefined
  }

  #goodEnd(): string | undefined {
    if (this.#failed) return 'failed and ended well'
    if (this.#has('settle') && !this.#kept) return 'ended well without having kept the release'
    return this.#serving === this.#plan.release ? undefined : 'ended well with another release'
  }

  #has(kind: Plan['operations'][number]['kind']): boolean {
    return this.#plan.operations.some((operation) => operation.kind === kind)
  }
}

/** @param wrong what {@link EventOrder.next} said */
export function contradiction(wrong: string): DeployError {
  return new DeployError('server-contradicts', {
    cause: `What the server said about the deploy cannot be true: it ${wrong}.`,
    cure: 'Look at the site and at the server before the next deploy: whoever can say this in its name is root there.',
    input: 'host',
  })
}
