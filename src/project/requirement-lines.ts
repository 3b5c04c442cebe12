/** What one requirements file says, line by line (pip's documentation, "Requirements File Format"). */
export interface RequirementLines {
  readonly requirements: readonly Requirement[]
  /** Paths behind -r, relative to this file. */
  readonly includes: readonly string[]
  /** Addresses behind -r. */
  readonly addresses: readonly string[]
  /** Paths behind -c, relative to this file. */
  readonly constraints: readonly string[]
  /** `--require-hashes` stands in it. */
  readonly requiresHashes: boolean
}

/** One thing to install. */
export interface Requirement {
  /** The line as written, for messages. */
  readonly text: string
  /** Normalised (PEP 503); undefined for a path or an address without a name. */
  readonly name: string | undefined
  /** A folder or file of the project's, relative to this file. */
  readonly local: string | undefined
  /** The address that it comes from, where no index is asked. */
  readonly address: string | undefined
  /** A hash is given that is good enough for `--require-hashes` (uv's and pip's manuals: not MD5, not SHA-1). */
  readonly hashed: boolean
}

/** Parses a requirements file; options that do not matter here are passed over. Never fails. */
export function requirementLines(text: string): RequirementLines {
  const requirements: Requirement[] = []
  const includes: string[] = []
  const addresses: string[] = []
  const constraints: string[] = []
  let requiresHashes = false
  for (const line of logicalLines(text)) {
    const file = /^(?:-(r|c)|--(requirement|constraint)(?=[\s=]))\s*=?\s*(.+)$/.exec(line)
    const editable = /^(?:-e|--editable(?=[\s=]))\s*=?\s*(.+)$/.exec(line)
    if (file) {
      const wanted = unquoted(file[3] ?? '')
      const isInclude = file[1] === 'r' || file[2] === 'requirement'
      if (!isAddress(wanted)) (isInclude ? includes : constraints).push(wanted)
      else if (isInclude) addresses.push(wanted)
    } else if (editable) requirements.push(requirement(line, unquoted(editable[1] ?? '')))
    else if (!line.startsWith('-')) requirements.push(requirement(line, line))
    else if (/^--require-hashes\b/.test(line)) requiresHashes = true
  }
  return { requirements, includes, addresses, constraints, requiresHashes }
}

/** The name of a requirement (PEP 508), normalised (PEP 503): `Flask_Login[x]>=1; ...` -> `flask-login`. */
export function requirementName(text: string): string | undefined {
  const match = /^([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:$|[[<>=!~;@,(\s])/.exec(text.trim())
  return match?.[1]?.toLowerCase().replaceAll(/[-_.]+/g, '-')
}

/** Comments away (a `#` counts at the line's start or behind white space), continued lines joined. */
function logicalLines(text: string): readonly string[] {
  return text
    .replaceAll(/\\\r?\n/g, ' ')
    .split(/\r\n|\r|\n/)
    .map((line) => line.replace(/(?:^|\s)#.*$/, '').trim())
    .filter((line) => line !== '')
}

function requirement(line: string, wanted: string): Requirement {
  const bare = wanted
    .replace(/\s--\S.*$/, '')
    .replace(/\s+;.*$/, '')
    .trim()
  const direct = /^[A-Za-z0-9][\w.-]*\s*(?:\[[^\]]*\])?\s*@\s*(\S+)/.exec(bare)?.[1] ?? bare
  const local = localPath(direct)
  const address = local === undefined && isAddress(direct) ? direct : undefined
  const egg = /[#&]egg=([\w.-]+)/.exec(bare)?.[1]
  const name = local === undefined || direct !== bare ? requirementName(egg ?? bare) : undefined
  const hashed =
    /\s--hash[=\s]\s*(?:sha(?:256|384|512)|blake2b):/.test(line) ||
    (address !== undefined && /#(?:.*&)?sha(?:256|384|512)=[0-9a-f]/.test(address))
  return { text: line, name, local, address, hashed }
}

/** A path is told from a name as pip does it: by a separator, a leading dot, or an archive's ending. */
function localPath(wanted: string): string | undefined {
  const file = /^file:(?:\/\/(?:localhost)?)?(.+)$/.exec(wanted)?.[1]
  if (file !== undefined) return withoutExtras(file.replace(/#.*$/, ''))
  if (isAddress(wanted) || /^[a-z]+\+/.test(wanted)) return undefined
  const plain = withoutExtras(wanted)
  const isPath =
    /^\.{1,2}$/.test(plain) ||
    /[/\\]/.test(plain) ||
    /\.(?:whl|zip|tar\.gz|tgz|tar\.bz2|tar\.xz)$/.test(plain)
  return isPath && !/\s/.test(plain) ? plain : undefined
}

function withoutExtras(wanted: string): string {
  return wanted.replace(/\[[^\]]*\]$/, '')
}

function isAddress(wanted: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(wanted)
}

function unquoted(text: string): string {
  return text.trim().replace(/^(["'])(.*)\1$/, '$2')
}
