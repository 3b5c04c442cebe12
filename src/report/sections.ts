import type { Redactor } from '../secrets.ts'
import { cutToBytes } from '../text.ts'
import { markdown, markdownBlock, markdownSentence } from './escape.ts'

/** A part of what a command has to tell: a table, or lines of another program. What stands in backquotes is code. */
export interface Section {
  readonly title: string
  /** The table's head, of empty words for a table of names and values; empty where there is no table. */
  readonly columns: readonly string[]
  readonly rows: readonly (readonly string[])[]
  /** Lines as they were printed, oldest first. */
  readonly lines: readonly string[]
}

/** Bytes of one cell. */
const longestCell = 500

/** So many rows of a table, and lines, are shown in the summary, and kept in the report. */
const mostRows = 200

/** A table. */
export function table(
  title: string,
  columns: readonly string[],
  rows: readonly (readonly string[])[],
): Section {
  return { title, columns, rows, lines: [] }
}

/** What another program printed: the last lines of it. */
export function block(title: string, lines: readonly string[]): Section {
  return { title, columns: [], rows: [], lines: lines.slice(-mostRows) }
}

/** For the log: columns below each other, without the marks of code. */
export function sectionText({ title, columns, rows }: Section): readonly string[] {
  const cells = [columns, ...rows].map((row) => row.map((cell) => cell.replaceAll('`', '')))
  const widths = columns.map((_, at) => Math.max(...cells.map((row) => [...(row[at] ?? '')].length)))
  const lines = cells.map((row) =>
    row
      .map((cell, at) => cell + ' '.repeat(Math.max(0, (widths[at] ?? 0) - [...cell].length)))
      .join('  ')
      .trimEnd(),
  )
  const [head = '', ...body] = lines
  return ['', title, ...(head.trim() === '' ? [] : [`  ${head}`]), ...body.map((line) => `  ${line}`)]
}

/**
 * For the summary: GitHub Flavored Markdown of at most so many bytes.
 * @param sections redacted
 */
export function sectionsMarkdown(sections: readonly Section[], maxBytes: number): readonly string[] {
  const shown: string[] = []
  let bytes = 0
  for (const section of sections) {
    for (const line of section.columns.length > 0 ? tableMarkdown(section) : blockMarkdown(section)) {
      bytes += Buffer.byteLength(line) + 1
      if (bytes > maxBytes) return [...shown, '', 'The rest is in the log.', '']
      shown.push(line)
    }
  }
  return shown
}

function tableMarkdown({ title, columns, rows }: Section): readonly string[] {
  const line = (row: readonly string[]) =>
    `| ${columns.map((_, at) => markdownSentence(cutToBytes(row[at] ?? '', longestCell))).join(' | ')} |`
  // Markdown has no table without a head: of names and values the first pair is it.
  const [first = []] = rows
  const [head, body] = columns.every((name) => name === '') ? [first, rows.slice(1)] : [columns, rows]
  const left = body.length - mostRows
  return [
    `### ${markdown(title)}`,
    '',
    line(head),
    `|${' --- |'.repeat(columns.length)}`,
    ...body.slice(0, mostRows).map(line),
    ...(left > 0 ? [line([`and ${left} more`])] : []),
    '',
  ]
}

function blockMarkdown({ title, lines }: Section): readonly string[] {
  const shown = lines.map((line) => cutToBytes(line, longestCell))
  return [`### ${markdownSentence(title)}`, '', shown.length === 0 ? 'Nothing.' : markdownBlock(shown), '']
}

/** The sections without any secret. */
export function redactedSections(
  sections: readonly Section[],
  redact: Redactor['redact'],
): readonly Section[] {
  return sections.map((section) => ({
    ...section,
    rows: section.rows.map((row) => row.map(redact)),
    lines: section.lines.map(redact),
  }))
}
