import { execFileSync, spawnSync } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { renderEntry } from '../../src/config/entry.ts'
import type { ProbeSettings } from '../../src/plan/probe.ts'
import { releaseOf } from '../config/sample.ts'

const remote = join(import.meta.dirname, '..', '..', 'remote')

/** A release on this machine, its scratch copy, and what the probe left in it. */
export interface Given {
  /** Of the release; a content that begins with `-> ` is a link. */
  readonly files?: Readonly<Record<string, string>>
  /** What the app made or changed in the scratch copy. */
  readonly written?: Readonly<Record<string, string>>
  /** ROOT stands for the release's folder; a text is the file as it is. */
  readonly report?: unknown
  readonly settings?: Partial<ProbeSettings>
  /** Lines of the state file. */
  readonly state?: string
  readonly log?: string
  /** More to do to the scratch copy. */
  readonly spoil?: (scratch: string) => void
}

/** What was said, and what was written into the release's own folder. */
export interface Judged {
  readonly said: readonly string[]
  readonly own: Readonly<Record<string, string>>
  readonly log: string
}

/** Settings of the plainest kind. */
export function settingsOf(change: Partial<ProbeSettings> = {}): ProbeSettings {
  return {
    state: '/var/lib/web-shop',
    cache: '/var/cache/web-shop',
    log: '/var/log/web-shop',
    host: 'shop.example',
    scheme: 'https',
    candidates: ['wsgi:app', 'other:app'].map((name) => ({
      name,
      module: name.split(':')[0] ?? '',
      entry: `entry of ${name}\n`,
      environment: `environment of ${name}\n`,
      siteFirst: `site first of ${name}\n`,
    })),
    ownServer: false,
    publishes: true,
    given: [],
    fallback: [],
    keeps: true,
    persist: [{ path: 'instance', target: 'instance' }],
    buildable: false,
    workerClass: null,
    workersGiven: false,
    ...change,
  }
}

/** Makes owners and groups nobody's matter: a test need not be root. */
const driver = `
import os, runpy, sys
os.fchown = lambda *words: None
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
`

/** Runs remote/adopt.py as the program would. @throws Error where it fails */
export function judge(given: Given): Judged {
  const place = mkdtempSync(join(tmpdir(), 'judge-'))
  const root = join(place, 'releases', '20261122184800-abc1234')
  const scratch = join(place, 'scratch')
  mkdirSync(root, { recursive: true })
  write(root, given.files ?? {})
  execFileSync('cp', ['-a', root, scratch])
  write(scratch, given.written ?? {})
  for (const folder of [root, scratch]) mkdirSync(join(folder, '.deploy'), { recursive: true })
  const { report } = given
  const text = typeof report === 'string' ? report : JSON.stringify(report ?? {})
  if (report !== undefined) writeFileSync(join(scratch, '.deploy/report.json'), text.replaceAll('ROOT', root))
  given.spoil?.(scratch)
  writeFileSync(join(place, 'probe.json'), JSON.stringify(settingsOf(given.settings)))
  writeFileSync(join(place, 'state'), given.state ?? '')
  writeFileSync(join(place, 'serving.log'), (given.log ?? '').replaceAll('ROOT', root))
  const words = ['probe.json', 'scratch', `releases/20261122184800-abc1234`, 'state'].map((one) =>
    join(place, one),
  )
  const done = spawnSync(
    'python3',
    ['-I', '-B', '-c', driver, join(remote, 'adopt.py'), ...words, 'no', join(place, 'serving.log')],
    { encoding: 'utf8', cwd: '/' },
  )
  const own = join(root, '.deploy')
  const judged = {
    said: done.stdout.split('\n').filter((line) => line !== ''),
    own: Object.fromEntries(readdirSync(own).map((name) => [name, readFileSync(join(own, name), 'utf8')])),
    log: done.status === 0 ? readFileSync(join(place, 'app.log'), 'utf8') : '',
  }
  rmSync(place, { recursive: true })
  if (done.status !== 0) throw new Error(done.stderr)
  return judged
}

/** The lines that make the program do something. */
export function deeds({ said }: Judged): readonly string[] {
  return said.filter((line) => !/^(?:found|doubt)\t/.test(line))
}

/** What the probe itself reports of a project without Flask, loaded as its entry modules say. */
export function probe(
  files: Readonly<Record<string, string>>,
  targets: readonly string[],
): Record<string, unknown> {
  const place = mkdtempSync(join(tmpdir(), 'probe-'))
  write(place, files)
  const candidates = targets.map((name) => {
    const [module = '', expression = ''] = name.split(':')
    const [attribute = ''] = expression.split('(')
    const target = {
      module,
      attribute,
      factory: expression.includes('('),
      expression,
      path: [''],
      reason: '',
    }
    const entry = renderEntry(releaseOf({ target }))
    return { name, module, entry, environment: '', siteFirst: '' }
  })
  for (const file of ['probe.py', 'flask_deploy_ask.py'])
    cpSync(join(remote, file), join(place, `.deploy/${file}`))
  const own = (name: string) => join(place, '.deploy', name)
  writeFileSync(own('probe.json'), JSON.stringify(settingsOf({ candidates })))
  const done = spawnSync(
    'python3',
    [own('probe.py'), own('probe.json'), own('report.json'), own('output'), '20'],
    {
      cwd: place,
      // On a server all of it is compiled already.
      env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
      encoding: 'utf8',
    },
  )
  const said: unknown = JSON.parse(readFileSync(own('report.json'), 'utf8'))
  rmSync(place, { recursive: true })
  if (typeof said !== 'object' || said === null) throw new Error(done.stderr)
  return { ...said }
}

function write(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [path, content] of Object.entries(files)) {
    const file = join(folder, path)
    mkdirSync(dirname(file), { recursive: true })
    if (content.startsWith('-> ')) symlinkSync(content.slice(3), file)
    else writeFileSync(file, content)
  }
}
