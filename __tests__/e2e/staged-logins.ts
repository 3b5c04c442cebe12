import { quote } from '../../src/quote.ts'
import type { Report } from '../../src/report/report.ts'
import type { Server } from '../server/boot.ts'
import { act, type Ran, reach } from './action.ts'
import { withoutMasks } from './runs.ts'

type Inputs = Readonly<Record<string, string>>

/** How a login is staged. */
export interface Staging {
  readonly what: string
  /** Lines for an sshd of the row's own; the server's other settings hold besides. */
  readonly sshd?: string
  /** sh, run for each caller before an sshd of the row's own speaks; what it prints goes to the caller. */
  readonly before?: string
  /** sh as root, once before the first row: what disturbs no other row, such as a user. */
  readonly prepare?: string
  /** sh as root, right before the row. @param port where the row's sshd listens */
  readonly stage?: (port: number) => string
  /** sh as root, right after the row: takes back what `stage` did. */
  readonly undo?: string
  /** How often the same was done before, in vain. */
  readonly rehearsed?: number
  /** What differs from a plan with the user `keys` and a key that he lets in. */
  readonly inputs?: Inputs
  /** TCP connections that the server gets, whoever listens. */
  readonly calls: number
  /** What sshd writes into its log: the way to tell causes apart that look alike from outside. */
  readonly told?: RegExp
}

/** A login that works all the same. */
export interface Works extends Staging {
  /** What the run's log says of it. */
  readonly says: RegExp
}

/** A login with which no deploy is possible, and what is said. */
export interface Fails extends Staging {
  readonly code: string
  readonly cause: RegExp
  readonly cure: RegExp
  readonly input: string
  readonly phase: 'inputs' | 'connect' | 'facts'
  /** What visitors get: nobody knows, unless told. */
  readonly serving?: string
}

export type Row = Works | Fails

/** A staging in which the server gets one connection, unless told. */
export type Staged = Omit<Staging, 'calls'> & { readonly calls?: number }

/** Makes rows that fail in one phase. */
export function failsIn(phase: Fails['phase']) {
  return (
    { calls = 1, ...staging }: Staged,
    said: Pick<Fails, 'code' | 'cause' | 'cure' | 'input'>,
  ): Fails => ({
    ...staging,
    ...said,
    calls,
    phase,
  })
}

/** What became of a row. */
export interface Seen {
  readonly ran: Ran
  /** The run's log, without the masks. */
  readonly log: string
  readonly report: Report
  readonly calls: number
  /** What sshd wrote meanwhile. */
  readonly sshdLog: string
  /** How often somebody's password was refused meanwhile. */
  readonly guesses: number
}

const plainPort = 2200

/** sh that makes a user whom the tests' key lets in, and who may use sudo without a password. */
export function user(name: string, more = ''): string {
  return `useradd --create-home --shell /bin/bash ${name}
    cp -r /home/deploy/.ssh /home/${name}/; chown -R ${name}: /home/${name}/.ssh
    echo '${name} ALL=(ALL:ALL) NOPASSWD:ALL' > /etc/sudoers.d/${name}
    ${more}`
}

/** Rows on one server: an sshd of its own for each that wants one, and what they prepare. */
export class LoginStage {
  readonly #server: Server
  readonly #rows: readonly Row[]

  private constructor(server: Server, rows: readonly Row[]) {
    this.#server = server
    this.#rows = rows
  }

  /** @param everybody sh as root: what all rows have in common */
  static async set(server: Server, rows: readonly Row[], everybody: string): Promise<LoginStage> {
    const stage = new LoginStage(server, rows)
    await server.must(`mkdir /run/stages
      ${everybody}
      ${rows.map(({ prepare = '' }) => prepare).join('\n')}
      ${sshd(plainPort, {})}
      ${rows.map((row) => (own(row) ? sshd(stage.#port(row), row) : '')).join('\n')}
      systemctl daemon-reload
      for socket in /run/stages/*.socket; do [ ! -e "$socket" ] || systemctl start "\${socket##*/}"; done`)
    return stage
  }

  /** Runs the action on a row. */
  async play(row: Row, workspace: string): Promise<Seen> {
    const server = this.#server
    const port = this.#port(row)
    const run = () =>
      act({
        workspace,
        inputs: { ...reach(server), command: 'plan', user: 'keys', port: String(port), ...row.inputs },
      })
    for (let time = 0; time < (row.rehearsed ?? 0); time += 1) await run()
    if (row.stage !== undefined) await server.must(row.stage(port))
    try {
      const before = await this.#look(port)
      const ran = await run()
      const after = await this.#look(port)
      return {
        ran,
        log: withoutMasks(ran.log),
        report: JSON.parse(ran.outputs.report),
        calls: after.calls - before.calls,
        sshdLog: after.log.slice(before.log.length),
        guesses: after.guesses - before.guesses,
      }
    } finally {
      if (row.undo !== undefined) await server.must(row.undo)
    }
  }

  #port(row: Row): number {
    return own(row) ? plainPort + 1 + this.#rows.indexOf(row) : plainPort
  }

  async #look(port: number): Promise<{ calls: number; guesses: number; log: string }> {
    // The sixth number of the line "Tcp:" is PassiveOpens: connections that somebody else opened (RFC 4022).
    const text = await this.#server.must(`
      awk '/^Tcp: [0-9]/ { print $7 }' /proc/net/snmp
      journalctl --sync
      journalctl -o cat | cat - /run/stages/${port}.log |
        grep -cE 'authentication failure|incorrect password|Failed (password|keyboard)' || :
      cat /run/stages/${port}.log`)
    const [calls = '', guesses = '', ...log] = text.split('\n')
    return { calls: Number(calls), guesses: Number(guesses), log: log.join('\n') }
  }
}

function own({ sshd: lines, before }: Row): boolean {
  return lines !== undefined || before !== undefined
}

function sshd(port: number, { sshd: lines = '', before }: Pick<Row, 'sshd' | 'before'>): string {
  const file = `/run/stages/${port}`
  // Of each setting the first one counts (sshd_config(5)); of MaxStartups, it was found, the last.
  const settings = [`Port ${port}`, lines, 'Include /etc/ssh/sshd_config', lines, ''].join('\n')
  const write = `: > ${file}.log; printf %s ${quote(settings)} > ${file}.conf`
  const program = `/usr/sbin/sshd -E ${file}.log -f ${file}.conf`
  if (before === undefined) {
    return `${write}; systemd-run --quiet --unit=stage-${port} -p Type=notify ${program} -D`
  }
  return `${write}
    printf %s ${quote(`${before}\nexec ${program} -i\n`)} > ${file}.sh
    printf '[Socket]\\nListenStream=%s\\nAccept=yes\\n' ${port} > ${file}.socket
    printf '[Service]\\nExecStart=sh %s\\nStandardInput=socket\\n' ${file}.sh > /run/systemd/system/${port}@.service
    cp ${file}.socket /run/systemd/system/`
}
