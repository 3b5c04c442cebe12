import type { Result } from '../outputs.ts'
import type { Phase } from '../phases.ts'
import { cutToBytes } from '../text.ts'
import { markdown, markdownCode, markdownLink, markdownSentence } from './escape.ts'
import type { Report } from './report.ts'
import { sectionsMarkdown } from './sections.ts'
import { tellSettling } from './settling.ts'
import { changesSection } from './summary-changes.ts'
import { driftSection } from './summary-drift.ts'
import type { SummaryContext } from './summary-sections.ts'
import * as section from './summary-sections.ts'

export { type SummaryContext, summaryContext } from './summary-sections.ts'

/** GitHub drops a step's summary above this (GitHub docs, "Workflow commands", job summaries). */
export const mostBytes = 1024 * 1024

/** Bytes for the parts whose length the user or the server decides. Together they are well under {@link mostBytes}. */
const room = {
  faults: 200_000,
  changes: 200_000,
  found: 100_000,
  warnings: 100_000,
  drift: 100_000,
  unpinned: 50_000,
  lines: 250_000,
  sections: 100_000,
} as const

/**
 * The job's summary as GitHub Flavored Markdown, under 1 MiB whatever is in the report; every value in it is escaped.
 * @param report redacted
 */
export function renderSummary(report: Report, context: SummaryContext): string {
  return [
    `## ${symbolOf(report)} ${titleOf(report)}`,
    '',
    verdict(report),
    '',
    ...section.errorSection(report, context, room.faults),
    ...section.linesSection(report, room.lines),
    ...section.releasesSection(report, context),
    ...section.warningsSection(report, room.warnings),
    ...sectionsMarkdown(report.sections, room.sections),
    ...driftSection(report, room.drift),
    ...changesSection(report, room.changes),
    ...section.checksSection(report),
    ...section.rollbackSection(report, context),
    ...section.foundSection(report, room.found),
    ...section.unpinnedSection(report, room.unpinned),
    ...section.phasesSection(report),
  ].join('\n')
}

const symbols: Readonly<Record<Result, string>> = {
  deployed: '✅',
  unchanged: '✅',
  planned: '📋',
  'rolled-back': '✅',
  done: '✅',
  reverted: '❌',
  failed: '❌',
  cancelled: '🚫',
}

/** A look around is neither good nor bad by itself. */
function symbolOf({ result, command, warnings }: Report): string {
  if (result !== 'done') return symbols[result]
  if (command === 'status' || command === 'logs') return '📋'
  return command === 'doctor' && warnings.length > 0 ? '⚠️' : '✅'
}

function titleOf(report: Report): string {
  const app = report.app === '' ? 'Flask app' : markdown(cutToBytes(report.app, 200))
  return `${app}: ${report.result === 'done' ? report.command : report.result}`
}

/** One line that says what visitors get now. */
function verdict(report: Report): string {
  const site =
    report.url === '' ? 'The site' : markdownLink(cutToBytes(report.url, 2000), cutToBytes(report.url, 2000))
  const serving = markdownCode(cutToBytes(report.serving, 200))
  switch (report.result) {
    case 'deployed':
      return `${site} serves the new release ${serving}.${settleTime(report)}`
    case 'unchanged':
      return report.changes.length === 0
        ? `${site} serves ${serving} already: nothing was changed and nothing restarted.${settleTime(report)}`
        : `${site} serves ${serving} already: no new release was made.${settleTime(report)}`
    case 'planned':
      return `Nothing was changed. ${plannedSite(report, site, serving)}`
    case 'rolled-back':
      return `${site} serves ${serving} again.`
    case 'done':
      return doneVerdict(report, site, serving)
    case 'reverted':
      return `${whyBack(report)}, so ${site} is back on ${serving}.`
    case 'failed':
      return `The run failed${inPhase(report)}. ${whoServes(report, site, serving)}`
    case 'cancelled':
      return `The run was cancelled${inPhase(report)}. ${whoServes(report, site, serving)}${report.settling === null ? ' Run the job again when you want the new release.' : settleTime(report)}`
  }
}

/** What took visitors back to the old release. */
function whyBack({ settling, smoke }: Report): string {
  if (settling?.outcome === 'taken-back') return 'The new release died after the switch'
  return smoke?.ok === false ? 'The smoke test failed' : 'The deploy was cut off after the switch'
}

/** The same of a command that makes no release. */
function doneVerdict(report: Report, site: string, serving: string): string {
  const serves =
    report.serving === '' || report.serving === 'unknown'
      ? 'No release serves.'
      : `${site} serves ${serving}.${settleTime(report)}`
  switch (report.command) {
    case 'status':
      return `Nothing was changed. ${serves}`
    case 'doctor':
      return report.warnings.length === 0
        ? `All is well, and nothing was changed. ${serves}`
        : `${report.warnings.length === 1 ? 'One finding' : `${report.warnings.length} findings`}, and nothing was changed. ${serves}`
    case 'run':
      return `The command ended well in release ${serving}.`
    case 'logs':
      return `Nothing was changed. ${serves}`
    case 'destroy':
      return destroyed(report)
    default:
      return `\`${report.command}\` is done. ${serves}`
  }
}

function plannedSite(report: Report, site: string, serving: string): string {
  if (report.serving === '') return 'No release serves yet.'
  return `${site} goes on serving ${serving}.${settleTime(report)}`
}

function destroyed({ app, changes, found }: Report): string {
  if (found.some(({ what }) => what === 'kept'))
    return `The app is off the server. Its data stays, and the next deploy finds it again; with ${markdownCode(`destroy-data: ${cutToBytes(app, 200)}`)} it goes as well.`
  return changes.length === 0
    ? 'Nothing was removed: the app is not on this server.'
    : 'The app is off the server, and so is its data.'
}

function settleTime({ settling }: Report): string {
  return settling === null ? '' : ` ${markdownSentence(tellSettling(settling))}`
}

function inPhase(report: Report): string {
  return report.failedPhase === '' ? '' : ` in the phase \`${report.failedPhase}\``
}

/** The phases that change nothing on the server. */
const untouched: ReadonlySet<Phase> = new Set(['inputs', 'project', 'connect', 'facts', 'report'])

function whoServes(report: Report, site: string, serving: string): string {
  if (report.phases.every(({ phase }) => untouched.has(phase))) {
    const serves =
      report.serving === '' || report.serving === 'unknown' ? '' : ` ${site} serves ${serving} as before.`
    return `The server was not touched.${serves}`
  }
  if (report.serving === 'unknown') return 'Which release serves now could not be learned: look at the site.'
  if (report.serving === '') return 'No release serves yet.'
  if (report.serving === report.release && report.previous !== report.serving)
    return `${site} serves the new release ${serving} all the same.`
  return `${site} still serves ${serving}.`
}
