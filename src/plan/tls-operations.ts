import { renderTlsCatchAll } from '../config/nginx.ts'
import { nginxVersion } from '../config/nginx-tls.ts'
import type { SiteTls } from '../config/settings.ts'
import type { Facts } from '../server/facts.ts'
import { catchAllText, siteText } from './ingredients.ts'
import type { Operation } from './operation.ts'
import { presentTls, type TlsTask } from './tls.ts'
import type { Wish } from './wish.ts'

/** Most seconds that the server waits for the runner's word on the way to HTTPS; then the site stays as it is. */
const WORD_SECONDS = 120

/** nginx's file for names that nobody serves over HTTPS; undefined where the site has none. */
export function tlsCatchAllText(facts: Facts, tls: SiteTls | undefined): string | undefined {
  if (tls === undefined) return undefined
  return renderTlsCatchAll({ ipv6: facts.ipv6, nginx: nginxVersion(facts.nginx, facts.os.codename) })
}

/** From a site that is up to one that has the wished HTTPS. What goes wrong here leaves it as it was. */
export function tlsOperations(facts: Facts, wish: Wish, task: TlsTask): readonly Operation[] {
  if (task.kind !== 'secure') return []
  const { tls, request, provided } = task
  const had = presentTls(facts, wish.inputs)?.names ?? []
  const fresh = tls.names.filter((name) => !had.includes(name))
  const phase = 'certificate'
  return [
    ...(request === undefined
      ? []
      : ([
          {
            phase,
            kind: 'preflight',
            names: request.names,
            from: wish.inputs.behaviour.smokeFrom === 'runner' ? 'runner' : 'server',
            waitSeconds: WORD_SECONDS,
          },
          { phase, kind: 'request-certificate', request },
        ] as const)),
    ...(provided === undefined
      ? []
      : ([
          {
            phase,
            kind: 'write-file',
            path: tls.certificate,
            mode: '0600',
            owner: 'root:root',
            content: provided,
            what: 'certificate',
          },
        ] as const)),
    {
      phase,
      kind: 'secure',
      tls,
      trial: siteText(facts, wish, tls, fresh),
      site: siteText(facts, wish, tls),
      catchAll: catchAllText(facts, wish),
      tlsCatchAll: tlsCatchAllText(facts, tls) ?? '',
      waitSeconds: Math.min(WORD_SECONDS, wish.inputs.behaviour.confirmSeconds),
    },
  ]
}
