import { parseArgs } from 'node:util'
import { act, reach } from '../__tests__/e2e/action.ts'
import { untilQuiet } from '../__tests__/e2e/look.ts'
import { tinyApp, tinyProject } from '../__tests__/e2e/projects.ts'
import { compareKept, type Kept, keptOn } from '../__tests__/e2e/retained.ts'
import { boot, type Server } from '../__tests__/server/boot.ts'
import { isSuite, type Suite } from '../__tests__/server/suites.ts'
import { isReady } from './machine.ts'

/** The deploys after which is looked for the first time: one more than are kept, so the first one, which nobody preceded, is gone. */
const few = 6
/** Each deploy of such a number fails, in turn at its command and at its health check. */
const failing = (turn: number) => turn % 8 === 7

/** What is on a server at one moment. */
interface Look {
  /** Of the app's and the action's own. */
  readonly kept: Kept
  /** Folder -> what `find` counts below it: files, folders, links, inodes (hard links are one), kilobytes. */
  readonly folders: ReadonlyMap<string, readonly number[]>
}

const columns = ['files', 'folders', 'links', 'inodes', 'kB'] as const

/** Everything else of the server's, but logs, temporary files and what systemd remembers of its own. */
const elsewhere = `find / -xdev \\( -path /proc -o -path /sys -o -path /dev -o -path /tmp -o -path /var/tmp -o -path /var/log \
  -o -path '/srv/web-*' -o -path '/etc/web-*' -o -path '/var/lib/web-*' -o -path '/var/cache/web-*' -o -path /run/flask-deploy \
  -o -path '/run/web-*' -o -path /etc/systemd/system -o -path '/run/systemd' -o -path /var/lib/systemd \\) -prune -o`

async function look(server: Server): Promise<Look> {
  const below = (folder: string) => `[ ! -e ${folder} ] || find ${folder}`
  const of = {
    '/srv/web-hello': below('/srv/web-hello'),
    '/etc/web-hello': below('/etc/web-hello'),
    '/etc/systemd/system': below('/etc/systemd/system'),
    '/var/lib/web-hello': below('/var/lib/web-hello'),
    '/var/cache/web-hello': below('/var/cache/web-hello'),
    '/var/cache/web-hello-build': below('/var/cache/web-hello-build'),
    '/run/web-hello': below('/run/web-hello'),
    '/run/flask-deploy': below('/run/flask-deploy'),
    'everything else': elsewhere,
  }
  const folders = new Map<string, readonly number[]>()
  for (const [name, find] of Object.entries(of)) {
    // (on an overlay a folder may have the inode number of a file)
    const counted = await server.must(`{ ${find} -printf '%y %i %k\\n'; } | awk '
      !seen[$1 $2]++ { inodes++; kilobytes += $3 }
      { count[$1]++ }
      END { print count["f"] + 0, count["d"] + 0, count["l"] + 0, inodes + 0, kilobytes + 0 }'`)
    folders.set(name, counted.trim().split(' ').map(Number))
  }
  const words = await server.must(`getent passwd | wc -l; getent group | wc -l
    systemctl list-units --all --plain --no-legend | wc -l; systemctl list-units --failed --plain --no-legend | wc -l`)
  const [users = 0, groups = 0, units = 0, failed = 0] = words.trim().split('\n').map(Number)
  folders.set('users, groups; units, failed ones', [users, groups, units, failed])
  return { kept: await keptOn(server), folders }
}

/** What has grown of what is not the action's own: that alone is allowed nothing. */
function grown(before: Look, after: Look): readonly string[] {
  return ['everything else', 'users, groups; units, failed ones'].flatMap((name) => {
    const was = before.folders.get(name) ?? []
    const is = after.folders.get(name) ?? []
    // (not kilobytes: databases of systemd's and of apt's are rewritten at any time)
    const more = is.slice(0, name === 'everything else' ? 4 : 5).some((count, at) => count > (was[at] ?? 0))
    return more ? [`${name}: ${was.join(' ')}, now ${is.join(' ')}`] : []
  })
}

function table(before: Look, after: Look, deploys: number): string {
  const cells = [
    ['', `after ${few}: ${columns.join(', ')}`, `after ${deploys}`],
    ...[...after.folders].map(([name, now]) => [
      name,
      (before.folders.get(name) ?? []).join(', '),
      now.join(', '),
    ]),
  ]
  const widths = [0, 1, 2].map((column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)))
  return cells
    .map((row) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`)
    .join('\n')
}

async function bench(suite: Suite, deploys: number): Promise<number> {
  const server = await boot({ suite })
  try {
    const project = tinyProject()
    let before: Look | undefined
    for (let turn = 1; turn <= deploys; turn += 1) {
      const fails = failing(turn)
      const bad: Readonly<Record<string, string>> =
        turn % 16 === 7 ? { 'release-command': 'exit 1' } : { 'health-path': '/nowhere' }
      project.commit({ 'app.py': tinyApp.replace('version 1', `version ${turn}`) })
      const ran = await act({
        workspace: project.folder,
        inputs: { ...reach(server), ...(fails ? bad : {}) },
      })
      console.error(`${turn}: ${ran.outputs.result}`)
      if (ran.outputs.result !== (fails ? 'failed' : 'deployed')) throw new Error(ran.log)
      await untilQuiet(server, 'hello')
      if (turn === few) before = await look(server)
    }
    if (before === undefined) throw new Error(`--deploys has to be more than ${few}.`)
    const after = await look(server)
    const faults = [...compareKept(before.kept, after.kept), ...grown(before, after)]
    console.log(`${suite}, ${deploys} deploys\n${table(before, after, deploys)}`)
    for (const fault of faults) console.log(`  FAULT ${fault}`)
    console.log(
      faults.length === 0 ? 'met    nothing has grown' : `MISSED ${faults.length} things have grown`,
    )
    return faults.length === 0 ? 0 : 1
  } finally {
    await server.stop()
  }
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      deploys: { type: 'string', default: '50' },
      suite: { type: 'string', default: 'bookworm' },
    },
  })
  const deploys = Number(values.deploys)
  if (!isSuite(values.suite) || !(Number.isInteger(deploys) && deploys > few)) {
    console.error(
      `--deploys takes a whole number above ${few}, --suite one of the suites of __tests__/server/suites.ts.`,
    )
    return 2
  }
  if (!(await isReady())) return 1
  return await bench(values.suite, deploys)
}

process.exitCode = await main()
