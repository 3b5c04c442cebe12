import { cutToBytes, visible } from '../text.ts'

/** What a word of a fact may be: it stands in the log, in a program and in nginx's files. */
export const WORD = /^[\w.+:~-]{1,100}$/

/** An absolute path in one line. */
export const PATH = /^\/[\x21-\x7e]{1,500}$/

/** A word of the system's, `unknown` where it is none. */
export function word(text: string): string {
  return WORD.test(text) ? text : 'unknown'
}

/** A text that is only ever shown. */
export function shortly(text: string): string {
  return cutToBytes(visible(text), 200)
}

/** `KEY VALUE` lines; of several with one key the last. */
export function pairs(lines: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    lines.map((line) => {
      const space = line.indexOf(' ')
      return space < 0 ? [line, ''] : [line.slice(0, space), line.slice(space + 1)]
    }),
  )
}

/** Seconds since 1970 as ms; what no calendar has is none. */
export function instant(text: string | undefined): number {
  return text !== undefined && text.length <= 11 ? natural(text) * 1000 : 0
}

/** A number in digits; 0 for anything else. */
export function natural(text: string | undefined): number {
  return text !== undefined && /^[0-9]{1,15}$/.test(text) ? Number(text) : 0
}
