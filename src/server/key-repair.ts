/** A key's text with the harmless damage undone, and what that damage was, in words for the log. */
export interface RepairedText {
  readonly text: string
  readonly repaired: readonly string[]
}

/**
 * Undoes what copying a key through forms, JSON, YAML and terminals does to it: a byte order mark, quotes around
 * it, base64 of the whole file, literal `\n`, Windows line ends, indentation, a missing last newline. Nothing is
 * undone that could change which key it is.
 */
export function repairKeyText(given: string): RepairedText {
  const repaired: string[] = []
  let text = given
  const repair = (next: string, what: string) => {
    if (next !== text) repaired.push(what)
    text = next
  }
  repair(text.replace(/^\uFEFF/, ''), 'removed a byte order mark')
  repair(withoutQuotes(text), 'removed the quotes around it')
  repair(decoded(text), 'decoded it from base64')
  repair(text.replace(/^\uFEFF/, ''), 'removed a byte order mark')
  repair(wrapped(text), 'added the BEGIN and END lines')
  repair(text.replaceAll('\\r', '').replaceAll('\\n', '\n'), String.raw`turned literal \n into line breaks`)
  repair(text.replace(/\r\n?/g, '\n'), 'turned Windows line ends into plain ones')
  repair(text.replace(/^[ \t]+|[ \t]+$/gm, ''), 'removed indentation')
  repair(unfolded(text), 'turned spaces back into line breaks')
  if (text.trim() !== '') repair(text.endsWith('\n') ? text : `${text}\n`, 'added the missing last newline')
  return { text, repaired: [...new Set(repaired)] }
}

function withoutQuotes(text: string): string {
  const inner = /^\s*(["'])([\s\S]*)\1\s*$/.exec(text)?.[2]
  // The newline that stood behind the quote is the key's own last one.
  return inner === undefined ? text : inner + (/\n\s*$/.exec(text) ? '\n' : '')
}

const isBase64 = (text: string) => text.length >= 64 && /^[A-Za-z0-9+/]+={0,2}$/.test(text)

function decoded(text: string): string {
  const packed = text.replace(/\s+/g, '')
  if (!isBase64(packed)) return text
  const inside = Buffer.from(packed, 'base64').toString('utf8')
  return inside.includes('-----BEGIN ') ? inside : text
}

/** A body whose BEGIN and END lines were left out: only OpenSSH's format can be told by its first bytes. */
function wrapped(text: string): string {
  const packed = text.replaceAll(/\\[rn]|\s+/g, '')
  if (!packed.startsWith('b3BlbnNzaC1rZXktdjE') || !isBase64(packed)) return text
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${packed}\n-----END OPENSSH PRIVATE KEY-----\n`
}

/** A key on one line, its line breaks turned into spaces; not where headers stand between BEGIN and the body. */
function unfolded(text: string): string {
  return text.replace(
    /^(-----BEGIN [A-Z ]+-----) +([A-Za-z0-9+/= ]+?) +(-----END [A-Z ]+-----)$/gm,
    (_all, begin: string, body: string, end: string) => [begin, ...body.split(/ +/), end].join('\n'),
  )
}
