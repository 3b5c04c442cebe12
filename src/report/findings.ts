import { daysLeft, endsSoon } from '../config/certificate.ts'
import type { Warning } from '../project/project.ts'
import type { Facts } from '../server/facts.ts'
import type { Seen, SeenUnit } from '../server/seen.ts'
import type { TakenBack } from '../server/state.ts'
import { type Around, finding, type Judge } from './finding.ts'
import { serverFindings } from './findings-server.ts'
import { dying } from './settling.ts'
import { repairText } from './status.ts'

/** What `doctor` finds, what visitors feel first. Pure. */
export function findings(facts: Facts, seen: Seen, around: Around): readonly Warning[] {
  return [...appJudges, ...serverFindings].flatMap((judge) => judge(facts, seen, around))
}

const appJudges: readonly Judge[] = [
  ({ state, siteNames }, _, { name, repository }) => {
    if (state === undefined)
      return finding(
        'app-absent',
        `The app \`${name}\` is not on this server.`,
        'Deploy it with `command: deploy`, or set `name` to the app that is meant.',
      )
    if (state.owner.id !== repository)
      return finding(
        'app-of-another',
        `The app \`${name}\` belongs to the repository \`${state.owner.name || state.owner.id}\`.`,
        'Set `name` to the app that is meant: a deploy of this repository to it would be refused.',
      )
    if (state.current === undefined)
      return finding(
        'app-without-release',
        `The app \`${name}\` has no release${siteNames.length === 0 ? ' and no site' : ''} on this server.`,
        'Deploy it with `command: deploy`; data that a `destroy` kept is found again.',
      )
    return []
  },
  (facts, { interpreter }) => {
    if (interpreter === undefined) return []
    const other = interpreter.made !== '' && interpreter.is !== '' && interpreter.made !== interpreter.is
    if (interpreter.there && !other) return []
    const why = interpreter.there
      ? `is now ${interpreter.is}, and the packages are for ${interpreter.made}`
      : 'is gone, as after an upgrade of the distribution'
    return finding(
      'python-gone',
      `The Python of release \`${facts.link ?? ''}\`, \`${interpreter.path || 'none'}\`, ${why}.`,
      'Deploy again: the environment is built anew with a Python that the server has.',
    )
  },
  ({ state, link }, { holder }) =>
    state?.current === undefined || link === state.current || holder !== undefined
      ? []
      : finding(
          'link-astray',
          link === undefined
            ? `No release serves, though \`${state.current}\` should.`
            : `Visitors get release \`${link}\`, and \`${state.current}\` is the one that was kept.`,
          'Deploy again, or run `command: rollback`: whichever comes first goes back to the one that was kept.',
        ),
  (_, { missing }) =>
    missing.flatMap(({ what, name }) =>
      finding(
        'missing',
        `What the release needs is not there: ${MISSING[what] ?? what} \`${name}\`.`,
        'Set `refresh: true` and deploy once: a new release gets all of it anew.',
      ),
    ),
  ({ link }, { units, holder }) =>
    units
      .filter(
        (unit) => unit.active === 'failed' || (unit.load !== 'loaded' && unit.release === (link ?? '-')),
      )
      .filter(() => holder === undefined)
      .flatMap((unit) =>
        finding(
          'unit-failed',
          `The unit \`${unit.unit}\` ${unit.active === 'failed' ? `has failed${unit.result === '' || unit.result === 'success' ? '' : ` (${unit.result})`}` : `is ${unit.load}`}.`,
          failedCure(unit, link),
        ),
      )
      .slice(0, 10),
  ({ link }, { units, holder }, { name }) => {
    const own = [`web-${name}-${link}.socket`, `web-${name}-${link}.service`]
    const stopped = units.filter((unit) => own.includes(unit.unit) && isStopped(unit))
    if (stopped.length === 0 || holder !== undefined) return []
    return finding(
      'unit-stopped',
      `The release that serves is stopped: ${stopped.map(({ unit }) => `\`${unit}\``).join(', ')}.`,
      `Start it with \`systemctl start ${stopped.map(({ unit }) => unit).join(' ')}\` on the server, or deploy again.`,
    )
  },
  ({ link }, { units, holder }, { name }) => {
    const own = [`web-${name}-${link}.socket`, `web-${name}-${link}.service`]
    const off = units.filter((unit) => own.includes(unit.unit) && unit.load === 'loaded' && !unit.enabled)
    if (off.length === 0 || holder !== undefined) return []
    return finding(
      'not-enabled',
      `The release that serves does not start at boot: ${off.map(({ unit }) => `\`${unit}\``).join(', ')}.`,
      `Run \`systemctl enable ${off.map(({ unit }) => unit).join(' ')}\` on the server.`,
    )
  },
  ({ link }, { units }) =>
    units
      .filter(
        (unit) =>
          unit.release === link &&
          unit.active !== 'failed' &&
          unit.restarts > 2 &&
          unit.unit.endsWith('.service'),
      )
      .flatMap((unit) =>
        finding(
          'restarts',
          `\`${unit.unit}\` has died and was started again ${unit.restarts} times.`,
          'See in `command: logs` what it said before it died; too little memory and a crashing extension are the usual reasons.',
        ),
      ),
  ({ link }, { health }) =>
    health === undefined || health.ok
      ? []
      : finding(
          'app-unwell',
          health.status === 0
            ? `Release \`${link}\` does not answer over its own socket (\`${health.code}\`).`
            : `Release \`${link}\` answered ${health.status} over its own socket (\`${health.code}\`).`,
          'See why with `command: logs`, and set `health-path` to the page that should be asked, where it is another one.',
        ),
  (_, { health, visit }) =>
    visit === undefined || visit.ok || health?.ok !== true
      ? []
      : finding(
          'site-unwell',
          visit.status === 0
            ? `The release is well, but nginx on the server gives no answer for it (\`${visit.code}\`).`
            : `The release is well, but nginx on the server answered ${visit.status} in its place (\`${visit.code}\`).`,
          "See nginx's errors with `command: logs`, set `domain` to the site's name where it is another one, and deploy again.",
        ),
  ({ state }, { holder, repairs }) =>
    repairs.length === 0 || holder !== undefined || state === undefined
      ? []
      : finding(
          'repair-due',
          `A deploy was cut off and left work: ${repairs.map(repairText).join('; ')}.`,
          'Deploy again: the next release that is made, or a `command: rollback`, does that first.',
        ),
  ({ state }) =>
    state?.takenBack === undefined
      ? []
      : finding(
          'release-taken-back',
          diedText(state.takenBack),
          "See the app's last lines with `command: logs`, mend it, and push.",
        ),
  (facts) => {
    const used = facts.certificates.find(({ path }) => path === facts.siteCertificate)
    if (used === undefined) {
      return facts.siteCertificate === undefined
        ? []
        : finding(
            'certificate-gone',
            `The certificate that nginx's file of the site names is not there: \`${facts.siteCertificate}\`.`,
            'Deploy again: a new one is asked for; nginx does not start without it.',
          )
    }
    const days = daysLeft(used, facts.now)
    const soon = endsSoon(used, facts.now) || days < 0
    const renewal = used.authority !== undefined && !facts.renewal
    return [
      ...(soon
        ? finding(
            'certificate-soon-over',
            `The certificate for ${used.names.join(', ')} ${days < 0 ? 'is over' : `ends in ${days} days`}.`,
            used.authority === undefined
              ? 'Put the one that follows into `tls-certificate` and `tls-key`, and deploy.'
              : 'See with `journalctl -u certbot` on the server what keeps it from being renewed, and deploy again.',
          )
        : []),
      ...(renewal
        ? finding(
            'renewal-off',
            'Nothing on the server renews the certificate.',
            'Run `systemctl enable --now certbot.timer` on the server.',
          )
        : []),
    ]
  },
]

const MISSING: Readonly<Record<string, string>> = {
  user: 'the user',
  release: 'its folder',
  'env-file': 'the env file',
  unit: 'the unit',
  socket: 'the socket',
  folder: 'the folder',
  site: "nginx's file",
}

function isStopped({ load, active }: SeenUnit): boolean {
  return load === 'loaded' && (active === 'inactive' || active === 'deactivating')
}

/** A release that died after its run had ended. */
function diedText({ release, reason }: TakenBack): string {
  const stays = /^stays (.*)$/.exec(reason)?.[1]
  return stays === undefined
    ? `The server took release \`${release}\` back by itself, because ${dying(reason)}.`
    : `Release \`${release}\` died after the switch, because ${dying(stays)}. It stayed, as the one before it was not well either.`
}

function failedCure({ unit, release }: SeenUnit, link: string | undefined): string {
  if (release !== '' && release !== link)
    return `No visitor notices: its release does not serve. See why with \`journalctl -u ${unit}\` on the server; \`systemctl reset-failed ${unit}\` there forgets it.`
  const again = release === '' ? '' : `; \`systemctl restart ${unit}\` tries it at once`
  return `See its last lines with \`command: logs\`, or \`journalctl -u ${unit}\` on the server, mend what they name and deploy again${again}.`
}
