import { expect, test } from 'vitest'
import { projectFiles, textOf } from './files.ts'

/** A file longer than this has more than one subject. */
const mostLines = 300

/** File -> why it may be longer. */
const longer: Readonly<Record<string, string>> = {}

const source = projectFiles('src')

test('no file of the program is too long to be read in one sitting', () => {
  const long = [...source, ...projectFiles('remote')]
    .map((file) => ({ file, lines: textOf(file).split('\n').length - 1 }))
    .filter(({ file, lines }) => lines > mostLines && longer[file] === undefined)
  expect(long).toEqual([])
})

test.each([
  ['any', /(?:[:<,|&(]|\bas)\s*any\b/],
  ['an assertion that something is not null', /[\w)\]]!(?=[.,;)\]}\s[]|$)(?!\s*=)/m],
  ['a cast over unknown', /\bas unknown as\b/],
  ['an enum, a namespace or a parameter property', /\b(?:enum|namespace) \w+ \{|constructor\([^)]*\b(?:private|public|protected|readonly) /],
])('the types of the program hold without %s', (_, pattern) => {
  expect(source.filter((file) => pattern.test(codeOf(textOf(file))))).toEqual([])
})

test('no checker is told to look away in the program', () => {
  const ways = /@ts-(?:ignore|expect-error|nocheck)|(?:oxlint|eslint)-disable|biome-ignore/
  expect(source.filter((file) => ways.test(textOf(file)))).toEqual([])
})

test('the checks see what they are there for', () => {
  expect(codeOf("const a = 'x' // any\n/* as any */ const b = `any ${c!.d} any`")).toBe(
    "const a = ''\n const b = `${c!.d}`",
  )
})

/** TypeScript without its comments and the texts in it; what a template calls is kept. */
function codeOf(text: string): string {
  const parts =
    /\/\*[\s\S]*?\*\/|(?<![:\\'"`/])[ \t]*\/\/(?!\*).*$|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`|(?<=[(,=:[!&|?{;\s])\/(?![/*])(?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/gm
  return text.replace(parts, (part) => {
    if (part.startsWith('`')) return `\`${(part.match(/\$\{[^}]*\}/g) ?? []).join('')}\``
    if (part.startsWith("'") || part.startsWith('"')) return "''"
    return part.startsWith('/') && !part.startsWith('//') && !part.startsWith('/*') ? '/./' : ''
  })
}
