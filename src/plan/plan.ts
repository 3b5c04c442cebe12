import { releaseEnv, renderEnvFile } from '../config/env-file.ts'
import { renderGunicorn } from '../config/gunicorn.ts'
import { paths, releasePaths } from '../config/paths.ts'
import { renderServiceUnit, renderSocketUnit } from '../config/units.ts'
import { DeployError } from '../errors.ts'
import type { Facts } from '../server/facts.ts'
import type { KeptRelease } from '../server/state.ts'
import { checkSettings, type Standing } from './check-settings.ts'
import { commandOperations } from './commands.ts'
import { dependenciesOperations } from './dependencies.ts'
import { generatedOperations, hasGenerated } from './generated.ts'
import { guardNeighbours } from './guard-neighbours.ts'
import { guardServer } from './guards.ts'
import {
  buildVariables,
  catchAllText,
  dependenciesKey,
  releaseSettings,
  releaseVariables,
  settingsKey,
  siteText,
  unchangedRelease,
  workerCount,
} from './ingredients.ts'
import { olderCommit, refuseOlder } from './older.ts'
import type { Operation, Plan } from './operation.ts'
import { missingPackages, packageReasons, projectPackages } from './packages.ts'
import { uv } from './pins.ts'
import { probeOperations, publishOperations } from './probe.ts'
import { processFileOperations, processOperation } from './processes.ts'
import { pythonOperations } from './python.ts'
import { secretFileOperations } from './secret-files.ts'
import { serviceOperations } from './services.ts'
import { awaitOperations, settleOperation, settleSeconds } from './settle.ts'
import { neededRoom, type Room, roomOperations } from './space.ts'
import { isOver, presentTls, tlsTask, trustedCertificate } from './tls.ts'
import { tlsCatchAllText, tlsOperations } from './tls-operations.ts'
import { webCommandOperations } from './web-command.ts'
import { byPip, storeOperations, uvSource, wantOperations } from './wheels.ts'
import type { Wish } from './wish.ts'

/**
 * Facts and wish -> what is to be done. Pure: the same server and the same wish give the same plan, and plan mode is
 * this function with nothing after it.
 * @throws DeployError where the server cannot take the project, the name is somebody else's, a newer commit serves, or
 * there is nothing to go back to
 */
export function makePlan(facts: Facts, wish: Wish): Plan {
  const installing =
    missingPackages(facts, projectPackages(wish), byPip(wish)).length > 0 || !facts.uv.has(`uv-${uv.version}`)
  const room = neededRoom(facts, wish, installing)
  guardServer(facts, wish.project, wish.inputs.command, room)
  guardNeighbours(facts, wish)
  return wish.inputs.command === 'rollback' ? rollback(facts, wish) : deploy(facts, wish, room)
}

function deploy(facts: Facts, wish: Wish, room: Room): Plan {
  const { inputs, project } = wish
  const { app, behaviour } = inputs
  const settings = releaseSettings(facts, wish, wish.release, wish.nonce)
  const present = presentTls(facts, inputs)
  const site = siteText(facts, wish, present)
  const secured = securing(facts, wish)
  const record: KeptRelease = {
    id: wish.release,
    bundle: project.bundle.contentSha256,
    dependencies: dependenciesKey(wish),
    settings: settingsKey(facts, wish),
    commit: project.commit ?? '-',
    committed: project.committed === undefined ? '-' : String(project.committed),
  }
  const base = {
    from: facts.state?.current,
    generation: facts.state?.generation ?? 0,
    buildEnv: renderEnvFile(buildVariables(app.env), facts.systemd),
    check: checkSettings(facts, wish, present, standing(facts)),
    ...secured.plan,
  }
  const missing = missingPackages(facts, projectPackages(wish), byPip(wish))
  const serving = app.refresh ? undefined : unchangedRelease(project.name, facts, record, site)
  const complete = missing.length === 0 && hasGenerated(facts, wish)
  if (serving !== undefined && complete && !behaviour.upgradePackages) {
    return { kind: 'unchanged', release: serving, ...base, operations: secured.operations }
  }
  const older = olderCommit(facts, wish)
  // A plan changes nothing: it says so, and what would be changed.
  if (inputs.command !== 'plan') refuseOlder(older)
  const own = releasePaths(project.name, wish.release)
  const group = `root:${paths(project.name).user}`
  const file = (path: string, mode: string, owner: string, content: string, what: string): Operation => ({
    phase: 'configure',
    kind: 'write-file',
    path,
    mode,
    owner,
    content,
    what,
  })
  const operations: Operation[] = [
    ...roomOperations(facts, room),
    ...(missing.length > 0 || behaviour.upgradePackages
      ? [
          {
            phase: 'packages',
            kind: 'install-packages',
            names: missing,
            upgrade: behaviour.upgradePackages,
            because: packageReasons(facts, wish),
            offline: !byPip(wish),
          } as const,
        ]
      : []),
    ...wantOperations(facts, wish),
    { phase: 'packages', kind: 'claim', owner: `${project.repository.id} ${project.repository.fullName}` },
    { phase: 'packages', kind: 'account' },
    ...generatedOperations(wish),
    ...serviceOperations(facts, wish),
    { phase: 'upload', kind: 'receive-bundle', bytes: project.bundle.bytes, sha256: project.bundle.sha256 },
    { phase: 'upload', kind: 'unpack' },
    ...storeOperations(wish),
    { phase: 'dependencies', kind: 'install-uv', version: uv.version, from: uvSource(wish) },
    ...pythonOperations(facts, wish, record.dependencies),
    ...dependenciesOperations(facts, wish),
    ...driftOperations(facts),
    file(
      own.env,
      '0600',
      'root:root',
      renderEnvFile(
        releaseEnv(releaseVariables(wish), app.webCommand === undefined ? wish.nonce : undefined),
        facts.systemd,
      ),
      'env file',
    ),
    ...secretFileOperations(facts, wish),
    ...probeOperations(facts, wish),
    ...(app.webCommand === undefined
      ? [file(own.gunicorn, '0640', group, renderGunicorn(settings), 'gunicorn settings')]
      : webCommandOperations(settings)),
    file(own.socketUnitFile, '0644', 'root:root', renderSocketUnit(settings), 'socket unit'),
    file(own.serviceUnitFile, '0644', 'root:root', renderServiceUnit(settings), 'service unit'),
    ...processFileOperations(settings, wish),
    ...commandOperations(settings, wish),
    ...publishOperations(wish),
    ...startAndSwitch(facts, wish, settings.workers, record),
    ...secured.operations,
    { phase: 'report', kind: 'prune', keep: inputs.behaviour.keepReleases },
    ...awaitOperations(facts, wish),
  ]
  return {
    kind: 'deploy',
    release: wish.release,
    ...base,
    operations,
    ...(older === undefined ? {} : { refused: older }),
  }
}

function rollback(facts: Facts, wish: Wish): Plan {
  const state = facts.state
  const target = wish.inputs.release ?? state?.previous
  const record = state?.releases.find((release) => release.id === target)
  if (state === undefined || target === undefined || record === undefined) {
    const kept = state?.releases.map((release) => release.id) ?? []
    throw new DeployError('no-release', {
      cause:
        target === undefined
          ? 'There is no previous release on the server to go back to.'
          : `The server has no release ${target}.`,
      cure:
        kept.length > 0
          ? `Set \`release\` to one of these: ${kept.join(', ')}.`
          : 'Deploy once with `command: deploy`; a rollback needs two releases.',
      input: 'release',
    })
  }
  const base = {
    release: target,
    from: state.current,
    generation: state.generation,
    check: checkSettings(facts, wish, presentTls(facts, wish.inputs), standing(facts)),
    buildEnv: '',
    // A rollback is about the release alone: it goes on with the certificate that is there.
    tls: { kind: 'none' },
    securedCheck: undefined,
    trusted: trustedCertificate(facts),
  } as const
  if (target === state.current && facts.active && facts.link === target) {
    return { kind: 'unchanged', ...base, operations: [] }
  }
  return {
    kind: 'rollback',
    ...base,
    operations: [
      ...driftOperations(facts),
      ...startAndSwitch(facts, wish, workerCount(facts, wish), record),
      { phase: 'report', kind: 'prune', keep: wish.inputs.behaviour.keepReleases },
    ],
  }
}

/** Before anything takes the place of what somebody changed by hand. */
function driftOperations({ drift }: Facts): readonly Operation[] {
  const items = drift.filter(({ fate }) => fate === 'replaced').length
  return items === 0 ? [] : [{ phase: 'configure', kind: 'mend-drift', items }]
}

/** Of the certificate that the site has now. */
function standing(facts: Facts): Standing {
  return { vouched: trustedCertificate(facts) === undefined, over: isOver(facts) }
}

/** What has to be done about HTTPS, and how it is tested then. */
function securing(facts: Facts, wish: Wish) {
  const task = tlsTask(facts, wish)
  return {
    operations: tlsOperations(facts, wish, task),
    plan: {
      tls: task,
      securedCheck: task.kind === 'secure' ? checkSettings(facts, wish, task.tls) : undefined,
      trusted: trustedCertificate(facts),
    },
  }
}

/** What deploy and rollback have in common: from the first start to the verdict. */
function startAndSwitch(
  facts: Facts,
  wish: Wish,
  workers: number,
  record: KeptRelease,
): readonly Operation[] {
  const tls = presentTls(facts, wish.inputs)
  const { confirmSeconds } = wish.inputs.behaviour
  return [
    { phase: 'start', kind: 'start' },
    { phase: 'health', kind: 'health' },
    { phase: 'health', kind: 'grow', workers },
    processOperation(wish),
    {
      phase: 'cutover',
      kind: 'nginx',
      site: siteText(facts, wish, tls),
      catchAll: catchAllText(facts, wish),
      tlsCatchAll: tlsCatchAllText(facts, tls),
    },
    { phase: 'cutover', kind: 'cutover', waitSeconds: confirmSeconds },
    { phase: 'smoke', kind: 'verdict', waitSeconds: confirmSeconds },
    settleOperation(record, settleSeconds(facts, wish)),
  ]
}
