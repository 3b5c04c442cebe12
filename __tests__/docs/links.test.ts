import { existsSync, readdirSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { expect, test } from 'vitest'
import { anchors, filesBelow, pages, proseOf, root, textOf } from './pages.ts'

/** The links of a page that stay within the repository. */
function linksOf(page: string): readonly string[] {
  return [...proseOf(textOf(page)).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/.test(target))
}

test.each(pages)('every link of %s leads to a file, and to a heading where it names one', (page) => {
  const broken = linksOf(page).filter((target) => {
    const [path = '', anchor] = target.split('#')
    const file = path === '' ? page : normalize(join(dirname(page), path))
    if (!existsSync(join(root, file))) return true
    return anchor !== undefined && !anchors(textOf(file)).has(anchor)
  })
  expect(broken).toEqual([])
})

test.each(pages)('every path of the repository that %s names is there', (page) => {
  const tops = readdirSync(root, { withFileTypes: true }).flatMap((item) =>
    item.isDirectory() ? [item.name] : [],
  )
  const named = [...proseOf(textOf(page)).matchAll(/`([\w.@/-]+\/[\w.@/-]*)`/g)]
    .map(([, path = '']) => path)
    // A path of the user's project has the same form, but none of our folders in front.
    .filter(
      (path) =>
        tops.includes(path.split('/')[0] ?? '') &&
        !path.startsWith('.github/') &&
        !page.startsWith('examples/'),
    )
  expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([])
})

const architecture = textOf('docs/architecture.md')

test('every folder of the program and of its tests is described', () => {
  const folders = ['src', '__tests__'].flatMap((top) =>
    readdirSync(join(root, top), { withFileTypes: true }).flatMap((item) =>
      item.isDirectory() ? [`${top}/${item.name}/`] : [],
    ),
  )
  expect(folders.filter((folder) => !architecture.includes(`\`${folder}\``))).toEqual([])
})

test('so is every file that stands alone, and every one that runs on a server', () => {
  const alone = filesBelow('src').filter((file) => file.split('/').length === 2)
  const files = [...alone, ...filesBelow('remote'), ...filesBelow('script'), ...filesBelow('bench')]
  expect(files.filter((file) => !architecture.includes(`\`${file}\``))).toEqual([])
})
