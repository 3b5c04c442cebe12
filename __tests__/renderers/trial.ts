import fc from 'fast-check'
import { DeployError } from '../../src/errors.ts'
import type { Reading } from '../../src/inputs/reading.ts'

/** How many cases each renderer is tried with on each server: there are four. */
export const cases = Number(process.env['RENDERER_CASES'] ?? 5000)

/** Another one at each run, and printed, so that a failure can be had again. */
export const seed = Number(process.env['RENDERER_SEED'] ?? (Date.now() ^ (process.pid << 8)) >>> 1)

/** One renderer before one parser: what is printed, and how to have it again. */
export interface Trial {
  /** Where the parser runs, e.g. a suite. */
  readonly where: string
  /** Of the test, as in its name. */
  readonly renderer: string
  /** The test's file, from the repository's root. */
  readonly file: string
}

/** `cases` values, the same for the same seed. */
export function sample<Value>(arbitrary: fc.Arbitrary<Value>, count = cases): Value[] {
  return fc.sample(arbitrary, { numRuns: count, seed })
}

/** What a renderer took, and what it refused, by reason. */
export interface Sifted<Given, Rendered> {
  readonly kept: readonly { readonly given: Given; readonly rendered: Rendered }[]
  readonly refused: ReadonlyMap<string, number>
}

/**
 * Renders each. A DeployError is a refusal that a user reads; a RangeError is one of a renderer's own, behind the
 * inputs' judgement, and counts only where `ours` says so. Anything else is a defect.
 */
export function sift<Given, Rendered>(
  given: readonly Given[],
  render: (one: Given) => Rendered,
  ours = false,
): Sifted<Given, Rendered> {
  const kept: { given: Given; rendered: Rendered }[] = []
  const refused = new Map<string, number>()
  for (const one of given) {
    try {
      kept.push({ given: one, rendered: render(one) })
    } catch (error) {
      const reason = reasonOf(error, ours)
      if (reason === undefined)
        throw new Error(`refused without a reason: ${JSON.stringify(one)}`, { cause: error })
      refused.set(reason, (refused.get(reason) ?? 0) + 1)
    }
  }
  return { kept, refused }
}

/** Code and cause without the value and the variable's name. */
function reasonOf(error: unknown, ours: boolean): string | undefined {
  if (error instanceof DeployError) {
    const cause = error.explanations[0]?.cause ?? ''
    const gist = cause
      .replace(/^`[\w-]+`/, 'it')
      .replace(/`.*`|`.*$|"(?:[^"\\]|\\.)*"|\bV_?[0-9]+\w*|\b[0-9]+\b/gs, '…')
    return `${error.code}: ${gist.slice(0, 80)}`
  }
  return ours && error instanceof RangeError ? `RangeError: ${error.message.slice(0, 60)}` : undefined
}

/** The value of an input's reading. @throws DeployError with its faults */
export function accepted<Value>(reading: Reading<Value>): Value {
  if ('value' in reading) return reading.value
  throw new DeployError('bad-inputs', reading.faults)
}

/**
 * Compares what a parser read with what was given, case by case.
 * @throws Error with the first case that differs, and the command that repeats it
 */
export function expectSame(trial: Trial, given: readonly string[], read: readonly string[]): void {
  const at = given.findIndex((text, index) => text !== read[index])
  if (at === -1 && given.length === read.length) return
  const [was, is] = at === -1 ? ['nothing', read[given.length]] : [show(given[at]), show(read[at])]
  throw new Error(
    `${trial.renderer} on ${trial.where}, case ${at} of ${given.length} (${read.length} were read): given ${was}, read ${is}\n` +
      `seed ${seed}; again: ${again(trial)}`,
  )
}

function show(text: string | undefined): string {
  const whole = (JSON.stringify(text) ?? 'nothing').replace(/[^\x20-\x7e]/g, escaped)
  return whole.length > 2000 ? `${whole.slice(0, 2000)}... (${whole.length})` : whole
}

/** As an escape of JavaScript's: what a terminal shows tells too little. */
function escaped(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** The command that repeats a trial. */
export function again({ file, renderer }: Trial): string {
  return `RENDERER_SEED=${seed} RENDERER_CASES=${cases} vitest run --project e2e ${file} -t '${renderer}'`
}

/**
 * Prints what a trial came to.
 * @param share the part of all cases that has to be accepted: a renderer that refuses everything proves nothing
 * @throws Error where fewer are
 */
export function tell(trial: Trial, sifted: Sifted<unknown, unknown>, share: number): void {
  const { kept, refused } = sifted
  const reasons = [...refused].sort(([, one], [, other]) => other - one)
  const rejected = reasons.reduce((sum, [, count]) => sum + count, 0)
  const few = reasons.slice(0, 6).map(([reason, count]) => `${count} ${reason}`)
  const more = reasons.length > few.length ? `; ${reasons.length - few.length} other reasons` : ''
  const why = rejected === 0 ? '' : ` (${few.join('; ')}${more})`
  console.log(
    `${trial.where}: ${trial.renderer}: seed ${seed}, ${kept.length + rejected} cases, ${kept.length} accepted and read back exactly, ${rejected} rejected${why}`,
  )
  if (kept.length < (kept.length + rejected) * share) {
    throw new Error(
      `${trial.renderer} on ${trial.where}: only ${kept.length} were accepted; again: ${again(trial)}`,
    )
  }
}

/**
 * Has a parser read many cases at once. Where that fails, halves lead to one case that it fails with by itself.
 * @throws Error with that case; the first error where all do well apart
 */
export async function eachRead<One>(
  trial: Trial,
  all: readonly One[],
  given: (one: One) => string,
  read: (part: readonly One[]) => Promise<readonly string[]>,
): Promise<void> {
  const attempt = async (part: readonly One[]) => {
    try {
      expectSame(trial, part.map(given), await read(part))
      return undefined
    } catch (error) {
      return error
    }
  }
  const first = await attempt(all)
  if (first === undefined) return
  let part = all
  let fault = first
  while (part.length > 1) {
    const middle = Math.ceil(part.length / 2)
    const halves = [part.slice(0, middle), part.slice(middle)]
    part = []
    for (const half of halves) {
      const found = await attempt(half)
      if (found === undefined) continue
      fault = found
      part = half
      break
    }
  }
  const [one] = part
  if (one === undefined) throw first
  throw new Error(
    `${trial.renderer} on ${trial.where} fails with ${show(given(one))}\nseed ${seed}; again: ${again(trial)}`,
    {
      cause: fault,
    },
  )
}

/** In parts that one program or unit can be given: all its words together have to stay well under 2 MiB. */
export function batches<One>(all: readonly One[], bytes: (one: One) => number, most = 1000): One[][] {
  const parts: One[][] = []
  let part: One[] = []
  let sum = 0
  for (const one of all) {
    const size = bytes(one)
    if (part.length > 0 && (part.length >= most || sum + size > 1_500_000)) {
      parts.push(part)
      part = []
      sum = 0
    }
    part.push(one)
    sum += size
  }
  return part.length > 0 ? [...parts, part] : parts
}
