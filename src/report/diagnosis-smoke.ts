import type { Explanation } from '../errors.ts'
import { cutToBytes, visible } from '../text.ts'
import type { Failure, Situation } from './failure.ts'

/**
 * The smoke test's faults (src/check/smoke.ts) with `smoke-` in front; `smoke-unreachable-outside` is the one that was
 * answered on the server, but not from the runner.
 */
export const smokeCodes = [
  'smoke',
  'smoke-wrong-release',
  'smoke-status',
  'smoke-text',
  'smoke-unreachable',
  'smoke-unreachable-outside',
  'smoke-timeout',
  'smoke-tls',
  'smoke-not-http',
] as const

type SmokeCode = (typeof smokeCodes)[number]

/** Explains a failed smoke test. The failure's detail is one sentence: what was seen. */
export function explainSmoke(failure: Failure, situation: Situation): Explanation {
  const { smokeUrl, ufw } = situation
  const detail = cutToBytes(visible(failure.detail.trim()), 300)
  const seen = detail === '' ? '' : ` ${detail}${/[.…]$/.test(detail) ? '' : '.'}`
  const port = smokeUrl.startsWith('https:') ? 443 : 80
  const explanations: Readonly<Record<SmokeCode, Explanation>> = {
    smoke: {
      cause: `The smoke test of ${smokeUrl} failed.${seen}`,
      cure: 'Open that address in a browser and in the log of the app to see what visitors get.',
      input: 'smoke-url',
    },
    'smoke-wrong-release': {
      cause: `${smokeUrl} was answered by something else than this release.${seen}`,
      cure: 'Check that no other site of the server has the same `domain`, and that no proxy or cache answers in its place.',
      input: 'domain',
    },
    'smoke-status': {
      cause: `${smokeUrl} did not answer well over public HTTP.${seen}`,
      cure: 'Set `smoke-url` to a page that answers 200, or `expect-status` to what this one answers, or correct the app.',
      input: 'smoke-url',
    },
    'smoke-text': {
      cause: `${smokeUrl} answered without the text of \`expect-text\`.${seen}`,
      cure: 'Correct `expect-text`, or set `smoke-url` to the page that holds it.',
      input: 'expect-text',
    },
    'smoke-unreachable': {
      cause: `${smokeUrl} could not be reached, neither from outside nor on the server itself.${seen}`,
      cure: 'See whether nginx runs with `systemctl status nginx` on the server.',
      input: 'host',
    },
    'smoke-unreachable-outside': {
      cause: `The site answers on the server, but not from outside: a firewall${ufw ? ' (ufw is active on the server)' : ''} stands between.${seen}`,
      cure: ufw
        ? `Run \`ufw allow ${port}/tcp\` on the server; if it is still closed then, open port ${port} in the provider's control panel.`
        : `Open port ${port} in the provider's control panel (firewall or security group), or set \`smoke-from\` to \`server\` for a site that is not public.`,
      input: 'smoke-from',
    },
    'smoke-timeout': {
      cause: `${smokeUrl} did not answer in time.${seen}`,
      cure: 'Set `smoke-url` to a page that answers fast, or raise `timeout`.',
      input: 'smoke-url',
    },
    'smoke-tls': {
      cause: `${smokeUrl} has no certificate that browsers accept.${seen}`,
      cure: 'Look at the certificate of the site; where an authority of your own signed it, name that in `NODE_EXTRA_CA_CERTS` of the job.',
      input: 'smoke-url',
    },
    'smoke-not-http': {
      cause: `What answered at ${smokeUrl} does not speak HTTP.${seen}`,
      cure: 'Check which program has the port of `smoke-url` with `ss -ltnp` on the server.',
      input: 'smoke-url',
    },
  }
  const code = smokeCodes.find((one) => one === failure.code) ?? 'smoke'
  return explanations[code]
}
