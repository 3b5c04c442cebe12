/** A command for `/bin/sh FILE`. */
export interface Script {
  readonly text: string
  /** The program takes the shell's place, so that systemd's signals reach it. */
  readonly replaces: boolean
}

/** Words that begin or end something longer than a simple command (POSIX, "Reserved Words"). */
const RESERVED =
  /^(?:!|\{|\}|case|do|done|elif|else|esac|exec|exit|fi|for|if|in|return|then|until|wait|while)$/

/**
 * Has the shell replace itself by the last command of a line, `a && b` by b, as a Procfile's runner does: a shell that
 * stays would be told to stop in the program's place. What is no list of simple commands stays as it is.
 */
export function replacing(command: string): Script {
  const begin = lastCommand(command)
  if (begin === undefined) return { text: command, replaces: false }
  const head = command.slice(0, begin)
  const [, blank = '', variables = '', rest = ''] =
    /^(\s*)((?:[A-Za-z_][A-Za-z0-9_]*=(?:[^\s'"\\$`]*|'[^']*'|"[^"\\$`]*")\s+)*)([\s\S]*)$/.exec(
      command.slice(begin),
    ) ?? []
  const word = /^\S*/.exec(rest)?.[0] ?? ''
  if (word === 'exec') return { text: command, replaces: true }
  if (word === '' || RESERVED.test(word) || /^[A-Za-z_][A-Za-z0-9_]*=/.test(word)) {
    return { text: command, replaces: false }
  }
  return { text: `${head}${blank}${variables}exec ${rest}`, replaces: true }
}

/** Where the last command of a list (`&&`, `;`) begins; undefined where the line is more than such a list. */
function lastCommand(command: string): number | undefined {
  let begin = 0
  for (let at = 0; at < command.length; at += 1) {
    const here = command.charAt(at)
    if (here === '\\') {
      at += 1
    } else if (here === "'" || here === '"') {
      const end = closing(command, at)
      if (end === undefined) return undefined
      at = end
    } else if (here === '&') {
      const redirects = command.charAt(at - 1) === '>'
      if (redirects) continue
      if (command.charAt(at + 1) !== '&') return undefined
      at += 1
      begin = at + 1
    } else if (here === ';' && command.charAt(at + 1) !== ';') {
      begin = at + 1
    } else if (/[|()`{}#\n]/.test(here) && !isExpansion(command, at)) {
      return undefined
    } else if (here === '<' && command.charAt(at + 1) === '<') {
      return undefined
    }
  }
  return begin
}

/** The brace of `${NAME}`, or a `#` within a word. */
function isExpansion(command: string, at: number): boolean {
  const here = command.charAt(at)
  if (here === '{') return command.charAt(at - 1) === '$'
  if (here === '}') return /\$\{[^{}\s]*$/.test(command.slice(0, at))
  return here === '#' && at > 0 && !/\s/.test(command.charAt(at - 1))
}

/** Where a quoted part ends; undefined where it does not, or holds a command of its own. */
function closing(command: string, begin: number): number | undefined {
  const quote = command.charAt(begin)
  for (let at = begin + 1; at < command.length; at += 1) {
    const here = command.charAt(at)
    if (here === quote) return at
    if (quote === '"' && here === '\\') at += 1
  }
  return undefined
}
