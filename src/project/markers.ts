/**
 * When something is to be installed, as environment markers (PEP 508) in one normal form: an "or" of "and"s. Nothing in
 * the list means never, an empty "and" always. What is known of every server (Linux, CPython) is decided already.
 */
export type Marker = readonly (readonly string[])[]

export const always: Marker = [[]]
export const never: Marker = []

/** Of a marker with more alternatives than this, "always" is made: to install one package too many harms little. */
const mostAlternatives = 50

/** Every server of ours; the older spellings are those of PEP 345. */
const known: Readonly<Record<string, string>> = {
  sys_platform: 'linux',
  'sys.platform': 'linux',
  os_name: 'posix',
  'os.name': 'posix',
  platform_system: 'Linux',
  platform_python_implementation: 'CPython',
  'platform.python_implementation': 'CPython',
  python_implementation: 'CPython',
  implementation_name: 'cpython',
}

/**
 * Reads a marker. One that cannot be read stands as it is, for uv to judge.
 * @param extras the extras that are wanted of the package whose marker this is, normalised
 */
export function readMarker(text: string, extras: ReadonlySet<string> = new Set()): Marker {
  const tokens = tokensOf(text)
  if (tokens.length === 0) return always
  let place = 0
  const take = (): string => tokens[place++] ?? ''
  const both = (): Marker | undefined => {
    let left = one()
    while (left !== undefined && tokens[place] === 'and') {
      take()
      const right = one()
      left = right && and(left, right)
    }
    return left
  }
  const either = (): Marker | undefined => {
    let left = both()
    while (left !== undefined && tokens[place] === 'or') {
      take()
      const right = both()
      left = right && or(left, right)
    }
    return left
  }
  const one = (): Marker | undefined => {
    if (tokens[place] === '(') {
      take()
      const inner = either()
      return take() === ')' ? inner : undefined
    }
    const left = take()
    const first = take()
    const operator = first === 'not' ? `not ${take()}` : first
    return comparison(left, operator, take(), extras)
  }
  const read = either()
  return read === undefined || place !== tokens.length ? [[text.trim()]] : read
}

/** Both hold. */
export function and(one: Marker, other: Marker): Marker {
  return tidy(one.flatMap((left) => other.map((right) => [...new Set([...left, ...right])])))
}

/** One of them holds. */
export function or(one: Marker, other: Marker): Marker {
  return tidy([...one, ...other])
}

/** As text behind `;`; '' for always. */
export function markerText(marker: Marker): string {
  if (marker.some((all) => all.length === 0)) return ''
  return marker
    .map((all) => all.map((atom) => (/\sor\s/.test(atom) ? `(${atom})` : atom)).join(' and '))
    .map((all) => (marker.length > 1 ? `(${all})` : all))
    .join(' or ')
}

/** ` ; MARKER`, or nothing for always. */
export function behind(marker: Marker): string {
  const text = markerText(marker)
  return text === '' ? '' : ` ; ${text}`
}

/** An alternative that asks for more than another one adds nothing. */
function tidy(marker: Marker): Marker {
  const sorted = marker.map((all) => all.toSorted()).toSorted((a, b) => a.length - b.length)
  const kept: (readonly string[])[] = []
  for (const all of sorted) {
    if (!kept.some((less) => less.every((atom) => all.includes(atom)))) kept.push(all)
  }
  return kept.length > mostAlternatives ? always : kept
}

const comparers = new Set(['==', '!=', '<', '<=', '>', '>=', '~=', '===', 'in', 'not in'])

function comparison(
  left: string,
  operator: string,
  right: string,
  extras: ReadonlySet<string>,
): Marker | undefined {
  if (left === '' || right === '' || !comparers.has(operator)) return undefined
  const [name, value] = isText(left) ? [right, left] : [left, right]
  if (isText(name) || !isText(value)) return undefined
  const wanted = value.slice(1, -1)
  const decided = (holds: boolean): Marker => (holds ? always : never)
  if (name === 'extra' && (operator === '==' || operator === '!='))
    return decided(extras.has(plainName(wanted)) === (operator === '=='))
  const has = Object.hasOwn(known, name) ? known[name] : undefined
  if (has !== undefined) {
    if (operator === '==' || operator === '===') return decided(has === wanted)
    if (operator === '!=') return decided(has !== wanted)
    const within = isText(left) ? has.includes(wanted) : wanted.includes(has)
    if (operator === 'in') return decided(within)
    if (operator === 'not in') return decided(!within)
  }
  return [[`${quoted(left)} ${operator} ${quoted(right)}`]]
}

function quoted(word: string): string {
  return isText(word) ? `'${word.slice(1, -1)}'` : word
}

function isText(word: string): boolean {
  return /^["']/.test(word)
}

function tokensOf(text: string): readonly string[] {
  return text.match(/"[^"]*"|'[^']*'|[()]|[=!<>~]+|[\w.]+/g) ?? []
}

/** A name as PEP 503 normalises it. */
export function plainName(name: string): string {
  return name.toLowerCase().replaceAll(/[-_.]+/g, '-')
}
