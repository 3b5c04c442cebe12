import { releasePaths, UNIT_FOLDER } from './paths.ts'
import { releaseProperties } from './sandbox.ts'
import { serviceOrder } from './services.ts'
import type { ReleaseSettings } from './settings.ts'
import { replacing, type Script } from './shell-command.ts'
import { findingApp } from './target-env.ts'
import { commandWord, type Property, renderUnit } from './unit-text.ts'

/** What a release runs beside its web process. */
export interface Processes {
  /** Name -> command. */
  readonly commands: ReadonlyMap<string, string>
  readonly jobs: readonly ScheduledJob[]
  /** Seconds that a process has to finish its work. */
  readonly stopSeconds: number
}

/** One that runs at set times. */
export interface ScheduledJob {
  readonly name: string
  /** As systemd's OnCalendar= takes it. */
  readonly calendar: string
  readonly command: string
}

/** A file of a release: its unit files are root's, the others the app's to read. */
export interface ReleaseFile {
  readonly path: string
  readonly content: string
}

/** Names that a scheduler goes by, of which two at once would do everything twice. */
const SINGLE_NAMES = new Set(['beat', 'clock', 'cron', 'scheduler'])
/** And what it is started with: Celery's `beat` (its own command, or within a worker), RQ's scheduler. */
const SINGLE_COMMANDS = /\bcelery\b.*\s(?:beat|-B|--beat)(?:\s|$)|\brqscheduler\b|\brq-scheduler\b/

/** Whether two of a process must never run at the same time: the old release's stops before the new one's starts. */
export function isSingle(name: string, command: string): boolean {
  return SINGLE_NAMES.has(name) || SINGLE_COMMANDS.test(command)
}

/**
 * What remote/processes.sh goes by, a line each: `process NAME`, `single NAME`, `timer NAME`. It lies in the release, so a
 * rollback starts what belongs to that one.
 */
export function renderProcessList({ commands, jobs }: Processes): string {
  return [
    ...[...commands].map(([name, command]) => `${isSingle(name, command) ? 'single' : 'process'} ${name}\n`),
    ...jobs.map(({ name }) => `timer ${name}\n`),
  ].join('')
}

/** The unit files, of a process one, of a job its timer and its service. */
export function renderProcessUnits(settings: ReleaseSettings, processes: Processes): readonly ReleaseFile[] {
  return [
    ...[...processes.commands].map(([name, command]) =>
      unitFile(settings, `${name}.service`, processUnit(settings, name, replacing(command), processes)),
    ),
    ...processes.jobs.flatMap((job) => [
      unitFile(settings, `cron.${job.name}.timer`, timerUnit(settings, job)),
      unitFile(settings, `cron.${job.name}.service`, jobUnit(settings, job, processes)),
    ]),
  ]
}

/** Their commands, each a file: it may be long, hold anything, and name secrets of the environment. */
export function renderProcessScripts(
  settings: ReleaseSettings,
  processes: Processes,
): readonly ReleaseFile[] {
  return [
    ...[...processes.commands].map(([name, command]) => script(settings, `process-${name}`, command)),
    ...processes.jobs.map(({ name, command }) => script(settings, `cron-${name}`, command)),
  ]
}

function script({ name, release }: ReleaseSettings, file: string, command: string): ReleaseFile {
  return {
    path: `${releasePaths(name, release).deploy}/${file}`,
    content: `${replacing(command).text}\n`,
  }
}

function unitFile({ name, release }: ReleaseSettings, end: string, content: string): ReleaseFile {
  return { path: `${UNIT_FOLDER}/web-${name}-${release}.${end}`, content }
}

function processUnit(
  settings: ReleaseSettings,
  name: string,
  { replaces }: Script,
  { stopSeconds }: Processes,
): string {
  return renderUnit([
    [
      'Unit',
      [
        ['Description', `${settings.name}: process ${name} of release ${settings.release}`],
        ...order(settings),
        // As for the web process: what it needs may come back.
        ['StartLimitIntervalSec', '0'],
      ],
    ],
    [
      'Service',
      [
        ['Type', settings.systemd >= 240 ? 'exec' : 'simple'],
        ...running(settings, `process-${name}`, replaces, stopSeconds),
        ['Restart', 'always'],
        ['RestartSec', '1'],
      ],
    ],
    ['Install', [['WantedBy', 'multi-user.target']]],
  ])
}

function jobUnit(settings: ReleaseSettings, job: ScheduledJob, { stopSeconds }: Processes): string {
  const { replaces } = replacing(job.command)
  return renderUnit([
    [
      'Unit',
      [
        ['Description', `${settings.name}: job ${job.name} of release ${settings.release}`],
        ...order(settings),
      ],
    ],
    [
      'Service',
      [
        ['Type', 'oneshot'],
        // As long as it takes; systemd starts no second one while it runs.
        ['TimeoutStartSec', 'infinity'],
        ...running(settings, `cron-${job.name}`, replaces, stopSeconds),
      ],
    ],
  ])
}

function timerUnit(settings: ReleaseSettings, job: ScheduledJob): string {
  return renderUnit([
    ['Unit', [['Description', `${settings.name}: when job ${job.name} of release ${settings.release} runs`]]],
    [
      'Timer',
      [
        ['OnCalendar', job.calendar],
        // systemd may be a minute late otherwise.
        ['AccuracySec', '1s'],
      ],
    ],
    ['Install', [['WantedBy', 'timers.target']]],
  ])
}

/** What is up before it, at a boot. */
function order({ name, services }: ReleaseSettings): readonly Property[] {
  const { after, wants } = serviceOrder(name, services)
  return [
    ['After', `network-online.target${after}`],
    ['Wants', `network-online.target${wants}`],
  ]
}

/** What every process of a release's has in common; it starts where a release command does. */
function running(
  settings: ReleaseSettings,
  file: string,
  replaces: boolean,
  stopSeconds: number,
): readonly Property[] {
  const release = releasePaths(settings.name, settings.release)
  return [
    ['WorkingDirectory', release.root],
    ['ExecStart', ['/bin/sh', `${release.deploy}/${file}`].map(commandWord).join(' ')],
    // A shell that stays between systemd and the program would not hand the signal on.
    ['KillMode', replaces ? 'mixed' : 'control-group'],
    ['TimeoutStopSec', String(stopSeconds)],
    ...releaseProperties({ ...settings, ...findingApp(settings) }),
  ]
}
