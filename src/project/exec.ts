import { exec } from '@actions/exec'

/** What a program left behind. */
export interface ExecResult {
  /** The exit status; 127 where the program could not be started at all, as in a shell. */
  readonly status: number
  /** Every byte of its standard output. */
  readonly stdout: Buffer
  readonly stderr: string
}

/** Where and with what a program runs. */
export interface ExecOptions {
  /** Its working folder; the runner's own by default. */
  readonly cwd?: string
  /** Changes to the runner's environment; undefined removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>
}

/** Runs a program of the runner's to its end. A status other than 0 is a result, never a rejection. */
export type Exec = (command: string, args: readonly string[], options?: ExecOptions) => Promise<ExecResult>

/** The real one: silent (nothing reaches the log), on Linux, macOS and Windows. */
export const runnerExec: Exec = async (command, args, options = {}) => {
  const stdout: Buffer[] = []
  const stderr: Buffer[] = []
  const collected = () => ({ stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString('utf8') })
  try {
    const status = await exec(`"${command}"`, [...args], {
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      env: environment(options.env ?? {}),
      silent: true,
      ignoreReturnCode: true,
      listeners: { stdout: (data) => stdout.push(data), stderr: (data) => stderr.push(data) },
    })
    return { status, ...collected() }
  } catch (error) {
    // With ignoreReturnCode it rejects only where the program or its folder is not there.
    return {
      status: 127,
      stdout: Buffer.concat(stdout),
      stderr: error instanceof Error ? error.message : String(error),
    }
  }
}

/** The runner's variables but for the action's inputs: a program that is run has no use for secrets. */
function environment(changes: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const all: Record<string, string> = {}
  for (const [key, value] of Object.entries({ ...process.env, ...changes })) {
    if (value !== undefined && !key.startsWith('INPUT_')) all[key] = value
  }
  return all
}
