import { parseDotenv } from './config/dotenv.ts'
import type { GetInput } from './inputs/parse.ts'
import { linesOf } from './inputs/reading.ts'
import { secretFileContents } from './inputs/secret-files.ts'
import { secretInputs } from './inputs/table.ts'
import { results } from './outputs.ts'
import { phases } from './phases.ts'
import { allSpellingsOf, spellingsOf } from './spellings.ts'

/** From how many bytes on GitHub is told to mask a value: a shorter one would wreck the log (docs/threat-model.md). */
const maskedFrom = 8
/** From how many bytes on a value is taken out of our own text. */
const redactedFrom = 4

/**
 * What GitHub is to mask in the log of the whole job: every value of `env` and of the secret inputs, each line of
 * those of several lines, every text in those that are JSON, and all {@link spellingsOf} them, of 8 bytes and more. Left
 * out is what the log cannot do without: the domains, host, name and user, numbers, booleans and the words of the
 * outputs (GitHub drops a job's output that holds a masked value).
 * @param get the inputs as the workflow gave them: masking comes before judging
 */
export function secretsToMask(get: GetInput): readonly string[] {
  return needles(get, maskedFrom, spellingsOf)
}

/** Takes secrets out of the text that we write ourselves, below GitHub's own masking and down to 4 bytes. */
export interface Redactor {
  /** The text with every secret, and what is left of it where two overlap, replaced by `***`. */
  readonly redact: (text: string) => string
}

/**
 * A redactor of every value that {@link secretsToMask} has or would have, were it 8 bytes long, in more spellings: GitHub
 * looks for each of its own in every line of the whole job.
 */
export function redactor(get: GetInput): Redactor {
  const all = needles(get, redactedFrom, allSpellingsOf)
  return { redact: (text) => replaceAll(text, all) }
}

/** For runs that have no inputs: changes nothing. */
export const noSecrets: Redactor = { redact: (text) => text }

function needles(
  get: GetInput,
  from: number,
  spell: (value: string) => readonly string[],
): readonly string[] {
  const exempt = publicWords(get)
  const found = new Set<string>()
  for (const value of values(get)) {
    const lines = value.split(/[\r\n]+/).map((line) => line.trim())
    // A word of a larger text may be any word: a short one is not hidden, or no log could be read.
    const leaves = within(value).filter((leaf) => Buffer.byteLength(leaf) >= maskedFrom)
    for (const part of [value, value.trim(), ...lines, ...leaves]) {
      if (Buffer.byteLength(part) < from || isPublic(part, exempt)) continue
      for (const one of spell(part)) if (Buffer.byteLength(one) >= from) found.add(one)
    }
  }
  return [...found]
}

/**
 * The texts within a value that is JSON, such as a service account's, and each of their lines: an app prints its
 * `private_key`, not the file's line with `"private_key": "..."`.
 */
function within(value: string): readonly string[] {
  if (!/^\s*[[{]/.test(value)) return []
  try {
    return textsOf(JSON.parse(value)).flatMap((text) => [text, ...text.split(/[\r\n]+/)])
  } catch {
    return []
  }
}

function textsOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsOf) : []
}

/** The values of `env` and of the secret inputs; a number in a secret input is a PIN, in `env` a port. */
function values(get: GetInput): readonly string[] {
  const secrets = secretInputs
    .filter((name) => name !== 'env' && name !== 'secret-files')
    .map((name) => get(name).replace(/[\r\n]+$/, ''))
  return [
    ...secrets,
    ...secretFileContents(get('secret-files')),
    ...envValues(get('env')).filter((value) => !/^[-+]?[0-9]+(\.[0-9]+)?$/.test(value)),
  ]
}

/** The values of `env`, and, where they have escapes, what stands in the workflow for them. */
function envValues(text: string): readonly string[] {
  const written = linesOf(text).map((line) =>
    line.slice(line.indexOf('=') + 1).replace(/^\s*['"]?|['"]?\s*$/g, ''),
  )
  try {
    return [...parseDotenv(text).values(), ...written.filter((value) => value.includes('\\'))]
  } catch {
    // Which part of a faulty text is a secret cannot be known: each line and what follows its `=` are.
    return [...linesOf(text), ...written]
  }
}

/** The inputs whose values stand in every log on purpose, and the words that a workflow compares outputs with. */
function publicWords(get: GetInput): ReadonlySet<string> {
  const names = [get('host'), get('name'), get('user'), get('app')].map((text) => text.trim())
  const domains = linesOf(get('domain')).flatMap((name) => [name, `http://${name}`, `https://${name}`])
  const words = [...names, ...domains, ...phases, ...results, 'true', 'false', 'none', 'null']
  return new Set(words.map((word) => word.toLowerCase()))
}

function isPublic(value: string, exempt: ReadonlySet<string>): boolean {
  // The first and last line of a key are the same in every key.
  if (/^-----(BEGIN|END) [A-Z0-9 ]+-----$/.test(value)) return true
  if (/^[0-9]{1,7}$/.test(value)) return true
  return exempt.has(value.toLowerCase().replace(/\/$/, ''))
}

function replaceAll(text: string, needlesOfText: readonly string[]): string {
  const ranges = needlesOfText
    .flatMap((needle) => occurrences(text, needle))
    .sort((one, other) => one[0] - other[0])
  let result = ''
  let end = 0
  for (const [from, to] of ranges) {
    if (from >= end) result += `${text.slice(end, from)}***`
    end = Math.max(end, to)
  }
  return result + text.slice(end)
}

function occurrences(text: string, needle: string): readonly (readonly [number, number])[] {
  const found: [number, number][] = []
  for (let at = text.indexOf(needle); at >= 0; at = text.indexOf(needle, at + 1))
    found.push([at, at + needle.length])
  return found
}
