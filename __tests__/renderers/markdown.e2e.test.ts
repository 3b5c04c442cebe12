import { spawnSync } from 'node:child_process'
import { beforeAll, expect, test } from 'vitest'
import { DeployError } from '../../src/errors.ts'
import { emptyReport, type Report, reportOfError } from '../../src/report/report.ts'
import { renderSummary } from '../../src/report/summary.ts'
import { visible } from '../../src/text.ts'
import { ensureTools, installTimeoutMs } from '../house/tools.ts'
import { context } from '../report/sample.ts'
import { texts } from './texts.ts'
import { cases, expectSame, sample, tell } from './trial.ts'

/*
 * The summary before GitHub's own parser (cmark-gfm, with the extensions that GitHub has on): whatever the values are,
 * the page has the same elements as with plain words, and shows each value where its word stood.
 */

const trial = {
  where: 'runner',
  renderer: 'the summary shows every value',
  file: '__tests__/renderers/markdown.e2e.test.ts',
}

let path = ''
beforeAll(async () => {
  path = await ensureTools('cmark-gfm')
}, installTimeoutMs)

/** A part of a page: an element's beginning or end, or a text, decoded. */
type Part = { readonly tag: string } | { readonly text: string }

function html(markdown: string): string {
  const extensions = ['table', 'autolink', 'strikethrough', 'tagfilter', 'tasklist', 'footnotes']
  const options = extensions.flatMap((one) => ['-e', one])
  const done = spawnSync('cmark-gfm', ['--unsafe', '--validate-utf8', ...options], {
    input: markdown,
    encoding: 'utf8',
    maxBuffer: 1 << 30,
    env: { PATH: path },
  })
  if (done.status !== 0) throw new Error(done.stderr || String(done.error))
  return done.stdout
}

function partsOf(page: string): readonly Part[] {
  return page.split(/(<[^<>]*>)/).flatMap((one, at): readonly Part[] => {
    if (at % 2 === 1) return [{ tag: one }]
    return one === '' ? [] : [{ text: decoded(one) }]
  })
}

function decoded(text: string): string {
  const named: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"' }
  return text.replace(/&(?:#([0-9]+)|(\w+));/g, (whole, code?: string, name?: string) =>
    code === undefined ? (named[name ?? ''] ?? whole) : String.fromCodePoint(Number(code)),
  )
}

/** The same with texts joined that only our own marks within a line (code, span) part, as blanks are shown. */
function shown(parts: readonly Part[]): readonly string[] {
  const lines: string[] = []
  let text = ''
  for (const part of parts) {
    if ('text' in part) text += part.text
    else if (!/^<\/?(?:code|span)>$/.test(part.tag)) {
      lines.push(blanks(text), part.tag.replace(/ href="[^"]*"/, ' href'))
      text = ''
    }
  }
  return [...lines, blanks(text)].filter((line) => line !== '')
}

function blanks(text: string): string {
  return text.replace(/[ \t\n\r\f]+/g, ' ').trim()
}

/** A report with every text that a user, a project or a server decides. */
function reportOf(word: () => string): Report {
  const many = <Item>(count: number, item: (value: unknown, at: number) => Item) =>
    Array.from({ length: count }, item)
  const faults = many(3, () => ({
    cause: `It is ${word()}.`,
    cure: `Write ${word()} instead.`,
    file: word(),
    line: 7,
  }))
  return {
    ...emptyReport,
    ...reportOfError(
      new DeployError(
        'x',
        faults,
        many(4, () => word().replace(/[\r\n]+/g, ' ')),
      ),
    ),
    app: word(),
    // No two the same: what is the same is said in another way.
    release: `r${word()}`,
    previous: `p${word()}`,
    serving: `s${word()}`,
    url: `http://x.example/${word()}`,
    commit: 'abc1234000000000000000000000000000000000',
    phases: [
      { phase: 'upload', ms: 1, ok: true },
      { phase: 'start', ms: 1, ok: false },
    ],
    changes: many(6, () => ({ what: word(), detail: word() })),
    health: { ok: false, path: word(), status: 500, ms: 1, answers: 1 },
    smoke: { ok: false, from: 'runner', url: word(), status: null, ms: 1, release: word() },
    warnings: many(3, () => ({ code: 'x', text: `It has ${word()}.`, file: word() })),
    unpinned: many(3, (_, at) => ({ what: 'package' as const, name: word(), file: `${at}${word()}` })),
  }
}

/** How many values a report holds. */
const slots = (() => {
  let count = 0
  reportOf(() => `w${++count}`)
  return count
})()

/** Where a page's links lead, percent-encoding undone. */
function linksOf(page: string): readonly string[] {
  return Array.from(page.matchAll(/ href="([^"]*)"/g), ([, link = '']) => plainAddress(decoded(link)))
}

/** The address that a link of the plain page is with these values: the site's as it is, a file's with its path encoded. */
function address(link: string, words: readonly string[]): string {
  const isSite = link.startsWith('http://x.example/')
  return plainAddress(
    link.replace(/Zq(\d+)x/g, (_, slot: string) => {
      const value = words[Number(slot)] ?? ''
      return isSite ? value : value.split('/').map(encodeURIComponent).join('/')
    }),
  )
}

function plainAddress(link: string): string {
  const { href } = new URL(link)
  return href.replace(/(?:%[0-9A-F]{2})+/gi, (bytes) =>
    Buffer.from(bytes.replaceAll('%', ''), 'hex').toString('latin1'),
  )
}

/** A word of the plain page, as it cannot be in any other text. */
const token = (at: number) => `Zq${at}x`

function inTurn(words: readonly string[]): () => string {
  let at = -1
  return () => words[++at] ?? ''
}

test('the summary shows every value', () => {
  const tokens = Array.from({ length: slots }, (_, at) => token(at))
  const plainPage = html(renderSummary(reportOf(inTurn(tokens)), context))
  const plain = shown(partsOf(plainPage))
  const plainLinks = linksOf(plainPage)
  expect(plainLinks.length).toBeGreaterThan(3)
  expect(plain.join('\n').match(/Zq\d+x/g)?.length).toBeGreaterThanOrEqual(slots)
  const usable = texts().map((text) => {
    const short = text
      .slice(0, 48)
      .toWellFormed()
      .replace(/\s*[\r\n]+\s*/g, '\n')
    return short.trim() === '' || visible(short).trim() === '' ? 'x' : short
  })
  const values = sample(usable, Math.ceil((cases * 4) / slots) * slots)
  const pages = Array.from({ length: values.length / slots }, (_, at) =>
    values.slice(at * slots, (at + 1) * slots),
  )
  // One run for all; a value that broke out of its page would take the mark behind it along.
  const mark = '<hr class="next">'
  const all = html(
    pages.map((words) => renderSummary(reportOf(inTurn(words)), context)).join(`\n\n${mark}\n\n`),
  ).split(mark)
  expect(all).toHaveLength(pages.length)
  for (const [at, words] of pages.entries()) {
    const parts = partsOf(all[at] ?? '')
    const found = shown(parts)
    const expected = plain.map((line) =>
      blanks(line.replace(/Zq(\d+)x/g, (_, slot: string) => expectedText(words[Number(slot)] ?? ''))),
    )
    // In a sentence a pair of backquotes sets code apart, whoever wrote it.
    const sentences = new Set(plain.flatMap((line, index) => (/\b(?:It|Write) /.test(line) ? [index] : [])))
    const told = (lines: readonly string[]) =>
      lines.map((line, index) => (sentences.has(index) ? blanks(line.replaceAll('`', '')) : line))
    expectSame(trial, told(expected), told(found))
    expectSame(trial, [], actedUpon(parts))
    expectSame(
      trial,
      plainLinks.map((link) => address(link, words)),
      linksOf(all[at] ?? ''),
    )
  }
  tell(trial, { kept: values.map((given) => ({ given, rendered: given })), refused: new Map() }, 1)
})

/** A value as a reader sees it: on one line, with what a screen acts on made visible. */
function expectedText(value: string): string {
  return visible(value.replace(/\s*[\r\n]+\s*/g, ' '))
}

/** Texts that GitHub makes something of after the parser, outside of code and links: mentions, issues, emoji. */
function actedUpon(parts: readonly Part[]): string[] {
  const found: string[] = []
  let within = 0
  for (const part of parts) {
    if ('tag' in part) {
      if (/^<(?:code|pre|a)\b/.test(part.tag)) within += 1
      if (/^<\/(?:code|pre|a)>/.test(part.tag)) within -= 1
    } else if (within === 0 && /(?:^|\W)@\w|#\d|:[\w+-]+:/.test(part.text)) found.push(part.text)
  }
  return found
}
