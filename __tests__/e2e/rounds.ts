import { setTimeout as sleep } from 'node:timers/promises'
import type { Server } from '../server/boot.ts'
import { type ActionOptions, act, type Ran, start } from './action.ts'
import { type ActName, acts, letDie, type Scene, type Stage } from './acts.ts'
import { arm, atMoment, type CutKind, disarm, goOn, installCounters, type Step, wasKilled } from './cuts.ts'
import type { Ground } from './grounds.ts'
import { type Checkout, tinyProject } from './projects.ts'
import { withoutMasks } from './runs.ts'
import { differenceOnceQuiet } from './snapshot.ts'
import { isPage, Visits } from './visits.ts'

/** One moment at which something is cut. */
export interface Moment {
  readonly act: ActName
  readonly kind: CutKind
  /** Before this command; 0: never. */
  readonly at: number | Step
  /** A second cut, before so many commands more, or before this command of what repairs after a boot. */
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
  /** The release that visitors got afterwards: the old one or the new one; `nothing` where there was no site before. */
  readonly serves: 'old' | 'new' | 'nothing' | 'neither'
  /** The next run told of a repair. */
  readonly repaired: boolean
  /** Whatever must not be: an outage, a next run that failed, another state than an undisturbed one. */
  readonly faults: readonly string[]
}

/** Seconds after a boot in which the site has to be back. */
const BACK_MS = 30_000

/** The same for a way back from a release that dies: it has to be noticed, and a watch that was killed starts after 5 s. */
const TAKEN_BACK_MS = 60_000

/** A server with an app that was deployed a few times, undisturbed. */
export class Trial {
  readonly #ground: Ground
  readonly #server: Server
  readonly #project: Checkout = tinyProject()
  readonly #stage: Stage
  #version = 1
  /** What the server is after undisturbed deploys, by the number of its releases. */
  readonly #references = new Map<number, string>()
  readonly #commands = new Map<ActName, readonly string[]>()

  private constructor(ground: Ground) {
    this.#ground = ground
    this.#server = ground.server
    this.#stage = {
      server: ground.server,
      look: ground.look,
      text: () => this.#text(),
      commit: (code) => this.#commit(code),
      run: async (inputs) => {
        const ran = await act(this.#options(inputs))
        if (ran.status !== 0) throw new Error(withoutMasks(ran.log))
      },
    }
  }

  /** Deploys as often as the ground wants it. @throws Error where one fails */
  static async on(ground: Ground): Promise<Trial> {
    const trial = new Trial(ground)
    await installCounters(ground.server)
    for (let time = 1; time <= ground.deploys; time += 1) {
      trial.#commit()
      const { fault } = await trial.#next()
      if (fault !== '') throw new Error(fault)
      trial.#references.set(Math.min(time, 2), await trial.#quiet())
    }
    return trial
  }

  /** The commands of an act's program (or watch) in an undisturbed round, in order. @throws Error where that has a fault */
  async commands(name: ActName): Promise<readonly string[]> {
    const known = this.#commands.get(name)
    if (known !== undefined) return known
    const { faults } = await this.round({ act: name, kind: 'program', at: 0 })
    if (faults.length > 0) throw new Error(`an undisturbed round has faults:\n${faults.join('\n')}`)
    return this.#commands.get(name) ?? []
  }

  /** A run that is cut at a moment, a look at what visitors get, and the next run, which has to make all well. */
  async round(moment: Moment): Promise<Round> {
    const server = this.#server
    const faults: string[] = []
    const doing = acts[moment.act]
    const scene = await doing.ready(this.#stage)
    const { old, fresh } = scene
    const visits = new Visits(this.#ground.look, [old, fresh], old === '')
    const { kind, at, again } = moment
    await arm(server, { kind, counted: doing.counted, at, again })
    const options = this.#options({ ...scene.inputs, ...moment.inputs })
    const cut = doing.counted === 'watch' ? this.#cutWatch : this.#cutRun
    const { outcome, ran } = await cut.call(this, moment, options, visits, scene)
    const commands = await disarm(server, doing.counted)
    if (at === 0) this.#commands.set(moment.act, commands)
    const got = await this.#ground.look()
    if (ran !== undefined && ran.outputs.serving !== 'unknown') {
      const serving = await this.#serving()
      if (serving !== ran.outputs.serving) faults.push(`serving said ${ran.outputs.serving}, is ${serving}`)
    }
    this.#commit()
    visits.allow(this.#text())
    const next = await this.#next()
    if (next.fault !== '') faults.push(next.fault)
    if (doing.counted === 'watch' && !next.log.includes('died after the switch')) {
      faults.push(`the next run does not say that a release was taken back:\n${next.log}`)
    }
    if (moment.act === 'https' && !next.url.startsWith('https:')) {
      faults.push(`the next run leaves the site without HTTPS:\n${next.log}`)
    }
    faults.push(...(await this.#differences()))
    faults.push(...(await visits.end()))
    return {
      moment,
      command: this.#command(moment, commands),
      outcome,
      serves:
        got === fresh ? 'new' : got === old ? 'old' : old === '' && !isPage(got) ? 'nothing' : 'neither',
      repaired: next.log.includes('An earlier deploy was cut off'),
      faults,
    }
  }

  async #cutRun(
    moment: Moment,
    options: ActionOptions,
    visits: Visits,
    { old, fresh }: Scene,
  ): Promise<{ outcome: string; ran: Ran | undefined }> {
    const server = this.#server
    const running = start(options)
    let over = false
    const ended = running.ended.finally(() => {
      over = true
    })
    // It goes on for a moment when its run has ended.
    const isOver = async () => over && ((await wasKilled(server)) || (await this.#isAtRest()))
    if (moment.kind !== 'program' && (await this.#came(isOver))) {
      if (moment.kind === 'power') {
        visits.pause()
        await server.powerCut()
        running.process.kill('SIGKILL')
        await ended
        await server.powerOn()
        await this.#cutAgain(moment, 'systemctl --quiet is-active multi-user.target')
        // Where nothing was kept of a first deploy, nothing comes back.
        if (old !== '' || (await this.#serving()) !== '') await visits.back(BACK_MS, new Set([old, fresh]))
        return { outcome: 'killed', ran: undefined }
      }
      if (moment.kind === 'runner') {
        running.process.kill('SIGKILL')
        await goOn(server)
        await ended
        return { outcome: 'killed', ran: undefined }
      }
      visits.pause()
      await server.unplug()
      await goOn(server)
      await Promise.race([ended, sleep(4_000)])
      await server.plug()
      if (old !== '' || (await this.#serving()) !== '') await visits.back(BACK_MS)
    }
    const ran = await ended
    if (moment.kind === 'program') await this.#came(isOver)
    return { outcome: ran.outputs.result, ran }
  }

  /** The run is left alone; then its release dies, and the watch is cut on its way back. */
  async #cutWatch(
    moment: Moment,
    options: ActionOptions,
    visits: Visits,
    { old }: Scene,
  ): Promise<{ outcome: string; ran: Ran | undefined }> {
    const server = this.#server
    const ran = await act(options)
    if (ran.outputs.result !== 'deployed') throw new Error(withoutMasks(ran.log))
    visits.pause()
    await letDie(server)
    const deadline = performance.now() + TAKEN_BACK_MS
    const hasEnded = '! systemctl --quiet is-active web-hello.watch.service'
    const isOver = async () =>
      performance.now() > deadline || (await wasKilled(server)) || (await server.run(hasEnded)).status === 0
    const came = await this.#came(isOver)
    if (came && moment.kind === 'power') {
      await server.powerCut()
      await server.powerOn()
      await this.#cutAgain(moment, hasEnded)
    }
    await visits.back(TAKEN_BACK_MS, new Set([old]))
    await server.must('rm -f /var/lib/web-hello/enough')
    return { outcome: 'taken-back', ran: undefined }
  }

  /** No program of the app's is at work, nor what follows one. */
  async #isAtRest(): Promise<boolean> {
    const units = await this.#server.run(
      "systemctl list-units --plain --no-legend --state=active,activating,deactivating 'flask-deploy-hello-*'",
    )
    return units.stdout === ''
  }

  /** Waits until the chosen moment has come, or until that cannot be any more. */
  async #came(isOver: () => boolean | Promise<boolean>): Promise<boolean> {
    for (;;) {
      if (await atMoment(this.#server)) return true
      if (await isOver()) return await atMoment(this.#server)
      await sleep(20)
    }
  }

  /** After a boot: what repairs is cut too, unless it is shorter than that. @param over sh: it has ended */
  async #cutAgain(moment: Moment, over: string): Promise<void> {
    const server = this.#server
    if (moment.again === undefined) return
    const deadline = performance.now() + BACK_MS
    const isOver = async () => performance.now() > deadline || (await server.run(over)).status === 0
    if (await this.#came(isOver)) {
      await server.powerCut()
      await server.powerOn()
    }
    await server.must('rm -f /var/cuts/at /run/cuts/now')
  }

  /** The next run; `fault` is '' where all is well. */
  async #next(): Promise<{ fault: string; log: string; url: string }> {
    const ran = await act(this.#options())
    const log = withoutMasks(ran.log)
    const { url } = ran.outputs
    if (ran.status !== 0) return { fault: `the next run failed:\n${log}`, log, url }
    const got = await this.#ground.look()
    return {
      fault: got === this.#text() ? '' : `the next run's page is ${got}, not ${this.#text()}`,
      log,
      url,
    }
  }

  async #differences(): Promise<readonly string[]> {
    const state = await this.#server.readFile('/srv/web-hello/state')
    const releases = state.match(/^release /gm) ?? []
    const reference = this.#references.get(Math.min(releases.length, 2)) ?? ''
    const difference = await differenceOnceQuiet(this.#server, reference, this.#ground.snapshot)
    return difference === '' ? [] : [`the state differs from an undisturbed one:\n${difference}`]
  }

  async #serving(): Promise<string> {
    const link = (await this.#server.run('readlink /srv/web-hello/current')).stdout
    return link.trim().replace('releases/', '')
  }

  async #quiet(): Promise<string> {
    let last = ''
    for (;;) {
      await sleep(1_200)
      const now = await this.#ground.snapshot(this.#server)
      if (now === last && !/^job .*web-hello|deactivating$|^unit flask-deploy/m.test(now)) return now
      last = now
    }
  }

  #options(inputs: Readonly<Record<string, string>> = {}): ActionOptions {
    const { inputs: common, network } = this.#ground
    return {
      workspace: this.#project.folder,
      inputs: { ...common, ...inputs },
      ...(network === undefined ? {} : { network }),
    }
  }

  #commit(more = ''): void {
    this.#version += 1
    const text = `from flask import Flask\n\napp = Flask(__name__)\n\n\n@app.route("/")\ndef index():\n    return "${this.#text()}"\n${more}`
    this.#project.commit({ 'app.py': text })
  }

  #text(): string {
    return `version ${this.#version}`
  }

  #command({ act: name, at }: Moment, commands: readonly string[]): string {
    if (typeof at !== 'number') return `${at.pattern} ${at.after === 0 ? '' : `and ${at.after} more`}`
    return commands[at - 1] ?? this.#commands.get(name)?.[at - 1] ?? ''
  }
}
