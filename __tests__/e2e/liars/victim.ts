import { execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Limits } from '../../../src/limits.ts'
import { phases } from '../../../src/phases.ts'
import { fingerprintOf } from '../../../src/server/public-key.ts'
import { keyPair } from '../../server-side/ssh-server.ts'
import { fileCommands, inputDefaults } from '../action.ts'
import { tinyProject } from '../projects.ts'
import { hostKey } from './liar.ts'

const repository = join(import.meta.dirname, '..', '..', '..')
const key = keyPair('ed25519')

/** The program of the action, compiled once, with limits that a test can wait for. */
export interface Build {
  readonly entry: string
  remove(): void
}

/** How long a phase may take in a test: `short` where it is to run out. */
export type Pace = 'short' | 'long'

/** Compiles src/ (the types only are taken away) and writes an entry beside it that takes its limits from a test. */
export function build(): Build {
  const folder = mkdtempSync(join(tmpdir(), 'lying-server-'))
  execFileSync(
    process.execPath,
    [
      join(repository, 'node_modules/typescript/bin/tsc'),
      ...['-p', join(repository, 'tsconfig.build.json'), '--outDir', join(folder, 'src'), '--noCheck'],
    ],
    { cwd: repository, stdio: 'pipe' },
  )
  symlinkSync(join(repository, 'node_modules'), join(folder, 'node_modules'))
  symlinkSync(join(repository, 'remote'), join(folder, 'remote'))
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  writeFileSync(join(folder, 'src', 'entry.js'), entry)
  return {
    entry: join(folder, 'src', 'entry.js'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/**
 * The limits come as JSON, phases by their ms. What the process had in memory at most is read at its very end, from the kernel
 * (proc(5), VmHWM).
 */
const entry = `import './shim.js'
import { readFileSync, writeFileSync } from 'node:fs'
import { limits } from './limits.js'
import { main } from './main.js'
const { PEAK_FILE, LIMITS } = process.env
if (PEAK_FILE) {
  process.on('exit', () => {
    writeFileSync(PEAK_FILE, /VmHWM:\\s+([0-9]+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1])
  })
}
const { phases = {}, ...others } = JSON.parse(LIMITS)
const given = Object.entries(limits.phases).map(([phase, limit]) => [phase, { ...limit, ms: phases[phase] ?? limit.ms }])
await main({ ...limits, ...others, phases: Object.fromEntries(given) })
`

/** Limits of time for the entry, as the environment has them. */
export function limitsOf(given: {
  readonly phases?: Readonly<Record<string, number>>
  readonly others?: Partial<Omit<Limits, 'phases'>>
}): Readonly<Record<string, string>> {
  return { LIMITS: JSON.stringify({ phases: given.phases, ...given.others }) }
}

/** Those of a test: every phase takes as long. */
function paced(pace: Pace): Readonly<Record<string, string>> {
  const ms = pace === 'short' ? 1_500 : 20_000
  return limitsOf({
    phases: Object.fromEntries(phases.map((phase) => [phase, ms])),
    others: {
      silenceMs: 3_000,
      uploadMs: ms * 0.6,
      otherAppMs: 500,
      requestMs: 700,
      cancelMs: 500,
      reconnectMs: 4_000,
      postMs: ms,
    },
  })
}

/** How one run against a liar ended. */
export interface Met {
  readonly status: number | null
  readonly ms: number
  readonly peakMb: number
  /** Standard output and standard error, in order. */
  readonly log: string
  readonly outputs: ReadonlyMap<string, string>
  readonly summary: string
  /** Files that are there afterwards and were not before, or changed, but for those that GitHub named. */
  readonly strays: readonly string[]
}

/** Runs the action against a server on the loopback, as the Actions runner does. */
export async function meet(
  built: Build,
  port: number,
  pace: Pace,
  inputs: Readonly<Record<string, string>> = {},
  bundle = 0,
  environment: Readonly<Record<string, string>> = {},
  killMs = Number(process.env['LIAR_KILL_MS'] ?? 60_000),
): Promise<Met> {
  const folder = mkdtempSync(join(tmpdir(), 'victim-'))
  const project = tinyProject(bundle === 0 ? {} : { 'data.txt': randomBytes(bundle).toString('base64') })
  const [home, temp, bin] = ['home', 'temp', 'bin'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ]
  for (const one of [home, temp, bin]) mkdirSync(one)
  // Nothing but git is there to be started.
  symlinkSync(execFileSync('sh', ['-c', 'command -v git']).toString().trim(), join(bin, 'git'))
  const files = ['output', 'summary', 'state'].map((name) => join(temp, name)) as [string, string, string]
  for (const file of files) writeFileSync(file, '')
  const [output, summary, state] = files
  const peakFile = join(folder, 'peak')
  const before = snapshot(home, temp, project.folder)
  const given = {
    ...inputDefaults(),
    host: '127.0.0.1',
    port: String(port),
    'ssh-key': key.secret,
    'host-fingerprint': fingerprintOf(hostKey.blob),
    domain: '127.0.0.1',
    'smoke-from': 'off',
    'connect-timeout': '20s',
    'lock-timeout': '0s',
    'command-timeout': '1s',
    'stop-timeout': '1s',
    'confirm-timeout': '10s',
    'health-timeout': '1s',
    ...inputs,
  }
  const started = performance.now()
  const child = spawn(process.execPath, [...(process.env['LIAR_NODE_ARGS']?.split(' ') ?? []), built.entry], {
    cwd: project.folder,
    env: {
      PATH: bin,
      HOME: home,
      GITHUB_ACTIONS: 'true',
      GITHUB_WORKSPACE: project.folder,
      GITHUB_REPOSITORY: 'someone/hello',
      GITHUB_REPOSITORY_ID: '4711',
      GITHUB_OUTPUT: output,
      GITHUB_STEP_SUMMARY: summary,
      GITHUB_STATE: state,
      RUNNER_TEMP: temp,
      RUNNER_DEBUG: '1',
      PEAK_FILE: peakFile,
      ...environment,
      ...paced(pace),
      ...Object.fromEntries(
        Object.entries(given).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]),
      ),
    },
  })
  const chunks: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk))
  const killer = setTimeout(() => child.kill('SIGKILL'), killMs)
  // What goes wrong here must not take the whole machine with it.
  const watch = setInterval(() => {
    if (residentMb(child.pid) > 700) child.kill('SIGKILL')
  }, 200)
  const status = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  clearTimeout(killer)
  clearInterval(watch)
  const met: Met = {
    status,
    ms: Math.round(performance.now() - started),
    peakMb: Math.round(Number(readIfThere(peakFile)) / 1024),
    log: Buffer.concat(chunks).toString(),
    outputs: fileCommands(readFileSync(output, 'utf8')),
    summary: readFileSync(summary, 'utf8'),
    strays: changed(before, snapshot(home, temp, project.folder)).filter(
      (file) => !files.some((own) => file === own),
    ),
  }
  rmSync(folder, { recursive: true, force: true })
  rmSync(project.folder, { recursive: true, force: true })
  return met
}

/** RSS of a process in MB (proc(5), VmRSS); NaN where it is gone. */
function residentMb(pid: number | undefined): number {
  return Number(/VmRSS:\s+([0-9]+)/.exec(readIfThere(`/proc/${pid}/status`))?.[1]) / 1024
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return 'NaN'
  }
}

/** Every file below some folders, with its content; git's own bookkeeping is left out. */
function snapshot(...folders: readonly string[]): ReadonlyMap<string, string> {
  const found = folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((one) => !one.isDirectory())
      .map((one) => join(one.parentPath, one.name))
      .filter((file) => !file.includes('/.git/')),
  )
  return new Map(found.map((file) => [file, readFileSync(file, 'latin1')]))
}

function changed(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): readonly string[] {
  const all = new Set([...before.keys(), ...after.keys()])
  return [...all].filter((file) => before.get(file) !== after.get(file))
}
