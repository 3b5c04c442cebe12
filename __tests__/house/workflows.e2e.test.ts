import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { blocks, pages } from '../docs/pages.ts'
import { projectFiles, repository, textOf } from './files.ts'
import { ensureTools, installTimeoutMs } from './tools.ts'

const workflows = projectFiles().filter((file) => /(?:^|\/)\.github\/workflows\/[^/]+\.ya?ml$/.test(file))
const uses = workflows.flatMap((file) =>
  Array.from(textOf(file).matchAll(/^.*\buses: .*$/gm), ([line]) => ({ file, line })),
)

describe('workflows, ours and those of the examples', () => {
  let path = ''
  let why = ''
  beforeAll(async () => {
    try {
      path = await ensureTools('actionlint', 'zizmor', 'shellcheck')
    } catch (error) {
      // A machine without registries can still run the rest; where GitHub checks, nothing is left out.
      if (process.env['CI'] !== undefined) throw error
      why = `actionlint and zizmor cannot be installed here: ${error instanceof Error ? error.message : String(error)}`
    }
  }, installTimeoutMs)

  test('are sound for actionlint, the shell in them too', ({ skip }) => {
    skip(why !== '', why)
    expect(workflows.length).toBeGreaterThan(3)
    expect(complaints('actionlint', '-no-color', '-oneline', ...workflows)).toBe('')
  })

  test('give zizmor nothing to say, pedantic as it is', ({ skip }) => {
    skip(why !== '', why)
    const audited = [...workflows, '.github/dependabot.yml', 'action.yml']
    expect(zizmor('pedantic', audited)).toMatch(nothing)
  })

  test('in the pages are sound for actionlint, and give zizmor nothing to say', ({ skip }) => {
    skip(why !== '', why)
    const folder = mkdtempSync(join(tmpdir(), 'pages-'))
    const below = join(folder, '.github', 'workflows')
    mkdirSync(below, { recursive: true })
    const whole = pages
      .flatMap((page) => blocks(textOf(page), 'yaml'))
      .filter((text) => /^on:/m.test(text) && /^jobs:/m.test(text))
    const files = whole.map((text, at) => {
      writeFileSync(join(below, `${at}.yml`), text)
      return join(below, `${at}.yml`)
    })
    try {
      expect(files.length).toBeGreaterThan(1)
      expect(complaints('actionlint', '-no-color', '-oneline', ...files)).toBe('')
      expect(zizmor('regular', files)).toMatch(nothing)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  test.each(uses)(
    '$file: $line is pinned by hash and says its version, or is the action itself',
    ({ line }) => {
      expect(line).toMatch(
        /uses: (?:[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+|org\/flask-deploy-action@v1|\.\/[\w./-]* # zizmor: .*)$/,
      )
    },
  )

  test.each(workflows)('%s gives no permission that a job does not name', (file) => {
    const workflow: { readonly permissions: unknown; readonly jobs: Readonly<Record<string, object>> } =
      parse(textOf(file))
    expect(workflow.permissions).toEqual({})
    for (const job of Object.values(workflow.jobs)) {
      // A job that is another workflow has its time there.
      const names = 'uses' in job ? ['permissions'] : ['permissions', 'timeout-minutes']
      expect(Object.keys(job)).toEqual(expect.arrayContaining(names))
    }
  })

  test.each(workflows)(
    '%s keeps no token where steps could read it, and runs no stranger’s code with secrets',
    (file) => {
      const text = textOf(file)
      const checkouts = text.match(/uses: actions\/checkout@/g) ?? []
      expect(text.match(/persist-credentials: false/g) ?? []).toHaveLength(checkouts.length)
      const { on, concurrency }: { readonly on: object; readonly concurrency?: unknown } = parse(text)
      expect(Object.keys(on).filter((event) => /^(?:pull_request_target|workflow_run)$/.test(event))).toEqual(
        [],
      )
      expect(concurrency).toBeDefined()
    },
  )

  const nothing = /^(?:No findings to report.*)?\s*$/

  /** What zizmor says as one of its personas. */
  function zizmor(persona: 'regular' | 'pedantic', files: readonly string[]): string {
    const words = [
      '--offline',
      `--persona=${persona}`,
      '--config=.github/zizmor.yml',
      '--format=plain',
      '--no-progress',
      // Without a terminal too, where CI is set.
      '--color=never',
      '--quiet',
    ]
    return complaints('zizmor', ...words, ...files)
  }

  /** What a checker prints; nothing where it finds nothing. */
  function complaints(program: string, ...words: readonly string[]): string {
    const options = { cwd: repository, env: { ...process.env, PATH: path }, encoding: 'utf8' } as const
    const { stdout, stderr, error } = spawnSync(program, words, options)
    if (error !== undefined) throw error
    return stdout + stderr
  }
})
