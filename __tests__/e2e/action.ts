import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'yaml'
import type { Outputs } from '../../src/outputs.ts'
import type { RunnerNetwork } from '../server/authority.ts'
import type { Server } from '../server/boot.ts'

const repository = join(import.meta.dirname, '..', '..')

/** What the action left behind, as the Actions runner would see it. */
export interface Ran {
  readonly status: number | null
  /** Standard output and standard error. */
  readonly log: string
  readonly outputs: Outputs
  readonly summary: string
  readonly state: ReadonlyMap<string, string>
}

/** A started action. */
export interface Running {
  readonly process: ChildProcess
  /** The log so far. */
  readonly log: () => string
  /** Waits until the log holds a text. @throws Error when the action ends without it */
  readonly said: (text: string | RegExp) => Promise<void>
  readonly ended: Promise<Ran>
}

/** How to run it. */
export interface ActionOptions {
  /** The workspace: a checkout. */
  readonly workspace: string
  /** Inputs that differ from action.yml's defaults. */
  readonly inputs: Readonly<Record<string, string>>
  /** `owner/name` */
  readonly repository?: string
  readonly repositoryId?: string
  readonly environment?: Readonly<Record<string, string>>
  /** Words before `node`: a program that runs it and looks on. */
  readonly under?: readonly string[]
  /** What node runs in place of the action. */
  readonly entry?: string
  /** The network that it lives in: another DNS than this machine's, and another root to trust. */
  readonly network?: RunnerNetwork
}

/** The inputs that reach a booted server as its root. */
export function reach(server: Server): Readonly<Record<string, string>> {
  return {
    host: server.address,
    'ssh-key': server.privateKey,
    'known-hosts': server.knownHosts,
    domain: server.address,
    // The old release ends with the verdict; those that are about the time after it say so.
    'settle-time': '0s',
  }
}

/** The defaults of action.yml, which the runner hands over as inputs. */
export function inputDefaults(): Readonly<Record<string, string>> {
  const action: unknown = parse(readFileSync(join(repository, 'action.yml'), 'utf8'))
  if (typeof action !== 'object' || action === null || !('inputs' in action))
    throw new Error('action.yml has no inputs')
  const inputs = action.inputs as Readonly<Record<string, { default?: string } | null>>
  return Object.fromEntries(
    Object.entries(inputs).map(([name, input]) => [name, String(input?.default ?? '')]),
  )
}

/** Starts the built action as the Actions runner does: INPUT_*, GITHUB_* and the files it names. */
export function start(options: ActionOptions): Running {
  const folder = mkdtempSync(join(tmpdir(), 'action-'))
  const files = {
    output: join(folder, 'output'),
    summary: join(folder, 'summary'),
    state: join(folder, 'state'),
  }
  for (const file of Object.values(files)) writeFileSync(file, '')
  const inputs = { ...inputDefaults(), ...options.inputs }
  const entry = options.entry ?? join(repository, process.env['ACTION_ENTRY'] ?? 'dist/index.js')
  const [program, ...words] = [...within(options.network), ...(options.under ?? []), 'node', entry]
  const child = spawn(program, words, {
    cwd: options.workspace,
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      GITHUB_ACTIONS: 'true',
      GITHUB_WORKSPACE: options.workspace,
      GITHUB_REPOSITORY: options.repository ?? 'someone/hello',
      GITHUB_REPOSITORY_ID: options.repositoryId ?? '4711',
      GITHUB_SERVER_URL: 'https://github.com',
      GITHUB_RUN_ID: '1',
      GITHUB_ACTOR: 'someone',
      GITHUB_OUTPUT: files.output,
      GITHUB_STEP_SUMMARY: files.summary,
      GITHUB_STATE: files.state,
      RUNNER_TEMP: folder,
      ...(options.network === undefined ? {} : { NODE_EXTRA_CA_CERTS: options.network.trust }),
      ...Object.fromEntries(
        Object.entries(inputs).map(([name, value]) => [
          `INPUT_${name.replaceAll(' ', '_').toUpperCase()}`,
          value,
        ]),
      ),
      ...options.environment,
    },
  })
  let log = ''
  const waiting = new Set<() => void>()
  const hear = (chunk: Buffer) => {
    log += chunk.toString()
    for (const look of waiting) look()
  }
  child.stdout.on('data', hear)
  child.stderr.on('data', hear)
  let over = false
  const ended = new Promise<Ran>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (status) => {
      over = true
      for (const look of waiting) look()
      const outputs = fileCommands(readFileSync(files.output, 'utf8'))
      resolve({
        status,
        log,
        outputs: Object.fromEntries(outputs) as unknown as Outputs,
        summary: readFileSync(files.summary, 'utf8'),
        state: fileCommands(readFileSync(files.state, 'utf8')),
      })
      rmSync(folder, { recursive: true, force: true })
    })
  })
  return {
    process: child,
    log: () => log,
    ended,
    said: (text) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (typeof text === 'string' ? log.includes(text) : text.test(log)) resolve()
          else if (over) reject(new Error(`the action ended without saying ${text}:\n${log}`))
          else return
          waiting.delete(look)
        }
        waiting.add(look)
        look()
      }),
  }
}

/** The words before a command that give it a network's DNS; the process stays the one that was started. */
function within(network: RunnerNetwork | undefined): readonly string[] {
  if (network === undefined) return []
  const script = 'mount --bind "$1" /etc/resolv.conf; shift; exec "$@"'
  // dash would drop `INPUT_SSH-KEY` and its like: their names are none for a shell. With a socket for its input, bash
  // takes itself for a remote shell and reads its settings unless told not to.
  return ['unshare', '--mount', 'bash', '--norc', '-euc', script, 'within', network.resolver]
}

/** Runs the built action to its end. */
export async function act(options: ActionOptions): Promise<Ran> {
  return await start(options).ended
}

/** Reads a file of the form that the runner reads (`name<<delimiter`, or `name=value`). */
export function fileCommands(text: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>()
  const lines = text.split('\n')
  for (let at = 0; at < lines.length; at += 1) {
    const [, name = '', delimiter = ''] = /^([^=<]+)<<(.+)$/.exec(lines[at] ?? '') ?? []
    if (name === '') continue
    const end = lines.indexOf(delimiter, at + 1)
    values.set(name, lines.slice(at + 1, end).join('\n'))
    at = end
  }
  return values
}
