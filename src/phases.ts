/**
 * The phases of a deploy, in order: the one list that the log, the summary, `failed-phase` and the tests use.
 */
export const phases = [
  'inputs',
  'project',
  'connect',
  'facts',
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
