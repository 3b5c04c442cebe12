import type { Warning } from './project.ts'
import type { Tree } from './tree.ts'

/** What Flask-Migrate makes (`flask db init`); its folder may have another name, which only the app knows. */
const MIGRATIONS = ['migrations/env.py', 'migrations/alembic.ini']

/**
 * Migrations that nobody runs: suggested and not run, for the app may do it itself.
 * @param names the packages that the project requires, normalised
 * @param commanded there is a release command
 */
export function migrationWarnings(
  tree: Tree,
  names: readonly string[],
  commanded: boolean,
): readonly Warning[] {
  if (commanded || !names.includes('flask-migrate')) return []
  const file = MIGRATIONS.find((one) => tree.has(one))
  if (file === undefined) return []
  const text =
    'The project has migrations of its database, and nothing runs them. Set `release-command: flask db upgrade`, unless the app migrates by itself.'
  return [{ code: 'migrations-not-run', text, file }]
}
