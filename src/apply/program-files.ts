import type { Plan } from '../plan/operation.ts'
import { renderSteps } from './install-steps.ts'

/** What a plan's program works with beside the kit: name -> content. */
export function programFiles(plan: Plan): ReadonlyMap<string, string> {
  return new Map([
    ['check.json', JSON.stringify(plan.check)],
    ...(plan.securedCheck === undefined
      ? []
      : ([['secured.json', JSON.stringify(plan.securedCheck)]] as const)),
    ...(plan.kind === 'deploy'
      ? ([
          ['steps.sh', renderSteps(plan)],
          ['apt.stop', unwanted(plan)],
          ['build.env', plan.buildEnv],
        ] as const)
      : []),
    ...plan.operations.flatMap((operation) =>
      operation.kind === 'probe' ? [['probe.json', operation.settings] as const] : [],
    ),
  ])
}

/** Units that a package starts by itself and nobody wished, a `PACKAGE UNIT` line each: see apt.sh. */
function unwanted({ operations }: Plan): string {
  const alone = operations.some((one) => one.kind === 'redis' && one.alone)
  return alone ? 'redis-server redis-server.service\n' : ''
}
