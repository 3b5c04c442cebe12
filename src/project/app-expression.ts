/** A well-formed `app` input. */
export interface AppExpression {
  readonly module: string
  /** undefined: the module alone was given. */
  readonly attribute: string | undefined
  readonly factory: boolean
  /** The text behind the colon, e.g. `create_app("prod")`; undefined with `attribute`. */
  readonly expression: string | undefined
}

const identifier = '[\\p{ID_Start}_][\\p{ID_Continue}]*'
const dotted = new RegExp(`^${identifier}(?:\\.${identifier})*$`, 'u')
const call = new RegExp(`^(${identifier}(?:\\.${identifier})*)\\((.*)\\)$`, 'u')

/** Words that cannot be names (Python's language reference, 2.3.1). */
const keywords: ReadonlySet<string> = new Set(
  `False None True and as assert async await break class continue def del elif else except finally for from global
  if import in is lambda nonlocal not or pass raise return try while with yield`.split(/\s+/),
)

/**
 * Takes an `app` input apart: `module`, `module:attribute`, `module:factory()` or `module:factory("literal", k=1)`.
 * Arguments are literals only, as for gunicorn and Flask, so the text is safe to stand in a Python file.
 * @returns a text where it is not well-formed: a clause to be put after "`app`", saying what is wrong
 */
export function parseApp(input: string): AppExpression | string {
  const text = input.trim()
  const colon = text.indexOf(':')
  const module = (colon === -1 ? text : text.slice(0, colon)).trim()
  const behind = colon === -1 ? undefined : text.slice(colon + 1).trim()
  if (/[/\\]/.test(module) || module.endsWith('.py')) {
    const likely = module
      .replace(/\.py$/, '')
      .replace(/^\.?[/\\]+/, '')
      .replaceAll(/[/\\]+/g, '.')
    return `names a file; a module is wanted: ${likely}${behind === undefined ? '' : `:${behind}`}`
  }
  if (!isName(module))
    return `begins with ${JSON.stringify(module)}, which is not the name of a Python module`
  if (behind === undefined) return { module, attribute: undefined, factory: false, expression: undefined }
  if (isName(behind)) return { module, attribute: behind, factory: false, expression: behind }

  const called = call.exec(behind)
  const attribute = called?.[1]
  if (attribute === undefined || !isName(attribute)) {
    return `has ${JSON.stringify(behind)} behind the colon; a name or a call of a factory is wanted`
  }
  if (!areArguments(called?.[2] ?? '')) {
    return `calls ${attribute} with something else than literals, such as "text", 1, True or None`
  }
  return { module, attribute, factory: true, expression: behind }
}

function isName(text: string): boolean {
  return dotted.test(text) && !text.split('.').some((part) => keywords.has(part))
}

/** One token of a literal: a string, a number, a constant, or `name=`. */
const string =
  /^(?:[rRbBuU]|[rR][bB]|[bB][rR])?(?:"(?:[^"\\\p{Cc}]|\\[^\p{Cc}])*"|'(?:[^'\\\p{Cc}]|\\[^\p{Cc}])*')/u
const number =
  /^[+-]?(?:0[xX][\da-fA-F]+|0[oO][0-7]+|0[bB][01]+|(?:(?:0|[1-9]\d*)(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)(?![\w.])/
const constant = /^(?:True|False|None)(?!\w)/
const keyword = new RegExp(`^(${identifier})\\s*=(?!=)`, 'u')
const pairs: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' }

function areArguments(text: string): boolean {
  let rest = text.trimStart()
  const named = new Set<string>()
  while (rest !== '') {
    const [whole = '', name] = keyword.exec(rest) ?? []
    if (name !== undefined) {
      // Python takes names that look alike for one (its language reference, "Identifiers").
      const plain = name.normalize('NFKC')
      if (keywords.has(plain) || named.has(plain)) return false
      rest = rest.slice(whole.length).trimStart()
      named.add(plain)
    } else if (named.size > 0) return false
    const after = afterLiteral(rest)
    if (after === undefined) return false
    rest = after
    if (rest === '') return true
    if (!rest.startsWith(',')) return false
    rest = rest.slice(1).trimStart()
  }
  return !text.trim().startsWith(',')
}

/** @returns what follows the literal that `text` begins with; undefined where there is none */
function afterLiteral(text: string): string | undefined {
  const scalar = number.exec(text) ?? constant.exec(text)
  if (scalar !== null) return text.slice(scalar[0].length).trimStart()
  let rest = text
  for (let part = string.exec(rest); part !== null; part = string.exec(rest)) {
    rest = rest.slice(part[0].length).trimStart()
  }
  if (rest !== text) return rest

  const opening = text.charAt(0)
  const closing = pairs[opening]
  if (closing === undefined) return undefined
  rest = text.slice(1).trimStart()
  while (!rest.startsWith(closing)) {
    let after = afterLiteral(rest)
    if (after !== undefined && opening === '{' && after.startsWith(':'))
      after = afterLiteral(after.slice(1).trimStart())
    if (after === undefined) return undefined
    if (after.startsWith(',')) rest = after.slice(1).trimStart()
    else if (after.startsWith(closing)) rest = after
    else return undefined
  }
  return rest.slice(1).trimStart()
}
