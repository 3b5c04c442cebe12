/**
 * What the user reads when something goes wrong: one sentence with the cause, one with the cure.
 */
export interface Explanation {
  /** One sentence: what happened. */
  readonly cause: string
  /** One sentence: what to do about it. */
  readonly cure: string
  /** The input of action.yml to look at, where there is one. */
  readonly input?: string
  /** The file of the project to look at, where there is one: relative to the repository, with `/`. */
  readonly file?: string
  /** The line in `file`, from 1, where it is known. */
  readonly line?: number
}

/**
 * An error that the user can act on. Everything that is thrown on purpose is one of these; anything else is a
 * defect of ours and is reported as such.
 */
export class DeployError extends Error {
  override readonly name = 'DeployError'
  /** Stable and kebab-case, e.g. `host-key-unknown`: what tests and the report refer to. */
  readonly code: string
  /** Every fault that was found, at least one; several where all inputs are judged at once. */
  readonly explanations: readonly Explanation[]
  /** The last lines of the server's log that bear on it, oldest first. */
  readonly lines: readonly string[]

  constructor(
    code: string,
    explanations: Explanation | readonly Explanation[],
    lines: readonly string[] = [],
  ) {
    const all = isList(explanations) ? explanations : [explanations]
    super(all.map((one) => `${one.cause} ${one.cure}`).join('\n'))
    this.code = code
    this.explanations = all
    this.lines = lines
  }
}

function isList(value: Explanation | readonly Explanation[]): value is readonly Explanation[] {
  return Array.isArray(value)
}
