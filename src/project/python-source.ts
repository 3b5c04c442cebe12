import { type Binding, mainGuard, moduleBindings } from './python-bindings.ts'
import { type PythonLine, pythonLines } from './python-lines.ts'

/** What a function at the top level of a module does, as far as it matters for finding the app. */
export interface PythonFunction {
  /** The names behind `@`. */
  readonly decorators: readonly string[]
  /** The names that its body binds. */
  readonly bindings: readonly Binding[]
  /** What it returns, as written. */
  readonly returned: readonly string[]
  /** The type behind `->`. */
  readonly annotation: string | undefined
  /** Statements of its body that could start a server. */
  readonly calls: readonly string[]
}

/** A module as it is read. */
export interface PythonSource {
  /** What it binds when it is imported, in order. */
  readonly bindings: readonly Binding[]
  /** What it binds under `if __name__ == '__main__'`. */
  readonly guarded: readonly Binding[]
  readonly functions: ReadonlyMap<string, PythonFunction>
  /** Class -> what it is derived from. */
  readonly classes: ReadonlyMap<string, readonly string[]>
  /** Modules of which everything is imported (`from x import *`). */
  readonly stars: readonly string[]
  /** Statements that run when it is imported: calls at its top level, and lines that read the command line. */
  readonly calls: readonly string[]
}

const definition = /^(?:async\s+)?def\s+([\p{L}_][\p{L}\p{M}\p{N}_]*)\s*\(/u
const classed = /^class\s+([\p{L}_][\p{L}\p{M}\p{N}_]*)\s*(?:\((.*)\))?\s*:/u
const star = /^from\s+([.\s]*[\p{L}\p{M}\p{N}_.]*)\s+import\s+\(?\s*\*/u
const call = /(?:^|=\s*)(?:await\s+)?[\p{L}_][\p{L}\p{M}\p{N}_.]*\s*\(/u
const commandLine = /\bsys\.argv\b|\bparse_(?:known_)?args\s*\(/
/** `with app.app_context():` at the top level is the mark of a job that runs once. */
const context = /\bapp_context\s*\(/

type Scope =
  | { readonly kind: 'module' | 'guard' | 'hidden' }
  | { readonly kind: 'function'; readonly body: Body }

interface Body {
  /** Columns before its first line. */
  indent: number | undefined
  readonly lines: string[]
  readonly returned: string[]
  readonly calls: string[]
}

/** Reads a module; nothing is run, and source that is no Python gives an answer that is of no use. */
export function readSource(source: string): PythonSource {
  const functions = new Map<string, PythonFunction>()
  const classes = new Map<string, readonly string[]>()
  const stars: string[] = []
  const calls: string[] = []
  const guarded: string[] = []
  const bodies = new Map<
    string,
    { readonly line: PythonLine; readonly decorators: readonly string[]; body: Body }
  >()
  const blocks: { readonly indent: number; readonly scope: Scope }[] = []
  let decorators: string[] = []

  for (const line of pythonLines(source.replace(/^\u{FEFF}/u, ''))) {
    while ((blocks.at(-1)?.indent ?? -1) >= line.indent) blocks.pop()
    const scope: Scope = blocks.at(-1)?.scope ?? { kind: 'module' }
    const { text } = line
    if (text.startsWith('@')) {
      decorators.push(text.slice(1).replace(/\(.*$/s, '').trim())
      continue
    }
    let inside = scope
    const def = definition.exec(text)
    const name = def?.[1]
    if (name !== undefined) {
      if (scope.kind === 'module') {
        const body: Body = { indent: undefined, lines: [], returned: [], calls: [] }
        bodies.set(name, { line, decorators, body })
        inside = { kind: 'function', body }
        oneLine(text, body)
      } else inside = { kind: 'hidden' }
    } else if (/^class\b/.test(text)) {
      const [, own = '', parents = ''] = classed.exec(text) ?? []
      if (scope.kind === 'module')
        classes.set(
          own,
          parents.split(',').map((one) => one.trim()),
        )
      inside = { kind: 'hidden' }
    } else if (mainGuard.test(text)) inside = { kind: scope.kind === 'module' ? 'guard' : 'hidden' }
    else note(text, line.indent, scope, { stars, calls, guarded })
    decorators = []
    if (inside !== scope || text.endsWith(':')) blocks.push({ indent: line.indent, scope: inside })
  }

  for (const [name, { line, decorators: above, body }] of bodies) {
    functions.set(name, {
      decorators: above,
      bindings: moduleBindings(body.lines.join('\n')),
      returned: body.returned,
      annotation: /->\s*([^:]+):/.exec(line.text)?.[1]?.trim(),
      calls: body.calls,
    })
  }
  return {
    bindings: moduleBindings(source),
    guarded: moduleBindings(guarded.join('\n')),
    functions,
    classes,
    stars,
    calls,
  }
}

function note(
  text: string,
  indent: number,
  scope: Scope,
  module: { readonly stars: string[]; readonly calls: string[]; readonly guarded: string[] },
): void {
  // An exit within an `if` is a way out of an error; at a module's own level the app says best why it ends.
  const exits = /^(?:sys\.exit|exit|quit|os\._exit)\s*\(/.test(text)
  if (scope.kind === 'function') {
    const returned = /^return\s+(.+)$/s.exec(text)?.[1]
    if (returned !== undefined) scope.body.returned.push(returned)
    else scope.body.lines.push(text)
    scope.body.indent ??= indent
    if (call.test(text) && !(exits && indent > scope.body.indent)) scope.body.calls.push(text)
  } else if (scope.kind === 'guard') module.guarded.push(text)
  else if (scope.kind === 'module') {
    const from = star.exec(text)?.[1]
    if (from !== undefined) module.stars.push(from.replaceAll(/\s/g, ''))
    if (commandLine.test(text) || context.test(text) || (call.test(text) && !exits)) module.calls.push(text)
  }
}

/** `def create_app(): return Flask(__name__)` */
function oneLine(text: string, body: Body): void {
  const returned = /:\s*return\s+(.+)$/s.exec(text)?.[1]
  if (returned !== undefined) body.returned.push(returned)
}
