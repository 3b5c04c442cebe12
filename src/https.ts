import type { Answer, ServerEvent } from './apply/event.ts'
import { type DomainAddresses, domainAddresses, pointsAt } from './check/dns.ts'
import { preflight } from './check/preflight.ts'
import { releaseTest, type Smoked, testRelease } from './check/test-release.ts'
import { type Certificate, readCertificate } from './config/certificate.ts'
import { LINEAGES } from './config/paths.ts'
import { DeployError, type Explanation } from './errors.ts'
import type { Inputs } from './inputs.ts'
import type { Plan } from './plan/operation.ts'
import { isVouchedFor } from './plan/tls.ts'
import {
  certificateOver,
  certificateReport,
  certificateWarnings,
  newsWarning,
  unsecured,
  waitsWarning,
} from './report/certificate.ts'
import type { Recorder } from './report/recorder.ts'
import type { Facts } from './server/facts.ts'

/** Where a run stands with one site's names and their HTTPS. */
export interface HttpsSettings {
  readonly inputs: Inputs
  readonly recorder: Recorder
  /** The server's, as the login found it. */
  readonly address: string
  readonly signal: AbortSignal
}

/** The runner's part of a site's HTTPS: what it looks up, tests and tells while the server works. */
export class Https {
  readonly #settings: HttpsSettings
  readonly #lookups: ReadonlyMap<string, Promise<DomainAddresses>>
  #facts: Facts | undefined
  #plan: Plan | undefined
  #leaf: Certificate | undefined
  #used: Certificate | undefined
  #astray: readonly Explanation[] = []
  #test: Smoked | undefined
  #unused = false

  /** Begins to look up the site's names. */
  constructor(settings: HttpsSettings) {
    this.#settings = settings
    const { domains } = settings.inputs.site
    this.#lookups = new Map(
      domains.filter((domain) => domain !== '_').map((domain) => [domain, domainAddresses(domain)]),
    )
  }

  /** Told of each plan. */
  onPlan(plan: Plan, facts: Facts): void {
    this.#plan = plan
    this.#facts = facts
    const stays = this.#settings.inputs.tls.mode !== 'off'
    this.#used = stays ? facts.certificates.find(({ path }) => path === facts.siteCertificate) : undefined
    this.#settings.recorder.note({ url: `${plan.check.scheme}://${plan.check.host}${plan.check.path}` })
  }

  /** Does each name lead to the server? Where one does not, `finish` says why. */
  async preflight(token: string, content: string): Promise<boolean> {
    const { recorder, address, signal } = this.#settings
    const names = this.#names()
    recorder.running(`Looking whether ${names.join(', ')} lead to this server.`)
    this.#astray = await preflight(
      { names, token, content, look: (name) => this.#look(name), server: this.#server(address) },
      signal,
    )
    return this.#astray.length === 0
  }

  /** Tests the site with the HTTPS that it has just got. */
  async testSecured(leaf: string, answered: Promise<Answer>): Promise<Smoked> {
    const plan = this.#plan
    const { inputs, address, signal, recorder } = this.#settings
    this.#leaf = readCertificate(Buffer.from(leaf, 'base64'))
    const check = plan?.securedCheck
    if (plan === undefined || check === undefined) throw new Error('HTTPS that no plan has')
    const trusted = isVouchedFor(inputs.tls) ? undefined : this.#leaf?.pem
    const tested = await testRelease(
      { ...releaseTest(inputs.behaviour, address, check, trusted), anew: true },
      plan.release,
      answered,
      signal,
    )
    this.#test = tested
    if (tested.ok && tested.report !== null) {
      recorder.note({ smoke: tested.report })
      recorder.say(
        `Over HTTPS: ${tested.report.url} answered ${tested.report.status ?? ''} in ${tested.report.ms} ms.`,
      )
    }
    return tested
  }

  /** Told of each event. */
  onEvent(event: ServerEvent): void {
    if (event.kind !== 'certificate') return
    const { recorder } = this.#settings
    const news = newsWarning(event.how, event.detail, this.#names())
    if (news !== undefined) recorder.warn(news)
    this.#unused = event.how === 'unused'
    const check = this.#plan?.securedCheck
    if (event.how !== 'used' || check === undefined) return
    this.#used = this.#leaf
    recorder.note({ url: `${check.scheme}://${check.host}${check.path}` })
    recorder.change('https', this.#names().join(', '))
  }

  /**
   * Tells what is to be known of names and certificate at the end of a run.
   * @returns why visitors do not have the HTTPS that they need, or that was asked for in so many words
   */
  async finish(): Promise<DeployError | undefined> {
    const { recorder, inputs } = this.#settings
    const now = this.#facts?.now || Date.now()
    for (const { cause, cure } of this.#astray)
      recorder.warn({ code: 'certificate-astray', text: `${cause} ${cure}` })
    if (inputs.behaviour.smokeFrom !== 'off' && this.#astray.length === 0) await this.#tellDomains()
    const task = this.#plan?.tls
    if (task?.kind === 'waits') recorder.warn(waitsWarning(task.names, task.until))
    if (this.#used !== undefined) {
      recorder.note({ certificate: certificateReport(this.#used, now) })
      const path = this.#usedPath()
      const by = path?.startsWith(`${LINEAGES}/`) === true ? 'certbot' : 'hand'
      // A certificate that this run asked for has switched its renewal on.
      const on = this.#facts?.renewal === true || (task?.kind === 'secure' && task.request !== undefined)
      for (const warning of certificateWarnings(this.#used, now, { by, on })) recorder.warn(warning)
      if (this.#used.until <= now) return certificateOver(this.#used)
    }
    if (!this.#unused) return undefined
    const fault = unsecured(this.#test)
    if (inputs.tls.mode === 'provided') return new DeployError('https-unreachable', fault)
    recorder.warn({ code: 'https-unreachable', text: `${fault.cause} ${fault.cure}` })
    return undefined
  }

  #usedPath(): string | undefined {
    const task = this.#plan?.tls
    return this.#used === this.#leaf && task?.kind === 'secure'
      ? task.tls.certificate
      : this.#facts?.siteCertificate
  }

  #names(): readonly string[] {
    const task = this.#plan?.tls
    return task?.kind === 'secure' ? task.tls.names : []
  }

  #server(address: string): readonly string[] {
    return [address, ...(this.#facts?.addresses6 ?? [])]
  }

  async #look(name: string): Promise<DomainAddresses> {
    return await (this.#lookups.get(name) ?? domainAddresses(name))
  }

  async #tellDomains(): Promise<void> {
    const { recorder, address } = this.#settings
    for (const [domain, lookup] of this.#lookups) {
      const fault = pointsAt(domain, await lookup, this.#server(address))
      if (fault !== undefined)
        recorder.warn({ code: 'domain-elsewhere', text: `${fault.cause} ${fault.cure}` })
    }
  }
}
