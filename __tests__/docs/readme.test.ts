import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { inputNames } from '../../src/inputs/declared.ts'
import { outputNames } from '../../src/outputs.ts'
import { blocks, pages, section, textOf } from './pages.ts'

const readme = textOf('README.md')

test('the two commands are on the first screen', () => {
  const screen = readme.split('\n').slice(0, 40).join('\n')
  expect(screen).toMatch(/^script\/demo\b/m)
  expect(screen).toMatch(/^script\/test\b/m)
})

test('the quick start has at most 40 lines: key, host key, secrets, workflow', () => {
  const start = section(readme, '## Quick start')
  expect(start.trimEnd().split('\n').length).toBeLessThanOrEqual(40)
  const said = [
    'ssh-keygen -t ed25519',
    'ssh-copy-id',
    'ssh-keygen -lf',
    'gh secret set',
    'known-hosts:',
    'permissions:',
  ]
  expect(said.filter((one) => !start.includes(one))).toEqual([])
})

test('the first workflow is whole, and small', () => {
  const [workflow = ''] = blocks(section(readme, '## Quick start'), 'yaml')
  expect(parse(workflow)).toMatchObject({
    on: { push: {} },
    permissions: { contents: 'read' },
    jobs: { deploy: {} },
  })
  expect(usesOf(parse(workflow))).toHaveLength(1)
})

const snippets = pages.flatMap((page) =>
  blocks(textOf(page), 'yaml').map((text, at) => ({ page, at: at + 1, text })),
)

test('there are workflows to check', () => {
  expect(snippets.length).toBeGreaterThan(3)
})

test.each(snippets)(
  'block $at of $page is valid, and knows no input or output that is not there',
  ({ text }) => {
    const document: unknown = parse(text)
    for (const inputs of usesOf(document)) {
      expect(Object.keys(inputs).filter((name) => !isIn(inputNames, name))).toEqual([])
    }
    for (const [, name = ''] of text.matchAll(/\bsteps\.[\w-]+\.outputs\.([\w-]+)/g))
      expect(outputNames).toContain(name)
  },
)

test('other actions are pinned to a commit', () => {
  const used = snippets.flatMap(({ text }) => [...text.matchAll(/uses: (\S+)/g)].map(([, name = '']) => name))
  expect(used.filter((name) => !/^org\/flask-deploy-action@v1$|@[0-9a-f]{40}$/.test(name))).toEqual([])
})

/** What `with` gives to each use of this action, anywhere within a YAML document. */
function usesOf(value: unknown): readonly object[] {
  if (typeof value !== 'object' || value === null) return []
  const within = Object.values(value).flatMap(usesOf)
  if (!('uses' in value) || !/\bflask-deploy-action@/.test(String(value.uses))) return within
  return [
    ...within,
    'with' in value && typeof value.with === 'object' && value.with !== null ? value.with : {},
  ]
}

function isIn(names: readonly string[], name: string): boolean {
  return names.includes(name)
}
