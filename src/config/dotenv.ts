import { DeployError, type Explanation } from '../errors.ts'
import { VARIABLE_NAME, valueFault } from './env-file.ts'

/*
 * The format of the input `env`. One variable a line; every text that can be an environment variable can be written.
 *
 *   # a comment, and blank lines, are skipped
 *   NAME=the rest of the line as it stands, without the blanks around it
 *   export NAME=the same
 *   NAME='as it stands, over
 *   several lines too; only a single quote cannot be in it'
 *   NAME="the same with escapes: \n \r \t \\ \" \$ \u00e9 \u{1f600}"   # a comment may follow a closing quote
 *
 * Nothing is expanded: `$HOME` stays `$HOME`. Where other readers of such files disagree about a line (a `#` in a
 * value without quotes, text after a closing quote, an unknown escape), it is refused rather than guessed at.
 */

const CURES = {
  assignment: 'Write `NAME=value`, and put a value of several lines into quotes.',
  name: 'Begin with a letter or `_`, and go on with letters, digits and `_`.',
  quote: 'Put the value into single quotes, or take the part from `#` on away.',
  escape:
    'Use \\n \\r \\t \\\\ \\" \\$ \\u00e9 \\u{1f600}, write \\\\ for a backslash, or use single quotes.',
  after: 'Put the whole value into one pair of quotes; inside double quotes write \\" for a quote.',
} as const

/**
 * Reads the input `env`.
 * @returns the variables in the order of the text
 * @throws DeployError `env-invalid` with every fault and its line number; never with a part of a value
 */
export function parseDotenv(text: string): ReadonlyMap<string, string> {
  const reader = new Reader(text)
  reader.read()
  if (reader.faults.length > 0) throw new DeployError('env-invalid', reader.faults)
  return reader.variables
}

/**
 * Writes variables so that `parseDotenv` reads the same ones back.
 * @throws RangeError for what no environment variable can be
 */
export function formatDotenv(variables: ReadonlyMap<string, string>): string {
  return [...variables].map(([name, value]) => `${name}=${formatValue(name, value)}\n`).join('')
}

function formatValue(name: string, value: string): string {
  const fault = VARIABLE_NAME.test(name) ? valueFault(value) : 'is not a name'
  if (fault !== undefined) throw new RangeError(`${name} ${fault}`)
  if (/^[A-Za-z0-9_./:@%+,=-]*$/.test(value)) return value
  if (!value.includes("'") && !/[\p{Cc}--\n]/v.test(value)) return `'${value}'`
  return `"${value.replace(/[\\"$]/g, '\\$&').replace(/\p{Cc}/gu, escapeControl)}"`
}

function escapeControl(character: string): string {
  const short = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }[character]
  return short ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** One pass over the text; `at` is always the start of a line between two variables. */
class Reader {
  readonly variables = new Map<string, string>()
  readonly faults: Explanation[] = []
  readonly #text: string
  /** Where each variable was first set, by line. */
  readonly #seen = new Map<string, number>()
  #at = 0
  #line = 1

  constructor(text: string) {
    this.#text = text.startsWith('\uFEFF') ? text.slice(1) : text
  }

  read(): void {
    while (this.#at < this.#text.length) this.#assignment()
  }

  #assignment(): void {
    const line = this.#line
    const head = this.#match(/[ \t]*(?:export[ \t]+)?([^=\s]*)[ \t]*=[ \t]*/y)
    if (head === undefined || /^[ \t]*#/.test(head[0])) {
      const rest = this.#restOfLine()
      if (!/^[ \t]*(#|$)/.test((head?.[0] ?? '') + rest))
        this.#fault(line, 'is not `NAME=value`', CURES.assignment)
      return
    }
    const name = head[1] ?? ''
    const named = VARIABLE_NAME.test(name)
    // What stands before `=` may be a line of somebody's key, so a text that is no name is not repeated.
    if (!named) this.#fault(line, 'does not begin with a name that a variable can have', CURES.name)
    const value = this.#value(line, named ? name : 'A variable')
    if (value === undefined || !named) return
    const before = this.#seen.get(name)
    if (before !== undefined) {
      this.#fault(line, `sets ${name} again, which line ${before} has set`, 'Keep one of the two lines.')
      return
    }
    this.#seen.set(name, line)
    this.variables.set(name, value)
  }

  /** Reads up to and with the end of the line; undefined where there was a fault. */
  #value(line: number, name: string): string | undefined {
    const quote = this.#match(/['"]/y)?.[0]
    const value = quote === undefined ? this.#unquoted(line, name) : this.#quoted(line, name, quote)
    const fault = value === undefined ? undefined : valueFault(value)
    if (fault === undefined) return value
    this.#fault(
      line,
      `gives ${name} a value that ${fault}`,
      'Give the value in base64 and decode it in the app.',
    )
    return undefined
  }

  #unquoted(line: number, name: string): string | undefined {
    const rest = this.#restOfLine().replace(/[ \t]+$/, '')
    if (/(^|[ \t])#/.test(rest)) {
      this.#fault(
        line,
        `has a \`#\` in the value of ${name}, where many readers would begin a comment`,
        CURES.quote,
      )
      return undefined
    }
    if (rest.includes('\r')) {
      this.#fault(
        line,
        `has a carriage return within the value of ${name}`,
        'Write \\r within double quotes.',
      )
      return undefined
    }
    return rest
  }

  #quoted(line: number, name: string, quote: string): string | undefined {
    const body = this.#match(quote === "'" ? /([^']*)'/y : /([^"\\]*(?:\\[\s\S][^"\\]*)*)"/y)?.[1]
    if (body === undefined) {
      this.#fault(line, `opens a quote for ${name} that is never closed`, `Close it with ${quote}.`)
      // Everything that follows might be inside of it.
      this.#at = this.#text.length
      return undefined
    }
    const clean = /^[ \t]*(#|$)/.test(this.#restOfLine())
    if (!clean) this.#fault(line, `has text after the closing quote of ${name}`, CURES.after)
    const value = quote === "'" ? body : unescaped(body)
    if (value === undefined) this.#fault(line, `has an unknown escape in the value of ${name}`, CURES.escape)
    return clean ? value : undefined
  }

  /** The text up to the end of this line, which is passed over. */
  #restOfLine(): string {
    return this.#match(/([^\n]*?)\r?(?:\n|$)/y)?.[1] ?? ''
  }

  #match(sticky: RegExp): RegExpExecArray | undefined {
    sticky.lastIndex = this.#at
    const found = sticky.exec(this.#text) ?? undefined
    if (found !== undefined) {
      this.#at = sticky.lastIndex
      this.#line += found[0].split('\n').length - 1
    }
    return found
  }

  #fault(line: number, what: string, cure: string): void {
    this.faults.push({ cause: `Line ${line} of \`env\` ${what}.`, cure, input: 'env' })
  }
}

const ESCAPED: ReadonlyMap<string, string> = new Map([
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['\\', '\\'],
  ['"', '"'],
  ['$', '$'],
])

/** The text that stands within double quotes; undefined for an escape that the format does not know. */
function unescaped(body: string): string | undefined {
  let known = true
  const text = body.replace(
    /\\(?:u([0-9A-Fa-f]{4})|u\{([0-9A-Fa-f]{1,6})\}|([\s\S]))/g,
    (_: string, four?: string, braces?: string, one?: string) => {
      const hex = four ?? braces
      const character = hex === undefined ? ESCAPED.get(one ?? '') : codePoint(Number.parseInt(hex, 16))
      known &&= character !== undefined
      return character ?? ''
    },
  )
  return known ? text : undefined
}

/** `\uD83D\uDE00` is one character, as in JSON: its two halves meet in the text. */
function codePoint(code: number): string | undefined {
  return code <= 0x10ffff ? String.fromCodePoint(code) : undefined
}
