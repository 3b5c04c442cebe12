import type { Explanation } from '../errors.ts'
import type { InputName } from './declared.ts'
import { andThen, good, type Kind, type Reading } from './reading.ts'

/*
 * The format of the input `secret-files`: one file a line, its content as a JSON string, which `toJSON` makes of a secret:
 *
 *   firebase.json: ${{ toJSON(secrets.FIREBASE_JSON) }}
 *   api-token: ${{ toJSON(secrets.API_TOKEN) }}
 *
 * or one file alone with its content as it stands, of any number of lines:
 *
 *   firebase.json: ${{ secrets.FIREBASE_JSON }}
 *
 * GitHub puts a secret's further lines into the text as they are, not indented. So nobody can tell a line of a plain
 * content (`host: db`) from the beginning of the next file: a text in which more than the first line could be a
 * beginning has to have JSON strings, or is refused.
 */

/** A file's name: what systemd takes for a credential's (systemd.exec(5), LoadCredential=), and never a path. */
const HEAD = /^([A-Za-z0-9_][A-Za-z0-9._-]{0,99}):(?:[ \t]+(.*))?$/

/** What somebody may have meant as the beginning of a file, with a bad name too. */
const LIKE_HEAD = /^[^\s"'{}[\]<#:][^\s":]*:(?:[ \t]|\r?$)/

/** What YAML begins a block with; here it would be a part of the content. */
const BLOCK = /^[|>][-+0-9]*$/

/** Bytes of all names and contents: systemd bears 1 MiB a unit (systemd.exec(5), LoadCredential=), and counts more. */
const LARGEST = 1_000_000

const TO_JSON = '`NAME: ${{ toJSON(secrets.THE_SECRET) }}`'

const CURES = {
  name: `Write ${TO_JSON}; a name has letters, digits, \`.\`, \`_\` and \`-\`, and neither \`.\` nor \`-\` in front.`,
  quote: `Write every file on one line as ${TO_JSON}: \`toJSON\` keeps a secret of several lines on one.`,
  empty: 'Check that the secret exists under exactly the name that the workflow has.',
  twice: 'Give each file a name of its own.',
  encode: 'Give it in base64 and decode it in the app.',
  size: 'Put large files into a path of `persist`, by hand, once.',
} as const

/** One file as it was written; the content is '' where its secret is missing. */
interface Entry {
  readonly line: number
  readonly name: string
  readonly content: string
}

/** The files by name, in the order of the text. A fault names its line and never holds a part of it. */
export const secretFiles: Kind<ReadonlyMap<string, string>> = (text, input) =>
  andThen(entries(text, input), (found) => {
    const faults = [
      ...found.flatMap((entry) => entryFaults(entry, found, input)),
      ...sizeFaults(found, input),
    ]
    if (faults.length > 0) return { faults }
    return good(new Map(found.map(({ name, content }) => [name, content])))
  })

/**
 * All that is secret in a text, whether it can be read or not: the contents, and what stands in the workflow for them.
 */
export function secretFileContents(text: string): readonly string[] {
  const written = text.split('\n').map((line) => line.replace(/^[^\s":]*:[ \t]+/, '').trim())
  const inner = written.map((one) => one.replace(/^"(.*)"$/, '$1'))
  const reading = secretFiles(text, 'secret-files')
  // Which part of a faulty text is a secret cannot be known.
  if (!('value' in reading)) return [text.trim(), ...text.split('\n'), ...written, ...inner]
  return [...reading.value.values(), ...inner.filter((one) => one.includes('\\'))]
}

function entries(text: string, input: InputName): Reading<readonly Entry[]> {
  const lines = text.replace(/^\uFEFF/, '').split('\n')
  const filled = lines.flatMap((line, at) => (line.trim() === '' ? [] : [{ at, line }]))
  const alone = filled.filter(({ line }) => LIKE_HEAD.test(line)).length === 1
  const [first] = filled
  if (alone && first !== undefined) {
    const [, name, rest = ''] = HEAD.exec(first.line.trimEnd()) ?? []
    const plain = !rest.startsWith('"') && !BLOCK.test(rest) && rest !== 'null'
    if (name !== undefined && plain) {
      const content = [rest, ...lines.slice(first.at + 1)].join('\n').trim()
      // A text file of several lines ends with a line end, which the blanks behind it do not tell.
      return good([{ line: first.at + 1, name, content: content.includes('\n') ? `${content}\n` : content }])
    }
  }
  const found: Entry[] = []
  for (const { at, line } of filled) {
    const [, name, rest = ''] = HEAD.exec(line.trim()) ?? []
    const content = name === undefined ? undefined : jsonString(rest)
    if (name === undefined || content === undefined) {
      // The lines that follow may be of the same secret: one fault is enough.
      if (name === undefined && found.length === 0)
        return faulty(at + 1, input, 'does not begin with a file’s name and `: `', CURES.name)
      return faulty(
        at + 1,
        input,
        'is not a file’s name with a JSON string, so where a content ends cannot be told',
        CURES.quote,
      )
    }
    found.push({ line: at + 1, name, content })
  }
  return good(found)
}

/** The text of a JSON string, '' for what `toJSON` makes of a secret that is not there. */
function jsonString(text: string): string | undefined {
  if (text === 'null' || text === '') return ''
  if (!text.startsWith('"')) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'string' ? value : undefined
  } catch {
    return undefined
  }
}

function entryFaults(entry: Entry, all: readonly Entry[], input: InputName): readonly Explanation[] {
  const { line, content } = entry
  const fault = (wrong: string, cure: string) => faulty(line, input, wrong, cure).faults
  const before = all.find((other) => other.name === entry.name)
  return [
    ...(content.trim() === ''
      ? fault('has no content: the secret is empty or its name is misspelt', CURES.empty)
      : []),
    ...(before !== entry && before !== undefined
      ? fault(`gives the name of line ${before.line} again`, CURES.twice)
      : []),
    ...(content.includes('\0') || !content.isWellFormed()
      ? fault('has a content that is no text', CURES.encode)
      : []),
  ]
}

function sizeFaults(all: readonly Entry[], input: InputName): readonly Explanation[] {
  const bytes = all.reduce((sum, { name, content }) => sum + Buffer.byteLength(name + content), 0)
  if (bytes <= LARGEST) return []
  return [
    {
      cause: `\`${input}\` holds ${bytes} bytes, and a service takes no more than ${LARGEST}.`,
      cure: CURES.size,
      input,
    },
  ]
}

function faulty(
  line: number,
  input: InputName,
  wrong: string,
  cure: string,
): { readonly faults: readonly Explanation[] } {
  return { faults: [{ cause: `Line ${line} of \`${input}\` ${wrong}.`, cure, input }] }
}
