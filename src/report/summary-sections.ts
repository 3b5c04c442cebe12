import { isReleaseId } from '../config/paths.ts'
import type { Explanation } from '../errors.ts'
import type { Unpinned, Warning } from '../project/project.ts'
import { cutToBytes } from '../text.ts'
import { markdown, markdownBlock, markdownCode, markdownLink, markdownSentence } from './escape.ts'
import { duration } from './log.ts'
import type { Change, Report } from './report.ts'

/** What the summary needs to know of the run's place on GitHub. */
export interface SummaryContext {
  /** GITHUB_SERVER_URL: another one on GitHub Enterprise Server. */
  readonly serverUrl: string
  /** `owner/name`. */
  readonly repository: string
  /** The action as the workflow names it, `owner/name@ref`. */
  readonly action: string
}

/** Reads the context from the variables that the runner sets (GitHub docs, "Default environment variables"). */
export function summaryContext(environment: Readonly<Record<string, string | undefined>>): SummaryContext {
  const action = environment['GITHUB_ACTION_REPOSITORY'] ?? ''
  const ref = environment['GITHUB_ACTION_REF'] ?? ''
  const named = `${action}@${ref}`
  return {
    serverUrl: environment['GITHUB_SERVER_URL'] || 'https://github.com',
    repository: environment['GITHUB_REPOSITORY'] ?? '',
    // Within a workflow of the action's own repository it is called by a path, and both are empty.
    action: /^[\w.-]+\/[\w./-]+@[\w./-]+$/.test(named) ? named : 'org/flask-deploy-action@v1',
  }
}

/** Bytes of one value of unbounded length before it is escaped. */
const longestValue = 1000

/** Items as rows, up to a number of bytes; how many did not fit is said in a last row. */
export function fitting<Item>(
  items: readonly Item[],
  row: (item: Item) => string,
  maxBytes: number,
  more: (count: number) => string,
): readonly string[] {
  const rows: string[] = []
  let bytes = 0
  for (const item of items) {
    const next = row(item)
    bytes += Buffer.byteLength(next) + 1
    if (bytes > maxBytes) return [...rows, more(items.length - rows.length)]
    rows.push(next)
  }
  return rows
}

/** was -> now, with the commits between them where both are known. */
export function releasesSection(report: Report, context: SummaryContext): readonly string[] {
  const { release, previous, serving, commit, previousCommit } = report
  if (release === '' && previous === '') return []
  const rows = [
    `| Was | ${previous === '' ? 'nothing' : `${code(previous)}${commitLink(previousCommit, context)}`} |`,
    `| ${report.result === 'planned' ? 'Would be' : 'This run'} | ${release === '' ? 'no release' : `${code(release)}${commitLink(commit, context)}`} |`,
    `| Visitors get | ${servingText(serving)} |`,
  ]
  if (isCommit(commit) && isCommit(previousCommit) && commit !== previousCommit) {
    const url = `${context.serverUrl}/${context.repository}/compare/${previousCommit}...${commit}`
    rows.push(
      `| Between them | ${markdownLink(`${previousCommit.slice(0, 7)} to ${commit.slice(0, 7)}`, url)} |`,
    )
  }
  return ['| Release | |', '| --- | --- |', ...rows, '']
}

function servingText(serving: string): string {
  if (serving === 'unknown') return 'not known: the connection was lost before the server said so'
  return serving === '' ? 'nothing yet' : code(serving)
}

function commitLink(commit: string, context: SummaryContext): string {
  if (!isCommit(commit)) return ''
  return ` (${markdownLink(commit.slice(0, 7), `${context.serverUrl}/${context.repository}/commit/${commit}`)})`
}

function isCommit(text: string): boolean {
  return /^[0-9a-f]{40}([0-9a-f]{24})?$/.test(text)
}

/** Every phase that ran, with its duration. */
export function phasesSection(report: Report): readonly string[] {
  if (report.phases.length === 0) return []
  const rows = report.phases.map(
    ({ phase, ms, ok }) => `| ${phase} | ${ok ? '✅ done' : '❌ failed'} | ${duration(ms)} |`,
  )
  const trips = report.roundTrips === null ? '' : ` in ${report.roundTrips} round trips`
  const total = `| all | | ${duration(report.durationMs)}${trips} |`
  return ['### Phases', '', '| Phase | Result | Time |', '| --- | --- | --- |', ...rows, total, '']
}

/** What was found out about the project, and from what. */
export function foundSection(report: Report, maxBytes: number): readonly string[] {
  const destroys = report.command === 'destroy'
  const found = destroys ? report.found.filter(({ what }) => what === 'kept') : report.found
  if (found.length === 0) return []
  const row = ({ what, detail }: Change) =>
    `| ${value(what)} | ${markdownSentence(cutToBytes(detail, longestValue))} |`
  return [
    destroys ? '### What stays on the server' : '### What was found',
    '',
    '| What | Finding |',
    '| --- | --- |',
    ...fitting(found, row, maxBytes, (count) => `| and ${count} more | |`),
    '',
  ]
}

/** Health check, smoke test and certificate in figures. */
export function checksSection({ health, smoke, certificate }: Report): readonly string[] {
  const rows: string[] = []
  if (health !== null) {
    const asked = `${code(health.path)}, ${health.answers} answers`
    rows.push(
      `| Health check | ${mark(health.ok)} | ${health.status ?? 'none'} | ${duration(health.ms)} | ${asked} |`,
    )
  }
  if (smoke !== null) {
    const by = smoke.release === '' ? '' : `, answered by ${code(smoke.release)}`
    const asked = `${code(smoke.url)} from the ${smoke.from}${by}`
    rows.push(
      `| Smoke test | ${mark(smoke.ok)} | ${smoke.status ?? 'none'} | ${duration(smoke.ms)} | ${asked} |`,
    )
  }
  if (certificate !== null) {
    const { names, issuer, until, daysLeft } = certificate
    const left = daysLeft < 0 ? 'over' : `${daysLeft} days left`
    rows.push(
      `| Certificate | ${mark(daysLeft >= 0)} | | ${left} | ${value(names.join(', '))}, by ${value(issuer)}, until ${until.slice(0, 10)} |`,
    )
  }
  if (rows.length === 0) return []
  return [
    '### Checks',
    '',
    '| Check | Result | Status | Time | Asked |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
    '',
  ]
}

function mark(ok: boolean): string {
  return ok ? '✅ well' : '❌ not well'
}

/** What to know though nothing failed. */
export function warningsSection(report: Report, maxBytes: number): readonly string[] {
  if (report.warnings.length === 0) return []
  const row = ({ text, file }: Warning) => {
    const place = file === undefined ? '' : ` (${code(file)})`
    return `- ⚠️ ${markdownSentence(cutToBytes(text, longestValue))}${place}`
  }
  return [
    report.command === 'doctor' ? '### Findings' : '### Warnings',
    '',
    ...fitting(report.warnings, row, maxBytes, (count) => `- and ${count} more`),
    '',
  ]
}

/** Of one file's packages without a hash so many are named. */
const mostNames = 20

/** What the next build may get with other bytes; where this run had nothing to do with a build, nothing. */
export function unpinnedSection(report: Report, maxBytes: number): readonly string[] {
  const { unpinned, result } = report
  const built = report.phases.some(({ phase }) => phase === 'upload')
  if (unpinned.length === 0 || !(built || result === 'planned') || result === 'rolled-back') return []
  const row = ([file, list]: readonly [string, readonly Unpinned[]]) => {
    const names = list.slice(0, mostNames).map(unpinnedName)
    const more = list.length > mostNames ? `, and ${list.length - mostNames} more` : ''
    return `- In ${code(file)}: ${names.join(', ')}${more}`
  }
  return [
    `### Not pinned by hash: ${unpinned.length}`,
    '',
    ...fitting(
      [...Map.groupBy(unpinned, ({ file }) => file)],
      row,
      maxBytes,
      (count) => `- and ${count} more files`,
    ),
    '',
    'For these, and for all that they depend on, a build takes whatever the package index sends that day. ' +
      '`uv pip compile --generate-hashes` writes a file that gives every package its version and its hashes.',
    '',
  ]
}

function unpinnedName({ what, name }: Unpinned): string {
  return what === 'package' ? code(name) : `what ${code(name)} depends on`
}

/** Every fault with its cause and cure. */
export function errorSection(report: Report, context: SummaryContext, maxBytes: number): readonly string[] {
  // Of a run that was cancelled the first sentence says it all.
  if (report.error === null || report.error.code === 'cancelled') return []
  const { faults } = report.error
  const row = (fault: Explanation) => {
    const place =
      fault.file === undefined ? '' : ` (${fileLink(fault.file, fault.line, report.commit, context)})`
    const cause = markdownSentence(cutToBytes(fault.cause, longestValue))
    return `- **${cause}**${place}<br>${markdownSentence(cutToBytes(fault.cure, longestValue))}`
  }
  const title = faults.length === 1 ? '### What went wrong' : `### What went wrong: ${faults.length} faults`
  return [title, '', ...fitting(faults, row, maxBytes, (count) => `- and ${count} more`), '']
}

function fileLink(
  file: NonNullable<Explanation['file']>,
  line: number | undefined,
  commit: string,
  context: SummaryContext,
): string {
  const label = cutToBytes(line === undefined ? file : `${file}:${line}`, longestValue)
  if (!isCommit(commit) || label.endsWith('…')) return markdownCode(label)
  const path = file.split('/').map(encodeURIComponent).join('/')
  const url = `${context.serverUrl}/${context.repository}/blob/${commit}/${path}${line === undefined ? '' : `#L${line}`}`
  return markdownLink(label, url)
}

/** The last log lines, folded away; the newest ones where not all fit. A section of their own shows them once. */
export function linesSection(report: Report, maxBytes: number): readonly string[] {
  if (report.lines.length === 0 || report.sections.some(({ lines }) => lines.length > 0)) return []
  let kept = report.lines.map((line) => cutToBytes(line, longestValue * 2))
  while (kept.length > 1 && Buffer.byteLength(markdownBlock(kept)) > maxBytes) kept = kept.slice(1)
  const title = kept.length === 1 ? 'The last log line' : `The last ${kept.length} log lines`
  return [`<details><summary>${title}</summary>`, '', markdownBlock(kept), '', '</details>', '']
}

/** The step that goes back, ready to be pasted. */
export function rollbackSection(report: Report, context: SummaryContext): readonly string[] {
  const { previous, result, serving, release } = report
  const serves = (result === 'deployed' || result === 'failed') && serving !== '' && serving === release
  if (!serves || !isReleaseId(previous) || previous === serving) return []
  return [
    '### How to roll back',
    '',
    'Run this step with the same `host`, `user`, key, host identity and `domain` as the deploy:',
    '',
    '```yaml',
    `- uses: ${context.action}`,
    '  with:',
    '    command: rollback',
    `    release: ${previous}`,
    '    # host, user, ssh-key, known-hosts, domain: as in the deploy',
    '```',
    '',
  ]
}

function code(text: string): string {
  return markdownCode(cutToBytes(text, longestValue))
}

function value(text: string): string {
  return markdown(cutToBytes(text, longestValue))
}
