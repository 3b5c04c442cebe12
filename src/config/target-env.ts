import type { AppTarget } from '../project/project.ts'
import { renderEnvFile } from './env-file.ts'
import { releasePaths, sourceFolder } from './paths.ts'
import type { ReleaseProcess } from './sandbox.ts'
import type { ReleaseSettings } from './settings.ts'

/**
 * How a command finds the app: by `target.env`, which the probe has proven, or, where a project's own server alone knows
 * the app, by nothing but the release's folder.
 */
export function findingApp({ name, release, target }: ReleaseSettings): Partial<ReleaseProcess> {
  if (target.module !== '') return { findsApp: true }
  return { environment: new Map([['PYTHONPATH', releasePaths(name, release).root]]) }
}

/**
 * Renders `target.env`: the variables by which a command of the project's finds the app that the web process serves.
 * A folder with a `:` in its name cannot be on PYTHONPATH; then there is none, and a command has to find it by itself.
 * @param siteFirst what was built of the project stands before the project's own folder
 */
export function renderTargetEnv(settings: ReleaseSettings, target: AppTarget, siteFirst: boolean): string {
  const release = releasePaths(settings.name, settings.release)
  const source = sourceFolder(release.root, settings.source)
  const own = target.path.map((path) => sourceFolder(source, path))
  const folders = siteFirst ? [release.site, ...own] : [...own, release.site]
  const called = target.factory && !target.expression.endsWith(')')
  return renderEnvFile(
    new Map([
      ['FLASK_APP', `${target.module}:${target.expression}${called ? '()' : ''}`],
      ...(folders.some((folder) => folder.includes(':'))
        ? []
        : ([['PYTHONPATH', folders.join(':')]] as const)),
    ]),
    settings.systemd,
  )
}
