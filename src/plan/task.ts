import { commandProperties } from '../config/command-properties.ts'
import { readDomain } from '../config/domain.ts'
import { isReleaseId } from '../config/paths.ts'
import { DeployError } from '../errors.ts'
import type { Inputs } from '../inputs.ts'
import type { Project } from '../project/project.ts'
import type { Facts } from '../server/facts.ts'
import { checkSettings } from './check-settings.ts'
import type { CheckSettings } from './operation.ts'
import { isOver, presentTls, trustedCertificate } from './tls.ts'

/** What a command that makes no release does on the server, as data; see apply/task-program.ts. */
export type Task =
  /** `status` and `doctor`: look around, and change nothing. */
  | { readonly kind: 'look'; readonly release: string; readonly check: CheckSettings }
  /** One command in the release that serves. */
  | {
      readonly kind: 'run'
      readonly release: string
      readonly command: string
      readonly seconds: number
      /** `Key=Value` of the transient unit, as far as the server does not know them better. */
      readonly properties: readonly string[]
    }
  | {
      readonly kind: 'logs'
      readonly release: string
      /** The releases whose words are wanted. */
      readonly releases: readonly string[]
      readonly lines: number
    }
  /** Take the app off the server. */
  | { readonly kind: 'destroy'; readonly release: ''; readonly owner: string; readonly data: boolean }

/** Stands for a release that is none. */
const NO_RELEASE = '00000000000000-0000000'

/** A request may take so many seconds: who looks around does not wait for one that hangs. */
const LOOK_SECONDS = 10

/**
 * Judges what the inputs alone say.
 * @throws DeployError `bad-inputs`
 */
export function guardTask(inputs: Inputs, name: string): void {
  const typed = inputs.destroyData
  if (typed === undefined || typed === name) return
  throw new DeployError('bad-inputs', {
    cause: `\`destroy-data\` is ${typed}, and the app of this job is called ${name}: nothing was removed.`,
    cure: `Set \`destroy-data\` to ${name} if its data is to go, or \`name\` to the app that is meant.`,
    input: 'destroy-data',
  })
}

/**
 * Facts and inputs -> what a command does. Pure, as makePlan.
 * @throws DeployError where the app is not there, or is somebody else's
 */
export function makeTask(facts: Facts, inputs: Inputs, project: Project): Task {
  const { state } = facts
  switch (inputs.command) {
    case 'status':
    case 'doctor':
      return {
        kind: 'look',
        release: served(facts) ?? '',
        check: lookSettings(facts, inputs, project),
      }
    case 'run':
      own(facts, project)
      return {
        kind: 'run',
        release: serving(facts, project),
        command: inputs.run ?? '',
        seconds: inputs.behaviour.commandTimeoutSeconds,
        properties: commandProperties(project.name, serving(facts, project), facts.systemd),
      }
    case 'logs':
      own(facts, project)
      return {
        kind: 'logs',
        release: serving(facts, project),
        releases: [...new Set([state?.previous, serving(facts, project)])].filter((id) => id !== undefined),
        lines: inputs.lines,
      }
    case 'destroy':
      own(facts, project)
      return {
        kind: 'destroy',
        release: '',
        owner: project.repository.id,
        data: inputs.destroyData === project.name,
      }
    default:
      throw new RangeError(`${inputs.command} makes a plan`)
  }
}

/** Another repository's app is nobody's to look into, to run something in, or to remove. */
function own({ state }: Facts, { name, repository }: Project): void {
  if (state === undefined || state.owner.id === repository.id) return
  throw new DeployError('owner', {
    cause: `On this server the app ${name} belongs to the repository ${state.owner.name || state.owner.id}.`,
    cure: "Run the command in that repository's workflow, or set `name` to an app of this one.",
    input: 'name',
  })
}

/** The release that visitors get: what the link says. */
function served({ state, link }: Facts): string | undefined {
  return link !== undefined && isReleaseId(link) ? link : state?.current
}

function serving(facts: Facts, { name }: Project): string {
  const { state } = facts
  const release = served(facts)
  if (release !== undefined) return release
  throw new DeployError('no-app', {
    cause:
      state === undefined
        ? `The server has no app ${name}.`
        : `The app ${name} has no release on the server yet.`,
    cure: 'Deploy it first with `command: deploy`, or set `name` to the app that is meant.',
    input: 'name',
  })
}

/** What the site is asked for: under the names of the inputs, else of its own nginx file. */
function lookSettings(facts: Facts, inputs: Inputs, project: Project): CheckSettings {
  const own = facts.siteNames.filter(isDomain)
  const given = inputs.site.domains
  const domains = given.length > 0 ? given : own.length > 0 ? own : ['_']
  const wished = { ...inputs, site: { ...inputs.site, domains } }
  const check = checkSettings(
    facts,
    { inputs: wished, project, release: NO_RELEASE, nonce: '', byHand: true },
    presentTls(facts, wished),
    { vouched: trustedCertificate(facts) === undefined, over: isOver(facts) },
  )
  return {
    ...check,
    timeout: Math.min(check.timeout, LOOK_SECONDS),
    nonces: Object.fromEntries(facts.nonces),
  }
}

function isDomain(text: string): boolean {
  try {
    readDomain(text)
    return true
  } catch {
    return false
  }
}
