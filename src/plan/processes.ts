import { paths, releasePaths } from '../config/paths.ts'
import {
  type Processes,
  renderProcessList,
  renderProcessScripts,
  renderProcessUnits,
} from '../config/process-units.ts'
import type { ReleaseSettings } from '../config/settings.ts'
import type { Operation } from './operation.ts'
import type { Wish } from './wish.ts'

/** What the release is to run beside its web process: the inputs' word, else that of the project's own files. */
export function wishedProcesses({ inputs, project }: Wish): Processes {
  return {
    commands: inputs.app.processes ?? project.declared.processes,
    jobs: inputs.app.cron,
    stopSeconds: inputs.behaviour.stopTimeoutSeconds,
  }
}

/** All that these processes are made of, for the comparison with the release that serves. */
export function processTexts(settings: ReleaseSettings, wish: Wish): readonly string[] {
  const files = processFiles(settings, wish)
  return [files.list, ...[...files.units, ...files.scripts].flatMap(({ path, content }) => [path, content])]
}

/** Writes their units and commands into a new release. */
export function processFileOperations(settings: ReleaseSettings, wish: Wish): readonly Operation[] {
  const { units, scripts, list } = processFiles(settings, wish)
  if (list === '') return []
  const owner = `root:${paths(wish.project.name).user}`
  const file = (path: string, content: string, what: string): Operation => ({
    phase: 'configure',
    kind: 'write-file',
    path,
    mode: what === 'process unit' ? '0644' : '0640',
    owner: what === 'process unit' ? 'root:root' : owner,
    content,
    what,
  })
  return [
    ...scripts.map(({ path, content }) => file(path, content, 'process command')),
    ...units.map(({ path, content }) => file(path, content, 'process unit')),
    file(`${releasePaths(wish.project.name, wish.release).deploy}/processes`, list, 'list of processes'),
  ]
}

/** Starts what a release has beside its web process; what that is, the release itself says on the server. */
export function processOperation(wish: Wish): Operation {
  const { commands, jobs } = wishedProcesses(wish)
  const deploys = wish.inputs.command !== 'rollback'
  return {
    phase: 'health',
    kind: 'processes',
    processes: deploys ? [...commands.keys()] : [],
    jobs: deploys ? jobs.map(({ name }) => name) : [],
  }
}

function processFiles(settings: ReleaseSettings, wish: Wish) {
  const processes = wishedProcesses(wish)
  if (processes.commands.size === 0 && processes.jobs.length === 0)
    return { list: '', units: [], scripts: [] }
  return {
    list: renderProcessList(processes),
    units: renderProcessUnits(settings, processes),
    scripts: renderProcessScripts(settings, processes),
  }
}
