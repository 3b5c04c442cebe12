/**
 * Writes what follows from action.yml: the tables between the markers in README.md, and src/inputs/declared.ts.
 * Run it with `node script/readme-tables.ts` after every change of action.yml; a test says so where it was forgotten.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { parse } from 'yaml'

/** What action.yml says of one input or output. */
export interface Declared {
  readonly name: string
  readonly description: string
  /** '' where there is none, and for outputs. */
  readonly default: string
}

/** The declarations of one section of action.yml, in its order. */
export function declared(actionYml: string, section: 'inputs' | 'outputs'): readonly Declared[] {
  const document: unknown = parse(actionYml)
  return entries(field(document, section)).map(([name, body]) => ({
    name,
    description: text(field(body, 'description')).trim().replaceAll('\n', ' '),
    default: text(field(body, 'default')),
  }))
}

/** The Markdown table of all inputs. */
export function inputsTable(actionYml: string): string {
  const rows = declared(actionYml, 'inputs').map(
    (one) =>
      `| \`${one.name}\` | ${cell(one.description)} | ${one.default === '' ? '' : `\`${one.default}\``} |`,
  )
  return ['| Input | What it is | Default |', '| --- | --- | --- |', ...rows].join('\n')
}

/** The Markdown table of all outputs. */
export function outputsTable(actionYml: string): string {
  const rows = declared(actionYml, 'outputs').map((one) => `| \`${one.name}\` | ${cell(one.description)} |`)
  return ['| Output | What it says |', '| --- | --- |', ...rows].join('\n')
}

/**
 * README.md with both tables put between their markers.
 * @throws Error where a marker is missing.
 */
export function withTables(readme: string, actionYml: string): string {
  return between(between(readme, 'inputs', inputsTable(actionYml)), 'outputs', outputsTable(actionYml))
}

/** src/inputs/declared.ts: the names and defaults, so that the bundle need not read action.yml. */
export function declaredModule(actionYml: string): string {
  const inputs = declared(actionYml, 'inputs')
  const names = inputs.map((one) => `  ${literal(one.name)},`)
  const defaults = inputs
    .filter((one) => one.default !== '')
    .map((one) => `  ${/^[a-z]+$/.test(one.name) ? one.name : literal(one.name)}: ${literal(one.default)},`)
  return [
    '// Made from action.yml by `node script/readme-tables.ts`; change it there.',
    '',
    '/** Every input of action.yml, in its order. */',
    'export const inputNames = [',
    ...names,
    '] as const',
    '',
    '/** The name of an input of action.yml. */',
    'export type InputName = (typeof inputNames)[number]',
    '',
    '/** The defaults of action.yml: what an empty input means. */',
    'export const defaults: Readonly<Partial<Record<InputName, string>>> = {',
    ...defaults,
    '}',
    '',
  ].join('\n')
}

function between(readme: string, section: string, table: string): string {
  const open = `<!-- ${section} -->`
  const close = `<!-- /${section} -->`
  const start = readme.indexOf(open)
  const end = readme.indexOf(close)
  if (start < 0 || end < start) throw new Error(`README.md lacks ${open} ... ${close}`)
  return `${readme.slice(0, start + open.length)}\n${table}\n${readme.slice(end)}`
}

function cell(value: string): string {
  return value.replaceAll('|', '\\|')
}

function literal(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}

function field(value: unknown, name: string): unknown {
  return entries(value).find(([key]) => key === name)?.[1]
}

function entries(value: unknown): readonly (readonly [string, unknown])[] {
  return typeof value === 'object' && value !== null ? Object.entries(value) : []
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

if (import.meta.main) {
  const root = new URL('..', import.meta.url)
  const actionYml = readFileSync(new URL('action.yml', root), 'utf8')
  const readme = new URL('README.md', root)
  writeFileSync(readme, withTables(readFileSync(readme, 'utf8'), actionYml))
  writeFileSync(new URL('src/inputs/declared.ts', root), declaredModule(actionYml))
}
