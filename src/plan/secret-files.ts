import { paths, releasePaths } from '../config/paths.ts'
import { secretFileModes } from '../config/secret-files.ts'
import type { Facts } from '../server/facts.ts'
import type { Operation } from './operation.ts'
import type { Wish } from './wish.ts'

/** Writes a new release's secret files, in a folder of its own that goes when the release does. */
export function secretFileOperations(facts: Facts, wish: Wish): readonly Operation[] {
  const files = wish.inputs.app.secretFiles
  if (files.size === 0) return []
  const app = paths(wish.project.name)
  const folder = releasePaths(wish.project.name, wish.release).files
  const modes = secretFileModes(facts.systemd, app.user)
  return [
    ...(modes.outer === undefined
      ? []
      : [{ phase: 'configure', kind: 'folder', path: app.etc, ...modes.outer } as const]),
    { phase: 'configure', kind: 'folder', path: folder, ...modes.folder },
    ...[...files].map(
      ([name, content]): Operation => ({
        phase: 'configure',
        kind: 'write-file',
        path: `${folder}/${name}`,
        ...modes.file,
        content,
        what: 'secret file',
      }),
    ),
  ]
}
