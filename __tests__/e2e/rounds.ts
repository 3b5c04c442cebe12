import { setTimeout as sleep } from 'node:timers/promises'
import type { Server } from '../server/boot.ts'
import { type ActionOptions, act, type Ran, reach, start } from './action.ts'
import { arm, atMoment, type CutKind, disarm, goOn, installCounters } from './cuts.ts'
import { type Checkout, tinyProject } from './projects.ts'
import { withoutMasks } from './runs.ts'
import { differenceOnceQuiet, snapshot } from './snapshot.ts'
import { page } from './traces.ts'

/** One moment at which something is cut. */
export interface Moment {
  readonly kind: CutKind
  /** Before this command of the program. */
  readonly at: number
  /** A second cut, before this command of the recovery. */
  readonly again?: number
  /** Inputs of the run that is cut. */
  readonly inputs?: Readonly<Record<string, string>>
}

/** What became of it. */
export interface Round {
  readonly moment: Moment
  /** The command that the cut came before; '' where the run was over earlier. */
  readonly command: string
  /** The output `result` of the run; `killed` where the runner was. */
  readonly outcome: string
  /** The release that visitors got afterwards: the old one or the new one. */
  readonly serves: 'old' | 'new' | 'neither'
  /** The next run told of a repair. */
  readonly repaired: boolean
  /** Whatever must not be: an outage, a next run that failed, another state than an undisturbed one. */
  readonly faults: readonly string[]
}

/** What the run that is cut changes beside the code: nginx's file. */
const change = { 'max-body-size': '11m' }

/** Seconds after a boot in which the site has to be back. */
const BACK_MS = 30_000

/** A server with an app that was deployed a few times, undisturbed. */
export class Trial {
  readonly #server: Server
  readonly #project: Checkout
  readonly #options: ActionOptions
  #version: number
  #reference = ''
  /** The program's commands in an undisturbed run, in order. */
  commands: readonly string[] = []

  private constructor(server: Server, project: Checkout, options: ActionOptions) {
    this.#server = server
    this.#project = project
    this.#options = options
    this.#version = 1
  }

  /** Deploys three times, and remembers what the server then is. @throws Error where one fails */
  static async on(server: Server): Promise<Trial> {
    const project = tinyProject()
    const inputs = {
      ...reach(server),
      'keep-releases': '2',
      'confirm-timeout': '10s',
      'lock-timeout': '120s',
      'release-command': 'true',
      cron: 'clean: 0 4 * * * true',
    }
    const trial = new Trial(server, project, { workspace: project.folder, inputs })
    await installCounters(server)
    const deploy = async (more: Readonly<Record<string, string>> = {}) => {
      trial.#commit()
      const { fault } = await trial.#deploy(more)
      if (fault !== '') throw new Error(fault)
      return await trial.#quiet()
    }
    await deploy()
    await deploy()
    trial.#reference = await deploy()
    await arm(server, 'program', [])
    await deploy(change)
    trial.commands = await disarm(server)
    await deploy()
    const again = await differenceOnceQuiet(server, trial.#reference)
    if (again !== '') throw new Error(`two undisturbed states differ:\n${again}`)
    return trial
  }

  /** A run that is cut at a moment, a look at what visitors get, and the next run, which has to make all well. */
  async round(moment: Moment): Promise<Round> {
    const server = this.#server
    const faults: string[] = []
    const old = this.#text()
    this.#commit()
    const fresh = this.#text()
    const visitors = new Watch(server, [old, fresh])
    const at = [`program-${moment.at}`]
    if (moment.again !== undefined) {
      at.push(moment.kind === 'power' ? `boot-${moment.again}` : `program-${moment.at + moment.again}`)
    }
    await arm(server, moment.kind, at)
    const inputs = { ...this.#options.inputs, ...change, ...moment.inputs }
    const { outcome, ran } = await this.#cut(moment, { ...this.#options, inputs }, visitors)
    const commands = await disarm(server)
    const got = await page(server)
    if (ran !== undefined && ran.outputs.serving !== 'unknown') {
      const serving = (await server.run('readlink /srv/web-hello/current')).stdout
        .trim()
        .replace('releases/', '')
      if (serving !== ran.outputs.serving) faults.push(`serving said ${ran.outputs.serving}, is ${serving}`)
    }
    this.#commit()
    visitors.allow(this.#text())
    const log = await this.#deploy()
    if (log.fault !== '') faults.push(log.fault)
    const difference = await differenceOnceQuiet(server, this.#reference)
    if (difference !== '') faults.push(`the state differs from an undisturbed one:\n${difference}`)
    faults.push(...(await visitors.end()))
    return {
      moment,
      command: commands[moment.at - 1] ?? this.commands[moment.at - 1] ?? '',
      outcome,
      serves: got === old ? 'old' : got === fresh ? 'new' : 'neither',
      repaired: log.repaired,
      faults,
    }
  }

  async #cut(
    moment: Moment,
    options: ActionOptions,
    visitors: Watch,
  ): Promise<{ outcome: string; ran: Ran | undefined }> {
    const server = this.#server
    const running = start(options)
    let over = false
    const ended = running.ended.finally(() => {
      over = true
    })
    const came = async () => {
      while (!over) {
        if (await atMoment(server)) return true
        await sleep(20)
      }
      return false
    }
    if (moment.kind !== 'program' && (await came())) {
      if (moment.kind === 'power') {
        visitors.pause()
        await server.powerCut()
        running.process.kill('SIGKILL')
        await ended
        await this.#powerOn(moment, visitors)
        return { outcome: 'killed', ran: undefined }
      }
      if (moment.kind === 'runner') {
        running.process.kill('SIGKILL')
        await goOn(server)
        await ended
        return { outcome: 'killed', ran: undefined }
      }
      visitors.pause()
      await server.unplug()
      await goOn(server)
      await Promise.race([ended, sleep(4_000)])
      await server.plug()
      await visitors.back(BACK_MS)
    }
    const ran = await ended
    return { outcome: ran.outputs.result, ran }
  }

  async #powerOn(moment: Moment, visitors: Watch): Promise<void> {
    const server = this.#server
    await server.powerOn()
    if (moment.again !== undefined) {
      // The recovery may be shorter than that.
      for (let look = 0; look < 40; look += 1) {
        if (await atMoment(server)) {
          await server.powerCut()
          await server.powerOn()
          break
        }
        if ((await server.run('systemctl --quiet is-active multi-user.target')).status === 0) break
        await sleep(50)
      }
      await server.must('rm -f /var/cuts/at /run/cuts/now')
    }
    await visitors.back(BACK_MS)
  }

  /** Deploys, and looks at what came of it; `fault` is '' where all is well. */
  async #deploy(more: Readonly<Record<string, string>> = {}): Promise<{ fault: string; repaired: boolean }> {
    const ran = await act({ ...this.#options, inputs: { ...this.#options.inputs, ...more } })
    const log = withoutMasks(ran.log)
    const got = await page(this.#server)
    const fault =
      ran.status !== 0
        ? `the next run failed:\n${log}`
        : got === this.#text()
          ? ''
          : `the next run's page is ${got}, not ${this.#text()}`
    return { fault, repaired: log.includes('An earlier deploy was cut off') }
  }

  async #quiet(): Promise<string> {
    let last = ''
    for (;;) {
      await sleep(1_200)
      const now = await snapshot(this.#server)
      if (now === last && !/^job .*web-hello|deactivating$|^unit flask-deploy/m.test(now)) return now
      last = now
    }
  }

  #commit(): void {
    this.#version += 1
    const text = `from flask import Flask\n\napp = Flask(__name__)\n\n\n@app.route("/")\ndef index():\n    return "${this.#text()}"\n`
    this.#project.commit({ 'app.py': text })
  }

  #text(): string {
    return `version ${this.#version}`
  }
}

/** A visitor who comes every 100 ms, and gets one of certain pages or has found an outage. */
export class Watch {
  readonly #server: Server
  readonly #pages: Set<string>
  readonly #faults: string[] = []
  #paused = false
  #pauses = 0
  #over = false
  readonly #visits: Promise<void>

  constructor(server: Server, pages: readonly string[]) {
    this.#server = server
    this.#pages = new Set(pages)
    this.#visits = this.#visit()
  }

  allow(text: string): void {
    this.#pages.add(text)
  }

  /** The server is off, or out of reach. */
  pause(): void {
    this.#paused = true
    this.#pauses += 1
  }

  /** Waits until the site is back, at most so many ms; from then on it is watched again. */
  async back(withinMs: number): Promise<void> {
    const deadline = performance.now() + withinMs
    let got = await page(this.#server)
    while (!this.#pages.has(got) && performance.now() < deadline) {
      await sleep(50)
      got = await page(this.#server)
    }
    if (!this.#pages.has(got)) this.#faults.push(`not back within ${withinMs / 1000} s: ${got}`)
    this.#paused = false
  }

  /** @returns every different page that nobody should have got */
  async end(): Promise<readonly string[]> {
    this.#over = true
    await this.#visits
    return this.#faults
  }

  async #visit(): Promise<void> {
    const bad = new Map<string, number>()
    while (!this.#over) {
      await sleep(100)
      if (this.#paused) continue
      const before = this.#pauses
      const got = await page(this.#server)
      // Who asked just before the power went off waits for long.
      if (this.#pauses !== before || this.#pages.has(got)) continue
      bad.set(got, (bad.get(got) ?? 0) + 1)
    }
    for (const [got, times] of bad) this.#faults.push(`an outage: ${times} of the visits got: ${got}`)
  }
}
