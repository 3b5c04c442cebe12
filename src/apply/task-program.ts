import type { Task } from '../plan/task.ts'
import { call, properties, yes } from './calls.ts'
import { programHead, type RunSettings } from './program.ts'

/** Of each kind of task: what of the kit its program consists of beside the library. */
const OWN: Readonly<Record<Task['kind'], readonly string[]>> = {
  look: ['status.sh'],
  run: ['run.sh'],
  logs: ['logs.sh'],
  destroy: ['destroy.sh'],
}

/** Renders a task to the program that does it, and what it works with beside the kit: name -> content. */
export function taskFiles(task: Task, settings: RunSettings): ReadonlyMap<string, string> {
  const own = OWN[task.kind]
  return new Map([
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
      return [['check.json', JSON.stringify(task.check)]]
    case 'run':
      return [['command', task.command]]
    case 'logs':
    case 'destroy':
      return []
  }
}
