import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join, posix } from 'node:path'
import { makeKit } from './apply/kit.ts'
import { type ReleaseTest, releaseTest, type Smoked, testRelease } from './check/test-release.ts'
import { readDomain } from './config/domain.ts'
import { connectTo } from './connect.ts'
import { deploy } from './deploy.ts'
import { DeployError } from './errors.ts'
import { Https } from './https.ts'
import { type GetInput, parseInputs } from './inputs/parse.ts'
import { isTask } from './inputs/tasks.ts'
import type { Inputs } from './inputs.ts'
import type { Limits } from './limits.ts'
import { neighbourWarnings } from './plan/guard-neighbours.ts'
import type { Plan } from './plan/operation.ts'
import { askedPackages, projectPackages } from './plan/packages.ts'
import { makePlan } from './plan/plan.ts'
import { askedPythons } from './plan/python.ts'
import { guardTask } from './plan/task.ts'
import { releaseId, type Wish } from './plan/wish.ts'
import type { Exec } from './project/exec.ts'
import type { Project } from './project/project.ts'
import { namedProject, readProject } from './project/read.ts'
import { describePlan } from './report/describe-plan.ts'
import { type Ending, endingOf, endingOfCancel, endingOfError, tellEnding } from './report/ending.ts'
import { resolvedOn, wouldRefuse } from './report/found.ts'
import { tellDrift } from './report/found-drift.ts'
import type { Log } from './report/log.ts'
import type { Results } from './report/publish.ts'
import { Recorder } from './report/recorder.ts'
import { settlingNow, takenBackWarning } from './report/settling.ts'
import { byHand, context, holder, temp } from './runner.ts'
import { redactor, secretsToMask } from './secrets.ts'
import type { Connection } from './server/connection.ts'
import type { Facts } from './server/facts.ts'
import { earlyConnection, probableUrl } from './site-url.ts'
import { steadyLine } from './steady-line.ts'
import { doTask } from './task.ts'
import { type Again, WheelSupply } from './wheels/supply.ts'

/** What a run gets from its surroundings. */
export interface Surroundings {
  readonly input: GetInput
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly log: Log
  readonly results: Results
  readonly exec: Exec
  readonly limits: Limits
  /** Aborted where GitHub cancels the job. */
  readonly signal: AbortSignal
  /** Remembers the run for `post`: its ID on the server, '' once nothing is left to be stopped. */
  readonly remember: (run: string) => void
}

/**
 * One run of the action, from inputs to report.
 * @returns whether the job is to succeed
 */
export async function run(surroundings: Surroundings): Promise<boolean> {
  const { log, results, input, environment } = surroundings
  const redact = redactor(input)
  log.mask(secretsToMask(input))
  log.redactWith(redact)
  const recorder = new Recorder(log)
  let ending: Ending
  try {
    ending = await work(surroundings, recorder)
  } catch (error) {
    if (error instanceof DeployError) for (const line of error.lines) recorder.toolLine(line)
    else if (error instanceof Error) log.debug(error.stack ?? '')
    ending = endingOfError(error, recorder.report().serving)
  }
  const { signal } = surroundings
  if (signal.aborted) {
    const crashed = signal.reason instanceof DeployError && signal.reason.code === 'internal'
    ending = crashed
      ? endingOfError(signal.reason, ending.serving)
      : endingOfCancel(ending.serving, recorder.report().settling)
  }
  return tellEnding(ending, recorder, log, results, redact, environment)
}

async function work(surroundings: Surroundings, recorder: Recorder): Promise<Ending> {
  recorder.phase('inputs')
  const inputs = parseInputs(surroundings.input)
  recorder.note({
    command: inputs.command,
    ...(inputs.site.domains.length === 0 ? {} : { url: probableUrl(inputs).href }),
  })

  // Connecting takes its round trips while the project is read.
  const connecting = connectTo(inputs, surroundings, (text) => recorder.say(text))
  connecting.catch(() => undefined)
  let project: Project | undefined
  try {
    recorder.phase('project')
    if (inputs.command === 'rollback' || isTask(inputs.command)) {
      project = namedProject(inputs.app, context(surroundings.environment).repository)
      recorder.note({ app: project.name })
      guardTask(inputs, project.name)
    } else {
      project = await readProject(
        projectInputs(inputs),
        context(surroundings.environment),
        surroundings.exec,
        temp(surroundings.environment),
      )
      tellProject(project, inputs, recorder)
    }
    recorder.phase('connect')
    const connection = await connecting
    recorder.say(`Connected to ${connection.remoteAddress}, host key ${connection.hostKeyFingerprint}.`)
    return await onServer(connection, inputs, project, surroundings, recorder)
  } finally {
    connecting.then((connection) => connection.close()).catch(() => undefined)
    if (project !== undefined && project.bundle.path !== '') await rm(project.bundle.path, { force: true })
  }
}

async function onServer(
  connection: Connection,
  inputs: Inputs,
  project: Project,
  surroundings: Surroundings,
  recorder: Recorder,
): Promise<Ending> {
  const { signal } = surroundings
  recorder.phase('facts')
  const https = new Https({ inputs, recorder, address: connection.remoteAddress, signal })
  const early = earlyConnection(inputs, connection)
  const wheels = new WheelSupply({
    root: join(context(surroundings.environment).workspace, inputs.app.source),
    temp: temp(surroundings.environment),
    exec: surroundings.exec,
    environment: surroundings.environment,
    limitMs: surroundings.limits.wheelsMs,
    signal,
    say: (text) => recorder.say(text),
  })
  const id = randomBytes(8).toString('hex')
  const { conversation, facts } = await steadyLine(connection, {
    inputs,
    limits: surroundings.limits,
    helper: {
      name: project.name,
      run: id,
      packages: askedPackages(projectPackages({ inputs, project })),
      wheels: inputs.app.dependencies === 'wheels',
      pythons: askedPythons({ inputs, project })?.good ?? [],
      domains: inputs.site.domains.map((domain) => readDomain(domain).text),
      lasting: !isTask(inputs.command),
      kit: await makeKit(),
    },
    signal,
    say: (text) => recorder.running(text),
  })
  try {
    if (isTask(inputs.command))
      return await doTask({
        ...{ conversation, facts, inputs, project, recorder, run: id, signal },
        holder: holder(surroundings.environment),
        limits: surroundings.limits,
        remember: surroundings.remember,
      })
    const plain: Wish = {
      inputs,
      project,
      release: releaseId(new Date(), project.commit ?? project.bundle.contentSha256),
      nonce: randomBytes(16).toString('hex'),
      byHand: byHand(surroundings.environment),
    }
    recorder.note({ serving: facts.state?.current ?? '' })
    const taken = takenBackWarning(facts.state)
    if (taken !== undefined) recorder.warn(taken)
    const supply = (seen: Facts, again?: Again) => wheels.prepare(seen, plain, again)
    // A plan alone looks for no wheels, and a rollback needs none.
    const supplied = inputs.command === 'deploy' ? await supply(facts) : { wish: plain, send: [] }
    tellDrift(facts, project.name, recorder)
    for (const warning of neighbourWarnings(facts)) recorder.warn(warning)
    const plan = makePlan(facts, supplied.wish)
    notePlan(plan, facts, recorder)
    if (inputs.command === 'plan' || plan.kind === 'unchanged')
      recorder.note({ settling: settlingNow(facts.state) })
    https.onPlan(plan, facts)
    const test = (applied: Plan): ReleaseTest => ({
      ...releaseTest(inputs.behaviour, connection.remoteAddress, applied.check, applied.trusted),
      ...(early === undefined ? {} : { early }),
      requestMs: surroundings.limits.requestMs,
    })
    if (inputs.command === 'plan') {
      for (const change of describePlan(plan, facts, project.name))
        recorder.change(change.what, change.detail)
      if (plan.refused !== undefined) recorder.warn(wouldRefuse(plan.refused))
      return { result: 'planned', serving: plan.from ?? '' }
    }
    if (plan.kind === 'unchanged') {
      recorder.phase('smoke')
      recorder.say(`Release ${plan.release} is what was asked for: nothing to change, nothing to restart.`)
      if ((project.requirements.unpinned ?? []).length > 0 && facts.resolved > 0)
        recorder.find('versions', resolvedOn(facts.resolved / 1000, facts.now / 1000))
      const smoked = await testUnchanged(test(plan), plan, signal)
      if (smoked.report !== null) recorder.note({ smoke: smoked.report })
      if (!smoked.ok || plan.operations.length === 0) {
        const unsecured = await https.finish()
        return endingOf(
          { plan, applied: undefined, smoked, facts, project, inputs, unsecured },
          recorder.lines,
        )
      }
    }
    surroundings.remember(id)
    const deployed = await deploy(plan, {
      conversation,
      recorder,
      supplied,
      supply,
      holder: holder(surroundings.environment),
      run: id,
      test,
      https,
      onPlan: (anew, seen) => {
        notePlan(anew, seen, recorder)
        https.onPlan(anew, seen)
      },
      limits: surroundings.limits,
      signal,
    })
    if (deployed.applied.end !== 'lost') surroundings.remember('')
    const unsecured = signal.aborted ? undefined : await https.finish()
    return endingOf({ ...deployed, facts, project, inputs, unsecured }, recorder.lines)
  } finally {
    early?.close()
    await wheels.close()
    conversation.end()
  }
}

/** Nothing runs on the server that could ask nginx for us, so only the runner tests. */
async function testUnchanged(test: ReleaseTest, plan: Plan, signal: AbortSignal): Promise<Smoked> {
  const unasked = Promise.resolve({ ok: false, code: 'unasked', status: 0, release: '', ms: 0 })
  return await testRelease(
    { ...test, from: test.from === 'server' ? 'off' : test.from },
    plan.release,
    unasked,
    signal,
  )
}

function tellProject(project: Project, inputs: Inputs, recorder: Recorder): void {
  recorder.note({ app: project.name, commit: project.commit ?? '' })
  const { bundle, target, requirements } = project
  recorder.find(
    'app',
    target.module === ''
      ? `none was found; ${target.reason}`
      : `${target.module}:${target.expression} (${target.reason})`,
  )
  const unpinned = (requirements.unpinned ?? []).map((one) => ({
    ...one,
    file: posix.join(project.source, one.file),
  }))
  recorder.note({ unpinned })
  const loose = unpinned.length === 0 ? '' : `; ${unpinned.length} not pinned by hash`
  recorder.find('dependencies', `${requirements.file} (${requirements.reason}${loose})`)
  for (const { file, why } of requirements.passedOver) recorder.find('not used', `${file}: ${why}`)
  const { processes, releaseCommand } = project.declared
  if (inputs.app.releaseCommand === undefined && releaseCommand !== undefined) {
    recorder.find('release-command', `${releaseCommand.text} (${releaseCommand.reason})`)
  }
  if (inputs.app.processes === undefined) {
    for (const [name, command] of processes) recorder.find('process', `${name}: ${command}`)
  }
  recorder.say(`Bundle: ${bundle.files} files, ${bundle.contentBytes} bytes (${bundle.bytes} compressed).`)
  for (const warning of project.warnings) recorder.warn(warning)
}

function notePlan(plan: Plan, facts: Facts, recorder: Recorder): void {
  const commitOf = (id: string | undefined) => {
    const commit = facts.state?.releases.find((release) => release.id === id)?.commit
    return commit === undefined || commit === '-' ? '' : commit
  }
  recorder.note({
    release: plan.release,
    previous: plan.from ?? '',
    serving: plan.from ?? '',
    previousCommit: commitOf(plan.from),
    // A release that is there already was made of its own commit, whatever is checked out now.
    ...(plan.kind === 'deploy' ? {} : { commit: commitOf(plan.release) }),
  })
  recorder.say(
    `Server: ${facts.os.id} ${facts.os.version}, systemd ${facts.systemd}, ${facts.python ?? 'no Python yet'}, ${facts.nginx === undefined ? 'no nginx yet' : `nginx ${facts.nginx}`}; serving: ${plan.from ?? 'nothing yet'}.`,
  )
}

function projectInputs(inputs: Inputs): Parameters<typeof readProject>[0] {
  const [only, ...others] = inputs.site.static
  const isDefault = others.length === 0 && only?.url === '/static' && only.folder === 'static'
  return { ...inputs.app, static: isDefault ? undefined : inputs.site.static }
}
