import type { Explanation } from '../errors.ts'
import type { Failure } from './failure.ts'

/** Why a service of the server's could not be had for the app, by the code's last word (remote/services.sh). */
export const serviceRows: Readonly<Record<string, (failure: Failure) => Explanation>> = {
  'postgresql-start': ({ detail }) => ({
    cause: `PostgreSQL on the server does not start${of(detail)}.`,
    cure: 'See why with `pg_lsclusters` and `journalctl -u "postgresql*"` on the server; then run the job again.',
    input: 'services',
  }),
  'postgresql-role': ({ detail }) => ({
    cause: `The server's PostgreSQL${of(detail)} did not let its own user \`postgres\` make a role for the app.`,
    cure: 'Let `local all postgres peer` be the first line of its `pg_hba.conf`, as Debian has it; what it said is in the log.',
    input: 'services',
  }),
  'postgresql-database': ({ detail }) => ({
    cause: `The server's PostgreSQL${of(detail)} could not make the app's database.`,
    cure: 'What it said is in the log; a full disk is the usual reason.',
    input: 'services',
  }),
  'postgresql-owner': ({ detail }) => ({
    cause: `The server's PostgreSQL has a database of the app's name that belongs to \`${detail}\`.`,
    cure: "Set `name` to another name for this app, or make the database the app's own (`ALTER DATABASE ... OWNER TO`).",
    input: 'name',
  }),
  'postgresql-refused': ({ detail }) => ({
    cause: `The server's PostgreSQL${of(detail)} does not let the app in over its socket.`,
    cure: 'Let its `pg_hba.conf` have the line `local all all peer`, as Debian has it, and reload it; what it said is in the log.',
    input: 'services',
  }),
  redis: ({ detail }) => ({
    cause: `The app's own Redis does not start on the server (${detail}).`,
    cure: `Its last lines are in the log; a full disk or a broken append-only file below \`/var/lib\` are the usual reasons.`,
    input: 'services',
  }),
}

/** Of which cluster. */
function of(detail: string): string {
  return detail === '' ? '' : ` (${detail})`
}
