/** A command that the runner would act on. */
export interface RunnerCommand {
  readonly name: string
  readonly data: string
}

/**
 * Reads a step's output as the runner does (actions/runner, ActionCommandManager.cs and ActionCommand.cs): line by line,
 * where `\r` ends a line too; `::name ...::data` at a line's start and `##[name]` anywhere are commands, unless they
 * are stopped.
 */
export function runnerReads(output: string): { readonly commands: readonly RunnerCommand[] } {
  const commands: RunnerCommand[] = []
  let stopped: string | undefined
  for (const line of output.split(/\r\n|\r|\n/)) {
    const [, name = '', data = ''] =
      /^\s*::([^\s:]+)(?: [^:]*)?::(.*)$/.exec(line) ?? /##\[([^\s\]]+)[^\]]*\](.*)$/.exec(line) ?? []
    if (stopped !== undefined) {
      if (name === stopped) stopped = undefined
      continue
    }
    if (name === '') continue
    commands.push({ name, data })
    if (name === 'stop-commands') stopped = data
  }
  return { commands }
}
