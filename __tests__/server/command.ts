import { spawn } from 'node:child_process'
import { constants } from 'node:os'

export type Outcome = { status: number; stdout: string; stderr: string }
export type CommandOptions = {
  stdin?: string | Uint8Array
  /** Milliseconds until the process group is killed; 120,000 unless told. */
  timeoutMs?: number
  env?: NodeJS.ProcessEnv
}

/**
 * Runs a program to its end, in a process group of its own.
 * A signal counts as status 128 + its number, as in a shell.
 * @throws Error when it cannot be started, or not done in time (with what it had written)
 */
export function command(
  file: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<Outcome> {
  const { stdin = '', timeoutMs = 120_000, env = process.env } = options
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'], detached: true, env })
    const out: Buffer[] = []
    const err: Buffer[] = []
    const text = (chunks: Buffer[]) => Buffer.concat(chunks).toString()
    let late = false
    const timer = setTimeout(() => {
      late = true
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    }, timeoutMs)
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
    // A program that does not read all of its input is free to.
    child.stdin.on('error', () => {})
    child.stdin.end(stdin)
    child.on('error', (error) => {
      clearTimeout(timer)
      reject(error)
    })
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      if (late) {
        reject(new Error(`${file} took more than ${timeoutMs} ms\n${text(out)}${text(err)}`))
        return
      }
      resolve({ status: code ?? 128 + signalNumber(signal), stdout: text(out), stderr: text(err) })
    })
  })
}

/** Like `command`, but a status other than 0 is an Error that carries what the program wrote. Returns stdout. */
export async function must(
  file: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const { status, stdout, stderr } = await command(file, args, options)
  if (status !== 0) throw new Error(`${file} ${args.join(' ')}: status ${status}\n${stdout}${stderr}`)
  return stdout
}

function signalNumber(signal: NodeJS.Signals | null): number {
  return signal === null ? 0 : (constants.signals[signal] ?? 0)
}
