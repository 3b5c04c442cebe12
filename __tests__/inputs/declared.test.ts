import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import {
  declared,
  declaredModule,
  inputsTable,
  outputsTable,
  withTables,
} from '../../script/readme-tables.ts'
import { defaults, inputNames } from '../../src/inputs/declared.ts'
import { allRows, secretInputs } from '../../src/inputs/table.ts'
import { outputNames } from '../../src/outputs.ts'

const root = new URL('../../', import.meta.url)
const actionYml = readFileSync(new URL('action.yml', root), 'utf8')
const readme = readFileSync(new URL('README.md', root), 'utf8')

describe('action.yml, the types and the README say the same', () => {
  test('every input of action.yml is read into one field, and every field comes from one', () => {
    const names = declared(actionYml, 'inputs').map((one) => one.name)
    expect(allRows.map((row) => row.input).toSorted()).toEqual(names.toSorted())
    expect(inputNames).toEqual(names)
  })

  test('declared.ts is what `node script/readme-tables.ts` makes of action.yml', () => {
    expect(readFileSync(new URL('src/inputs/declared.ts', root), 'utf8')).toBe(declaredModule(actionYml))
    for (const { name, default: value } of declared(actionYml, 'inputs')) {
      expect(Object.entries(defaults).find(([key]) => key === name)?.[1] ?? '').toBe(value)
    }
  })

  test('every output of action.yml is in the type', () => {
    expect(outputNames).toEqual(declared(actionYml, 'outputs').map((one) => one.name))
  })

  test("the README's tables are those of action.yml, row by row", () => {
    expect(readme).toBe(withTables(readme, actionYml))
    expect(readme).toContain(inputsTable(actionYml))
    expect(readme).toContain(outputsTable(actionYml))
  })
})

describe('action.yml keeps the rules of GitHub and its Marketplace', () => {
  const action: Readonly<Record<string, unknown>> = parse(actionYml)

  test('name, description, branding and runtime', () => {
    expect(action['name']).toBe('Deploy Flask')
    expect(String(action['description']).length).toBeLessThanOrEqual(125)
    expect(action['branding']).toEqual({ icon: 'upload-cloud', color: 'green' })
    expect(action['runs']).toEqual({
      using: 'node24',
      main: 'dist/index.js',
      post: 'dist/index.js',
      'post-if': 'always()',
    })
  })

  test('no expression stands in a description: the runner would try to evaluate it', () => {
    expect(actionYml).not.toContain('${{')
  })

  test('names are lower-case kebab, and every description is one or two short sentences or so', () => {
    for (const section of ['inputs', 'outputs'] as const) {
      for (const { name, description } of declared(actionYml, section)) {
        expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/)
        expect(description).toMatch(/\S\.$/)
        expect(description.length).toBeLessThan(300)
      }
    }
  })
})

test('the secret inputs are those that hold a secret', () => {
  expect(secretInputs.toSorted()).toEqual([
    'env',
    'password',
    'secret-files',
    'ssh-key',
    'ssh-key-passphrase',
    'sudo-password',
    'tls-key',
  ])
})
