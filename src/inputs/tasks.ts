import type { TaskCommand } from '../inputs.ts'

/** The commands that make no release and need no project. */
export const taskCommands = [
  'status',
  'doctor',
  'run',
  'logs',
  'destroy',
] as const satisfies readonly TaskCommand[]

/** Says whether a command is one of them. */
export function isTask(command: string): command is TaskCommand {
  return (taskCommands as readonly string[]).includes(command)
}
