/** One simple command of a shell script. */
export interface Step {
  /** Its words without their quotes; variables stand in them as they were written. Redirections are left out. */
  readonly words: readonly string[]
  /** The command as it was written, for another shell to run. */
  readonly text: string
  /** It runs whenever the script does: not in an `if`, a loop, a `case`, a function, or behind `&&` of a test. */
  readonly always: boolean
  /** It is left running (`&`). */
  readonly background: boolean
}

interface Token {
  readonly kind: 'word' | 'operator'
  /** A word without its quotes. */
  readonly value: string
  readonly start: number
  readonly end: number
  /** A word that had quotes is no keyword of the shell. */
  readonly quoted: boolean
}

const opening: ReadonlySet<string> = new Set(['if', 'while', 'until', 'for', 'case', 'select', '{'])
const closing: ReadonlySet<string> = new Set(['fi', 'done', 'esac', '}'])
const between: ReadonlySet<string> = new Set(['then', 'do', 'else', 'elif', '!', 'time', 'function'])
/** What is bound together by these is one command: `flask db upgrade || true`. */
const joining: ReadonlySet<string> = new Set(['||', '|', '|&'])

/**
 * Splits shell text into its commands at `&&`, `;`, `&` and line ends (POSIX, Shell Command Language, 2.9), well enough
 * to find a server's start among them. It runs nothing and never fails.
 */
export function shellSteps(source: string): readonly Step[] {
  const text = source.replaceAll('\r\n', '\n')
  const steps: Step[] = []
  let depth = 0
  let brackets = 0
  let words: Token[] = []
  let joined = false
  // What follows `test && ` depends on the test.
  let conditional = false

  const emit = (operator: string): void => {
    const [first] = words
    const last = words.at(-1)
    if (first !== undefined && last !== undefined) {
      const plain = withoutRedirections(words)
      const always = depth === 0 && !conditional
      steps.push({
        words: plain.map((one) => one.value),
        text: text.slice(first.start, last.end),
        always,
        background: operator === '&',
      })
      const asks = ['[', '[[', 'test', 'command', 'which'].includes(plain[0]?.value ?? '')
      conditional = operator === '&&' && (conditional || asks || joined)
    } else if (operator !== '&&') conditional = false
    words = []
    joined = false
  }

  for (const token of tokens(text)) {
    if (token.kind === 'word') {
      const keyword = words.length === 0 && !token.quoted ? token.value : ''
      if (opening.has(keyword)) depth += 1
      else if (closing.has(keyword)) depth = Math.max(depth - 1, 0)
      else if (!between.has(keyword)) words.push(token)
      continue
    }
    if (token.value === '(') {
      // `name()` begins a function, `(` a subshell, and neither's name is a command.
      words = []
      brackets += 1
      depth += 1
    } else if (token.value === ')') {
      // A pattern of a `case` has no opening bracket.
      if (brackets === 0) words = []
      else {
        emit(';')
        brackets -= 1
        depth = Math.max(depth - 1, 0)
      }
    } else if (joining.has(token.value)) {
      if (words.length > 0) {
        joined = true
        words.push(token)
      }
    } else emit(token.value)
  }
  emit('\n')
  return steps.filter((step) => step.words.length > 0)
}

/** The words of one command line, without quotes; what follows its end is left out. */
export function shellWords(line: string): readonly string[] {
  return shellSteps(line)[0]?.words ?? []
}

/** Up to the first `||` or `|`, and without `> file`. */
function withoutRedirections(words: readonly Token[]): readonly Token[] {
  const end = words.findIndex((one) => one.kind === 'operator')
  const own = end === -1 ? words : words.slice(0, end)
  const kept: Token[] = []
  for (let at = 0; at < own.length; at += 1) {
    const one = own[at]
    if (one === undefined) continue
    const redirection = one.quoted ? null : /^(?:\d*|&)(?:>>?|<)(?:&[\d-]+|(.+))?$/.exec(one.value)
    if (redirection === null) kept.push(one)
    else if (/[<>]$/.test(one.value)) at += 1
  }
  return kept
}

function* tokens(text: string): Generator<Token> {
  let at = 0
  let delimiters: string[] = []
  while (at < text.length) {
    const rest = text.slice(at, at + 2)
    const char = text.charAt(at)
    if (char === '\n') {
      yield { kind: 'operator', value: '\n', start: at, end: at + 1, quoted: false }
      at += 1
      for (const delimiter of delimiters) at = afterHereDocument(text, at, delimiter)
      delimiters = []
    } else if (/\s/.test(char)) at += 1
    else if (rest === '\\\n') at += 2
    else if (char === '#') at = lineEnd(text, at)
    else if (['&&', '||', ';;', '|&'].includes(rest)) {
      yield { kind: 'operator', value: rest, start: at, end: at + 2, quoted: false }
      at += 2
    } else if (';&|()'.includes(char) && !/^&>/.test(rest)) {
      yield { kind: 'operator', value: char, start: at, end: at + 1, quoted: false }
      at += 1
    } else {
      const word = wordAt(text, at)
      const here = /^<<-?(.+)$/.exec(word.value)
      if (here?.[1] !== undefined && !here[1].startsWith('<')) delimiters.push(here[1])
      else yield { kind: 'word', value: word.value, start: at, end: word.end, quoted: word.quoted }
      at = word.end
    }
  }
}

function wordAt(
  text: string,
  start: number,
): { readonly value: string; readonly end: number; readonly quoted: boolean } {
  let at = start
  let value = ''
  let quoted = false
  while (at < text.length) {
    const char = text.charAt(at)
    if (char === "'") {
      const end = text.indexOf("'", at + 1)
      value += text.slice(at + 1, end === -1 ? text.length : end)
      at = end === -1 ? text.length : end + 1
      quoted = true
    } else if (char === '"') {
      at += 1
      while (at < text.length && text.charAt(at) !== '"') {
        if (text.startsWith('$(', at)) {
          const end = afterSubstitution(text, at)
          value += text.slice(at, end)
          at = end
          continue
        }
        if (text.charAt(at) === '\\' && '"\\$`'.includes(text.charAt(at + 1))) at += 1
        value += text.charAt(at)
        at += 1
      }
      at += 1
      quoted = true
    } else if (text.startsWith('$(', at) || char === '`' || text.startsWith('${', at)) {
      const end = afterSubstitution(text, at)
      value += text.slice(at, end)
      at = end
    } else if (text.startsWith('\\\n', at)) at += 2
    else if (char === '\\') {
      value += text.charAt(at + 1)
      at += 2
    } else if (char === '&' && /[<>]$/.test(value)) {
      value += char
      at += 1
    } else if (/[\s;&|()]/.test(char)) {
      // `&>file` and `>&2` are one word.
      if (char === '&' && value === '' && text.charAt(at + 1) === '>') {
        value += '&>'
        at += 2
      } else break
    } else {
      value += char
      at += 1
    }
  }
  return { value, end: Math.max(at, start + 1), quoted }
}

/** @returns the index behind a `$(...)`, `${...}` or one in backquotes */
function afterSubstitution(text: string, start: number): number {
  if (text.charAt(start) === '`') {
    const end = text.indexOf('`', start + 1)
    return end === -1 ? text.length : end + 1
  }
  const open = text.charAt(start + 1)
  const close = open === '(' ? ')' : '}'
  let depth = 0
  for (let at = start + 1; at < text.length; at += 1) {
    if (text.charAt(at) === open) depth += 1
    else if (text.charAt(at) === close) depth -= 1
    if (depth === 0) return at + 1
  }
  return text.length
}

function afterHereDocument(text: string, start: number, delimiter: string): number {
  let at = start
  while (at < text.length) {
    const end = lineEnd(text, at)
    if (text.slice(at, end).trim() === delimiter) return end
    at = end + 1
  }
  return text.length
}

function lineEnd(text: string, at: number): number {
  const end = text.indexOf('\n', at)
  return end === -1 ? text.length : end
}

/**
 * Puts the values of variables in: `$X`, `${X}`, `${X:-other}`. One that is not known stays as it is written.
 * @param known name -> value
 */
export function expanded(word: string, known: ReadonlyMap<string, string>): string {
  return word.replaceAll(
    /\$(?:(\w+)|\{(\w+)(?::?[-=]([^}]*))?\})/g,
    (whole, plain: string | undefined, braced: string | undefined, other: string | undefined) =>
      known.get(plain ?? braced ?? '') ?? other ?? whole,
  )
}

/** `NAME=VALUE`, as it stands in front of a command. */
export function assignment(word: string): readonly [name: string, value: string] | undefined {
  const [, name, value] = /^([A-Za-z_]\w*)=(.*)$/s.exec(word) ?? []
  return name === undefined || value === undefined ? undefined : [name, value]
}
