import { DeployError } from '../errors.ts'
import { releasePaths, sourceFolder } from './paths.ts'
import type { ReleaseSettings } from './settings.ts'

/**
 * The variables by which a command of the project's (`flask db upgrade`) finds the app that the web process serves;
 * the user's `env` wins over them.
 * @throws DeployError `source-unusable` for a folder that PYTHONPATH cannot name
 */
export function commandEnvironment(settings: ReleaseSettings): ReadonlyMap<string, string> {
  const release = releasePaths(settings.name, settings.release)
  const source = sourceFolder(release.root, settings.source)
  const folders = [...settings.target.path.map((path) => sourceFolder(source, path)), release.site]
  const split = folders.find((folder) => folder.includes(':'))
  if (split !== undefined) {
    throw new DeployError('source-unusable', {
      cause: `The folder ${JSON.stringify(split)} has a \`:\` in its name, so Python cannot have it on its path.`,
      cure: 'Rename the folder.',
      input: 'source',
    })
  }
  return new Map([
    ['FLASK_APP', `${settings.target.module}:${settings.target.expression}`],
    ['PYTHONPATH', folders.join(':')],
  ])
}
