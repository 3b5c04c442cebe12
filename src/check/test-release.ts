import type { Socket } from 'node:net'
import type { Answer } from '../apply/event.ts'
import type { BehaviourInputs } from '../inputs.ts'
import type { CheckSettings } from '../plan/operation.ts'
import type { SmokeReport } from '../report/report.ts'
import type { EarlyConnection } from './early-connection.ts'
import { hostOf, portOf } from './http-answer.ts'
import { type SmokeResult, smoke } from './smoke.ts'

/** How a release is tested once visitors get it. */
export interface ReleaseTest {
  readonly from: 'runner' | 'server' | 'off'
  /** What is asked for. */
  readonly url: URL
  /** Where it is asked: the server's IP address; for a URL that was given, the name or address in it. */
  readonly address: string
  /** The TCP port of the site. */
  readonly port: number
  readonly check: CheckSettings
  /** A certificate, PEM, that is good enough though no authority vouches for it. */
  readonly trusted?: string | undefined
  /** nginx has just been told of another certificate. */
  readonly anew?: boolean
  /** A connection to the site that is under way already; the first test uses it up. */
  readonly early?: EarlyConnection
  /** For one request, in ms. */
  readonly requestMs?: number
}

/**
 * How a release is tested on a server.
 * @param address the server's; a URL that was given is looked up instead
 */
export function releaseTest(
  { smokeFrom, smokeUrl }: BehaviourInputs,
  address: string,
  check: CheckSettings,
  trusted: string | undefined,
): ReleaseTest {
  const url = new URL(check.smoke.url)
  return {
    from: smokeFrom,
    url,
    address: smokeUrl === undefined ? address : hostOf(url),
    port: portOf(url),
    check,
    trusted,
  }
}

/** ms for one request. */
const REQUEST_MS = 15_000

/** What a smoke test found, for verdict, diagnosis and report. */
export interface Smoked {
  readonly ok: boolean
  /** '' where it is ok. */
  readonly code: string
  readonly detail: string
  readonly advice: string | undefined
  /** The server's own request was good, though the runner's was not: something stands between them. */
  readonly answersOnServer: boolean
  readonly report: SmokeReport | null
}

/**
 * Tests a release from where the user wants it.
 * @param answered what the server found when it asked nginx itself; awaited only where it matters
 */
export async function testRelease(
  test: ReleaseTest,
  release: string,
  answered: Promise<Answer>,
  signal: AbortSignal,
): Promise<Smoked> {
  if (test.from === 'off') {
    return { ok: true, code: '', detail: '', advice: undefined, answersOnServer: true, report: null }
  }
  if (test.from === 'server') return fromServer(test, await answered)
  const result = await smoke(
    {
      address: test.address,
      port: test.port,
      url: test.url,
      nonce: test.check.nonces[release],
      release,
      expectStatus: test.check.statuses.length > 0 ? test.check.statuses : undefined,
      explicitPath: test.check.explicit,
      expectText: test.check.text === '' ? undefined : test.check.text,
      timeoutMs: test.requestMs ?? REQUEST_MS,
      ...preconnected(test.early?.take(test.address, test.port)),
      ...(test.trusted === undefined ? {} : { trusted: test.trusted }),
      over: test.check.smoke.over,
      anew: test.anew ?? false,
    },
    signal,
  )
  return fromRunner(test, result, result.ok ? undefined : await answered)
}

function preconnected(socket: Socket | undefined): { readonly preconnect?: Socket } {
  return socket === undefined ? {} : { preconnect: socket }
}

function fromRunner(test: ReleaseTest, result: SmokeResult, answer: Answer | undefined): Smoked {
  const report = { from: 'runner', url: test.url.href, ms: result.ms } as const
  if (result.ok) {
    return {
      ok: true,
      code: '',
      detail: '',
      advice: result.advice,
      answersOnServer: true,
      report: { ...report, ok: true, status: result.status, release: result.release },
    }
  }
  return {
    ok: false,
    code: result.code,
    detail: result.detail,
    advice: undefined,
    answersOnServer: answer?.ok === true,
    report: { ...report, ok: false, status: result.status ?? null, release: '' },
  }
}

function fromServer(test: ReleaseTest, answer: Answer): Smoked {
  const { ok, code, status, release, ms } = answer
  const nothing = code === 'tls' ? 'the certificate was not accepted' : 'nothing answered'
  const seen = status === 0 ? nothing : `it answered ${status}`
  return {
    ok,
    code: code.replace(/^health-/, ''),
    detail: ok ? '' : `Asked on the server itself, ${seen}.`,
    advice: undefined,
    answersOnServer: ok,
    report: { ok, from: 'server', url: test.url.href, status: status === 0 ? null : status, ms, release },
  }
}
