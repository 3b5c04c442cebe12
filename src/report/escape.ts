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
 * A value as text within Markdown: every character that GitHub Flavored Markdown or HTML could take for markup is a
 * numeric reference, which is text and nothing else (GFM spec 6.2). `@` and `#` are set apart besides, because
 * GitHub looks for mentions and issues after rendering. Newlines become spaces, so a table's row stays one row.
 */
export function markdown(text: string): string {
  const markup = /[&<>`|*_~[\]#!\\@:$^{}]|^[-+=]|^[0-9]+(?=[.)])|www(?=\.)/gi
  return oneLine(text).replace(markup, (part) => {
    const references = [...part].map(reference).join('')
    return part === '@' || part === '#' ? `<span>${references}</span>` : references
  })
}

/** A value as code within Markdown, where GitHub looks for no mention, issue, link or emoji. */
export function markdownCode(text: string): string {
  return text === '' ? '' : `<code>${htmlText(oneLine(text))}</code>`
}

/** Lines as a block of code: HTML, because no number of backquotes is safe from a line that holds more. */
export function markdownBlock(lines: readonly string[]): string {
  return `<pre>${lines.map((line) => htmlText(visible(line))).join('\n')}</pre>`
}

/** A sentence of ours: what stands in backquotes becomes code, all the rest is text. */
export function markdownSentence(text: string): string {
  return text
    .split(/(`[^`\n]+`)/)
    .map((part) => (/^`[^`]+`$/.test(part) ? markdownCode(part.slice(1, -1)) : markdown(part)))
    .join('')
}

/** Text within an HTML element, inline or block: no Markdown and no tag can begin in it. */
export function htmlText(text: string): string {
  return text.replace(/[&<>"'`|*_~[\]#!\\@:$^{}]|www(?=\.)/gi, (part) => [...part].map(reference).join(''))
}

/** A link; only http and https addresses become one, anything else is shown as code. */
export function markdownLink(label: string, url: string): string {
  const address = URL.parse(url)
  if (address === null || !/^https?:$/.test(address.protocol)) return markdownCode(label)
  return `<a href="${htmlText(address.href)}">${markdown(label)}</a>`
}

function reference(character: string): string {
  return `&#${character.codePointAt(0)};`
}

function oneLine(text: string): string {
  return visible(text.replace(/\s*[\r\n]+\s*/g, ' '))
}
