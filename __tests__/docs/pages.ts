import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The checkout's root. */
export const root = join(import.meta.dirname, '..', '..')

/** Every page that is written for people, relative to the root. */
export const pages: readonly string[] = [
  ...readdirSync(root).filter((name) => name.endsWith('.md')),
  ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`),
  ...readdirSync(join(root, 'examples')).map((name) => `examples/${name}/README.md`),
].filter((page) => page.endsWith('.md') && existsSync(join(root, page)))

/** A file's text, by its path relative to the root. */
export function textOf(file: string): string {
  return readFileSync(join(root, file), 'utf8')
}

/** Everything below a folder that is a file, relative to the root. */
export function filesBelow(folder: string): readonly string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((item) => item.isFile())
    .map((item) => join(item.parentPath, item.name).slice(root.length + 1))
}

/** The contents of a page's code blocks in one language, without the indentation that a list gives them. */
export function blocks(page: string, language: string): readonly string[] {
  return [...page.matchAll(/^( *)```(\w+)\n([\s\S]*?)^ *```$/gm)]
    .filter(([, , one]) => one === language)
    .map(([, indent = '', , body = '']) => body.replaceAll(new RegExp(`^${indent}`, 'gm'), ''))
}

/** A page without its code blocks. */
export function proseOf(page: string): string {
  return page.replaceAll(/^ *```\w*\n[\s\S]*?^ *```$/gm, '')
}

/** A page's section: from its heading to the next one of the same level or above. */
export function section(page: string, heading: string): string {
  const level = /^#+/.exec(heading)?.[0].length ?? 0
  const start = page.indexOf(`\n${heading}\n`) + 1
  if (start === 0) throw new Error(`there is no heading ${heading}`)
  const rest = page.slice(start + heading.length)
  const end = rest.search(new RegExp(`^#{1,${level}} `, 'm'))
  return page.slice(start, end < 0 ? undefined : start + heading.length + end)
}

/** The names by which headings are linked to, as GitHub makes them. */
export function anchors(page: string): ReadonlySet<string> {
  return new Set(
    [...proseOf(page).matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
      title
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
        .replaceAll(' ', '-'),
    ),
  )
}
