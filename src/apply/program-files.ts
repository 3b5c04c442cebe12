import { renderNeeds } from '../config/needs.ts'
import type { Plan } from '../plan/operation.ts'
import { gunicorn, uv } from '../plan/pins.ts'
import { remoteFile } from '../remote.ts'
import { renderSteps } from './install-steps.ts'
import { renderLibrary } from './program.ts'

/** What the probe needs beside the library: the app's user runs the first two, root the others. */
const PROBE_FILES = [
  'probe.py',
  'flask_deploy_ask.py',
  'adopt.py',
  'flask_deploy_state.py',
  'flask_deploy_log.py',
  'flask_deploy_made.py',
  'publish.py',
]

/** The other files that the program works with: name -> content. */
export function programFiles(plan: Plan): ReadonlyMap<string, string> {
  return new Map([
    ['library.sh', renderLibrary()],
    ['recover.sh', remoteFile('recover.sh')],
    ['http.py', remoteFile('http.py')],
    ['edited.py', remoteFile('edited.py')],
    ['flask_deploy_drift.py', remoteFile('flask_deploy_drift.py')],
    ['flask_deploy_look.py', remoteFile('flask_deploy_look.py')],
    ['flask_deploy_processes.py', remoteFile('flask_deploy_processes.py')],
    ['flask_deploy_watch.py', remoteFile('flask_deploy_watch.py')],
    ['check.json', JSON.stringify(plan.check)],
    ...(plan.securedCheck === undefined
      ? []
      : ([
          ['secured.json', JSON.stringify(plan.securedCheck)],
          ['apt.sh', remoteFile('apt.sh')],
        ] as const)),
    ...(plan.kind === 'deploy'
      ? ([
          ['apt.sh', remoteFile('apt.sh')],
          ['build.sh', remoteFile('build.sh')],
          ['port.py', remoteFile('port.py')],
          ['needs.txt', renderNeeds()],
          ['site.sh', remoteFile('site.sh')],
          ['steps.sh', renderSteps(plan)],
          ['apt.stop', unwanted(plan)],
          ['uv.txt', uv.requirements],
          ['gunicorn.txt', gunicorn.requirements],
          ['build.env', plan.buildEnv],
        ] as const)
      : []),
    ...plan.operations.flatMap((operation) =>
      operation.kind === 'publish-found'
        ? PROBE_FILES.map((file) => [file, remoteFile(file)] as const)
        : operation.kind === 'probe'
          ? [['probe.json', operation.settings] as const]
          : [],
    ),
  ])
}

/** Units that a package starts by itself and nobody wished, a `PACKAGE UNIT` line each: see apt.sh. */
function unwanted({ operations }: Plan): string {
  const alone = operations.some((one) => one.kind === 'redis' && one.alone)
  return alone ? 'redis-server redis-server.service\n' : ''
}
