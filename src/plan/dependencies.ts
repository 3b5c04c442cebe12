import { releasePaths } from '../config/paths.ts'
import { buildProperties } from '../config/sandbox.ts'
import type { Facts } from '../server/facts.ts'
import { dependenciesKey, ownGunicorn } from './ingredients.ts'
import type { Operation } from './operation.ts'
import { builtOf, byPip } from './wheels.ts'
import type { Wish } from './wish.ts'

/** The environment, and the project itself where it is only whole when installed. */
export function dependenciesOperations(facts: Facts, wish: Wish): readonly Operation[] {
  const { project, inputs, release } = wish
  const { requirements } = project
  const own = releasePaths(project.name, release)
  return [
    {
      phase: 'dependencies',
      kind: 'environment',
      key: dependenciesKey(wish),
      file: requirements.file,
      gunicorn: ownGunicorn(wish),
      copies: copies(wish),
      texts: requirements.texts,
      steps: requirements.steps,
      from: 'index',
      loose: (requirements.unpinned ?? []).length > 0,
      refresh: inputs.app.refresh,
      site: requirements.built,
      properties: buildProperties({
        name: project.name,
        systemd: facts.systemd,
        readable: [own.root],
        writable: [own.venv, own.site],
        environment: new Map([
          ['UV_SYSTEM_CERTS', '1'],
          ...(byPip(wish) ? [] : [['UV_OFFLINE', '1'] as const]),
        ]),
      }).map(([key, value]) => `${key}=${value}`),
      ...builtOf(wish),
    },
    ...(requirements.plugins ? [{ phase: 'dependencies', kind: 'site' } as const] : []),
  ]
}

/** What the build needs of the project: the files that decide, and what is installed from its path. */
function copies(wish: Wish): readonly string[] {
  const { files = [], local = [] } = wish.project.requirements
  if (local.includes('')) return ['']
  const within = (path: string) => local.some((one) => path === one || path.startsWith(`${one}/`))
  return [...new Set([...local, ...files.filter((path) => !within(path))])]
}
