import type { CertificateNews } from '../apply/event.ts'
import type { Smoked } from '../check/test-release.ts'
import { type Certificate, daysLeft, endsSoon } from '../config/certificate.ts'
import { DeployError, type Explanation } from '../errors.ts'
import type { Warning } from '../project/project.ts'

/** The certificate that the site uses. */
export interface CertificateReport {
  readonly names: readonly string[]
  readonly issuer: string
  /** When it ends: ISO 8601, UTC. */
  readonly until: string
  readonly daysLeft: number
}

/** @param now ms since 1970 */
export function certificateReport(certificate: Certificate, now: number): CertificateReport {
  const { names, issuer, until } = certificate
  return { names, issuer, until: new Date(until).toISOString(), daysLeft: daysLeft(certificate, now) }
}

/**
 * What is wrong with the certificate that the site uses.
 * @param renewal `certbot`: by a timer on the server, which has to be on; `hand`: it was handed over
 */
export function certificateWarnings(
  certificate: Certificate,
  now: number,
  renewal: { readonly by: 'certbot' | 'hand'; readonly on: boolean },
): readonly Warning[] {
  const warnings: Warning[] = []
  if (endsSoon(certificate, now) && certificate.until > now) {
    const days = daysLeft(certificate, now)
    const left = `ends in ${days === 1 ? '1 day' : `${days} days`}`
    const cure =
      renewal.by === 'hand'
        ? 'Put the one that follows into `tls-certificate` and `tls-key`.'
        : 'Something keeps certbot from renewing it: see `journalctl -u certbot` on the server.'
    warnings.push({
      code: 'certificate-ends',
      text: `The certificate for ${certificate.names.join(', ')} ${left}. ${cure}`,
    })
  }
  if (renewal.by === 'certbot' && !renewal.on) {
    const text =
      'Nothing on the server renews the certificate. Run `systemctl enable --now certbot.timer` there.'
    warnings.push({ code: 'certificate-not-renewed', text })
  }
  return warnings
}

/** The time of the certificate is over, and the run could not change that. */
export function certificateOver(certificate: Certificate): DeployError {
  return new DeployError('certificate-over', {
    cause: `The certificate for ${certificate.names.join(', ')} is over, so browsers do not let visitors in.`,
    cure: 'See the warnings for why there is no other, and deploy again; one that was handed over has to be handed over anew.',
    input: 'tls',
  })
}

/** The authority refused lately. @param until when it is asked again, ms since 1970 */
export function waitsWarning(names: readonly string[], until: number): Warning {
  const time = new Date(until).toISOString().slice(0, 16).replace('T', ' ')
  const text = `The authority refused a certificate for ${names.join(', ')} lately, and is asked again by a deploy after ${time} UTC. Set the names' records right until then.`
  return { code: 'certificate-waits', text }
}

/** The site was tested over HTTPS, did not answer well, and went back. @param tested undefined: the test did not end */
export function unsecured(tested: Pick<Smoked, 'code' | 'detail'> | undefined): Explanation {
  const seen = tested === undefined ? '' : ` ${tested.detail}`
  const reached = tested !== undefined && !['unreachable', 'timeout'].includes(tested.code)
  const other =
    'See with `ss -ltnp` on the server whether another program than nginx has port 443, and deploy again.'
  const unknown =
    'Where the authority is one of your own, whoever tests has to know it: the runner by `NODE_EXTRA_CA_CERTS`, the server by /usr/local/share/ca-certificates.'
  return {
    cause: `The site did not answer well over HTTPS, so it stays as it was.${seen}`,
    cure: !reached
      ? "Open port 443 in the firewall of the server and in the provider's control panel, and deploy again."
      : tested.code === 'tls'
        ? `${unknown} ${other}`
        : other,
    input: 'tls',
  }
}

/** Why there is no certificate, or no new one; undefined where that is no news of trouble. */
export function newsWarning(
  how: CertificateNews,
  detail: string,
  names: readonly string[],
): Warning | undefined {
  const all = names.join(', ')
  const stays = 'The site stays as it is'
  switch (how) {
    case 'leaf':
    case 'used':
    case 'unused':
      return undefined
    case 'astray':
      return detail === 'none'
        ? undefined
        : warning(
            'certificate-astray',
            `${detail} does not lead to this server, so no certificate was asked for.`,
            'Set its record in DNS, and open port 80.',
          )
    case 'unreachable':
      return warning(
        'certificate-authority-down',
        `The authority did not answer the server, so there is no certificate for ${all} yet.`,
        `${stays}; the next deploy tries again. If it stays, see whether the server may open connections to it, or correct \`acme-server\`.`,
      )
    case 'no-certbot':
      return warning(
        'certificate-no-certbot',
        'The package certbot could not be installed, so there is no certificate.',
        `${stays}; run \`apt-get install certbot\` on the server to see why, and deploy again.`,
      )
    case 'failed':
      return warning(
        'certificate-failed',
        `certbot could not get a certificate for ${all}, though the authority refused nothing.`,
        `${stays}; see /var/log/letsencrypt/letsencrypt.log on the server. The next deploy tries again.`,
      )
    case 'refused': {
      const [why, cure] = refusals.get(detail) ?? [
        `said ${/^[A-Za-z]{1,40}$/.test(detail) ? detail : 'no'}`,
        LOG,
      ]
      return warning(
        'certificate-refused',
        `The authority refused a certificate for ${all}: it ${why}.`,
        `${cure} ${stays}; a deploy after an hour asks again.`,
      )
    }
  }
}

const LOG = 'See /var/log/letsencrypt/letsencrypt.log on the server for its words.'
const RECORDS = 'Look at the records of each name, IPv6 (AAAA) too: all must lead to this server.'

/** RFC 8555, 6.7: what an authority may say, and what helps. */
const refusals = new Map<string, readonly [why: string, cure: string]>(
  Object.entries({
    unauthorized: ['looked at one of the names and found another server', RECORDS],
    incorrectResponse: ['looked at one of the names and found another server', RECORDS],
    connection: [
      'could not connect to one of the names on port 80',
      `Open port 80 to the whole internet. ${RECORDS}`,
    ],
    dns: ['could not look up one of the names', RECORDS],
    caa: [
      "was forbidden by the domain's CAA record",
      'Add the authority to that record, such as `0 issue "letsencrypt.org"`, or remove it.',
    ],
    rateLimited: [
      'gave out too many certificates for these names lately',
      'Wait for some days, and use `tls-staging: true` for trying things out.',
    ],
    rejectedIdentifier: [
      'gives none to one of the names',
      'Leave that name out of `domain`, or take another authority with `acme-server`.',
    ],
    externalAccountRequired: [
      'wants an account that was made elsewhere',
      'Take an authority that does not, or hand over a certificate with `tls: provided`.',
    ],
    invalidContact: ['does not take the address in `email`', 'Correct `email`, or leave it out.'],
    unsupportedContact: ['does not take the address in `email`', 'Correct `email`, or leave it out.'],
    serverInternal: ['had a failure of its own', 'Nothing is wrong here.'],
  } satisfies Record<string, readonly [string, string]>),
)

function warning(code: string, cause: string, cure: string): Warning {
  return { code, text: `${cause} ${cure}` }
}
