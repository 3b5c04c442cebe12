import type { Task } from '../plan/task.ts'
import { remoteFile } from '../remote.ts'
import { call, properties, yes } from './calls.ts'
import { programHead, type RunSettings, renderLibrary } from './program.ts'

/** Of each kind of task: what of remote/ it works with beside the library. */
const OWN: Readonly<Record<Task['kind'], readonly string[]>> = {
  look: ['status.sh'],
  run: ['run.sh'],
  logs: ['logs.sh'],
  destroy: ['destroy.sh'],
}

/** Renders a task to the program that does it, and what it works with: name -> content. */
export function taskFiles(task: Task, settings: RunSettings): ReadonlyMap<string, string> {
  const own = OWN[task.kind]
  return new Map([
    ['library.sh', renderLibrary()],
    ...['task.sh', ...own].map((file) => [file, remoteFile(file)] as const),
    ...inputsOf(task),
    [
      'program',
      [
        ...programHead(settings, task.release, false),
        ...['task.sh', ...own].map((file) => `. "$dir/${file}"`),
        'begin_task',
        ...(task.kind === 'destroy' ? [call('take_lock', settings.lockTimeoutSeconds, settings.holder)] : []),
        call('phase', 'command'),
        ...render(task),
        'finish',
        'exit 0',
        '',
      ].join('\n'),
    ],
  ])
}

function render(task: Task): readonly string[] {
  switch (task.kind) {
    case 'look':
      return ['look']
    case 'run':
      return [call('run_command', task.seconds, ...properties(task.properties))]
    case 'logs':
      return [call('show_logs', task.lines, ...task.releases)]
    case 'destroy':
      return [call('destroy', task.owner, yes(task.data))]
  }
}

/** Files that hold what may be secret, or is long. */
function inputsOf(task: Task): readonly (readonly [string, string])[] {
  switch (task.kind) {
    case 'look':
      return [
        ['http.py', remoteFile('http.py')],
        ['flask_deploy_processes.py', remoteFile('flask_deploy_processes.py')],
        ['check.json', JSON.stringify(task.check)],
      ]
    case 'run':
      return [
        ['command', task.command],
        ['hide_secrets.py', remoteFile('hide_secrets.py')],
      ]
    case 'logs':
      return [
        ['app_log.py', remoteFile('app_log.py')],
        ['hide_secrets.py', remoteFile('hide_secrets.py')],
      ]
    case 'destroy':
      return []
  }
}
