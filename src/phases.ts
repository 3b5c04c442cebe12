/**
 * The phases of a run, in order: the one list that the log, the summary, `failed-phase` and the tests use. `command` is the
 * work of a command that makes no release; a deploy has the phases after it in its place.
 */
export const phases = [
  'inputs',
  'project',
  'connect',
  'facts',
  'command',
  'packages',
  'upload',
  'dependencies',
  'configure',
  'release-command',
  'start',
  'health',
  'cutover',
  'smoke',
  'certificate',
  'report',
] as const

/** One phase of a deploy. */
export type Phase = (typeof phases)[number]

/** Says whether a text from outside (an event of the server's) names a phase. */
export function isPhase(text: string): text is Phase {
  return (phases as readonly string[]).includes(text)
}
