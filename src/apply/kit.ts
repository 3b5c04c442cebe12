import { createHash } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import { pack } from 'tar-stream'
import { renderNeeds } from '../config/needs.ts'
import { gunicorn, uv } from '../plan/pins.ts'
import { remoteFile } from '../remote.ts'
import { renderLibrary } from './program.ts'

/**
 * What all programs work with and no plan changes. It is three quarters of a redeploy's bytes, so a server keeps it for the
 * runs that come with the same version of the action (remote/helper.sh).
 */
export interface Kit {
  /** Of the tar, hex; by this the server knows it. */
  readonly sha256: string
  readonly tar: Uint8Array
}

/** Files of remote/ as they are, beside what the library is made of. */
const FILES = [
  'recover.sh',
  'http.py',
  // What compares with what the last deploy wrote.
  'edited.py',
  'flask_deploy_drift.py',
  'flask_deploy_look.py',
  'flask_deploy_processes.py',
  'flask_deploy_watch.py',
  // Packages and the build.
  'apt.sh',
  'build.sh',
  'port.py',
  'site.sh',
  // The probe: the app's user runs the first two, root the others.
  'probe.py',
  'flask_deploy_ask.py',
  'adopt.py',
  'flask_deploy_state.py',
  'flask_deploy_log.py',
  'flask_deploy_made.py',
  'publish.py',
  // Commands.
  'task.sh',
  'status.sh',
  'run.sh',
  'logs.sh',
  'destroy.sh',
  'hide_secrets.py',
  'app_log.py',
]

/** Its files: name -> content. */
export function kitFiles(): ReadonlyMap<string, string> {
  return new Map([
    ['library.sh', renderLibrary()],
    ...FILES.map((file) => [file, remoteFile(file)] as const),
    ['needs.txt', renderNeeds()],
    ['uv.txt', uv.requirements],
    ['gunicorn.txt', gunicorn.requirements],
  ])
}

/** Makes it; the same files give the same hash on every machine. */
export async function makeKit(files: ReadonlyMap<string, string> = kitFiles()): Promise<Kit> {
  const packing = pack()
  for (const [name, content] of files)
    packing.entry({ name, mode: 0o600, uid: 0, gid: 0, mtime: new Date(0) }, content)
  packing.finalize()
  const tar = await buffer(packing)
  return { sha256: createHash('sha256').update(tar).digest('hex'), tar }
}
