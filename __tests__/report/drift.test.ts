import { expect, test } from 'vitest'
import { tellDrift } from '../../src/report/found-drift.ts'
import { createLog } from '../../src/report/log.ts'
import { Recorder } from '../../src/report/recorder.ts'
import { emptyReport, redactedReport, reportJson } from '../../src/report/report.ts'
import { driftSection } from '../../src/report/summary-drift.ts'
import { parseFacts } from '../../src/server/facts.ts'

const id = '20261122184800-abc1234'

function told(lines: readonly string[]) {
  let log = ''
  const recorder = new Recorder(
    createLog((text) => {
      log += text
    }),
  )
  const facts = parseFacts(['state generation 1', 'state owner 4711 a/b', `state current ${id}`, ...lines])
  tellDrift(facts, 'hello', recorder)
  return { log, report: recorder.report() }
}

test('nothing is said where nothing was changed', () => {
  const { log, report } = told([])
  expect(log).toBe('')
  expect(report.warnings).toEqual([])
  expect(driftSection(report, 1000)).toEqual([])
})

test.each([
  ['replaced variables A,B /etc/web-hello/x.env', '(variables A, B)', '`env` or `secret-files`'],
  [`replaced edited - /srv/web-hello/releases/${id}/app.py`, '`app.py` (edited)', 'the repository'],
  [`replaced mode 0600,0644 /etc/web-hello/x.env`, '(mode 0644, should be 0600)', 'A deploy replaces it'],
  [
    `replaced added - /etc/systemd/system/web-hello-${id}.service.d/x.conf`,
    '(added)',
    '`/etc/systemd/system/web-hello-.service.d`',
  ],
  ['replaced edited - /etc/nginx/conf.d/web-hello.conf', '(edited)', '`max-body-size`'],
  [`replaced edited - /srv/web-hello/releases/${id}/.deploy/gunicorn.conf.py`, '(edited)', '`workers`'],
  ['stays groups sudo web-hello', '(member of sudo)', 'A deploy leaves it as it is.'],
  ['replaced stopped - nginx.service', '(stopped)', 'A deploy replaces'],
])('%s is told in one warning, with the cure', (line, how, cure) => {
  const { report } = told([`drift ${line}`])
  expect(report.warnings.map(({ code }) => code)).toEqual(['drift'])
  expect(report.warnings[0]?.text).toContain(how)
  expect(report.warnings[0]?.text).toContain(cure)
})

test('of many the first are named, and all are counted', () => {
  const { report } = told([
    ...Array.from(
      { length: 20 },
      (_, at) => `drift replaced edited - /srv/web-hello/releases/${id}/f${at}.py`,
    ),
    'drift-more 100',
  ])
  expect(report.warnings[0]?.text).toContain('`f2.py` (edited) and 117 more.')
})

test('what is replaced and what stays is told apart, and where each change would last', () => {
  const { report } = told([
    'drift replaced edited - /etc/nginx/conf.d/web-hello.conf',
    'drift replaced variables A /etc/web-hello/x.env',
    'drift stays groups adm web-hello',
  ])
  expect(report.warnings[0]?.text).toBe(
    'Changed by hand on the server: `/etc/nginx/conf.d/web-hello.conf` (edited), `/etc/web-hello/x.env` (variables A), `web-hello` (member of adm). ' +
      'A deploy replaces 2 of them, and keeps copies in `/srv/web-hello/edited` on the server; the summary says where each belongs so that it lasts. ' +
      'It leaves `web-hello` (member of adm) as it is.',
  )
  const rows = driftSection({ ...report, app: 'hello' }, 10_000).filter((line) => line.startsWith('| <code>'))
  expect(rows.map((row) => row.split(' | ').at(-1))).toEqual([
    '<code>domain</code>, <code>max-body-size</code> or <code>timeout</code> |',
    '<code>env</code> or <code>secret-files</code> |',
    ' |',
  ])
})

test('the section is safe for Markdown, and bounded', () => {
  const nasty = '@x|`<script>${{ y }}</pre>'
  const { log, report } = told([
    `drift replaced edited - /${nasty}`,
    ...Array.from({ length: 250 }, () => `drift-line +::error::${nasty.repeat(5)}`),
  ])
  const text = driftSection(report, 10_000).join('\n')
  expect(text).not.toMatch(/<script|\$\{\{|@x/)
  expect(text.match(/<\/pre>/g)).toHaveLength(1)
  expect(Buffer.byteLength(text)).toBeLessThan(12_000)
  expect(log).not.toMatch(/^::error::/m)
  expect(Buffer.byteLength(reportJson(report))).toBeLessThan(100_000)
})

test('secrets of the inputs are taken out', () => {
  const { report } = told(['drift replaced edited - /x', 'drift-line +word: hunter22'])
  const clean = redactedReport(
    { ...emptyReport, drift: report.drift },
    { redact: (text) => text.replaceAll('hunter22', '***') },
  )
  expect(JSON.stringify(clean)).not.toContain('hunter22')
})
