import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** A checkout of a project, as actions/checkout leaves it. */
export interface Checkout {
  readonly folder: string
  /** Writes files and commits them; a content of null deletes. `at`: the committer's date, seconds since 1970. */
  readonly commit: (files: Readonly<Record<string, string | null>>, message?: string, at?: number) => void
}

/** The smallest Flask project. */
export const tinyApp = `from flask import Flask

app = Flask(__name__)


@app.route("/")
def index():
    return "version 1"
`

/** A fresh repository with these files, committed. */
export function checkout(files: Readonly<Record<string, string>>): Checkout {
  const folder = mkdtempSync(join(tmpdir(), 'checkout-'))
  return repositoryIn(folder, files)
}

/** A fresh repository with the files of a folder. */
export function checkoutOf(source: string): Checkout {
  const folder = mkdtempSync(join(tmpdir(), 'checkout-'))
  cpSync(source, folder, { recursive: true })
  return repositoryIn(folder, {})
}

function repositoryIn(folder: string, files: Readonly<Record<string, string>>): Checkout {
  const git = (...words: readonly string[]) => gitAt(undefined, ...words)
  const gitAt = (at: number | undefined, ...words: readonly string[]) =>
    execFileSync('git', ['-c', 'user.name=test', '-c', 'user.email=test@example.org', ...words], {
      cwd: folder,
      stdio: 'pipe',
      env: { ...process.env, ...(at === undefined ? {} : { GIT_COMMITTER_DATE: `@${at} +0000` }) },
    })
  const commit: Checkout['commit'] = (changes, message = 'change', at) => {
    for (const [path, content] of Object.entries(changes)) {
      if (content === null) git('rm', '-q', path)
      else {
        mkdirSync(dirname(join(folder, path)), { recursive: true })
        writeFileSync(join(folder, path), content)
      }
    }
    git('add', '-A')
    gitAt(at, 'commit', '-q', '--allow-empty', '-m', message)
  }
  git('init', '-q', '-b', 'main')
  commit(files)
  return { folder, commit }
}

/** One file and its requirement. */
export function tinyProject(changes: Readonly<Record<string, string>> = {}): Checkout {
  return checkout({ 'app.py': tinyApp, 'requirements.txt': 'flask\n', ...changes })
}
