import { expect, test } from 'vitest'
import { projectFiles, textOf } from './files.ts'

const dist = projectFiles('dist')

test('dist is one program, its licenses and the word that it is a module', () => {
  expect(dist).toEqual(['dist/index.js', 'dist/licenses.txt', 'dist/package.json'])
})

test('dist is text: no machine code of one kind of computer', () => {
  expect(dist.filter((file) => textOf(file).includes('\0'))).toEqual([])
})

test('the program of dist names no folder of the machine that built it', () => {
  // ncc leaves `file:///...` where a module asks for its own place.
  expect(textOf('dist/index.js')).not.toMatch(
    /["'`](?:file:\/\/)?\/(?:home|root|Users|tmp|work|builds?)\/[\w.-]+\//,
  )
})
