import { createHash } from 'node:crypto'
import { CATCH_ALL_SITE, paths } from '../config/paths.ts'
import { redisPaths } from '../config/services.ts'
import type { Operation, Plan } from '../plan/operation.ts'
import type { PythonForecast } from '../plan/python.ts'
import type { Facts } from '../server/facts.ts'
import type { Change } from './report.ts'

/**
 * A plan in words: one line for each thing that deploy would do, in order. What deploy reports as changed afterwards
 * (`packages`, `folder`, `user`, `secret-key`, `postgresql`, `redis`, `release`, `uv`, `environment`, `persist`, `release-command`, `nginx`, `pruned`) has the
 * same word here.
 * @param name NAME
 */
export function describePlan(plan: Plan, facts: Facts, name: string): readonly Change[] {
  if (plan.kind === 'unchanged' && plan.operations.length === 0) {
    return [{ what: 'nothing', detail: `release ${plan.release} serves already what was asked for` }]
  }
  return plan.operations.flatMap((operation) => describe(operation, plan, facts, name))
}

function describe(operation: Operation, plan: Plan, facts: Facts, name: string): readonly Change[] {
  const change = (what: string, detail: string): readonly Change[] => [{ what, detail }]
  switch (operation.kind) {
    case 'install-packages':
      return [
        ...(operation.upgrade ? change('packages', 'upgrade all packages of the server') : []),
        ...(operation.names.length > 0 ? change('packages', `install ${operation.names.join(', ')}`) : []),
        ...operation.because.flatMap((why) => change('packages', `among them ${why}`)),
      ]
    case 'make-room':
      return change(
        'pruned',
        `remove older releases and uv's cache, the oldest first, until ${operation.folder} has ${Math.ceil(operation.kilobytes / 1024)} MB`,
      )
    case 'want-wheels':
      return change('wheels', 'look for them once the server has a Python')
    case 'store-wheels':
      return change('wheels', `keep ${operation.wheels.length} on the server`)
    case 'install-uv':
      return facts.uv.has(`uv-${operation.version}`)
        ? []
        : change('uv', `install version ${operation.version}`)
    case 'python':
      return change('python', describePython(operation.forecast))
    case 'claim':
      return facts.home ? [] : change('folder', `make ${paths(name).app}`)
    case 'account':
      return facts.account
        ? []
        : [...change('user', `make ${paths(name).user}`), ...change('user', `make ${paths(name).buildUser}`)]
    case 'generated-env':
      return operation.keys.every((key) => facts.generated.has(key))
        ? []
        : change('secret-key', `make one for ${operation.keys.join(', ')}, once, and keep it`)
    case 'postgresql':
      return change('postgresql', `role and database ${paths(name).user}, where they are missing`)
    case 'redis':
      return change('redis', `an instance of its own, ${redisPaths(name).unit}`)
    case 'receive-bundle':
      return change('upload', `${operation.bytes} bytes`)
    case 'unpack':
      return change('release', `make ${plan.release}`)
    case 'environment': {
      const current = facts.state?.releases.find((release) => release.id === plan.from)
      return current?.dependencies === operation.key && !operation.refresh
        ? change('environment', `share that of ${current.id}: the dependencies are the same`)
        : change(
            'environment',
            `build from ${operation.file}${operation.gunicorn === 'first' ? ', with gunicorn' : ''}`,
          )
    }
    case 'site':
      return change('site', 'install the project itself beside it, if it can be built')
    case 'write-file':
      return change(operation.what, `write ${operation.path}`)
    case 'persist':
      return change('persist', `${operation.path} outlives releases`)
    case 'mend-drift':
      return change('edited', `keep a copy of what was changed by hand, in ${paths(name).app}/edited`)
    case 'probe':
      return change('app', 'import it in a scratch copy; what it writes and serves is decided by the probe')
    case 'publish-found':
      return change('static', 'decided by the probe')
    case 'adopt':
    case 'folder':
    case 'web-entrance':
    case 'public':
    case 'grow':
    case 'verdict':
      return []
    case 'publish':
      return change('static', `nginx serves ${operation.folder} under ${operation.url}`)
    case 'first-deploy-command':
      return facts.state?.current === undefined && facts.state?.initialised !== true
        ? change('first-deploy-command', 'run it, this once')
        : []
    case 'release-command':
      return change('release-command', 'run it with the new release')
    case 'processes':
      return [
        ...operation.processes.flatMap((process) => change('process', `start ${process}`)),
        ...operation.jobs.flatMap((job) => change('cron', `schedule ${job}`)),
      ]
    case 'start':
      return change('start', `start ${plan.release} beside ${plan.from ?? 'nothing'}`)
    case 'health':
      return change('health check', `GET ${plan.check.path} over the release's own socket`)
    case 'nginx':
      return siteStands(operation, facts, name)
        ? []
        : change('nginx', `write ${paths(name).nginxSite}, test the configuration and reload`)
    case 'cutover':
      return change('cutover', `switch from ${plan.from ?? 'nothing'} to ${plan.release}`)
    case 'settle':
      return [
        ...change('smoke test', 'keep the release if it is good, else go back'),
        ...(operation.seconds === 0 || plan.from === undefined
          ? []
          : change(
              'settle time',
              `watch ${plan.release} for ${operation.seconds} s more, and go back to ${plan.from} should it die`,
            )),
      ]
    case 'await-settled':
      return change('settle time', 'wait for its end')
    case 'preflight':
      return change('certificate', `look whether ${operation.names.join(', ')} lead to this server`)
    case 'request-certificate':
      return change('certificate', `ask ${operation.request.authority} for one, if they do`)
    case 'secure':
      return change(
        'https',
        `serve ${operation.tls.names.join(', ')} over HTTPS with ${operation.tls.certificate}`,
      )
    case 'prune':
      return excess(operation.keep, plan, facts).flatMap((release) => change('pruned', `remove ${release}`))
  }
}

function describePython(forecast: PythonForecast): string {
  switch (forecast.how) {
    case 'unknown':
      return "use one that fits: decided on the server, once it knows its distribution's"
    case 'server':
      return `use ${forecast.version}, the server's own`
    case 'distribution':
      return forecast.installed
        ? `use ${forecast.version}, which the server has too`
        : `install ${forecast.version} of the distribution`
    case 'managed':
      return forecast.installed
        ? `use ${forecast.version}, which was downloaded earlier`
        : `download ${forecast.version}`
  }
}

/** nginx's files of ours are there already, byte for byte. */
function siteStands(operation: Extract<Operation, { kind: 'nginx' }>, facts: Facts, name: string): boolean {
  const isSame = (file: string, content: string) => facts.files.get(file) === sha256(content)
  const { site, catchAll } = operation
  if (!isSame(paths(name).nginxSite, site)) return false
  const found = facts.files.has(CATCH_ALL_SITE)
  // Where it is wanted and not there, another site is the default: see remote/nginx.sh.
  return catchAll === undefined ? !found : !found || isSame(CATCH_ALL_SITE, catchAll)
}

/** The releases that are one too many, oldest first; never the new one nor the one before it (remote/prune.sh). */
function excess(keep: number, plan: Plan, facts: Facts): readonly string[] {
  const others = (facts.state?.releases ?? []).map(({ id }) => id).filter((id) => id !== plan.release)
  return others.slice(0, Math.max(0, others.length + 1 - keep)).filter((id) => id !== plan.from)
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
