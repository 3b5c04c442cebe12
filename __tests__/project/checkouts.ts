import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { onTestFinished } from 'vitest'

/** A fresh folder that goes away with the test. */
export function folder(): string {
  const made = mkdtempSync(path.join(os.tmpdir(), 'project-test-'))
  onTestFinished(() => rmSync(made, { recursive: true, force: true }))
  return made
}

/** Writes files into a folder: name -> content, a symlink's target, or a program's text. */
export function write(
  root: string,
  files: Readonly<Record<string, string | { readonly link: string } | { readonly program: string }>>,
): void {
  for (const [name, content] of Object.entries(files)) {
    const at = path.join(root, name)
    mkdirSync(path.dirname(at), { recursive: true })
    if (typeof content === 'string') writeFileSync(at, content)
    else if ('link' in content) symlinkSync(content.link, at)
    else {
      writeFileSync(at, content.program)
      chmodSync(at, 0o755)
    }
  }
}

/** Runs git with settings of its own, whatever the machine's are. */
export function git(cwd: string, ...args: readonly string[]): string {
  const settings = {
    'user.name': 'Test',
    'user.email': 'test@example.org',
    'init.defaultBranch': 'main',
    'protocol.file.allow': 'always',
    'commit.gpgsign': 'false',
  }
  const options = Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`])
  return execFileSync('git', [...options, ...args], { cwd, encoding: 'utf8', stdio: 'pipe' }).trim()
}

/** A committed repository that holds the files. */
export function repository(files: Parameters<typeof write>[1]): string {
  const root = folder()
  git(root, 'init', '--quiet')
  write(root, files)
  git(root, 'add', '--all')
  git(root, 'commit', '--quiet', '--message', 'first')
  return root
}
