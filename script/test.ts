import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { canBoot, prepareHost } from '../__tests__/server/requirements.ts'
import { reap } from '../__tests__/server/slots.ts'
import { ensureTree } from '../__tests__/server/trees.ts'

/** What vitest's JSON report says in numbers (vitest docs, "Reporters", json). */
interface Counts {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

/** What the tests boot. */
const suites = ['bookworm', 'bullseye', 'trixie', 'sid'] as const

const none: Counts = { passed: 0, failed: 0, skipped: 0 }

/** Runs one command in sight and counts it as one test. */
function step(what: string, command: string, ...words: readonly string[]): Counts {
  console.log(`\n== ${what}`)
  const { status } = spawnSync(command, words, { stdio: 'inherit' })
  if (status !== 0) console.log(`FAILED: ${what}`)
  return { ...none, [status === 0 ? 'passed' : 'failed']: 1 }
}

/** Runs one of vitest's projects. */
function vitest(project: string, ...words: readonly string[]): Counts {
  console.log(`\n== ${project} tests`)
  const folder = mkdtempSync(join(tmpdir(), 'vitest-'))
  const file = join(folder, 'report.json')
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile=${file}`]
  const { status } = spawnSync('vitest', ['run', '--project', project, ...reporters, ...words], {
    stdio: 'inherit',
  })
  try {
    const report: unknown = JSON.parse(readFileSync(file, 'utf8'))
    const number = (key: string) => {
      const value = typeof report === 'object' && report !== null ? Reflect.get(report, key) : undefined
      return typeof value === 'number' ? value : 0
    }
    // A file that cannot be loaded fails without a single test.
    const failed = Math.max(
      number('numFailedTests'),
      number('numFailedTestSuites') > 0 ? 1 : 0,
      status === 0 ? 0 : 1,
    )
    return {
      passed: number('numPassedTests'),
      failed,
      skipped: number('numPendingTests') + number('numTodoTests'),
    }
  } catch {
    return { ...none, failed: 1 }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function onServers(words: readonly string[]): Promise<Counts> {
  if (process.platform === 'linux' && process.getuid?.() === 0) await prepareHost(suites)
  const able = canBoot()
  if (!able.ok) {
    console.log(`\n== The tests on servers are left out: ${able.why}`)
    return none
  }
  console.log("\n== Building the servers' trees, where the cache has none")
  for (const suite of suites) {
    const began = performance.now()
    await ensureTree({ suite, packages: 'ready', uutils: false })
    if (suite === 'sid') await ensureTree({ suite, packages: 'ready', uutils: true })
    console.log(`${suite}: ${((performance.now() - began) / 1000).toFixed(1)} s`)
  }
  const tools = step('tools', 'sh', 'script/install-tools')
  const counts = vitest('e2e', ...words)
  await reap()
  return { ...counts, passed: counts.passed + tools.passed, failed: counts.failed + tools.failed }
}

async function everything(words: readonly string[]): Promise<number> {
  const all = [
    step('types', 'tsc', '--noEmit'),
    step('lint', 'npm', 'run', '--silent', 'lint'),
    step('dist is what the source builds', 'sh', 'script/check-dist'),
    vitest('unit'),
    await onServers(words),
  ]
  const sum = (key: keyof Counts) => all.reduce((total, counts) => total + counts[key], 0)
  const skipped = sum('skipped')
  console.log(
    `\n${sum('passed')} passed, ${sum('failed')} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`,
  )
  return sum('failed') === 0 ? 0 : 1
}

process.exitCode = await everything(process.argv.slice(2))
