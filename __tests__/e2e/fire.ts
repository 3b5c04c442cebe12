import { setTimeout as sleep } from 'node:timers/promises'
import type { Server } from '../server/boot.ts'
import { type ActionOptions, type Ran, start } from './action.ts'
import { type Load, type LoadChoice, now, startLoad, type Visit } from './load.ts'
import { broken, change, versionedProject } from './load-project.ts'
import { withoutMasks } from './runs.ts'

/** What is done to a site that is under load. */
export type Blow = 'redeploy' | 'rollback' | 'broken' | 'reverted'

/** What came of it. */
export interface Battle {
  readonly visits: readonly Visit[]
  /** The versions that visitors got, in order; one that was reverted is among them. */
  readonly served: readonly string[]
  /** When visitors were switched, as the log said it; ms as in {@link Visit}. */
  readonly flips: readonly number[]
  /** When there was a run of the action. */
  readonly runs: readonly { readonly from: number; readonly until: number }[]
  /** What visitors have to get from when until when: from the log's word to the next run's start. */
  readonly turns: readonly { readonly version: string; readonly from: number; readonly until: number }[]
}

/** How it is fought. */
export interface Plan {
  readonly server: Server
  /** How the action is run, the workspace aside. */
  readonly options: Omit<ActionOptions, 'workspace'>
  readonly load: LoadChoice
  readonly blows: readonly Blow[]
  /** Inputs of single runs, by their place among the blows. */
  readonly inputs?: (place: number) => Readonly<Record<string, string>>
  /** Requests in all, at least: the load goes on until then. */
  readonly requests: number
  /** ms of quiet after each blow. */
  readonly quietMs: number
  readonly tell?: (text: string) => void
}

/**
 * Deploys a project, starts the load, and deals the blows one after the other.
 * @throws Error where a run ends in another way than it should
 */
export async function underFire(plan: Plan): Promise<Battle> {
  const { server, tell = () => {} } = plan
  const project = versionedProject('v1')
  const options = { ...plan.options, workspace: project.folder }
  await ended(options, 'deployed')
  const load = startLoad(server.address, plan.load)
  try {
    await sleep(1_000)
    return await fight(plan, project, options, load, tell)
  } catch (error) {
    await load.end()
    throw error
  }
}

async function fight(
  plan: Plan,
  project: ReturnType<typeof versionedProject>,
  options: ActionOptions,
  load: Load,
  tell: (text: string) => void,
): Promise<Battle> {
  const served = ['v1']
  const flips: number[] = []
  const runs: { from: number; until: number }[] = []
  const turns: { version: string; from: number; until: number }[] = []
  let count = 1
  let serving = 'v1'
  let previous = ''
  /** The version that the checkout has. */
  let written = 'v1'
  const run = async (inputs: Readonly<Record<string, string>>, result: string, version?: string) => {
    const last = turns.at(-1)
    const from = now()
    if (last !== undefined) last.until = Math.min(last.until, from)
    const onFlip = (at: number) => {
      flips.push(at)
      if (version !== undefined) turns.push({ version, from: at, until: Number.POSITIVE_INFINITY })
    }
    await ended({ ...options, inputs: { ...options.inputs, ...inputs } }, result, onFlip)
    runs.push({ from, until: now() })
  }
  for (const [place, blow] of plan.blows.entries()) {
    const inputs = plan.inputs?.(place) ?? {}
    const next = `v${count + 1}`
    if (blow === 'redeploy' || blow === 'reverted') {
      project.commit(change(written, next))
      written = next
      count += 1
      served.push(next)
    }
    switch (blow) {
      case 'redeploy':
        await run(inputs, 'deployed', next)
        previous = serving
        serving = next
        break
      case 'reverted':
        await run({ ...inputs, 'expect-text': `version ${serving}` }, 'reverted')
        served.push(serving)
        break
      case 'broken':
        project.commit(broken)
        await run(inputs, 'failed')
        break
      case 'rollback': {
        const left = serving
        serving = previous
        previous = left
        served.push(serving)
        await run({ ...inputs, command: 'rollback' }, 'rolled-back', serving)
        break
      }
    }
    tell(`${place + 1} of ${plan.blows.length}: ${blow}, ${serving} serves; ${load.made()} requests so far`)
    await sleep(plan.quietMs)
  }
  while (load.made() < plan.requests) await sleep(200)
  await sleep(2_000)
  return { visits: await load.end(), served, flips, runs, turns }
}

/** Runs the action, and tells when it says that visitors get the new release. */
async function ended(
  options: ActionOptions,
  result: string,
  onFlip: (at: number) => void = () => {},
): Promise<Ran> {
  const running = start(options)
  running.said(/Visitors get release /).then(
    () => onFlip(now()),
    () => undefined,
  )
  const ran = await running.ended
  if (ran.outputs.result !== result)
    throw new Error(`${ran.outputs.result}, not ${result}:\n${withoutMasks(ran.log)}`)
  return ran
}
