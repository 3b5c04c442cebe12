import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Exec, ExecOptions } from '../../src/project/exec.ts'
import { resolve } from '../../src/wheels/resolve.ts'

const target = { minor: 11, arch: 'x86_64', glibc: 36 }
const sha256 = 'ab'.repeat(32)
const lock = `[[packages]]
name = "flask"
version = "3.1.2"
wheels = [{ url = "https://files.example/flask-3.1.2-py3-none-any.whl", hashes = { sha256 = "${sha256}" } }]
`

/** uv itself is started in __tests__/e2e/wheels.e2e.test.ts. */
describe('a resolution', () => {
  let folder = ''
  let ran: { readonly command: string; readonly words: readonly string[]; readonly options: ExecOptions }[]
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'resolve-'))
    ran = []
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  const run = (
    answer: Partial<Awaited<ReturnType<Exec>>>,
    change: Partial<Parameters<typeof resolve>[0]> = {},
    glibc = 36,
  ) => {
    const exec: Exec = async (command, args, options = {}) => {
      ran.push({ command, words: args, options })
      return { status: 0, stdout: Buffer.from(lock), stderr: '', ...answer }
    }
    const wanted = {
      texts: new Map([
        ['requirements/prod.txt', '-r base.txt\n'],
        ['requirements/base.txt', 'flask\n'],
      ]),
      file: 'requirements/prod.txt',
      steps: [{ folder: 'requirements', words: ['prod.txt'], complete: false, exports: undefined }],
      ...change,
    }
    return resolve(
      wanted,
      { ...target, glibc },
      {
        uv: '/own/uv',
        exec,
        environment: { PATH: '/x', SECRET: 's', VIRTUAL_ENV: '/v' },
        variables: { PATH: process.env['PATH'] ?? '' },
        folder,
      },
    )
  }

  test('builds nothing, takes no settings, and sees the files that list the packages alone', async () => {
    expect(await run({})).toEqual([expect.objectContaining({ name: 'flask', sha256 })])
    const [one] = ran
    expect(one?.command).toBe('timeout')
    const words = one?.words.join(' ')
    expect(words).toContain('--no-config')
    expect(words).toContain('--only-binary :all:')
    expect(words).toContain('--no-python-downloads')
    expect(words).toContain('--python-version 3.11 --python-platform x86_64-manylinux_2_36')
    expect(words).not.toContain('--no-deps')
    expect(one?.words.at(-1)).toBe('prod.txt')
    expect(one?.options.cwd).toBe(join(folder, 'project/requirements'))
    expect(new Set(readdirSync(join(folder, 'project'), { recursive: true, encoding: 'utf8' }))).toEqual(
      new Set(['requirements', 'requirements/base.txt', 'requirements/prod.txt']),
    )
    expect(one?.options.env).toEqual({ PATH: process.env['PATH'], SECRET: undefined, VIRTUAL_ENV: undefined })
  })

  test('sees the files as they lie to each other, and none of them can be started', async () => {
    await run({})
    const base = join(folder, 'project/requirements/base.txt')
    expect(readFileSync(base, 'utf8')).toBe('flask\n')
    expect(statSync(base).mode & 0o111).toBe(0)
  })

  test('of a glibc that uv does not know is one for the next older', async () => {
    await run({}, {}, 41)
    expect(ran[0]?.words).toContain('x86_64-manylinux_2_40')
  })

  test('of a lock is made of what uv writes it out to', async () => {
    const steps = [{ folder: '', words: ['uv.lock.txt'], complete: true, exports: ['--extra', 'web'] }]
    await run({}, { steps })
    const [exported, compiled] = ran.map(({ words }) => words.join(' '))
    expect(exported).toMatch(/^300 \/own\/uv export .*--frozen .*--output-file uv\.lock\.txt --extra web$/)
    expect(compiled).toMatch(/ pip compile .*--no-deps uv\.lock\.txt$/)
  })

  test('of several steps keeps what the first chose, where the next can live with it', async () => {
    const step = { folder: 'requirements', words: ['prod.txt'], complete: false, exports: undefined }
    expect(await run({}, { steps: [step, step] })).toHaveLength(1)
    expect(ran[0]?.words).not.toContain('--constraints')
    const constraints = join(folder, 'constraints.txt')
    expect(ran[1]?.words.join(' ')).toContain(`--constraints ${constraints}`)
    expect(readFileSync(constraints, 'utf8')).toBe('flask==3.1.2\n')
    expect(ran).toHaveLength(2)
  })

  test.each([
    ['error: Building source distributions is disabled', 'wheels-source', 'is only known once it is built'],
    [
      'error: Failed to build `shop @ file:///x`\n  cause: Building source distributions for `shop` is disabled',
      'wheels-source',
      'shop, which requirements/prod.txt names,',
    ],
    [
      'error: No solution found when resolving dependencies\n  cause: Because there is no version of click==99 and you require click==99, we can conclude that your requirements are unsatisfiable.',
      'wheels-resolve',
      'there is no version of click==99',
    ],
    ['', 'wheels-resolve', 'status 1'],
  ])('that fails with %j is %s', async (stderr, code, cause) => {
    const error: unknown = await run({ status: 1, stderr }).catch((one: unknown) => one)
    expect(error).toMatchObject({ code })
    expect(String(error)).toContain(cause)
    expect(String(error)).not.toContain(folder)
  })

  test('that takes too long says so', async () => {
    await expect(run({ status: 124 })).rejects.toThrow('it took more than 300 s')
  })

  test('with a package that has no wheel for the server names it and the server', async () => {
    const stdout = Buffer.from(
      '[[packages]]\nname = "uwsgi"\nversion = "2"\nsdist = { url = "https://x.example/a" }\n',
    )
    await expect(run({ stdout })).rejects.toThrow(
      /no wheel that the server \(Python 3\.11, x86_64, glibc 2\.36\) could use of uwsgi/,
    )
  })
})
