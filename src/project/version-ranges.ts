import { always, type Marker, never, or, readMarker } from './markers.ts'

/** One bound of a range; `==` and `!=` may end in `.*`. */
interface Bound {
  readonly operator: '==' | '!=' | '>=' | '<=' | '>' | '<' | '~=' | '==='
  readonly version: string
}

/** Versions that are allowed: an "or" of "and"s; an empty "and" is any version. */
export type Ranges = readonly (readonly Bound[])[]

/**
 * Reads a constraint as Poetry writes it (its documentation, "Version constraints"), which has PEP 440's among them: `^1.2`,
 * `~1.2`, `1.*`, `>=1,<2`, `1.2 || 2.0`; a bare version is that version.
 * @returns undefined where it is none
 */
export function readRanges(text: string): Ranges | undefined {
  const ranges: (readonly Bound[])[] = []
  for (const alternative of text.split(/\s*\|\|?\s*/)) {
    const bounds: Bound[] = []
    const words = alternative
      .replaceAll(/([=!<>~^]+)\s+/g, '$1')
      .split(/[\s,]+/)
      .filter((word) => word !== '' && word !== '*')
    for (const word of words) {
      const read = readBound(word)
      if (read === undefined) return undefined
      bounds.push(...read)
    }
    ranges.push(bounds)
  }
  return ranges
}

function readBound(word: string): readonly Bound[] | undefined {
  const [, operator = '', version = ''] =
    /^(\^|~=|~|===|==|=|!=|>=|<=|>|<)?v?(\d[\w.!+*-]*)$/i.exec(word) ?? []
  if (version === '') return undefined
  const release = releaseOf(version)
  switch (operator) {
    case '^': {
      const first = release.findIndex((part) => part > 0)
      const place = first === -1 ? release.length - 1 : first
      return [
        { operator: '>=', version },
        { operator: '<', version: next(release, place) },
      ]
    }
    case '~':
      return [
        { operator: '>=', version },
        { operator: '<', version: next(release, Math.min(1, release.length - 1)) },
      ]
    case '':
    case '=':
      return [{ operator: '==', version }]
    case '~=':
    case '===':
    case '==':
    case '!=':
    case '>=':
    case '<=':
    case '>':
    case '<':
      return [{ operator, version: /^[=!]=$/.test(operator) ? version : version.replace(/\.\*$/, '') }]
    default:
      return undefined
  }
}

/** As a specifier (PEP 440), which knows no "or": of alternatives, all from the lowest to the highest. */
export function specifier(ranges: Ranges): string {
  const text = (bounds: readonly Bound[]) =>
    bounds.map(({ operator, version }) => `${operator}${version}`).join(',')
  const [only, ...others] = ranges
  if (only === undefined || ranges.some((bounds) => bounds.length === 0)) return ''
  if (others.length === 0) return text(only)
  const low = ranges.map((bounds) => bounds.find(({ operator }) => /^(?:>=?|===?|~=)$/.test(operator)))
  const high = ranges.map((bounds) => bounds.find(({ operator }) => /^(?:<=?|===?)$/.test(operator)))
  const ends: Bound[] = []
  const lowest = extreme(low, -1)
  if (lowest !== undefined)
    ends.push({
      operator: lowest.operator === '>' ? '>' : '>=',
      version: lowest.version.replace(/\.\*$/, ''),
    })
  const highest = extreme(high, 1)
  if (highest !== undefined) {
    const open = /\.\*$/.test(highest.version)
    const release = releaseOf(highest.version.replace(/\.\*$/, ''))
    ends.push(
      open
        ? { operator: '<', version: next(release, release.length - 1) }
        : { operator: highest.operator === '<' ? '<' : '<=', version: highest.version },
    )
  }
  return text(ends)
}

function extreme(bounds: readonly (Bound | undefined)[], sign: 1 | -1): Bound | undefined {
  let found: Bound | undefined
  for (const bound of bounds) {
    if (bound === undefined) return undefined
    if (found === undefined || sign * compareVersions(bound.version, found.version) > 0) found = bound
  }
  return found
}

/** A constraint on Python as a marker. */
export function pythonMarker(text: string): Marker {
  const ranges = readRanges(text)
  if (ranges === undefined) return always
  return ranges.reduce<Marker>((sum, bounds) => {
    const all = bounds.map(({ operator, version }) => {
      const plain = version.replace(/\.\*$/, '')
      const parts = plain.split('.').length
      // `python_version` has two numbers: of one it would be compared as 3.0, of three it never has the last.
      const starred = version.endsWith('.*')
      if (operator === '==' && parts === 1)
        return `python_version >= '${plain}' and python_version < '${Number(plain) + 1}'`
      const variable =
        parts === 2 && (starred || !/^[<>]?=?$/.test(operator) || /^(?:>=|<)$/.test(operator))
          ? 'python_version'
          : 'python_full_version'
      return `${variable} ${operator} '${starred && parts === 2 ? plain : version}'`
    })
    return or(sum, readMarker(all.join(' and ')))
  }, never)
}

/** Whether a version lies in the ranges. */
export function isWithin(version: string, ranges: Ranges): boolean {
  return ranges.some((bounds) => bounds.every((bound) => isWithinBound(version, bound)))
}

function isWithinBound(version: string, { operator, version: wanted }: Bound): boolean {
  const order = compareVersions(version, wanted)
  const starred = wanted.endsWith('.*')
  const begins = (): boolean => {
    const parts = releaseOf(wanted.replace(/\.\*$/, ''))
    const has = releaseOf(version)
    return parts.every((part, place) => (has[place] ?? 0) === part)
  }
  switch (operator) {
    case '==':
    case '===':
      return starred ? begins() : order === 0
    case '!=':
      return starred ? !begins() : order !== 0
    case '>=':
      return order >= 0
    case '<=':
      return order <= 0
    case '>':
      return order > 0
    case '<':
      return order < 0
    case '~=': {
      const release = releaseOf(wanted)
      return order >= 0 && compareVersions(version, next(release, Math.max(0, release.length - 2))) < 0
    }
  }
}

/** Orders two versions (PEP 440); a local part (`+x`) does not count. */
export function compareVersions(one: string, other: string): number {
  const [left, right] = [parts(one), parts(other)]
  const release = Math.max(left.release.length, right.release.length)
  for (let place = 0; place < release; place += 1) {
    const difference = (left.release[place] ?? 0) - (right.release[place] ?? 0)
    if (difference !== 0) return difference
  }
  for (let place = 0; place < left.rest.length; place += 1) {
    const difference = (left.rest[place] ?? 0) - (right.rest[place] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

/** The release's numbers with its epoch in front, and what comes before and behind it as numbers that can be compared. */
function parts(version: string): { readonly release: readonly number[]; readonly rest: readonly number[] } {
  const text = version.toLowerCase().replace(/\+.*$/, '').replace(/\.\*$/, '')
  const epoch = Number(/^(\d+)!/.exec(text)?.[1] ?? 0)
  const release = releaseOf(text)
  const behindIt = text.replace(/^(?:\d+!)?v?\d+(?:\.\d+)*/, '')
  const pre = /[._-]?(alpha|beta|preview|pre|rc|a|b|c)[._-]?(\d*)/.exec(behindIt)
  const post = /[._-]?(?:post|rev|r(?!c))[._-]?(\d*)|^-(\d+)$/.exec(behindIt)
  const dev = /[._-]?dev[._-]?(\d*)/.exec(behindIt)
  const kind =
    pre === null ? (dev !== null && post === null ? -1 : 3) : (ranks[(pre[1] ?? '').charAt(0)] ?? 2)
  return {
    release: [epoch, ...release],
    rest: [
      kind,
      Number(pre?.[2] || 0),
      post === null ? -1 : Number(post[1] || post[2] || 0),
      dev === null ? Number.MAX_SAFE_INTEGER : Number(dev[1] || 0),
    ],
  }
}

const ranks: Readonly<Record<string, number>> = { a: 0, b: 1, c: 2, r: 2, p: 2 }

function releaseOf(version: string): readonly number[] {
  const [, numbers = '0'] = /^(?:\d+!)?v?(\d+(?:\.\d+)*)/i.exec(version) ?? []
  return numbers.split('.').map(Number)
}

/** The first version after all that agree with `release` up to `place`. */
function next(release: readonly number[], place: number): string {
  return release
    .slice(0, place + 1)
    .map((part, at) => (at === place ? part + 1 : part))
    .concat(place === 0 ? [0] : [])
    .join('.')
}
