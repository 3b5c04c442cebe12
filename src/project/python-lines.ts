/** One logical line of Python: brackets closed, backslashes joined. */
export interface PythonLine {
  /** Columns of white space before it (a tab counts as 8, as in Python's own tokenizer). */
  readonly indent: number
  /** The code without comments; every string is reduced to `''`. */
  readonly text: string
}

/** What ends a bracket that was never closed, so that one odd line does not swallow the rest of the file. */
const newStatement = /^(?:def|class|async|import|from|@|if __name__)\b/

/**
 * Splits Python source into logical lines, well enough to find what a module binds. It never fails: on source that
 * is no Python the answer is merely of no use.
 */
export function pythonLines(source: string): readonly PythonLine[] {
  const lines: PythonLine[] = []
  let at = 0
  let text = ''
  let depth = 0

  const emit = (): void => {
    const expanded = text.replace(/^\s+/, (white) => white.replaceAll('\t', ' '.repeat(8)))
    const indent = expanded.length - expanded.trimStart().length
    // A semicolon outside of brackets parts two statements; strings are gone, so what is left of them is real.
    if (expanded.trim() !== '') {
      for (const part of splitOutside(expanded, ';')) {
        if (part.trim() !== '') lines.push({ indent, text: part.trim() })
      }
    }
    text = ''
    depth = 0
  }

  while (at < source.length) {
    const char = source.charAt(at)
    if (char === '#') {
      const end = source.indexOf('\n', at)
      at = end === -1 ? source.length : end
    } else if (char === '"' || char === "'") {
      at = afterString(source, at)
      text += "''"
    } else if (char === '\\' && /^\\\r?\n/.test(source.slice(at, at + 3))) {
      at = source.indexOf('\n', at) + 1
      text += ' '
    } else if (char === '\n') {
      at += 1
      if (depth === 0 || newStatement.test(source.slice(at, at + 20))) emit()
      else text += ' '
    } else {
      if ('([{'.includes(char)) depth += 1
      else if (')]}'.includes(char)) depth = Math.max(depth - 1, 0)
      if (char !== '\r') text += char
      at += 1
    }
  }
  emit()
  return lines
}

/** @returns the index behind the string that begins at `at`; an unfinished one ends with its line */
function afterString(source: string, at: number): number {
  const quote = source.charAt(at)
  const triple = source.startsWith(quote.repeat(3), at)
  const end = triple ? quote.repeat(3) : quote
  let here = at + end.length
  while (here < source.length) {
    const char = source.charAt(here)
    if (char === '\\') here += 2
    else if (source.startsWith(end, here)) return here + end.length
    else if (char === '\n' && !triple) return here
    else here += 1
  }
  return source.length
}

/** Splits at a separator that stands outside of brackets. The text must hold no strings. */
export function splitOutside(text: string, separator: string): readonly string[] {
  const parts: string[] = []
  let depth = 0
  let start = 0
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charAt(at)
    if ('([{'.includes(char)) depth += 1
    else if (')]}'.includes(char)) depth -= 1
    else if (char === separator && depth <= 0) {
      parts.push(text.slice(start, at))
      start = at + 1
    }
  }
  parts.push(text.slice(start))
  return parts
}
