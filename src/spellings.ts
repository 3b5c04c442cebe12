/** A text shorter than this has no base64 digits of its own where others stand around it: a few would fit anything. */
const SHORTEST_WITHIN = 8

/**
 * The spellings in which a value turns up in other programs' output, itself the first: quoted by JSON, Python, a shell,
 * a URL or HTML, in base64 and in hex.
 */
export function spellingsOf(value: string): readonly string[] {
  const bytes = Buffer.from(value)
  const hex = bytes.toString('hex')
  return [
    ...new Set([
      value,
      ...quoted(value),
      ...urlSpellings(value),
      value.replaceAll("'", "'\\''"),
      html(value),
      hex,
      hex.toUpperCase(),
      bytes.toString('base64url'),
      ...base64Within(bytes),
    ]),
  ]
}

/** The same, and what is quoted twice over: a log of JSON lines that holds a traceback. */
export function allSpellingsOf(value: string): readonly string[] {
  return [...new Set([...spellingsOf(value), ...quoted(value).flatMap(quoted)])]
}

function quoted(text: string): readonly string[] {
  return quotings.map((quoting) => quoting(text))
}

/** What stands between the quotes: JSON's, JSON's in ASCII, and Python's `repr`, which takes either kind of quotes. */
const quotings: readonly ((text: string) => string)[] = [
  (text) => JSON.stringify(text).slice(1, -1),
  (text) => escaped(JSON.stringify(text).slice(1, -1), /[\u0080-\uffff]/g, '\\u', 4),
  (text) => inRepr(text).replaceAll("'", "\\'"),
  inRepr,
]

function inRepr(text: string): string {
  const short = text
    .replaceAll('\\', '\\\\')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')
    .replaceAll('\t', '\\t')
  return escaped(short, /[\0-\x1f\x7f-\xa0\xad]/g, '\\x', 2)
}

function escaped(text: string, what: RegExp, sign: string, digits: number): string {
  return text.replace(what, (one) => `${sign}${one.charCodeAt(0).toString(16).padStart(digits, '0')}`)
}

function urlSpellings(value: string): readonly string[] {
  const uri = value.isWellFormed() ? encodeURIComponent(value) : value
  // Python's `quote` escapes these too and leaves `/`, and its `urlencode` writes a blank as `+`.
  const more = uri.replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return [uri, more, more.replaceAll('%2F', '/'), more.replaceAll('%20', '+')]
}

/** As Jinja's MarkupSafe has it. */
function html(value: string): string {
  const names = { '&': '&amp;', '<': '&lt;', '>': '&gt;', "'": '&#39;', '"': '&#34;' }
  return Object.entries(names).reduce((text, [character, name]) => text.replaceAll(character, name), value)
}

/**
 * Base64 of the value by itself, and the digits it leads to when up to two bytes stand before it (as in
 * `user:password`): those that depend on nothing but the value.
 */
function base64Within(bytes: Buffer): readonly string[] {
  const alone = bytes.toString('base64')
  if (bytes.length < SHORTEST_WITHIN) return [alone]
  return [alone, ...[0, 1, 2].map((before) => certainDigits(bytes, before))]
}

function certainDigits(bytes: Buffer, before: number): string {
  const digits = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64')
  // Six bits a digit: those that begin within the value, and end within it.
  return digits.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6))
}
