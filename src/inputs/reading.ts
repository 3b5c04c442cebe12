import type { Explanation } from '../errors.ts'
import type { InputName } from './declared.ts'

/** What came of reading one input: its value, or every fault in it. */
export type Reading<Value> = { readonly value: Value } | { readonly faults: readonly Explanation[] }

/** Reads one input's text (never blank, its default already in place); says what is wrong instead of throwing. */
export type Kind<Value> = (text: string, input: InputName) => Reading<Value>

/** A good reading. */
export function good<Value>(value: Value): { readonly value: Value } {
  return { value }
}

/**
 * A bad reading with one fault. `wrong` completes the sentence that begins with the input's name; `right` is a
 * whole sentence that tells the right form.
 */
export function bad(
  input: InputName,
  wrong: string,
  right: string,
): { readonly faults: readonly Explanation[] } {
  return { faults: [{ cause: `\`${input}\` ${wrong}.`, cure: right, input }] }
}

/** The faults of a reading, none where it is good. */
export function faultsOf(reading: Reading<unknown>): readonly Explanation[] {
  return 'faults' in reading ? reading.faults : []
}

/** A text without what YAML, a web form or an editor puts around it: CRLF line ends, blank ends. */
export function tidy(text: string): string {
  return text.replaceAll('\r\n', '\n').trim()
}

/** The character that a plain text must not hold: control characters but tab and newline, and half surrogates. */
export function oddCharacter(text: string): string | undefined {
  return /[\0-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]/u.exec(text)?.[0]
}

/** Whether a text holds a Unicode noncharacter, such as U+FFFE: systemd takes it for broken UTF-8 and starts nothing. */
export function hasNoncharacter(text: string): boolean {
  return /\p{Noncharacter_Code_Point}/u.test(text)
}

/** Its items, one a line, blank lines left out, each without blank ends. */
export function linesOf(text: string): readonly string[] {
  return tidy(text)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
}

/**
 * A list of one item a line; every line's faults are reported. The one word `none` is the empty list, for inputs
 * whose default is not empty.
 */
export function list<Value>(kind: Kind<Value>): Kind<readonly Value[]> {
  return (text, input) => {
    const lines = linesOf(text)
    if (lines.length === 1 && lines[0] === 'none') return good([])
    return all(lines.map((line) => kind(line, input)))
  }
}

/** Several readings as one: all values, or all faults. */
export function all<Value>(readings: readonly Reading<Value>[]): Reading<readonly Value[]> {
  const faults = readings.flatMap(faultsOf)
  if (faults.length > 0) return { faults }
  return good(readings.flatMap((reading) => ('value' in reading ? [reading.value] : [])))
}

/** A reading carried on to the next judgement where it is good. */
export function andThen<First, Second>(
  reading: Reading<First>,
  next: (value: First) => Reading<Second>,
): Reading<Second> {
  return 'value' in reading ? next(reading.value) : reading
}
