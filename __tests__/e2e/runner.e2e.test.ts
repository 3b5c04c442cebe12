import { createHash } from 'node:crypto'
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { repository } from '../house/files.ts'
import { ensureTools, installTimeoutMs } from '../house/tools.ts'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { act, reach } from './action.ts'
import { visit } from './look.ts'
import { checkoutOf, tinyProject } from './projects.ts'
import { type Seen, type Watch, watch } from './watched.ts'

const able = canBoot()

/**
 * The action downloads and runs nothing on the runner. It is started where only the server can be reached, and the kernel
 * tells what it and all its children did.
 */
describe.skipIf(!able.ok)(`on the runner${able.ok ? '' : ` (skipped: ${able.why})`}`, () => {
  let server: Server | undefined
  let watched: Watch | undefined
  const folders: string[] = []
  const folder = () => {
    const made = mkdtempSync(join(tmpdir(), 'runner-'))
    folders.push(made)
    return made
  }
  beforeAll(async () => {
    await ensureTools('strace')
  }, installTimeoutMs)
  afterEach(async () => {
    watched?.end()
    await server?.stop()
    for (const one of folders.splice(0)) rmSync(one, { recursive: true, force: true })
  })

  test('deploys, plans and rolls back turn to the server alone, start git and nothing else, and leave everything as it was', async () => {
    server = await boot({ suite: 'bookworm' })
    watched = watch(server)
    const project = checkoutOf(join(repository, 'examples', 'blog'))
    const [home, temp] = [folder(), folder()]
    const inputs = {
      ...reach(server),
      env: 'SECRET_KEY=only-for-this-test\nAUTHOR_PASSWORD=also-only-here',
      'release-command': 'flask db upgrade',
    }
    const run = (change: Readonly<Record<string, string>>) =>
      act({
        workspace: project.folder,
        inputs: { ...inputs, ...change },
        under: watched?.under ?? [],
        environment: {
          HOME: home,
          RUNNER_TEMP: temp,
          // Text that becomes code (eval, new Function) throws.
          NODE_OPTIONS: '--disallow-code-generation-from-strings',
        },
      })
    const before = [content(project.folder), content(home), content(temp)]
    const first = await run({})
    expect(first.outputs.result, first.log).toBe('deployed')
    expect((await run({ command: 'plan' })).outputs.result).toBe('planned')
    expect((await run({})).outputs.result).toBe('unchanged')
    const second = await run({ env: 'SECRET_KEY=another-one\nAUTHOR_PASSWORD=also-only-here' })
    expect(second.outputs.result, second.log).toBe('deployed')
    const back = await run({ command: 'rollback' })
    expect(back.outputs.result, back.log).toBe('rolled-back')
    expect((await visit(server)).status).toBe(200)

    const seen = watched.seen()
    expect(seen.packets).toBe(0)
    expect(seen.peers.toSorted()).toEqual([`${server.address}:22`, `${server.address}:80`])
    const started = seen.programs.map((words) => words.slice(0, 4).join(' '))
    expect(started.filter((one) => one.startsWith('node '))).toHaveLength(5)
    expect(new Set(started.filter((one) => !one.startsWith('node ')))).toEqual(
      new Set(['ls-files', 'log', 'config'].map((word) => `git -c core.fsmonitor=false ${word}`)),
    )
    expect(seen.written.some((file) => file.startsWith(`${temp}/`))).toBe(true)
    // The files that GITHUB_OUTPUT and such name lie in a folder of their own.
    const allowed = [temp, '/dev/null', ...githubs(seen)]
    expect(seen.written.filter((file) => !allowed.some((own) => file.startsWith(own)))).toEqual([])
    const parts = process.env['ACTION_ENTRY'] === undefined ? ['dist/index.js'] : ['src', 'node_modules']
    const own = parts.map((part) => realpathSync(join(repository, part)))
    expect(seen.code.filter((file) => !own.some((part) => file.startsWith(part)))).toEqual([])
    expect(seen.code.length).toBeGreaterThan(0)
    expect([content(project.folder), content(home), content(temp)]).toEqual(before)
  })

  test('what does otherwise is found', async () => {
    server = await boot({ suite: 'bookworm' })
    watched = watch(server)
    const [project, home, temp] = [tinyProject(), folder(), folder()]
    const bad = join(folder(), 'bad.mjs')
    writeFileSync(
      bad,
      `import { spawnSync } from 'node:child_process'
import { lookup } from 'node:dns/promises'
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
spawnSync('true', ['a "b"'])
const tried = []
tried.push(await fetch('http://198.18.255.254:8000/').then(() => 'fetched', (error) => error.cause.code))
tried.push(await lookup('registry.example.org').then(() => 'found', (error) => error.code))
writeFileSync(join(process.env.HOME, 'left'), 'x')
writeFileSync('left', 'x')
mkdirSync(join(process.env.RUNNER_TEMP, 'tool'))
writeFileSync(join(process.env.RUNNER_TEMP, 'tool', 'tool.mjs'), '')
await import('file://' + join(process.env.RUNNER_TEMP, 'tool', 'tool.mjs'))
try { new Function('return 1')(); tried.push('evaluated') } catch (error) { tried.push(error.name) }
console.log(tried.join(' '))
`,
    )
    const before = [content(project.folder), content(home)]
    const ran = await act({
      workspace: project.folder,
      inputs: reach(server),
      under: watched.under,
      entry: bad,
      environment: {
        HOME: home,
        RUNNER_TEMP: temp,
        NODE_OPTIONS: '--disallow-code-generation-from-strings',
      },
    })
    expect(ran.log).toMatch(/^ECONNREFUSED \S+ EvalError$/m)
    const seen = watched.seen()
    expect(seen.packets).toBeGreaterThanOrEqual(2)
    expect(seen.peers).toEqual(expect.arrayContaining(['198.18.255.254:8000', expect.stringMatching(/:53$/)]))
    expect(seen.programs).toContainEqual(['true', 'a "b"'])
    expect(seen.written).toEqual(
      expect.arrayContaining([join(home, 'left'), join(project.folder, 'left'), join(temp, 'tool')]),
    )
    expect(seen.code).toContain(join(temp, 'tool', 'tool.mjs'))
    expect(content(project.folder)).not.toEqual(before[0])
    expect(content(home)).not.toEqual(before[1])
  })
})

/** The folders in which `act` keeps the files that stand for the runner's. */
function githubs({ written }: Seen): readonly string[] {
  return [
    ...new Set(
      written.flatMap((file) => /^.*\/action-\w+\/(?=(?:output|summary|state)$)/.exec(file)?.[0] ?? []),
    ),
  ]
}

/** Everything below a folder: path, mode, time of the last change, and what is in it. */
function content(root: string): readonly string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .map((item) => {
      const path = join(item.parentPath, item.name)
      if (item.isSymbolicLink()) return `${path} -> ${readlinkSync(path)}`
      const { mode, mtimeMs } = statSync(path)
      const bytes = item.isFile() ? createHash('sha256').update(readFileSync(path)).digest('hex') : ''
      return `${path} ${mode.toString(8)} ${item.isFile() ? mtimeMs : ''} ${bytes}`
    })
    .toSorted()
}
