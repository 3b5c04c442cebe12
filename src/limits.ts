import type { Phase } from './phases.ts'

/** The phases that a server has a hand in; the others are the runner's own work on its own disk. */
export type ServerPhase = Exclude<Phase, 'inputs' | 'project'>

/** An input that says how long something may take. */
export type LimitInput =
  | 'connect-timeout'
  | 'lock-timeout'
  | 'command-timeout'
  | 'health-timeout'
  | 'stop-timeout'
  | 'confirm-timeout'
  | 'settle-time'

/** The most that a phase may take, whatever a server does: then the run stops it and fails. */
export interface PhaseLimit {
  readonly ms: number
  /** The time of these inputs is added; what makes a run wait too long is most likely the first one. */
  readonly plus?: readonly LimitInput[]
  /** Why so long: one sentence without its full stop. */
  readonly why: string
}

/** All limits of time that are no inputs; a test brings shorter ones. */
export interface Limits {
  readonly phases: Readonly<Record<ServerPhase, PhaseLimit>>
  /** Added once to a phase in which the server waits for another app of its own (900 s, remote/lock.sh), in ms. */
  readonly otherAppMs: number
  /** A server from which no byte comes for so long is gone: sshd answers a question every fifth of it. In ms. */
  readonly silenceMs: number
  /** The server must take the next 256 KiB of what is sent within this time, in ms. */
  readonly uploadMs: number
  /** One request of the smoke test, in ms. */
  readonly requestMs: number
  /** How long a server may take to stop and go back, in ms: GitHub gives a cancelled run 7.5 s in all. */
  readonly cancelMs: number
  /** All looking for wheels on the runner, and fetching them, in ms. */
  readonly wheelsMs: number
  /** A connection that is lost is made again within this time, in ms: sshd of a server that restarts is back in less. */
  readonly reconnectMs: number
  /** How often in one run: a line that breaks more often would not carry the bundle either. */
  readonly reconnects: number
  /** What the runner sends may stand still so long on the server, in ms: the runner needs `silenceMs` and `reconnectMs` to be back. */
  readonly sentWaitMs: number
  /** What comes after main, to stop a run that was cut off, login and all, in ms. */
  readonly postMs: number
}

const SECOND = 1_000
const MINUTE = 60_000

/** The one table of them: docs/architecture.md shows it, and a test compares the two. */
export const limits: Limits = {
  phases: {
    connect: { ms: 0, plus: ['connect-timeout'], why: 'all tries of the login together' },
    facts: {
      ms: 60 * SECOND,
      plus: ['lock-timeout'],
      why: 'a slow server says its facts within 10 s; then another deploy may hold the lock',
    },
    command: {
      ms: 5 * MINUTE,
      plus: ['command-timeout', 'lock-timeout'],
      why: 'looking around takes seconds, and removing an app with much data minutes; the inputs count for `run` and for `destroy`',
    },
    packages: { ms: 30 * MINUTE, why: 'apt may wait 10 minutes for its own lock, and then has to download' },
    upload: {
      ms: 10 * MINUTE,
      why: 'to unpack and compile, counted from the last byte that the server took',
    },
    dependencies: { ms: 30 * MINUTE, why: 'packages that are built from source take minutes each' },
    configure: { ms: 5 * MINUTE, why: 'files are written, and what `persist` names is copied once' },
    'release-command': {
      ms: 2 * MINUTE,
      plus: ['command-timeout'],
      why: 'each of the two commands has that time of its own, so it counts twice where both are set',
    },
    start: { ms: 3 * MINUTE, why: 'systemd gives a unit 90 s' },
    health: {
      ms: 60 * SECOND,
      plus: ['health-timeout', 'stop-timeout'],
      why: "the app's last words are fetched afterwards; a scheduler of the old release may finish its work before the new one begins",
    },
    cutover: { ms: 10 * MINUTE, why: 'nginx is tested and reloaded' },
    smoke: {
      ms: 60 * SECOND,
      plus: ['confirm-timeout'],
      why: 'the server waits as long for the verdict, and then goes back',
    },
    certificate: {
      ms: 20 * MINUTE,
      why: 'certbot may have to be installed, and the authority looks at every name from several places',
    },
    report: {
      ms: 5 * MINUTE,
      plus: ['settle-time'],
      why: 'old releases are removed, and `wait-settled` waits',
    },
  },
  otherAppMs: 16 * MINUTE,
  silenceMs: 15 * SECOND,
  uploadMs: 60 * SECOND,
  requestMs: 15 * SECOND,
  cancelMs: 6 * SECOND,
  wheelsMs: 15 * MINUTE,
  reconnectMs: 60 * SECOND,
  reconnects: 5,
  sentWaitMs: 90 * SECOND,
  postMs: 10 * SECOND,
}

/** The limit of one phase in ms. @param given what the inputs say, in ms */
export function limitOf(
  phase: ServerPhase,
  { phases }: Limits,
  given: Readonly<Record<LimitInput, number>>,
): number {
  const { ms, plus } = phases[phase]
  return (plus ?? []).reduce((sum, input) => sum + given[input], ms)
}
