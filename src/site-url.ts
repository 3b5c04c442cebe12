import { EarlyConnection } from './check/early-connection.ts'
import { hostOf, portOf } from './check/http-answer.ts'
import { isTask } from './inputs/tasks.ts'
import type { Inputs } from './inputs.ts'
import { certificateNames } from './plan/tls.ts'
import type { Connection } from './server/connection.ts'

/** Opens the connection that the smoke test will most likely use: that saves it a round trip. */
export function earlyConnection(inputs: Inputs, connection: Connection): EarlyConnection | undefined {
  if (inputs.behaviour.smokeFrom !== 'runner' || inputs.command === 'plan' || isTask(inputs.command))
    return undefined
  const { smokeUrl } = inputs.behaviour
  const url = smokeUrl === undefined ? probableUrl(inputs) : new URL(smokeUrl)
  const address = smokeUrl === undefined ? connection.remoteAddress : hostOf(url)
  return new EarlyConnection(address, portOf(url), url)
}

/** Where visitors find the site, as far as the inputs tell; `_` is any name, so the server's own. */
export function probableUrl(inputs: Inputs): URL {
  const [domain = '_'] = inputs.site.domains
  const host = domain === '_' ? inputs.server.host : domain
  const path = inputs.behaviour.healthPath ?? '/'
  const url = new URL(path, `http://${host.includes(':') ? `[${host}]` : host}/`)
  if (certificateNames(inputs).includes(url.hostname)) url.protocol = 'https:'
  return url
}
