import { type RootFailure, rootFailure, rootRefusal } from '../apply/root-failure.ts'
import { explainNoPython } from '../config/python-wish.ts'
import { DeployError, type Explanation } from '../errors.ts'
import { cutToBytes, visible } from '../text.ts'
import { explainExit, explainTraceback, lastWord } from './diagnosis-app.ts'
import { commandRows } from './diagnosis-commands.ts'
import { cutRows } from './diagnosis-cut.ts'
import { explainOurs } from './diagnosis-ours.ts'
import { packageRows } from './diagnosis-packages.ts'
import {
  explainDisk,
  explainInodes,
  explainMemory,
  explainOutOfMemory,
  explainReadOnly,
} from './diagnosis-room.ts'
import { serviceRows } from './diagnosis-services.ts'
import { explainSignal, signalInJournal, signalRows } from './diagnosis-signals.ts'
import { explainSmoke, smokeCodes } from './diagnosis-smoke.ts'
import { explainDependencies, explainNginx, full } from './diagnosis-tools.ts'
import { explainOwnServer } from './diagnosis-web.ts'
import type { Failure, Situation } from './failure.ts'
import { settleRows } from './settling.ts'
import { hangingFrame, isProjectFile, lastTraceback, type Traceback } from './traceback.ts'

interface Diagnosis extends Explanation {
  /** A finer code than the event's. */
  readonly code?: string
}

type Row = (failure: Failure, situation: Situation) => Diagnosis

const rootFailures = [
  'sudo-absent',
  'sudo-password-needed',
  'sudo-password-wrong',
  'sudo-not-allowed',
  'sudo-tty',
  'no-shell',
  'password-expired',
  'server-read-only',
] as const

/** Each code that a run can fail with on the server, or by the smoke test, and how it is explained. */
const rows: Readonly<Record<string, Row>> = {
  'app-import': died('The new release cannot start', explainExit),
  'app-unproven': ({ detail }) => ({
    cause: `Nothing that could be the app is one: ${short(detail) || 'no candidate is left'}.`,
    cure: 'Set `app` to `module:attribute` or `module:factory()` of the Flask object.',
    input: 'app',
  }),
  'app-exited': died('The new release cannot start', explainExit),
  start: died('The new release cannot start', explainExit),
  'health-status': (failure, situation) => {
    const asked = `The page \`${situation.healthPath}\` answered ${statusOf(failure)}`
    const traceback = lastTraceback(failure.lines, situation.name)
    if (traceback !== undefined && /^5/.test(statusOf(failure))) {
      return explainTraceback(asked, cut(traceback), situation)
    }
    return {
      cause: `${asked} in the new release, three times over its own socket.`,
      cure: /^[34]/.test(statusOf(failure))
        ? 'Set `health-path` to a page that answers 200, or `expect-status` to what this one answers.'
        : "Find the reason in the app's last lines in the log, or set `health-path` to the page that should be asked.",
      input: 'health-path',
    }
  },
  'health-text': ({ detail }, { healthPath }) => ({
    cause: `The page \`${healthPath}\` of the new release answered ${detail || 'well'}, but \`expect-text\` is not in it.`,
    cure: 'Correct `expect-text`, or set `health-path` to the page that holds it.',
    input: 'expect-text',
  }),
  'health-timeout': died('The new release does not answer', explainHang),
  'own-server': explainOwnServer,
  'worker-restarted': (failure, situation) => {
    const answered = /^[1-5][0-9]{2}\b/.test(failure.detail)
    const begin = answered ? 'The new release answers and then dies' : 'The new release cannot start'
    return died(begin, explainRestart)(failure, situation)
  },
  'wrong-release': ({ detail }, { release }) => ({
    cause: `Over the socket of release ${release} another one answered (${detail || 'none'}).`,
    cure: 'Run the job again; if it happens again, please report it with the log.',
  }),
  ...commandRows,
  dependencies: explainDependencies,
  ...packageRows,
  'release-tampered': ({ detail }) => ({
    cause: `A command of the project's left a file that is not its own in the release: ${short(detail)}.`,
    cure: 'Let `release-command` and `first-deploy-command` write plain files, without hard links; nothing of it was taken over.',
    input: 'release-command',
  }),
  'build-tampered': ({ detail }) => ({
    cause: `A package's build left a file that is not its own in the environment: ${short(detail)}.`,
    cure: 'Look at what the package that made it does when it is built; nothing of it was taken over.',
  }),
  ...serviceRows,
  uv: (failure) => explainOurs(failure, `uv ${failure.detail}, which installs the Python packages`),
  gunicorn: (failure) => explainOurs(failure, 'gunicorn, which the requirements do not list'),
  'python-absent': ({ detail }, { pythonWanted }) => explainNoPython('absent', detail, pythonWanted),
  'python-forbidden': ({ detail }, { pythonWanted }) => explainNoPython('forbidden', detail, pythonWanted),
  'python-unreachable': ({ detail }, { pythonWanted }) =>
    explainNoPython('unreachable', detail, pythonWanted),
  'nginx-broken': (failure, situation) =>
    explainNginx(failure, situation, {
      cause: "nginx's configuration on the server was broken before this deploy.",
      cure: 'Repair it on the server until `nginx -t` is content; what it says is in the log.',
      input: 'host',
    }),
  'nginx-config': (failure, situation) =>
    explainNginx(failure, situation, {
      cause: "nginx on the server refuses this app's site; the old configuration is back.",
      cure: 'What `nginx -t` says is in the log.',
      input: 'domain',
    }),
  'nginx-start': (failure, situation) =>
    explainNginx(failure, situation, {
      cause: 'nginx does not start on the server.',
      cure: 'See why with `journalctl -u nginx` on the server; port 80 taken by another program is the usual reason.',
      input: 'host',
    }),
  disk: ({ detail }) => explainDisk(detail, 'during the deploy'),
  inodes: ({ detail }) => explainInodes(detail),
  memory: ({ detail }) => explainMemory(detail),
  'out-of-memory': ({ detail }) => explainOutOfMemory(detail),
  unpack: () => full('while the bundle was unpacked'),
  upload: ({ detail }) => ({
    cause: `The bundle did not reach the server whole (${detail}).`,
    cure: 'Run the job again; if it happens again, look at the connection, and at the disk of the server (`df -h`).',
    input: 'host',
  }),
  'upload-hash': ({ detail }) => ({
    cause: `The bundle reached the server with other bytes than were sent (${detail}).`,
    cure: 'Run the job again; if it happens again, look at the disk and memory of the server.',
    input: 'host',
  }),
  'reserved-path': ({ detail }) => ({
    cause: `The project holds \`${detail}\`, a name that a release keeps for itself.`,
    cure: `Rename it, or put \`${detail}\` into \`exclude\`.`,
    input: 'exclude',
    file: detail,
  }),
  'persist-link': ({ detail }) => ({
    cause: `\`persist\` has \`${detail}\`, which lies behind a symlink of the project.`,
    cure: 'Name the folder that the symlink leads to.',
    input: 'persist',
  }),
  persist: ({ detail }) => ({
    cause: `What the project brings for \`${detail}\` could not be copied to where it outlives releases.`,
    cure: "Look at the files of that folder in the project; the server's words are in the log.",
    input: 'persist',
  }),
  'start-socket': (failure) => ({
    cause: "systemd on the server could not open the new release's socket.",
    cure: `See why with \`systemctl status ${short(failure.detail)}.socket\` on the server.`,
  }),
  'lock-timeout': ({ detail }, { lockTimeoutSeconds }) => ({
    cause: `Another deploy held the server for more than ${lockTimeoutSeconds} s: ${short(detail) || 'it is not known which'}.`,
    cure: 'Wait until it is done and run the job again, or raise `lock-timeout`.',
    input: 'lock-timeout',
  }),
  'packages-offline': ({ detail }) => ({
    cause: `The server lacks Debian packages that it cannot get: ${short(detail) || 'those that the log names'}.`,
    cure: 'Install them on the server from wherever it gets its packages (`apt-get install` with these names), and run the job again.',
    input: 'dependencies',
  }),
  'wheels-wanted': ({ detail }) => ({
    cause: `The server needs wheels that the runner did not send (${short(detail)}), again and again.`,
    cure: 'Run the job again when no other deploy to this server is under way; with the same end, please report it with the log.',
    input: 'dependencies',
  }),
  'facts-changed': () => ({
    cause: 'Another deploy changed the server while this one was planned, again and again.',
    cure: 'Run the job again when the other deploys are done; a `concurrency` group in the workflow keeps them apart.',
  }),
  owner: ({ detail }, { name }) => ({
    cause: `On this server the app ${name} belongs to the repository ${short(detail) || 'of somebody else'}.`,
    cure: 'Set `name` to another name for this app.',
    input: 'name',
  }),
  ...cutRows,
  ...signalRows,
  ...settleRows,
  'not-root': rootRefused,
  ...Object.fromEntries(
    rootFailures.map((code) => [
      code,
      (failure: Failure, { user }: Situation) =>
        (code === 'server-read-only' ? explainReadOnly(failure.detail) : undefined) ??
        ofRoot(code, user, failure.lines),
    ]),
  ),
  ...Object.fromEntries(smokeCodes.map((code) => [code, explainSmoke])),
}

/** Every code that {@link diagnose} has an explanation of its own for. */
export const diagnosed: readonly string[] = Object.keys(rows)

/**
 * Explains a failure to the user: cause, cure, and the place in the project or among the inputs where there is one.
 * A code that is not in the table is told as it is, with the lines.
 */
export function diagnose(given: Failure, situation: Situation): DeployError {
  const failure = { ...given, detail: short(given.detail) }
  const row = Object.hasOwn(rows, failure.code) ? rows[failure.code] : undefined
  const { code, file, line, ...found } = row === undefined ? unknown(failure) : row(failure, situation)
  const place =
    file !== undefined && isProjectFile(file) ? { file, ...(line === undefined ? {} : { line }) } : {}
  const explanation = { ...found, ...place }
  return new DeployError(code ?? failure.code, explanation, failure.lines.slice(-40))
}

/** The app died: its own traceback says it best. */
function died(begin: string, otherwise: Row): Row {
  return (failure, situation) => {
    const traceback = lastTraceback(failure.lines, situation.name)
    if (traceback === undefined) return otherwise(failure, situation)
    return { ...explainTraceback(begin, cut(traceback), situation, failure.lines), code: 'app-import' }
  }
}

/** Nothing answered in time; the health check had the workers print where they are. */
function explainHang({ lines }: Failure, { name, healthTimeoutSeconds }: Situation): Diagnosis {
  const frame = hangingFrame(lines, name)
  const place = frame === undefined ? '' : `: it hangs in ${frame.file}, line ${frame.line}`
  return {
    cause: `The new release did not answer well within ${healthTimeoutSeconds} s${place}.`,
    cure: 'Look for what holds it up when it is imported or asked (a database, a network call), or raise `health-timeout`.',
    input: 'health-timeout',
    ...frame,
  }
}

function explainRestart(failure: Failure): Diagnosis {
  const signal = signalInJournal(failure.lines, 'beside')
  if (signal !== undefined) return explainSignal('A process of the new release', signal)
  const { cause, ...found } = explainExit(failure)
  if (found.input !== undefined) return { cause, ...found }
  const last = lastWord(failure.lines)
  return {
    cause: `A process of the new release died and was started anew, as it would again and again${last === undefined ? '' : `; its last line is: ${short(last)}`}.`,
    cure: "Find the reason in the app's last lines in the log (too little memory and a crashing extension are the usual ones); where the module is a program that ends by itself, set `app` to another one, or `web-command` to the project's own server.",
  }
}

function rootRefused({ lines }: Failure, { user }: Situation): Diagnosis {
  const code = rootRefusal(lines)
  return { ...ofRoot(code, user, lines), code }
}

function ofRoot(code: RootFailure, user: string, lines: readonly string[]): Diagnosis {
  const [first] = rootFailure(code, user, lines).explanations
  return first ?? unknown({ code, detail: '', lines })
}

function unknown({ code, detail }: Failure): Diagnosis {
  return {
    cause: `The deploy failed on the server with \`${short(code)}\`${detail === '' ? '' : ` (${short(detail)})`}, which has no explanation yet.`,
    cure: 'Look at the last lines in the log, and please report it with them.',
  }
}

function statusOf({ detail }: Failure): string {
  return /^[1-5][0-9]{2}\b/.exec(detail)?.[0] ?? 'badly'
}

function cut(traceback: Traceback): Traceback {
  return { ...traceback, exception: short(traceback.exception) }
}

/** A foreign text within a sentence: one line, at most 300 bytes. */
function short(text: string): string {
  return cutToBytes(visible(text.trim()), 300)
}
