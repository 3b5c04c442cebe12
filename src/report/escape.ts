import { visible } from '../text.ts'

/*
 * How values go into the languages that GitHub reads: workflow commands and Markdown.
 */

/** The data of a workflow command, which ends at the line's end (actions/toolkit, core/src/command.ts). */
export function commandData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

/** A property of a workflow command, which ends at `,` or `::` besides. */
export function commandProperty(text: string): string {
  return commandData(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
}

/** A whole workflow command, without the line's end; properties that are undefined are left out. */
export function command(
  name: string,
  data: string,
  properties: Readonly<Record<string, string | number | undefined>> = {},
): string {
  const given = Object.entries(properties).filter(([, value]) => value !== undefined && value !== '')
  const list = given.map(([key, value]) => `${key}=${commandProperty(String(value))}`).join(',')
  return `::${name}${list === '' ? '' : ` ${list}`}::${commandData(data)}`
}

/**
 * Whether the runner would take a line for a command: `::` at its start, or `##[` anywhere (actions/runner,
 * ActionCommand.cs).
 */
export function looksLikeCommand(line: string): boolean {
  return line.trimStart().startsWith('::') || line.includes('##[')
}

/**
 * What GitHub Flavored Markdown or HTML could take for markup. `:` only where it begins a link or an emoji (whose
 * end may be a `:` of ours), `www.` because it begins a link too.
 */
const markup = /[&<>`|*_~[\]#\\@$^{}]|:(?=\/\/|[\w+-]+(?::|$))|www(?=\.)/gi

/**
 * A value as text within Markdown: what could be markup becomes numeric references, which are text and nothing else
 * (GFM spec 6.2). Newlines become spaces, so a table's row stays one row.
 */
export function markdown(text: string): string {
  return references(oneLine(text), /^(?:[@#]|:(?!\/))/).replace(/^(?:[-+=]|[0-9]+(?=[.)]))/, (start) =>
    [...start].map(reference).join(''),
  )
}

/** A value as code within Markdown, where GitHub looks for no mention, issue or emoji. */
export function markdownCode(text: string): string {
  return text === '' ? '' : `<code>${references(oneLine(text), /^@/)}</code>`
}

/**
 * Lines as a block of code: HTML, because no number of backquotes is safe from a line that holds more. Within it
 * nothing is Markdown (GFM spec 4.6, start condition 1): HTML's own three characters would do, the rest is for readers
 * that are not GitHub's.
 */
export function markdownBlock(lines: readonly string[]): string {
  return `<pre>${lines.map((line) => visible(line).replace(/[&<>`|@${}]/g, reference)).join('\n')}</pre>`
}

/** A sentence of ours: what stands in backquotes becomes code, all the rest is text. */
export function markdownSentence(text: string): string {
  return oneLine(text)
    .split(/(`[^`]+`)/)
    .map((part) => (/^`[^`]+`$/.test(part) ? markdownCode(part.slice(1, -1)) : markdown(part)))
    .join('')
}

/** A link; only http and https addresses become one, anything else is shown as code. */
export function markdownLink(label: string, url: string): string {
  const address = URL.parse(url)
  if (address === null || !/^https?:$/.test(address.protocol)) return markdownCode(label)
  const target = address.href.replace(/[^\w.~:/?#@!&*+,;=%-]/g, percent).replaceAll('&', '&amp;')
  // Within a link's text nothing else becomes a link or a mention, so `://` and `www.` may stay as they are.
  return `[${oneLine(label).replace(/[&<>`|*_~[\]\\@$^{}]/g, reference)}](${target})`
}

/**
 * What could be markup as numeric references. In the text that these give, cmark-gfm looks for addresses of e-mail (also
 * within HTML's code), and GitHub for mentions, issues and emoji: what begins one is set apart besides.
 * @param apart what begins one, looked for at the place of each mark
 */
function references(text: string, apart: RegExp): string {
  return text.replace(markup, (part, at: number) => {
    const given = [...part].map(reference).join('')
    return apart.test(text.slice(at, at + 2)) ? `<span>${given}</span>` : given
  })
}

function percent(character: string): string {
  return [...Buffer.from(character)]
    .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
    .join('')
}

function reference(character: string): string {
  return `&#${character.codePointAt(0)};`
}

function oneLine(text: string): string {
  return visible(text.replace(/\s*[\r\n]+\s*/g, ' '))
}
