import { paths } from '../config/paths.ts'
import { sandboxProperties } from '../config/sandbox.ts'
import { redisPaths, renderRedisUnit, serviceVariables } from '../config/services.ts'
import type { Facts } from '../server/facts.ts'
import type { Operation } from './operation.ts'
import type { Wish } from './wish.ts'

/** The distribution's services that the app has of its own on this server. */
export function serviceOperations(facts: Facts, wish: Wish): readonly Operation[] {
  const { name } = wish.project
  const { user } = paths(name)
  const told = [...wishedVariables(wish).keys()].filter((variable) => !wish.inputs.app.env.has(variable))
  const ofRedis = (variable: string) => variable !== 'DATABASE_URL'
  return wish.inputs.app.services.map((service): Operation => {
    if (service === 'postgresql') {
      const properties = [['User', user], ['Group', user], ...sandboxProperties(name, facts.systemd)].map(
        ([key, value]) => `${key}=${value}`,
      )
      const variables = told.filter((variable) => !ofRedis(variable))
      return { phase: 'packages', kind: 'postgresql', properties, variables }
    }
    const content = renderRedisUnit({ name, systemd: facts.systemd, memoryBytes: facts.memoryBytes })
    return {
      phase: 'packages',
      kind: 'redis',
      unitFile: redisPaths(name).unitFile,
      content,
      variables: told.filter(ofRedis),
      // Who names the package himself wants the distribution's own instance.
      alone: !wish.inputs.app.packages.includes('redis-server'),
    }
  })
}

/** The variables of the wished services. */
export function wishedVariables({ inputs, project }: Wish): ReadonlyMap<string, string> {
  return serviceVariables(project.name, inputs.app.services, project.requirements.names)
}
