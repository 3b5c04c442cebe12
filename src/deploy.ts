import { type Applied, apply } from './apply/apply.ts'
import type { SteadyTalk } from './apply/steady.ts'
import type { WorkLimits } from './apply/time-limits.ts'
import { type ReleaseTest, type Smoked, testRelease } from './check/test-release.ts'
import type { Https } from './https.ts'
import { type Limits, limitOf } from './limits.ts'
import type { Plan } from './plan/operation.ts'
import { makePlan } from './plan/plan.ts'
import type { WheelFile } from './plan/wheels.ts'
import type { Wish } from './plan/wish.ts'
import { tellDeploy } from './report/deploy-events.ts'
import { outcomeRead } from './report/found.ts'
import type { Recorder } from './report/recorder.ts'
import type { Facts } from './server/facts.ts'
import type { Again, Supplied } from './wheels/supply.ts'

/** Plans anew, at most so often, when another deploy was faster. */
const MOST_PLANS = 3

/** The failures after which the server is looked at again, and what is said then. */
const AGAIN: Readonly<Record<string, string>> = {
  'facts-changed': 'Another deploy changed the server meanwhile: looking again.',
  'wheels-wanted': 'The server needs wheels: looking again, and for them.',
}

/** ms between two words on the upload. */
const UPLOAD_MS = 3_000

/** One run's work on one server. */
export interface Deploy {
  readonly conversation: SteadyTalk
  readonly recorder: Recorder
  /** The wish that the first plan was made of, and what has to be sent for it. */
  readonly supplied: Supplied
  /** The same for a plan that is made anew; see src/wheels/supply.ts. */
  readonly supply: (facts: Facts, again: Again | undefined) => Promise<Supplied>
  /** Who we are, for the next in line: one line. */
  readonly holder: string
  /** The run's ID: hex digits. */
  readonly run: string
  readonly test: (plan: Plan) => ReleaseTest
  readonly https: Pick<Https, 'preflight' | 'testSecured' | 'onEvent'>
  /** Told of each plan that takes the place of the first. */
  readonly onPlan: (plan: Plan, facts: Facts) => void
  readonly limits: Limits
  readonly signal: AbortSignal
}

/** What came of it. */
export interface Deployed {
  readonly plan: Plan
  readonly applied: Applied
  /** The last smoke test of the release that this run made. */
  readonly smoked: Smoked | undefined
}

/**
 * Has a plan applied; where another deploy changed the server meanwhile, it is made anew from new facts.
 */
export async function deploy(first: Plan, deployment: Deploy): Promise<Deployed> {
  const { conversation, signal, recorder } = deployment
  let plan = first
  let supplied = deployment.supplied
  let withBundle = true
  for (let count = 1; ; count += 1) {
    const result = await applyOnce(plan, { ...deployment, wish: supplied.wish }, supplied.send, withBundle)
    const failure = result.applied.failure
    if (
      failure === undefined ||
      !Object.hasOwn(AGAIN, failure.code) ||
      count === MOST_PLANS ||
      signal.aborted
    )
      return result
    recorder.say(AGAIN[failure.code] ?? '')
    recorder.note({ serving: result.applied.serving })
    const facts: Facts = await conversation.facts(signal)
    const wanted = failure.code === 'wheels-wanted'
    // Its program had come so far that the bundle was unpacked.
    withBundle = wanted && failure.detail !== 'python'
    supplied = await deployment.supply(facts, wanted ? { minor: wantedMinor(failure.detail) } : undefined)
    plan = makePlan(facts, supplied.wish)
    deployment.onPlan(plan, facts)
    if (plan.kind === 'unchanged' && plan.operations.length === 0)
      return { plan, applied: { ...result.applied, failure: undefined }, smoked: undefined }
  }
}

/** `environment 3.11`: the Python that the server took is not the one that wheels were sent for. */
function wantedMinor(detail: string): number | undefined {
  const [, minor] = /^environment 3\.(\d{1,2})$/.exec(detail) ?? []
  return minor === undefined ? undefined : Number(minor)
}

async function applyOnce(
  plan: Plan,
  deployment: Deploy & { readonly wish: Wish },
  wheels: readonly WheelFile[],
  withBundle: boolean,
): Promise<Deployed> {
  const { conversation, recorder, wish, signal, run, https } = deployment
  let smoked: Smoked | undefined
  const { behaviour } = wish.inputs
  const test = deployment.test(plan)
  const applied = await apply(
    conversation,
    plan,
    {
      run: {
        name: wish.project.name,
        run,
        holder: deployment.holder,
        lockTimeoutSeconds: Math.ceil(behaviour.lockTimeoutMs / 1000),
        sentWaitSeconds: Math.ceil(deployment.limits.sentWaitMs / 1000),
      },
      limits: workLimits(deployment.limits, wish, plan),
      bundle: plan.kind === 'deploy' && withBundle ? wish.project.bundle : undefined,
      wheels,
      test: async (release, answered) => {
        const found = await testRelease(test, release, answered, signal)
        if (release === plan.release) smoked = found
        if (found.report !== null && release === plan.release) recorder.note({ smoke: found.report })
        recorder.say(tell(release, found))
        return found
      },
      preflight: (token, content) => https.preflight(token, content),
      testSecured: (leaf, answered) => https.testSecured(leaf, answered),
      onEvent: (event) => {
        tellDeploy(recorder, event, plan)
        https.onEvent(event)
      },
      onUpload: uploadProgress(recorder),
    },
    signal,
  )
  if (applied.learned && applied.end === 'done') recorder.warn(outcomeRead(plan.release))
  return { plan, applied, smoked }
}

function workLimits(limits: Limits, { inputs }: Wish, plan: Plan): WorkLimits {
  const commands = plan.operations.filter(({ phase }) => phase === 'release-command').length
  const given = {
    'connect-timeout': inputs.server.connectTimeoutMs,
    'lock-timeout': inputs.behaviour.lockTimeoutMs,
    'command-timeout': inputs.behaviour.commandTimeoutSeconds * 1000 * commands,
    'health-timeout': inputs.behaviour.healthTimeoutMs,
    'stop-timeout': inputs.behaviour.stopTimeoutSeconds * 1000,
    'confirm-timeout': inputs.behaviour.confirmSeconds * 1000,
    'settle-time': inputs.behaviour.waitSettled ? inputs.behaviour.settleSeconds * 1000 : 0,
  }
  const { otherAppMs, uploadMs, cancelMs } = limits
  return {
    of: (phase) => limitOf(phase, limits, given),
    inputOf: (phase) => limits.phases[phase].plus?.[0],
    otherAppMs,
    uploadMs,
    cancelMs,
  }
}

/** Says how far the bundle is, every few seconds; a small one is there before there is anything to say. */
function uploadProgress(recorder: Recorder): (sent: number, of: number) => void {
  let said = performance.now()
  return (sent, of) => {
    if (performance.now() - said < UPLOAD_MS) return
    said = performance.now()
    recorder.running(`upload: ${megabytes(sent)} of ${megabytes(of)} MB (${Math.floor((sent / of) * 100)} %)`)
  }
}

function tell(release: string, found: Smoked): string {
  if (found.report === null) return 'No smoke test: `smoke-from` is off.'
  const { from, url, status, ms } = found.report
  const asked = `${url} from the ${from}`
  return found.ok
    ? `Smoke test of ${asked}: release ${release} answered ${status} in ${ms} ms.${found.advice === undefined ? '' : ` ${found.advice}`}`
    : `Smoke test of ${asked} failed: ${found.detail}`
}

function megabytes(bytes: number): string {
  return (bytes / (1024 * 1024)).toFixed(1)
}
