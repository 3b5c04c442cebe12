import type { Standing } from '../apply/learned.ts'
import type { Explanation } from '../errors.ts'
import { cutToBytes, visible } from '../text.ts'
import type { Failure } from './failure.ts'

/** What cut a deploy off: code -> explanation. */
export const cutRows: Readonly<Record<string, (failure: Failure) => Explanation>> = {
  stopped: () => ({
    cause:
      'The program on the server was stopped before it was done: the server was shut down, or somebody stopped it.',
    cure: 'Run the job again when the server is up; the release that served before is back.',
    input: 'host',
  }),
  'program-killed': ({ detail }) => ({
    cause: `The program on the server was killed before it was done${detail === 'finished' ? '; its release had been kept, so it stays, and what was left to do was done' : detail === 'taken-back' ? '; what it had begun was taken back' : ''}.`,
    cure: 'Look for what killed it (`journalctl -k` on the server names a lack of memory), then run the job again.',
    input: 'host',
  }),
  'server-restarted': explainRestarted,
  'no-cutover': () => lost('before the new release was switched to'),
  'no-verdict': () => lost('before the smoke test was over, so the old release is back'),
}

/** How things stand after a restart, and what to do then. Goes on after "The server was restarted". */
const standings: Readonly<Record<Standing, (release: string) => readonly [cause: string, cure: string]>> = {
  back: (release) => [
    `after the switch, but before the new release was kept, so it went back to release ${release} by itself`,
    'Run the job again.',
  ],
  before: (release) => [
    `before visitors were switched to the new release: they get release ${release}, as before`,
    'Run the job again; it cleans up what had been begun.',
  ],
  none: () => [
    'before the first release was kept, so no release serves yet',
    'Run the job again; it cleans up what had been begun.',
  ],
  other: (release) => [
    `in the middle of the deploy, and another run has deployed release ${release} since`,
    'Look at the runs of the other workflows that deploy to this server, and run the job again where this release is still wanted.',
  ],
  unjudged: (release) => [
    `in the middle of the deploy, and says that it serves release ${release}, which this run had not tested yet`,
    'Look at the site, and run the job again.',
  ],
  unknown: () => [
    'in the middle of the deploy, and has not gone back to a release that was kept',
    'Run the job again: a deploy repairs that first. `command: doctor` says what is wrong.',
  ],
}

function explainRestarted({ detail }: Failure): Explanation {
  const [word = '', release = ''] = detail.split(' ')
  const [cause, cure] = standings[isStanding(word) ? word : 'unknown'](cutToBytes(visible(release), 100))
  return { cause: `The server was restarted ${cause}.`, cure, input: 'host' }
}

function isStanding(word: string): word is Standing {
  return Object.hasOwn(standings, word)
}

function lost(when: string): Explanation {
  return {
    cause: `The server did not hear from this job any more ${when}.`,
    cure: 'Run the job again; if it happens again, look at the connection between the runner and the server.',
    input: 'host',
  }
}
