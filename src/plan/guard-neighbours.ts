import { readDomain } from '../config/domain.ts'
import { DeployError, type Explanation } from '../errors.ts'
import type { Warning } from '../project/project.ts'
import type { Facts } from '../server/facts.ts'
import type { Listener, OtherSite } from '../server/neighbours.ts'
import { shown } from '../text.ts'
import { certificateNames, presentTls, tlsTask } from './tls.ts'
import type { Wish } from './wish.ts'

interface Fault {
  readonly code: string
  readonly explanation: Explanation
}

/**
 * Judges whether the site would get its ports and its names on this server, before anything is touched: else apt's nginx
 * could not start, or nginx would let another site answer and say no more than a warning.
 * @throws DeployError with every reason why not
 */
export function guardNeighbours(facts: Facts, wish: Wish): void {
  const faults = [
    ...portFaults(facts, wish),
    ...nginxFaults(facts),
    // What a rollback goes back to had its names already.
    ...(wish.inputs.command === 'rollback' ? [] : siteFaults(facts, wish)),
    // Of a site that is up it is said as a warning: nothing has happened yet.
    ...(facts.state?.current === undefined ? facts.neighbours.waiting.map(waitingFault) : []),
  ]
  const [first] = faults
  if (first !== undefined) {
    const explanations = faults.map(({ explanation }) => explanation)
    throw new DeployError(first.code, explanations)
  }
}

/** Web servers that would take the ports of a site that is up, at the next boot. */
export function neighbourWarnings(facts: Facts): readonly Warning[] {
  if (facts.state?.current === undefined) return []
  return facts.neighbours.waiting.map((unit) => {
    const { cause, cure } = waitingFault(unit).explanation
    return { code: 'web-server-waits', text: `${cause} ${cure}` }
  })
}

/**
 * The ports that nginx has to have for this site. One that is up over HTTP alone is not held up by the HTTPS that it may get:
 * what becomes of that is said after the verdict.
 */
function wantedPorts(facts: Facts, wish: Wish): readonly number[] {
  const first = facts.state?.current === undefined
  const https =
    presentTls(facts, wish.inputs) !== undefined || (first && tlsTask(facts, wish).kind === 'secure')
  return https ? [80, 443] : [80]
}

function portFaults(facts: Facts, wish: Wish): readonly Fault[] {
  const wanted = wantedPorts(facts, wish)
  const listeners = facts.neighbours.listeners.filter(({ port }) => wanted.includes(port))
  const programs = Map.groupBy(listeners, ({ unit, command }) => `${unit} ${command}`)
  return [...programs.values()].flatMap(([program, ...more]) =>
    program === undefined
      ? []
      : [{ code: 'port-taken', explanation: explainPort(program, more, facts.neighbours.panels) }],
  )
}

function explainPort(program: Listener, more: readonly Listener[], panels: readonly string[]): Explanation {
  const both = more.some(({ port }) => port !== program.port)
  const without = program.port === 443 && !both ? ' `tls: off` does without the port.' : ''
  const panel = panels.length === 0 ? '' : `; the server is run by ${panels.join(' and ')}`
  return {
    cause: `${both ? 'Ports 80 and 443' : `Port ${program.port}`} of the server ${both ? 'are' : 'is'} taken by ${who(program)}${panel}, so nginx could not answer there.`,
    cure: `${freeing(program, panels)}${without} Nothing was changed.`,
    input: 'host',
  }
}

function who({ unit, command }: Listener): string {
  const name = unit === '' ? '' : ` (${unit})`
  return command === '' ? `another program${name}` : `${shown(command)}${name}`
}

function freeing({ port, unit, command }: Listener, panels: readonly string[]): string {
  if (command === 'docker-proxy')
    return `Stop the container that publishes it (\`docker ps --filter publish=${port}\`), or publish it on another port; then run the job again.`
  if (panels.length > 0) return 'Use a server without a control panel: its own web server needs these ports.'
  if (/^nginx|openresty$/.test(command) && !unit.endsWith('.service'))
    return 'It was not started by `nginx.service`: end it (`nginx -s stop` on the server), and run the job again.'
  if (unit.endsWith('.service') || unit.endsWith('.socket'))
    return `If nobody needs it, \`systemctl disable --now ${unit}\` on the server ends it for good, else give it another port; then run the job again.`
  return 'End it on the server, or give it another port; then run the job again.'
}

function nginxFaults({ neighbours }: Facts): readonly Fault[] {
  if (!neighbours.nginx.has('masked')) return []
  const cause = 'Somebody has masked nginx.service on the server, so nothing can start nginx.'
  const cure =
    'Run `systemctl unmask nginx.service` on the server, if nginx is to serve this site, and then the job again.'
  return [{ code: 'nginx-masked', explanation: { cause, cure, input: 'host' } }]
}

function siteFaults(facts: Facts, wish: Wish): readonly Fault[] {
  const { domains } = wish.inputs.site
  const secure = certificateNames(wish.inputs)
  const names = new Set(domains.map((domain) => readDomain(domain).text))
  const inTheWay = facts.neighbours.sites.filter(({ port, name }) =>
    name === undefined
      ? port === 80 && names.has('_')
      : name !== '_' && names.has(name) && (port === 80 || (port === 443 && secure.includes(name))),
  )
  const [...each] = Map.groupBy(inTheWay, ({ name, file }) => `${name} ${file}`).values()
  return each.flatMap(([site]) => (site === undefined ? [] : [siteFault(site)]))
}

function siteFault({ name, file, line }: OtherSite): Fault {
  const [, app] = /\/web-([a-z][a-z0-9-]*)\.conf$/.exec(file) ?? []
  const whose = app === undefined ? 'Another site' : `The app ${app}`
  const what = name === undefined ? 'answers for every name that has no site' : `has the name ${name}`
  return {
    code: 'site-taken',
    explanation: {
      cause: `${whose} of the server ${what} already (${file}, line ${line}); nginx would let only one of the two answer.`,
      cure: `${app === undefined ? `Take ${name === undefined ? '`default_server`' : 'the name'} out of ${file} on the server` : `Take the name out of that app's \`domain\`, remove that app (\`command: destroy\` with \`name: ${app}\`)`}, or set \`domain\` to other names. Nothing was changed.`,
      input: 'domain',
    },
  }
}

function waitingFault(unit: string): Fault {
  return {
    code: 'web-server-waits',
    explanation: {
      cause: `The web server ${unit} is stopped but starts with the server, and would take port 80 from nginx at the next boot.`,
      cure: `Run \`systemctl disable ${unit}\` on the server, or give it another port.`,
      input: 'host',
    },
  }
}
