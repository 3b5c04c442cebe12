import { setTimeout as delay } from 'node:timers/promises'
import type { WheelFile } from '../plan/wheels.ts'
import type { Bundle } from '../project/project.ts'
import type { Facts } from '../server/facts.ts'
import type { Held } from './held.ts'
import type { Line, Listener, Spoken, SteadyLimits } from './line.ts'
import { firstCause, isLoss, isPassing, lostForGood, lostTooOften, pauseAfter } from './lost.ts'
import { orAborted } from './or-aborted.ts'
import { Transfer } from './transfer.ts'

/** What it needs besides the first connection. */
export interface SteadySettings {
  /** The run's ID. */
  readonly run: string
  /** Logs in once more, to the same server as the same user, with a helper of the same run. */
  readonly again: (signal: AbortSignal) => Promise<Line>
  readonly limits: SteadyLimits
  /** Told in words that the connection is made again. */
  readonly say: (text: string) => void
}

/** ms between two looks at a server that has just been restarted, and how many. */
const LOOK_MS = 1_000
const LOOKS = 10

/** Recovery is yet to come, or at work. */
function isUnfinished({ link, state, begun }: Facts): boolean {
  return link !== state?.current || begun !== undefined
}

/** ms between two tries once the run was cancelled: it has a few seconds left. */
const HURRY_MS = 300

/**
 * A conversation that outlives its connections: where one is lost, another is made, the run's helper goes on from the byte
 * that was read last, and what had been said and had not arrived is said again. What is told to the listener is told once.
 */
export class SteadyTalk {
  readonly #settings: SteadySettings
  readonly #over = new AbortController()
  #line: Line
  /** Settles when the connection stands again; rejects when it never will. */
  #standing: PromiseWithResolvers<void> | undefined
  #wake = new AbortController()
  #listener: Listener | undefined
  #losses = 0
  #failure: { readonly error: unknown } | undefined

  // What has been said in this run.
  #files: ReadonlyMap<string, string> | undefined
  /** Programs that were sent. */
  #programs = 0
  /** The last one of them was told to start. */
  #started = false
  /** It was sent, and has not ended. */
  #open = false
  /** The server was restarted under it. */
  #vanished = false
  readonly #said = new Map<string, string>()
  #cancelled: string | undefined
  readonly #transfers = new Map<string, Transfer>()

  constructor(first: Line, settings: SteadySettings) {
    this.#settings = settings
    this.#line = first
    this.#hear(first)
  }

  /** Who hears from now on. */
  listen(listener: Listener): void {
    this.#listener = listener
    if (this.#failure !== undefined) listener.lost(this.#failure.error)
  }

  /** The facts anew. @throws DeployError where the connection is lost for good */
  async facts(signal: AbortSignal): Promise<Facts> {
    for (;;) {
      if (this.#standing !== undefined) await orAborted(this.#standing.promise, signal)
      if (this.#failure !== undefined) throw this.#failure.error
      try {
        return await this.#line.conversation.facts(signal)
      } catch (error) {
        if (!isLoss(error)) throw error
        // The loss is told in the same turn, or was.
        await delay(0)
      }
    }
  }

  /** A program's files; what was said to the one before it is over. */
  async sendFiles(files: ReadonlyMap<string, string>): Promise<void> {
    this.#files = files
    this.#programs += 1
    this.#started = false
    this.#open = true
    this.#said.clear()
    await this.#now((conversation) => conversation.sendFiles(files))
  }

  async startProgram(): Promise<void> {
    this.#started = true
    await this.#now((conversation) => conversation.startProgram())
  }

  async say(frame: string, word: string): Promise<void> {
    this.#said.set(frame, word)
    await this.#now((conversation) => conversation.say(frame, word))
  }

  /** Also while the connection is made again: then as soon as it stands. */
  async cancel(run: string): Promise<void> {
    this.#cancelled = run
    this.#wake.abort()
    await this.#now((conversation) => conversation.cancel(run))
  }

  /** Settles when all of it is handed over, over whatever connection. */
  async sendBundle(bundle: Bundle, onProgress: (sent: number) => void, signal: AbortSignal): Promise<void> {
    await this.#transfer('bundle', (conversation, held) =>
      conversation.sendBundle(bundle, onProgress, signal, held),
    )
  }

  async sendWheels(
    wheels: readonly WheelFile[],
    token: string,
    onProgress: (sent: number) => void,
    signal: AbortSignal,
  ): Promise<void> {
    await this.#transfer('wheels', (conversation, held) =>
      conversation.sendWheels(wheels, token, onProgress, signal, held),
    )
  }

  /** Ends it all; a program that runs goes on. */
  end(): void {
    this.#over.abort()
    this.#listener = undefined
    this.#line.conversation.end()
    this.#line.close()
  }

  async #transfer(kind: string, send: (to: Spoken, held: Held | undefined) => Promise<void>): Promise<void> {
    const transfer = new Transfer(send)
    this.#transfers.set(kind, transfer)
    if (this.#failure !== undefined) throw this.#failure.error
    if (this.#standing === undefined) void transfer.attempt(this.#line.conversation, undefined)
    await transfer.done
  }

  /** Says something at once where that can be; what does not arrive is said again by `resume`. */
  async #now(say: (conversation: Spoken) => Promise<void>): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure.error
    if (this.#standing !== undefined) return
    try {
      await say(this.#line.conversation)
    } catch (error) {
      if (!isLoss(error)) throw error
    }
  }

  #hear(line: Line): void {
    line.conversation.listen(
      (event) => {
        if (line !== this.#line) return
        if (event.kind === 'end' || event.kind === 'gone') this.#open = false
        this.#listener?.event(event)
      },
      (error) => {
        if (line === this.#line && !this.#over.signal.aborted) this.#lose(error)
      },
    )
  }

  #lose(error: unknown): void {
    if (this.#standing !== undefined || this.#failure !== undefined) return
    if (!isLoss(error)) {
      this.#giveUp(error)
      return
    }
    this.#losses += 1
    const { limits, say } = this.#settings
    if (this.#losses > limits.reconnects) {
      this.#giveUp(lostTooOften(error, limits.reconnects))
      return
    }
    this.#standing = Promise.withResolvers<void>()
    this.#standing.promise.catch(() => undefined)
    this.#listener?.standing(false)
    const seconds = Math.round(limits.reconnectMs / 1000)
    say(`${firstCause(error)} Connecting again, for up to ${seconds} s; the server goes on meanwhile.`)
    void this.#reconnect(error)
  }

  async #reconnect(why: unknown): Promise<void> {
    const began = performance.now()
    const { limits, say } = this.#settings
    const limit = AbortSignal.any([this.#over.signal, AbortSignal.timeout(limits.reconnectMs)])
    let last = why
    for (let tries = 1; ; tries += 1) {
      try {
        const held = await this.#connect(limit)
        say(`Connected again after ${Math.round((performance.now() - began) / 1000)} s.`)
        this.#resume(held)
        return
      } catch (error) {
        if (this.#over.signal.aborted) return
        if (!isPassing(error)) return this.#giveUp(error)
        if (!limit.aborted) last = error
      }
      this.#wake = new AbortController()
      const pause = this.#cancelled === undefined ? pauseAfter(tries) : HURRY_MS
      const signal = AbortSignal.any([limit, this.#wake.signal])
      await delay(pause, undefined, { signal }).catch(() => undefined)
      if (this.#over.signal.aborted) return
      if (limit.aborted) return this.#giveUp(lostForGood(why, last, limits.reconnectMs))
    }
  }

  /** Logs in once more, and takes the place of the helper before. @returns what the server has of what was sent */
  async #connect(signal: AbortSignal): Promise<Held> {
    const known = this.#line.conversation.offset
    const line = await this.#settings.again(signal)
    this.#line.conversation.end()
    this.#line.close()
    if (this.#over.signal.aborted) line.close()
    signal.throwIfAborted()
    this.#line = line
    this.#hear(line)
    const held = await line.conversation.attach(this.#settings.run, known, signal)
    // It told of a program once, and has never heard of one.
    if (known > 0 && held.starts === 0) {
      this.#vanished ||= this.#open
      this.#programs = 0
    }
    return held
  }

  /** Says again what did not arrive. */
  #resume(held: Held): void {
    const standing = this.#standing
    this.#standing = undefined
    this.#listener?.standing(true)
    const { conversation } = this.#line
    if (this.#vanished) {
      void this.#tellVanished(this.#line)
    } else {
      if (this.#files !== undefined && held.starts < this.#programs) {
        const files = this.#files
        void this.#now(() => conversation.sendFiles(files))
        if (this.#started) void this.#now(() => conversation.startProgram())
      }
      for (const [frame, word] of this.#said) void this.#now(() => conversation.say(frame, word))
      const cancelled = this.#cancelled
      if (cancelled !== undefined) void this.#now(() => conversation.cancel(cancelled))
      void this.#sendRest(conversation, held)
    }
    // Where it was lost again in this very turn, that is told now.
    this.#hear(this.#line)
    standing?.resolve()
  }

  async #sendRest(conversation: Spoken, held: Held): Promise<void> {
    for (const transfer of this.#transfers.values()) {
      if (conversation !== this.#line.conversation) return
      await transfer.attempt(conversation, held)
    }
  }

  /** A server that was just restarted may be about to put right what the cut left half-done. */
  async #tellVanished({ conversation, facts }: Line): Promise<void> {
    try {
      let seen = facts
      for (let look = 1; look < LOOKS && isUnfinished(seen); look += 1) {
        await delay(LOOK_MS, undefined, { signal: this.#over.signal })
        seen = await conversation.facts(this.#over.signal)
      }
      this.#listener?.vanished(seen)
    } catch (error) {
      if (!this.#over.signal.aborted && !isLoss(error)) this.#giveUp(error)
    }
  }

  #giveUp(error: unknown): void {
    if (this.#failure !== undefined) return
    this.#failure = { error }
    this.#standing?.reject(error)
    this.#standing = undefined
    for (const transfer of this.#transfers.values()) transfer.fail(error)
    this.#listener?.lost(error)
  }
}
