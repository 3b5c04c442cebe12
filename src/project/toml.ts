import { parse, TomlError, type TomlTable } from 'smol-toml'
import type { Explanation } from '../errors.ts'
import { type Tree, textOf } from './tree.ts'

/** A table of a TOML or JSON file; anything may be in it. */
export type Table = Readonly<Record<string, unknown>>

/** Reads a TOML file; where it is none, the fault. */
export function readToml(
  tree: Tree,
  file: string,
): { readonly toml: Table; readonly faults: readonly Explanation[] } {
  let toml: TomlTable
  try {
    toml = parse((textOf(tree, file) ?? '').replace(/^\u{FEFF}/u, ''))
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const cause = `${file} is not valid TOML at line ${error.line}, column ${error.column}.`
    return { toml: {}, faults: [{ cause, cure: `Correct ${file}.`, file, line: error.line }] }
  }
  return { toml, faults: [] }
}

/** Reads a JSON file; where it is none, or no object, the fault. */
export function readJson(
  tree: Tree,
  file: string,
): { readonly json: Table; readonly faults: readonly Explanation[] } {
  try {
    const json: unknown = JSON.parse(textOf(tree, file) ?? '')
    if (isTable(json)) return { json, faults: [] }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  return { json: {}, faults: [{ cause: `${file} is not valid JSON.`, cure: `Correct ${file}.`, file }] }
}

export function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
}

/** The table below these keys; an empty one where there is none. */
export function tableAt(value: unknown, ...keys: readonly string[]): Table {
  let found = value
  for (const key of keys) found = isTable(found) && Object.hasOwn(found, key) ? found[key] : undefined
  return isTable(found) ? found : {}
}

/** The list's texts; what else is in it is passed over. */
export function textsIn(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : []
}

/** The list's tables. */
export function tablesIn(value: unknown): readonly Table[] {
  return Array.isArray(value) ? value.filter(isTable) : []
}

export function textIn(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
