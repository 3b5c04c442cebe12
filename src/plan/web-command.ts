import { paths, UNIT_FOLDER } from '../config/paths.ts'
import type { ReleaseSettings } from '../config/settings.ts'
import {
  entranceOf,
  proxyUnit,
  renderProxyUnit,
  renderWebCommand,
  renderWebDrain,
  webCommandFile,
  webDrainFile,
  webStopSeconds,
  webWait,
  webWaitFile,
} from '../config/web-command.ts'
import type { Operation } from './operation.ts'

/** What a release needs besides where a command of the project's own serves it in gunicorn's place. */
export function webCommandOperations(settings: ReleaseSettings): readonly Operation[] {
  const { webCommand } = settings
  if (webCommand === undefined) return []
  const entrance = entranceOf(webCommand)
  const script = (path: string, content: string): Operation => ({
    phase: 'configure',
    kind: 'write-file',
    path,
    mode: '0640',
    owner: `root:${paths(settings.name).user}`,
    content,
    what: 'web command',
  })
  const scripts = [
    script(webCommandFile(settings), renderWebCommand(webCommand)),
    script(webDrainFile(settings), renderWebDrain(settings)),
  ]
  if (entrance === 'descriptor') return scripts
  return [
    ...scripts,
    script(webWaitFile(settings), webWait),
    { phase: 'configure', kind: 'web-entrance', entrance },
    {
      phase: 'configure',
      kind: 'write-file',
      path: `${UNIT_FOLDER}/${proxyUnit(settings)}`,
      mode: '0644',
      owner: 'root:root',
      content: renderProxyUnit(settings, webCommand, webStopSeconds(settings)),
      what: 'proxy unit',
    },
  ]
}
