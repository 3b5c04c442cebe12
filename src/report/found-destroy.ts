import type { Warning } from '../project/project.ts'
import type { Change } from './report.ts'

/** What `destroy` found, in words: see foundRow. */
export const destroyFindings: Readonly<Record<string, (detail: string) => Change>> = {
  kept: (detail) => ({ what: 'kept', detail: kept(detail) }),
  removed: () => ({ what: 'removed', detail: 'nothing: the app is not on this server' }),
}

function kept(detail: string): string {
  const [, what = '', name = ''] = /^(the user|the database) (\S+)$/.exec(detail) ?? []
  if (name !== '') return `${what} \`${name}\``
  if (detail.endsWith('/generated.env')) return `\`${detail}\`: the secret key that the server made`
  return detail.endsWith('/state') ? `\`${detail}\`: whose the app is` : `\`${detail}\``
}

/** What it could not remove, in words: see doubtWarning. */
export const destroyDoubts: Readonly<Record<string, (detail: string) => Warning>> = {
  'nginx-not-reloaded': () => ({
    code: 'nginx-not-reloaded',
    text: 'nginx did not take its configuration anew, so it may still answer for the app. Run `systemctl reload nginx` on the server, and see why not with `journalctl -u nginx`.',
  }),
  'user-stays': (detail) => ({
    code: 'user-stays',
    text: `The user \`${detail}\` could not be removed, most likely because a process of it still runs. See it with \`ps -u ${detail}\` on the server, and run \`userdel ${detail}\` there.`,
  }),
  'role-stays': (detail) => ({
    code: 'role-stays',
    text: `PostgreSQL kept the role \`${detail}\`, because it owns something outside of the app's own database. See what with \`\\drds\` and \`\\l\` in psql, and run \`DROP ROLE "${detail}"\` there.`,
  }),
}
