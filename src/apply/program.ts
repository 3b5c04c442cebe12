import { createHash } from 'node:crypto'
import type { Operation, Plan } from '../plan/operation.ts'
import type { PythonTry } from '../plan/python.ts'
import { quote } from '../quote.ts'
import { remoteScript } from '../remote.ts'
import { assign, call, properties, yes } from './calls.ts'

/** What the program has to know of this run. */
export interface RunSettings {
  readonly name: string
  /** The run's own ID: hex digits. */
  readonly run: string
  /** Who holds the lock, for the next in line: one line. */
  readonly holder: string
  readonly lockTimeoutSeconds: number
  /** How long what the runner sends may stand still, for it may have to connect again. */
  readonly sentWaitSeconds: number
}

/** The library, in the order of reading; each file is one subject. */
const LIBRARY = [
  'events.sh',
  'memory-limit.sh',
  'memory.sh',
  'space-facts.sh',
  'space.sh',
  'retention.sh',
  'files.sh',
  'state.sh',
  'lock.sh',
  'packages.sh',
  'account.sh',
  'generated.sh',
  'services.sh',
  'release.sh',
  'commands.sh',
  'keep.sh',
  'probe.sh',
  'python.sh',
  'dependencies.sh',
  'wheels.sh',
  'drift.sh',
  'default-site.sh',
  'nginx.sh',
  'tls.sh',
  'processes.sh',
  'web.sh',
  'service.sh',
  'journal.sh',
  'watch.sh',
  'cutover.sh',
  'recovery.sh',
  'prune.sh',
  'program.sh',
]

/**
 * The functions that programs call, as a file of its own beside them: those that outlive a run (recovery, watch) work
 * with the same ones.
 */
export function renderLibrary(): string {
  return LIBRARY.map((file) => remoteScript(file)).join('\n')
}

/**
 * Renders a plan to the program that does it: one call for each operation, of functions of the library. It is a file of
 * root's on the server and never an argument, so it may hold secrets.
 */
export function renderProgram(plan: Plan, settings: RunSettings): string {
  const lines = [
    ...programHead(settings, plan.release, plan.kind === 'deploy'),
    'begin',
    call('take_lock', settings.lockTimeoutSeconds, settings.holder),
    call('compare_generation', plan.generation),
    'repair',
  ]
  let phase = ''
  for (const operation of plan.operations) {
    if (operation.phase !== phase) {
      phase = operation.phase
      lines.push(call('phase', phase))
    }
    lines.push(...render(operation))
  }
  lines.push('finish', 'exit 0')
  return `${lines.join('\n')}\n`
}

/** What every program begins with. @param release the one that it is about, '' for none */
export function programHead(
  { name, run, sentWaitSeconds }: Pick<RunSettings, 'name' | 'run' | 'sentWaitSeconds'>,
  release: string,
  making: boolean,
): readonly string[] {
  return [
    '#!/bin/sh',
    'set -eu',
    'cd /',
    'umask 022',
    'export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    assign('name', name),
    assign('run', run),
    assign('sent_wait', String(sentWaitSeconds)),
    assign('release', release),
    assign('making', yes(making)),
    'home=/srv/web-$name',
    'root=$home/releases/$release',
    'dir=/run/flask-deploy/$name/$run',
    'bundle=/var/lib/flask-deploy/incoming/$name-$run',
    '. "$dir/library.sh"',
  ]
}

function render(operation: Operation): readonly string[] {
  switch (operation.kind) {
    case 'install-packages':
      return [
        ...(operation.offline ? ['offline=yes'] : []),
        call('install_packages', yes(operation.upgrade), ...operation.names),
        ...operation.because.map((why) => call('emit', `found needed-packages ${why}`)),
      ]
    case 'want-wheels':
      return ['want_wheels python']
    case 'install-uv': {
      const { version, from } = operation
      return [
        typeof from === 'string'
          ? call('install_uv', version, from)
          : call('install_uv', version, 'wheel', from.sha256, from.file),
      ]
    }
    case 'store-wheels': {
      const list = operation.wheels.map(({ sha256, file }) => `${sha256} ${file}`).join('\n')
      return [call('store_wheels', wheelsToken(operation), list, operation.requirements)]
    }
    case 'python':
      return [
        `in_download() { ${call('in_unit', 'download', ...properties(operation.properties))} -p "EnvironmentFile=$dir/build.env" -- "$@"; }`,
        call(
          'choose_python',
          operation.key,
          operation.reason,
          operation.preferred,
          operation.preferredReason,
          ...operation.tries.map(tryWord),
        ),
      ]
    case 'make-room':
      return [call('make_room', operation.folder, operation.kilobytes, operation.inodes)]
    case 'claim':
      return [call('claim', operation.owner)]
    case 'account':
      return ['ensure_account']
    case 'generated-env':
      return [call('generated_env', ...operation.keys)]
    case 'postgresql':
      return [call('use_postgresql', operation.variables.join(','), ...properties(operation.properties))]
    case 'redis':
      return [call('use_redis', operation.unitFile, operation.content, operation.variables.join(','))]
    case 'receive-bundle':
      return [call('receive_bundle', operation.bytes, operation.sha256)]
    case 'unpack':
      return ['unpack_bundle', 'compile_code', 'own_release']
    case 'environment':
      return [
        call('environment_key', operation.key),
        assign('site_folder', operation.site.folder),
        assign('site_name', operation.site.name),
        inBuild(operation.properties),
        assign('built_from', operation.from),
        call(
          'make_environment',
          operation.file,
          operation.gunicorn,
          yes(operation.loose),
          yes(operation.refresh),
        ),
      ]
    case 'site':
      return ['build_site || :']
    case 'write-file':
      return [call('write_file', operation.path, operation.mode, operation.owner, operation.content)]
    case 'folder':
      return [call('make_folder', operation.path, operation.mode, operation.owner)]
    case 'persist':
      return [call('persist', operation.path, operation.target)]
    case 'probe':
      // What it imports takes as much as the release's first process.
      return ['look_at_memory', call('probe_release', operation.seconds, ...properties(operation.properties))]
    case 'adopt':
      return ['adopt_found']
    case 'publish-found':
      return ['publish_found']
    case 'public':
      return ['prepare_public']
    case 'publish':
      return [call('publish', operation.url, operation.folder)]
    case 'first-deploy-command':
    case 'release-command':
      return [
        call(
          operation.kind.replaceAll('-', '_'),
          operation.seconds,
          operation.command,
          ...properties(operation.properties),
        ),
      ]
    case 'mend-drift':
      return ['mend_drift']
    case 'start':
      return ['look_at_memory', 'start_release "$release"']
    case 'health':
      return ['check_release "$release"']
    case 'grow':
      return [`grow_release "$release" ${quote(String(operation.workers))}`]
    case 'web-entrance':
      return [call('web_entrance', operation.entrance)]
    case 'processes':
      return ['start_processes']
    case 'nginx':
      return [call('configure_nginx', operation.site, operation.catchAll ?? '', operation.tlsCatchAll ?? '')]
    case 'cutover':
      return [call('cut_over', operation.waitSeconds)]
    case 'verdict':
      return [call('await_verdict', operation.waitSeconds)]
    case 'settle':
      return [call('settle', operation.record, operation.seconds)]
    case 'preflight':
      return [call('preflight', operation.from, operation.waitSeconds, ...operation.names)]
    case 'request-certificate': {
      const { lineage, authority, email, force, key, names } = operation.request
      return [call('request_certificate', lineage, authority, email ?? '', yes(force), key, ...names)]
    }
    case 'secure': {
      const { tls, trial, site, catchAll, tlsCatchAll, waitSeconds } = operation
      return [call('secure', tls.certificate, trial, site, catchAll ?? '', tlsCatchAll, waitSeconds)]
    }
    case 'await-settled':
      return [call('await_settled', operation.seconds)]
    case 'prune':
      return [call('prune', operation.keep), 'prune_wheels']
  }
}

/**
 * The function that runs a build in its unit. What of the user's variables concerns an index comes by a file, because
 * properties are open to everybody.
 */
function inBuild(list: readonly string[]): string {
  const words = properties(list).map(quote).join(' ')
  return `in_build() {
  unit=$1
  shift
  in_unit "$unit" ${words} -p "EnvironmentFile=$dir/build.env" -- "$@"
}`
}

/** What says that the wheels of one list are all there: they travel while the program works. */
export function wheelsToken({ wheels }: Extract<Operation, { kind: 'store-wheels' }>): string {
  const list = wheels.map(({ sha256 }) => sha256).join()
  return createHash('sha256').update(list).digest('hex').slice(0, 16)
}

function tryWord(one: PythonTry): string {
  switch (one.how) {
    case 'server':
      return `server:${one.versions.join(',')}`
    case 'forbidden':
      return 'forbidden:'
    default:
      return `${one.how}:${one.version}`
  }
}
