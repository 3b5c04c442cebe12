import { type PythonLine, pythonLines, splitOutside } from './python-lines.ts'

/** A name that a module gives a meaning to at its top level. */
export type Binding =
  | { readonly kind: 'assign'; readonly name: string; readonly value: string }
  | {
      readonly kind: 'def'
      readonly name: string
      readonly required: readonly string[]
      readonly async: boolean
    }
  | { readonly kind: 'class'; readonly name: string }
  /** `from MODULE import ORIGINAL as NAME`; `original` undefined: `import MODULE as NAME`. */
  | {
      readonly kind: 'import'
      readonly name: string
      readonly module: string
      readonly original: string | undefined
    }

const identifier = '[\\p{L}_][\\p{L}\\p{M}\\p{N}_]*'
const assignment = new RegExp(
  `^(${identifier}(?:\\s*,\\s*${identifier})*)\\s*(?::[^=]+)?=(?!=)\\s*(.*)$`,
  'u',
)
const definition = new RegExp(`^(async\\s+)?def\\s+(${identifier})\\s*\\((.*)$`, 'u')
const classDefinition = new RegExp(`^class\\s+(${identifier})`, 'u')
const fromImport = /^from\s+([.\s]*[\p{L}\p{M}\p{N}_.]*)\s+import\s+\(?(.*?)\)?$/u
const plainImport = /^import\s+(.+)$/u
/** `if __name__ == '__main__'`: what stands below runs only where the file is a script. */
export const mainGuard = /^(?:el)?if\b.*\b__name__\s*(?:==|in\b)|^(?:el)?if\b.*==\s*__name__\b/

/**
 * The names that a module binds when it is imported, in order, those inside of `if`, `try` and `with` too, but for
 * what stands under `if __name__ == '__main__'`. Star imports are left out. Nothing is run.
 */
export function moduleBindings(source: string): readonly Binding[] {
  const bindings: Binding[] = []
  const blocks: { indent: number; hidden: boolean }[] = []
  for (const line of pythonLines(source.replace(/^\u{FEFF}/u, ''))) {
    while ((blocks.at(-1)?.indent ?? -1) >= line.indent) blocks.pop()
    const hidden = blocks.at(-1)?.hidden === true
    if (!hidden) bindings.push(...bindingsOf(line))
    const scope = /^(?:async\s+def|def|class)\b/.test(line.text) || mainGuard.test(line.text)
    if (scope || line.text.endsWith(':')) blocks.push({ indent: line.indent, hidden: hidden || scope })
  }
  return bindings
}

function bindingsOf({ text }: PythonLine): readonly Binding[] {
  const def = definition.exec(text)
  if (def) {
    return [
      {
        kind: 'def',
        name: def[2] ?? '',
        required: requiredParameters(def[3] ?? ''),
        async: def[1] !== undefined,
      },
    ]
  }
  const classed = classDefinition.exec(text)
  if (classed) return [{ kind: 'class', name: classed[1] ?? '' }]
  const from = fromImport.exec(text)
  if (from) {
    const module = (from[1] ?? '').replaceAll(/\s/g, '')
    return splitOutside(from[2] ?? '', ',').flatMap((part) => {
      const [original, name] = aliased(part)
      return original === '' || original === '*' ? [] : [{ kind: 'import' as const, name, module, original }]
    })
  }
  const plain = plainImport.exec(text)
  if (plain) {
    return splitOutside(plain[1] ?? '', ',').map((part) => {
      const [module, name] = aliased(part)
      return {
        kind: 'import' as const,
        name: name === module ? (module.split('.')[0] ?? '') : name,
        module,
        original: undefined,
      }
    })
  }
  return assigned(text)
}

/** `a = b = value` and `a, b = value` bind both names. */
function assigned(text: string): readonly Binding[] {
  const names: string[] = []
  let value = text
  for (let match = assignment.exec(value); match !== null; match = assignment.exec(value)) {
    names.push(...(match[1] ?? '').split(',').map((name) => name.trim()))
    value = match[2] ?? ''
  }
  return names.map((name) => ({ kind: 'assign', name, value }))
}

function aliased(part: string): readonly [string, string] {
  const [original = '', alias] = part.trim().split(/\s+as\s+/)
  return [original, alias ?? original]
}

/** The parameters without a default, from the text behind a def's opening bracket. */
function requiredParameters(behind: string): readonly string[] {
  let depth = 1
  let end = 0
  for (; end < behind.length && depth > 0; end += 1) {
    if ('([{'.includes(behind.charAt(end))) depth += 1
    else if (')]}'.includes(behind.charAt(end))) depth -= 1
  }
  return splitOutside(behind.slice(0, depth === 0 ? end - 1 : end), ',')
    .map((one) => one.trim())
    .filter((one) => one !== '' && !one.startsWith('*') && one !== '/')
    .filter((one) => splitOutside(one, '=').length === 1)
    .map((one) => one.replace(/\s*:.*$/s, ''))
}
