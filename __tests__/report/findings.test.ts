import { describe, expect, test } from 'vitest'
import { findings } from '../../src/report/findings.ts'
import { sectionsMarkdown, sectionText, table } from '../../src/report/sections.ts'
import { statusSections } from '../../src/report/status.ts'
import { parseFacts } from '../../src/server/facts.ts'
import { parseSeen } from '../../src/server/seen.ts'

const now = Date.parse('2026-11-26T12:00:00Z')
const current = '20261126110000-abc1234'
const older = '20261125110000-def5678'
const unit = `web-shop-${current}`

const wellFacts = [
  'os debian 12 bookworm',
  'systemd 252',
  'python /usr/bin/python3.11',
  'cpus 2',
  'nginx 1.22.1',
  `now ${now / 1000}`,
  'renewal yes',
  'site-names shop.example.com',
  'home yes',
  'state generation 7',
  'state owner 4711 someone/shop',
  `state current ${current}`,
  `state previous ${older}`,
  `state release ${older} a b c ${'d'.repeat(40)} 1764000000`,
  `state release ${current} a b c ${'e'.repeat(40)} 1764100000`,
  `link ${current}`,
  `active ${current} yes`,
]

const wellSeen = [
  'uptime 86000',
  'load 0.10',
  'memory total 4000000',
  'memory left 3000000',
  'memory swap 0',
  'journald kept',
  'disk / 20000000 15000000 1000000 900000 /',
  'nginx active enabled yes',
  `size release/${current} 30000`,
  `size release/${older} 100`,
  'size /var/lib/web-shop 512',
  'python /usr/bin/python3.11 yes python3.11 python3.11',
  `unit ${unit}.service loaded active running success 0 52428800 no yes`,
  `unit ${unit}.socket loaded active running success - - no yes`,
  `unit ${unit}.worker.service loaded active running success 0 1048576 no yes`,
  `beside process ${unit}.worker.service`,
  `beside timer ${unit}.cron.tidy.timer Fri 2026-11-27 00:00:00 UTC, n/a`,
  `health ok 200 12 ${current}`,
  `visit ok 200 14 ${current}`,
]

/** Lines with some of them (by their beginning) changed or, by `''`, left out; what begins like none is added. */
function changed(lines: readonly string[], changes: Readonly<Record<string, string>>): readonly string[] {
  const kept = lines.flatMap((line) => {
    const key = Object.keys(changes).find((one) => line.startsWith(one))
    return key === undefined ? [line] : []
  })
  return [...kept, ...Object.values(changes).filter((line) => line !== '')]
}

function found(
  facts: Readonly<Record<string, string>>,
  seen: Readonly<Record<string, string>>,
  around: Partial<Parameters<typeof findings>[2]> = {},
) {
  return findings(parseFacts(changed(wellFacts, facts)), parseSeen(changed(wellSeen, seen)), {
    name: 'shop',
    repository: '4711',
    now,
    ...around,
  })
}

describe('doctor', () => {
  test('finds nothing where all is well', () => {
    expect(found({}, {})).toEqual([])
  })

  test.each<[string, Readonly<Record<string, string>>, Readonly<Record<string, string>>]>([
    ['app-without-release', { [`state current`]: '', link: '', active: '', 'state release': '' }, {}],
    ['python-gone', {}, { python: 'python /usr/bin/python3.10 no python3.10 python3.10' }],
    ['python-gone', {}, { python: 'python /usr/bin/python3 yes python3.11 python3.13' }],
    ['link-astray', { link: `link ${older}` }, {}],
    ['missing', {}, { missing: `missing env-file /etc/web-shop/${current}.env` }],
    [
      'unit-failed',
      {},
      { [`unit ${unit}.worker`]: `unit ${unit}.worker.service loaded failed failed exit-code 5 - no yes` },
    ],
    [
      'unit-failed',
      {},
      { [`unit ${unit}.worker`]: `unit ${unit}.worker.service not-found inactive dead - - - no no` },
    ],
    [
      'unit-stopped',
      {},
      { [`unit ${unit}.service`]: `unit ${unit}.service loaded inactive dead success 0 - no yes` },
    ],
    [
      'not-enabled',
      {},
      { [`unit ${unit}.socket`]: `unit ${unit}.socket loaded active running success - - no no` },
    ],
    [
      'restarts',
      {},
      { [`unit ${unit}.worker`]: `unit ${unit}.worker.service loaded active running success 12 - no yes` },
    ],
    [
      'units-stale',
      {},
      { [`unit ${unit}.worker`]: `unit ${unit}.worker.service loaded active running success 0 - yes yes` },
    ],
    ['app-unwell', {}, { health: 'health fail health-status 500 none' }],
    ['app-unwell', {}, { health: 'health fail unreachable 0 timeout' }],
    ['site-unwell', {}, { visit: 'visit fail wrong-release 404 none' }],
    ['repair-due', {}, { repair: `repair take-back ${older}` }],
    ['release-taken-back', { 'state taken': `state taken-back ${older} - restarts 5` }, {}],
    [
      'certificate-gone',
      { 'site-certificate': 'site-certificate /etc/letsencrypt/live/web-shop/fullchain.pem' },
      {},
    ],
    ['nginx-unsound', {}, { nginx: 'nginx active enabled no' }],
    ['nginx-down', {}, { nginx: 'nginx failed enabled yes' }],
    ['nginx-not-enabled', {}, { nginx: 'nginx active masked yes' }],
    ['nginx-absent', { nginx: '' }, { nginx: '' }],
    ['port-of-another', { port: 'port 80 apache2.service apache2' }, {}],
    ['disk-low', {}, { disk: 'disk / 20000000 900000 1000000 900000 /' }],
    ['inodes-low', {}, { disk: 'disk / 20000000 9000000 1000000 90000 /' }],
    ['no-swap', {}, { 'memory total': 'memory total 500000' }],
    ['disk-read-only', { 'read-only': 'read-only /srv' }, {}],
    ['clock-wrong', { now: `now ${now / 1000 - 900}` }, {}],
    ['reboot-due', {}, { reboot: 'reboot yes' }],
    ['journal-volatile', {}, { journald: 'journald lost' }],
  ])('%s, alone, where that is so (%#)', (code, facts, seen) => {
    const all = found(facts, seen)
    expect(all.map((one) => one.code)).toEqual([code])
    // One sentence for the cause, one for the cure.
    expect(all[0]?.text).toMatch(/^(?:[A-Z`]|nginx|systemd).*\. [A-Z`].*\.$/)
  })

  test('an app that is not there, or another repository’s', () => {
    const bare = changed(wellFacts, { state: '', link: '', active: '', 'site-names': '' })
    const seen = parseSeen(['journald kept'])
    const around = { name: 'shop', repository: '4711', now }
    expect(findings(parseFacts(bare), seen, around).map(({ code }) => code)).toEqual(['app-absent'])
    expect(found({}, {}, { repository: '99' }).map(({ code }) => code)).toEqual(['app-of-another'])
  })

  test('while a deploy is at work, what it has begun is no finding', () => {
    const at = `unit ${unit}.service`
    expect(
      found(
        {},
        {
          holder: 'holder somebody',
          repair: `repair remove ${older}`,
          [at]: `${at} loaded deactivating stop success 0 - no no`,
        },
      ),
    ).toEqual([])
  })
})

describe('status', () => {
  const sections = statusSections(parseFacts(wellFacts), parseSeen(wellSeen), 'shop')

  test('shows releases with their role, what answered, units, jobs and sizes', () => {
    const rows = new Map(sections.map(({ title, rows }) => [title, rows]))
    expect(rows.get('Releases')).toEqual([
      [`\`${current}\``, `\`${'e'.repeat(7)}\` of 2025-11-25`, '29 MB', 'serves'],
      [`\`${older}\``, `\`${'d'.repeat(7)}\` of 2025-11-24`, '0.1 MB', 'previous'],
    ])
    expect(rows.get('Asked just now')?.map(([, answer]) => answer)).toEqual([
      '✅ 200 in 12 ms',
      '✅ 200 in 14 ms',
    ])
    expect(rows.get('Units')?.[0]).toEqual([
      `\`${current}.service\``,
      '✅ active (running)',
      'yes',
      '0',
      '50 MB',
    ])
    expect(rows.get('Processes and jobs')?.[1]).toEqual([
      '`tidy`',
      'job',
      '❌ not there',
      '2026-11-27 00:00:00',
      'never',
    ])
    expect(rows.get('Disk')).toContainEqual(['`/var/lib/web-shop`', '0.5 MB', '', ''])
  })

  test('nothing that a server says breaks a table or becomes markup', () => {
    const evil = parseSeen([
      'holder <b>|x|\n# y',
      'repair `|`<script>',
      'health fail <i> 9999 |',
      'unit a|b x',
      'size release/x 1',
    ])
    const text = sectionsMarkdown(statusSections(parseFacts(wellFacts), evil, 'shop'), 100_000).join('\n')
    expect(text).not.toMatch(/<(?:b|i|script)>/)
    for (const line of text.split('\n').filter((one) => one.startsWith('|'))) expect(line).toMatch(/\|$/)
  })
})

test('a table in the log has its columns below each other', () => {
  expect(
    sectionText(
      table(
        'T',
        ['Name', 'Is'],
        [
          ['`a`', 'one'],
          ['longer', 'two'],
        ],
      ),
    ),
  ).toEqual(['', 'T', '  Name    Is', '  a       one', '  longer  two'])
})

test('a summary of sections stays within its bytes', () => {
  const rows = Array.from({ length: 150 }, () => ['x'.repeat(400)])
  const text = sectionsMarkdown([table('T', ['a'], rows)], 10_000).join('\n')
  expect(text.length).toBeLessThan(10_100)
  expect(text).toContain('The rest is in the log.')
})
