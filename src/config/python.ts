/**
 * Writes a text as a Python string literal in ASCII: the only way a value gets into Python source of ours.
 * Escapes as in the Python reference, 2.4.1 "String and Bytes literals"; every text can be written.
 */
export function pythonString(text: string): string {
  const body = text.replace(/[^\x20-\x7e]|["\\]/gu, (character) => {
    if (character === '"' || character === '\\') return `\\${character}`
    const code = character.codePointAt(0) ?? 0
    return code > 0xffff ? `\\U${hex(code, 8)}` : `\\u${hex(code, 4)}`
  })
  return `"${body}"`
}

/** Writes texts as a Python list. */
export function pythonList(texts: readonly string[]): string {
  return `[${texts.map(pythonString).join(', ')}]`
}

/**
 * Says whether a text is a dotted name that Python can import or look up, e.g. `shop.web`.
 * By the Python reference, 2.3 "Identifiers", less the characters that only NFKC makes fit.
 */
export function isDottedName(text: string): boolean {
  return /^[\p{XIDS}_]\p{XIDC}*(?:\.[\p{XIDS}_]\p{XIDC}*)*$/u.test(text)
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0')
}
