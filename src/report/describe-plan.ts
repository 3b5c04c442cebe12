import type { Operation, Plan } from '../plan/operation.ts'
import type { Facts } from '../server/facts.ts'
import type { Change } from './report.ts'

/** A plan in words: one line for each thing that deploy would do, in order. */
export function describePlan(plan: Plan, facts: Facts): readonly Change[] {
  if (plan.kind === 'unchanged') {
    return [{ what: 'nothing', detail: `release ${plan.release} serves already what was asked for` }]
  }
  return plan.operations.flatMap((operation) => describe(operation, plan, facts))
}

function describe(operation: Operation, plan: Plan, facts: Facts): readonly Change[] {
  const change = (what: string, detail: string): readonly Change[] => [{ what, detail }]
  switch (operation.kind) {
    case 'install-packages':
      return [
        ...(operation.upgrade ? change('packages', 'upgrade all packages of the server') : []),
        ...(operation.names.length > 0 ? change('packages', `install ${operation.names.join(', ')}`) : []),
      ]
    case 'install-uv':
      return facts.uv.has(`uv-${operation.version}`)
        ? []
        : change('uv', `install version ${operation.version}`)
    case 'claim':
      return facts.home ? [] : change('folder', "make the app's folder")
    case 'account':
      return facts.account ? [] : change('users', "make the app's user and its build user")
    case 'receive-bundle':
      return change('upload', `${operation.bytes} bytes`)
    case 'unpack':
      return change('release', `make ${plan.release}`)
    case 'environment': {
      const current = facts.state?.releases.find((release) => release.id === plan.from)
      return current?.dependencies === operation.key
        ? change('environment', `share that of ${current.id}: the dependencies are the same`)
        : change(
            'environment',
            `build from ${operation.file}${operation.addsGunicorn ? ', with gunicorn' : ''}`,
          )
    }
    case 'write-file':
      return change(operation.what, `write ${operation.path}`)
    case 'persist':
      return change('persist', `${operation.path} outlives releases`)
    case 'public':
    case 'grow':
    case 'verdict':
      return []
    case 'publish':
      return change('static', `nginx serves ${operation.folder} under ${operation.url}`)
    case 'release-command':
      return change('release command', 'run it with the new release')
    case 'start':
      return change('start', `start ${plan.release} beside ${plan.from ?? 'nothing'}`)
    case 'health':
      return change('health check', `GET ${plan.check.path} over the release's own socket`)
    case 'nginx':
      return change('nginx', 'write the site, test the configuration, and reload only if it changed')
    case 'cutover':
      return change('cutover', `switch from ${plan.from ?? 'nothing'} to ${plan.release}`)
    case 'settle':
      return change('smoke test', 'keep the release if it is good, else go back')
    case 'prune':
      return change('releases', `keep the last ${operation.keep}`)
  }
}
