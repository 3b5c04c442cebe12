import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { projectFiles, repository, textOf } from './files.ts'
import { ensureTools, installTimeoutMs } from './tools.ts'

const workflows = projectFiles().filter((file) => /(?:^|\/)\.github\/workflows\/[^/]+\.ya?ml$/.test(file))
const uses = workflows.flatMap((file) => Array.from(textOf(file).matchAll(/^.*\buses: .*$/gm), ([line]) => ({ file, line })))

describe('workflows, ours and those of the examples', () => {
  let path = ''
  beforeAll(async () => {
    path = await ensureTools('actionlint', 'zizmor', 'shellcheck')
  }, installTimeoutMs)

  test('are sound for actionlint, the shell in them too', async () => {
    expect(workflows.length).toBeGreaterThan(3)
    expect(await complaints('actionlint', '-no-color', '-oneline', ...workflows)).toBe('')
  })

  test('give zizmor nothing to say, pedantic as it is', async () => {
    const audited = [...workflows, '.github/dependabot.yml', 'action.yml']
    const words = ['--offline', '--persona=pedantic', '--config=.github/zizmor.yml', '--format=plain', '--no-progress']
    expect(await complaints('zizmor', ...words, '--quiet', ...audited)).toMatch(/^(?:No findings to report.*)?\s*$/)
  })

  test.each(uses)('$file: $line is pinned by hash and says its version, or is the action itself', ({ line }) => {
    expect(line).toMatch(/uses: (?:[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+|org\/flask-deploy-action@v1|\.\/[\w./-]*)$/)
  })

  test.each(workflows)('%s gives no permission that a job does not name', (file) => {
    const workflow: { readonly permissions: unknown; readonly jobs: Readonly<Record<string, object>> } = parse(textOf(file))
    expect(workflow.permissions).toEqual({})
    for (const job of Object.values(workflow.jobs)) {
      expect(Object.keys(job)).toEqual(expect.arrayContaining(['permissions', 'timeout-minutes']))
    }
  })

  /** What a checker prints; nothing where it finds nothing. */
  async function complaints(program: string, ...words: readonly string[]): Promise<string> {
    const options = { cwd: repository, env: { ...process.env, PATH: path } }
    const run = promisify(execFile)(program, words, options)
    const { stdout, stderr } = await run.catch((error: { readonly stdout: string; readonly stderr: string }) => error)
    return `${stdout}${stderr}`
  }
})
