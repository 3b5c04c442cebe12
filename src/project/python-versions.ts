/*
 * Which Pythons a specifier allows: PEP 440's (`>=3.9,<4`, `==3.11.*`, `~=3.10`) and Poetry's (`^3.9`, `~3.9`, `||`).
 * Versions are judged to the minor: one is allowed where some patch of it is.
 */

/** A version of Python 3: minor and patch. */
export type Version = readonly [minor: number, patch: number]

/** Says whether a version is allowed. */
export type Allows = (version: Version) => boolean

/** The minor versions that anything is known of; 3.6 is the oldest that any supported server has. */
export const minors: readonly number[] = Array.from({ length: 15 }, (_, index) => index + 6)

/** No minor version has had more patches. */
const patches: readonly number[] = Array.from({ length: 50 }, (_, index) => index)

const CLAUSE =
  /^(===?|!=|~=|<=|>=|<|>|\^|~|=)?v?(\*|[0-9]+(?:\.(?:[0-9]+|\*))*)(?:(?:a|b|rc|\.?dev|\.?post)[0-9]*)?$/i

/** Reads a specifier; undefined where it is none. */
export function readSpecifier(text: string): Allows | undefined {
  const closed = text.trim().replaceAll(/([<>=!~^])\s+/g, '$1')
  const choices = closed.split(/\s*\|\|?\s*/).map((choice) => {
    const clauses = choice.split(/[\s,]+/).filter((clause) => clause !== '')
    const read = clauses.map(readClause)
    return read.some((one) => one === undefined) ? undefined : read.flatMap((one) => one ?? [])
  })
  if (closed === '' || choices.some((one) => one === undefined || one.length === 0)) return undefined
  return (version) => choices.some((choice) => choice?.every((allows) => allows(version)))
}

/** The minor versions, `3.N`, of which all of these allow some patch; oldest first. */
export function allowedBy(all: readonly Allows[]): readonly string[] {
  return minors
    .filter((minor) => patches.some((patch) => all.every((allows) => allows([minor, patch]))))
    .map((minor) => `3.${minor}`)
}

function readClause(clause: string): Allows | undefined {
  const [, operator = '', number = ''] = CLAUSE.exec(clause) ?? []
  if (number === '') return undefined
  if (number === '*') return operator === '' || operator === '==' ? () => true : undefined
  const parts = number.split('.')
  const star = parts.indexOf('*')
  const release = (star < 0 ? parts : parts.slice(0, star)).map(Number)
  const begins = (version: Version, most = release.length) => {
    const own = full(version)
    return release.slice(0, most).every((part, index) => part === (own[index] ?? 0))
  }
  switch (operator) {
    case '':
    case '=':
    case '==':
    case '===':
      // `==3.11` is taken as all of 3.11: who writes it means that.
      return (version) => begins(version)
    case '!=':
      return star < 0 ? (version) => compare(version, release) !== 0 : (version) => !begins(version)
    case '>=':
      return (version) => compare(version, release) >= 0
    case '<=':
      return (version) => compare(version, release) <= 0 || begins(version)
    case '>':
      return (version) => compare(version, release) > 0
    case '<':
      return (version) => compare(version, release) < 0
    case '~=':
      if (release.length < 2) return undefined
      return (version) => compare(version, release) >= 0 && begins(version, release.length - 1)
    case '~':
      return (version) => compare(version, release) >= 0 && begins(version, Math.min(release.length, 2))
    default:
      return (version) => compare(version, release) >= 0 && begins(version, 1)
  }
}

function compare(version: Version, release: readonly number[]): number {
  const own = full(version)
  for (const [index, part] of own.entries()) {
    const other = release[index] ?? 0
    if (part !== other) return part - other
  }
  return 0
}

function full([minor, patch]: Version): readonly number[] {
  return [3, minor, patch]
}
