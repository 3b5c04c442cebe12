import type { ServerEvent } from '../apply/event.ts'
import type { Explanation } from '../errors.ts'
import type { Warning } from '../project/project.ts'
import type { State } from '../server/state.ts'
import { cutToBytes, visible } from '../text.ts'
import { lastWord } from './diagnosis-app.ts'
import type { Failure, Situation } from './failure.ts'

/** The settle time of the release that this run made. */
export interface SettlingReport {
  /** The release that serves again should the new one die. */
  readonly old: string
  /** 0 where it is not known. */
  readonly seconds: number
  /** The old release runs on meanwhile; else memory was short, and it can be started. */
  readonly running: boolean
  /** `open`: the server goes on watching when the job has ended; `watched`: it still does since an earlier run. */
  readonly outcome: 'open' | 'watched' | 'settled' | 'taken-back' | 'stays'
}

/** The release that serves is watched since an earlier run. */
export function settlingNow(state: State | undefined): SettlingReport | null {
  if (state?.settling === undefined || state.settling.release !== state.current) return null
  const { old, running } = state.settling
  return { old, seconds: 0, running, outcome: 'watched' }
}

/** What an event changes of it; undefined where nothing. */
export function settlingAfter(event: ServerEvent, before: SettlingReport | null): SettlingReport | undefined {
  if (event.kind === 'settling') {
    const { old, lasts, running } = event
    return { old, seconds: lasts, running, outcome: 'open' }
  }
  if (before === null) return undefined
  if (event.kind === 'settled') return { ...before, outcome: 'settled' }
  if (event.kind !== 'fail') return undefined
  if (event.code === 'taken-back') return { ...before, outcome: 'taken-back' }
  return event.code === 'not-settled' ? { ...before, outcome: 'stays' } : undefined
}

/** What the server saw of a release (remote/flask_deploy_watch.py): a code, then details. Goes on after "because". */
export function dying(reason: string): string {
  const [code = '', ...details] = reason.split(' ')
  const detail = cutToBytes(visible(details.join(' ')), 200)
  switch (code) {
    case 'app-exited':
      return 'its web process ended'
    case 'worker-restarted':
      return `its worker processes died ${detail} times within a minute`
    case 'process-died':
      return `its process \`${detail}\` ended again and again`
    case 'health-timeout':
      return 'its health page gave no answer in time, three times in a row'
    case 'health-unreachable':
      return 'its health page gave no answer, three times in a row'
    case 'health-status':
      return `its health page answered ${detail}, three times in a row`
    default:
      return `of \`${cutToBytes(visible(reason), 200)}\``
  }
}

/** What the summary and the log say of a settle time. */
export function tellSettling({ old, seconds, running, outcome }: SettlingReport): string {
  switch (outcome) {
    case 'open':
      return running
        ? `The server goes on watching it for ${seconds} s: should it die, release \`${old}\`, which runs on until then, serves again.`
        : `The server goes on watching it for ${seconds} s: should it die, release \`${old}\` serves again. Memory is short for both, so that one was stopped, and would be started first.`
    case 'watched':
      return `The server still watches it: should it die, release \`${old}\`, which ${running ? 'runs on until then' : 'would be started first'}, serves again.`
    case 'settled':
      return `It has lived through its settle time (${seconds} s), so release \`${old}\` was stopped.`
    case 'taken-back':
      return `It died in its settle time, so the server went back to release \`${old}\`.`
    case 'stays':
      return `It died in its settle time, but release \`${old}\` is not well either, so it stays.`
  }
}

/** What the next run says of a release that died after its own run had ended. */
export function takenBackWarning(state: State | undefined): Warning | undefined {
  const taken = state?.takenBack
  if (state === undefined || taken === undefined) return undefined
  const { release, reason } = taken
  const commit = taken.commit === '-' ? '' : ` (commit ${taken.commit.slice(0, 7)})`
  const log = `\`journalctl -u 'web-*-${release}*'\` on the server`
  const stays = /^stays (.*)$/.exec(reason)?.[1]
  if (stays !== undefined) {
    return {
      code: 'not-settled',
      text: `Release ${release}${commit} died after the switch, because ${dying(stays)}. It stayed, because the release before it was not well either. Look at what both need (a database, an address in \`env\`) and at ${log}.`,
    }
  }
  return {
    code: 'taken-back',
    text: `Release ${release}${commit} died after the switch, because ${dying(reason)}, and the server went back to release ${state.current ?? 'none'} by itself. Find the reason with ${log}, and push a commit that mends it.`,
  }
}

/** Rows of the diagnosis: a run that waited for the end of the settle time. */
export const settleRows: Readonly<
  Record<'taken-back' | 'not-settled', (failure: Failure, situation: Situation) => Explanation>
> = {
  'taken-back': ({ detail, lines }, { release }) => ({
    cause: `Release ${release} died after the switch, because ${dying(detail)}, and the server went back by itself${lastLine(lines)}.`,
    cure: "Find the reason in the app's last lines in the log, mend it and push; `settle-time` is how long a release is watched.",
    input: 'settle-time',
  }),
  'not-settled': ({ detail, lines }, { release }) => ({
    cause: `Release ${release} died after the switch, because ${dying(detail)}; the release before it is not well either, so it stays${lastLine(lines)}.`,
    cure: "Look at what both of them need (a database, an address in `env`): the app's last lines are in the log.",
    input: 'settle-time',
  }),
}

function lastLine(lines: readonly string[]): string {
  const last = lastWord(lines)
  return last === undefined ? '' : `; the last line of its log is: ${last}`
}
