import { spawnSync } from 'node:child_process'
import { beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { projectFiles, repository, textOf } from './files.ts'
import { ensureTools, installTimeoutMs } from './tools.ts'

const workflows = projectFiles().filter((file) => /(?:^|\/)\.github\/workflows\/[^/]+\.ya?ml$/.test(file))
const uses = workflows.flatMap((file) =>
  Array.from(textOf(file).matchAll(/^.*\buses: .*$/gm), ([line]) => ({ file, line })),
)

describe('workflows, ours and those of the examples', () => {
  let path = ''
  beforeAll(async () => {
    path = await ensureTools('actionlint', 'zizmor', 'shellcheck')
  }, installTimeoutMs)

  test('are sound for actionlint, the shell in them too', () => {
    expect(workflows.length).toBeGreaterThan(3)
    expect(complaints('actionlint', '-no-color', '-oneline', ...workflows)).toBe('')
  })

  test('give zizmor nothing to say, pedantic as it is', () => {
    const audited = [...workflows, '.github/dependabot.yml', 'action.yml']
    const words = [
      '--offline',
      '--persona=pedantic',
      '--config=.github/zizmor.yml',
      '--format=plain',
      '--no-progress',
      // Without a terminal too, where CI is set.
      '--color=never',
    ]
    expect(complaints('zizmor', ...words, '--quiet', ...audited)).toMatch(/^(?:No findings to report.*)?\s*$/)
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

  /** What a checker prints; nothing where it finds nothing. */
  function complaints(program: string, ...words: readonly string[]): string {
    const options = { cwd: repository, env: { ...process.env, PATH: path }, encoding: 'utf8' } as const
    const { stdout, stderr, error } = spawnSync(program, words, options)
    if (error !== undefined) throw error
    return stdout + stderr
  }
})
