import { daysLeft } from '../config/certificate.ts'
import type { Facts } from '../server/facts.ts'
import type { Asked, Seen, SeenUnit } from '../server/seen.ts'
import type { KeptRelease, TakenBack } from '../server/state.ts'
import { type Section, table } from './sections.ts'
import { dying } from './settling.ts'

/** What `status` tells: the app and its server as they are, in tables. Pure. */
export function statusSections(facts: Facts, seen: Seen, name: string): readonly Section[] {
  return [
    table('The app', ['', ''], appRows(facts, seen, name)),
    ...rowsOnly('Releases', ['Release', 'Commit', 'Adds to the disk', 'Role'], releaseRows(facts, seen)),
    ...rowsOnly('Asked just now', ['Asked', 'Answer'], answerRows(facts, seen)),
    ...rowsOnly('Units', ['Unit', 'State', 'At boot', 'Restarts', 'Memory'], unitRows(facts, seen, name)),
    ...rowsOnly(
      'Processes and jobs',
      ['Name', 'Kind', 'State', 'Next run (UTC)', 'Last run (UTC)'],
      besideRows(seen),
    ),
    ...rowsOnly('Certificate', ['Names', 'Issuer', 'Until', 'Renewed by'], certificateRows(facts)),
    table('The server', ['', ''], serverRows(facts, seen)),
    ...rowsOnly('Disk', ['Folder', 'Size', 'Free', 'Free inodes'], diskRows(seen)),
    ...rowsOnly(
      'What the next deploy would set right',
      ['It would'],
      seen.repairs.map((repair) => [repairText(repair)]),
    ),
  ]
}

function rowsOnly(
  title: string,
  columns: readonly string[],
  rows: readonly (readonly string[])[],
): readonly Section[] {
  return rows.length === 0 ? [] : [table(title, columns, rows)]
}

function appRows(facts: Facts, seen: Seen, name: string): readonly (readonly string[])[] {
  const { state, link, begun, recovered } = facts
  if (state === undefined) return [['App', `\`${name}\` is not on this server`]]
  const { settling, takenBack } = state
  return [
    ['App', `\`${name}\``],
    ['Repository', `\`${state.owner.name || state.owner.id}\``],
    [
      'Visitors get',
      link !== undefined
        ? `release \`${link}\``
        : state.releases.length > 0
          ? 'nothing'
          : 'nothing: no release is on the server; the next deploy finds what the app wrote',
    ],
    ...(facts.siteNames.length === 0 ? [] : [['Names', facts.siteNames.join(', ')]]),
    ['Deploy at work', seen.holder === undefined ? 'none' : seen.holder],
    ...(settling === undefined
      ? []
      : [
          [
            'Watched',
            `release \`${settling.release}\`, until its \`settle-time\` is over; should it die, \`${settling.old}\`, which ${settling.running ? 'runs on' : 'would be started first'}, serves again`,
          ],
        ]),
    ...(takenBack === undefined
      ? []
      : [[takenBack.reason.startsWith('stays ') ? 'Died' : 'Taken back', takenBackText(takenBack)]]),
    ...(recovered === undefined
      ? []
      : [
          [
            'Repaired',
            `what a deploy that was cut off had begun was taken back by the server itself${recovered === link ? '' : `; visitors had got release \`${recovered}\` for a while`}`,
          ],
        ]),
    ...(begun === undefined ? [] : [['Begun', `a switch to release \`${begun}\`, which has no verdict yet`]]),
  ]
}

/** A release that died after its run had ended. */
function takenBackText({ release, commit, reason }: TakenBack): string {
  const of = commit === '-' ? '' : ` (commit ${commit.slice(0, 7)})`
  const stays = /^stays (.*)$/.exec(reason)?.[1]
  return stays === undefined
    ? `release \`${release}\`${of}, by the server itself, because ${dying(reason)}`
    : `release \`${release}\`${of}, because ${dying(stays)}; it stayed, as the one before it was not well either`
}

function releaseRows({ state, link }: Facts, seen: Seen): readonly (readonly string[])[] {
  if (state === undefined) return []
  const roleOf = (id: string) =>
    [
      ...(id === link ? ['serves'] : id === state.current ? ['should serve'] : []),
      ...(id === state.previous ? ['previous'] : []),
      ...(id === state.settling?.release ? ['watched'] : []),
      ...(id === state.settling?.old ? ['waits'] : []),
    ].join(', ') || 'kept'
  return state.releases.toReversed().map((release) => {
    const size = seen.releaseBytes.get(release.id)
    return [
      `\`${release.id}\``,
      commitOf(release),
      size === undefined ? 'not there' : bytes(size),
      roleOf(release.id),
    ]
  })
}

function commitOf({ commit, committed }: KeptRelease): string {
  if (commit === '-') return 'no commit'
  const date = new Date(Number(committed) * 1000)
  const day =
    committed === '-' || Number.isNaN(date.getTime()) ? '' : ` of ${date.toISOString().slice(0, 10)}`
  return `\`${commit.slice(0, 7)}\`${day}`
}

function answerRows({ link }: Facts, { health, visit }: Seen): readonly (readonly string[])[] {
  if (link === undefined) return []
  return [
    [
      "The release's own socket",
      health === undefined ? '❌ not asked: its service is not running' : answer(health),
    ],
    ['nginx on the server', visit === undefined ? '❌ not asked: nginx is not running' : answer(visit)],
  ]
}

function answer({ ok, code, status, ms }: Asked): string {
  if (ok) return `✅ ${status} in ${ms} ms`
  return status === 0 ? `❌ no answer (\`${code}\`)` : `❌ ${status} (\`${code}\`)`
}

function unitRows(facts: Facts, { units }: Seen, name: string): readonly (readonly string[])[] {
  const matters = (unit: SeenUnit) =>
    unit.release === '' ||
    unit.release === facts.link ||
    unit.release === facts.state?.current ||
    unit.active !== 'inactive'
  return units
    .filter(matters)
    .map((unit) => [
      `\`${unit.unit.replace(`web-${name}`, '').replace(/^[-.]/, '')}\``,
      `${isWell(unit) ? '✅' : '❌'} ${unitState(unit)}`,
      unit.enabled ? 'yes' : 'no',
      unit.unit.endsWith('.service') ? String(unit.restarts) : '',
      unit.bytes === undefined || !unit.unit.endsWith('.service') ? '' : bytes(unit.bytes),
    ])
}

function isWell({ load, active }: SeenUnit): boolean {
  return load === 'loaded' && active !== 'failed'
}

function unitState({ load, active, sub, result }: SeenUnit): string {
  if (load !== 'loaded') return load
  const why = active === 'failed' && result !== '' ? `, ${result}` : ''
  return active === sub ? active : `${active} (${sub}${why})`
}

function besideRows({ beside, units }: Seen): readonly (readonly string[])[] {
  return beside.map(({ kind, unit, next, last }) => {
    const found = units.find((one) => one.unit === unit)
    const own = /-[0-9a-f]{7}\.(?:cron\.)?(.*)\.(?:service|timer)$/.exec(unit)?.[1] ?? unit
    return [
      `\`${own}\``,
      { process: 'process', single: 'one only', timer: 'job' }[kind],
      found === undefined ? '❌ not there' : `${isWell(found) ? '✅' : '❌'} ${unitState(found)}`,
      kind === 'timer' ? next || 'never' : '',
      kind === 'timer' ? last || 'never' : '',
    ]
  })
}

function certificateRows(facts: Facts): readonly (readonly string[])[] {
  const used = facts.certificates.find(({ path }) => path === facts.siteCertificate)
  if (used === undefined) {
    return facts.siteCertificate === undefined
      ? []
      : [[`\`${facts.siteCertificate}\``, '❌ not there', '', '']]
  }
  const days = daysLeft(used, facts.now)
  const renewed =
    used.authority === undefined
      ? 'whoever hands it over'
      : facts.renewal
        ? 'certbot, by its timer'
        : '❌ nobody: its timer is off'
  const left = days < 0 ? 'over' : `${days} days left`
  return [
    [
      used.names.join(', '),
      used.issuer,
      `${new Date(used.until).toISOString().slice(0, 10)} (${left})`,
      renewed,
    ],
  ]
}

function serverRows(facts: Facts, seen: Seen): readonly (readonly string[])[] {
  const { os, systemd, nginx, python } = facts
  const { memory, interpreter } = seen
  return [
    ['System', `${os.id} ${os.version} (${os.codename}), systemd ${systemd}`],
    [
      'nginx',
      nginx === undefined
        ? 'not there'
        : `${nginx}, ${seen.nginx?.active ?? 'unknown'}, ${seen.nginx?.sound === false ? '❌ its configuration is broken' : 'its configuration is sound'}`,
    ],
    ['Python', python === undefined ? 'none' : `\`${python}\``],
    ...(interpreter === undefined
      ? []
      : [
          [
            "The release's Python",
            `${interpreter.there ? '' : '❌ gone: '}\`${interpreter.path || 'none'}\`${interpreter.made === '' ? '' : `, made for ${interpreter.made}`}`,
          ],
        ]),
    ...(memory === undefined
      ? []
      : [
          [
            'Memory',
            `${bytes(memory.left)} of ${bytes(memory.total)} left, ${memory.swap === 0 ? 'no swap' : `${bytes(memory.swap)} of swap`}`,
          ],
        ]),
    ['Load', `${seen.load} on ${facts.cpus} ${facts.cpus === 1 ? 'core' : 'cores'}`],
    ['Up', spoken(seen.uptime)],
    ['Clock', `${new Date(facts.now).toISOString().slice(0, 19)}Z`],
    ['Reboot', seen.reboot ? 'asked for, by an update' : 'not asked for'],
  ]
}

/** A line of remote/recovery.sh's `tell_repair` in words. */
export function repairText(line: string): string {
  const [what = '', one = '', other = ''] = line.split(' ')
  switch (what) {
    case 'finish':
      return `bring the deploy of \`${one}\`, which was cut off, to its end`
    case 'take-back':
      return `take back the deploy of \`${one}\`, which was cut off`
    case 'flip':
      return other === '-' ? `take away the link to \`${one}\`` : `go back to release \`${other}\``
    case 'nginx':
      return "bring back nginx's files from before"
    case 'remove':
      return `remove release \`${one}\`, which no verdict kept`
    case 'stop':
      return `stop release \`${one}\`, which nobody visits`
    default:
      return line
  }
}

function diskRows({ disks, folderBytes, releaseBytes }: Seen): readonly (readonly string[])[] {
  const releases = [...releaseBytes.values()].reduce((sum, size) => sum + size, 0)
  const byMount = new Map(disks.toReversed().map((disk) => [disk.mount, disk]))
  return [
    ...(releaseBytes.size === 0 ? [] : [['all releases', bytes(releases), '', '']]),
    ...[...folderBytes].map(([folder, size]) => [`\`${folder}\``, bytes(size), '', '']),
    ...[...byMount.values()]
      .toReversed()
      .map(({ mount, bytes: size, free, inodes, inodesFree }) => [
        `the whole disk at \`${mount}\``,
        bytes(size),
        `${bytes(free)} (${percent(free, size)})`,
        inodes === 0 ? '' : percent(inodesFree, inodes),
      ]),
  ]
}

function percent(part: number, whole: number): string {
  return `${Math.floor((part / whole) * 100)} %`
}

/** Bytes for people. */
export function bytes(size: number): string {
  if (size < 10 * 1024) return `${Math.ceil(size / 1024)} KB`
  if (size < 1024 ** 3) return `${(size / 1024 ** 2).toFixed(size < 10 * 1024 ** 2 ? 1 : 0)} MB`
  return `${(size / 1024 ** 3).toFixed(1)} GB`
}

function spoken(seconds: number): string {
  const days = Math.floor(seconds / 86_400)
  const hours = Math.floor(seconds / 3_600)
  if (days > 1) return `${days} days`
  return hours > 1 ? `${hours} hours` : `${Math.floor(seconds / 60)} minutes`
}
