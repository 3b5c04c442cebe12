import { execFileSync } from 'node:child_process'
import { lstatSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The folder of this checkout. */
export const repository = join(import.meta.dirname, '..', '..')

/** The files that the next commit would hold, relative to the repository, with `/`. */
export function projectFiles(...below: readonly string[]): readonly string[] {
  const words = ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--', ...below]
  const files = execFileSync('git', words, { cwd: repository, encoding: 'utf8' }).split('\0')
  return [...new Set(files)].filter(
    (file) => file !== '' && lstatSync(join(repository, file), { throwIfNoEntry: false })?.isFile(),
  )
}

/** A file's text. */
export function textOf(file: string): string {
  return readFileSync(join(repository, file), 'utf8')
}
