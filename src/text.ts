/**
 * Shows what a terminal or a log would act on instead of showing: control characters (tab is kept), line and
 * paragraph separators and the marks that reverse the direction of text become escapes such as `\x1b`, `\u202e`.
 * Newlines are escaped too: the result is always one line.
 */
export function visible(text: string): string {
  return text.replace(
    /[\0-\x08\x0a-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]/gu,
    escaped,
  )
}

function escaped(character: string): string {
  if (character === '\n') return '\\n'
  if (character === '\r') return '\\r'
  const hex = (character.codePointAt(0) ?? 0).toString(16)
  return hex.length > 2 ? `\\u${hex.padStart(4, '0')}` : `\\x${hex.padStart(2, '0')}`
}

/** At most `max` bytes of UTF-8 from the start of a text, never half a character; `…` (3 bytes) marks a cut. */
export function cutToBytes(text: string, max: number): string {
  if (text.length * 3 <= max || (text.length <= max && Buffer.byteLength(text) <= max)) return text
  // A UTF-16 unit is at least one byte, so what lies behind `max` of them is cut in any case.
  const bytes = Buffer.from(text.slice(0, max + 1))
  let end = Math.max(0, max - 3)
  // A byte of the form 10xxxxxx continues a character (RFC 3629): step back to where one begins.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1
  return `${bytes.subarray(0, end).toString()}…`
}

/** A value of the user's within a sentence: in backquotes, one line, at most 60 characters. */
export function shown(text: string): string {
  const characters = [...visible(text).replaceAll('\t', '\\t')]
  return `\`${characters.length > 60 ? `${characters.slice(0, 59).join('')}…` : characters.join('')}\``
}

/** A text that a sentence of ours ends with, without the full stop that it has itself. */
export function withoutStop(text: string): string {
  return text.replace(/(?<![.])[.]$/, '')
}
