import { DeployError } from '../errors.ts'
import type { Channel, Connection } from '../server/connection.ts'
import { type Facts, parseFacts } from '../server/facts.ts'
import { floodError } from '../server/flood.ts'
import { parseEvent, type ServerEvent } from './event.ts'
import { Frames } from './frames.ts'
import { type Held, parseHeld } from './held.ts'
import { type HelperSettings, helperCommand } from './helper-command.ts'
import { Lines } from './lines.ts'
import { orAborted } from './or-aborted.ts'
import { rootFailure, rootRefusal } from './root-failure.ts'

/** More lines and characters than any honest server's facts have: a certificate of each of 500 sites is 1.5 MB. */
const MOST_FACTS = 5_000
const MOST_FACT_CHARACTERS = 2 * 1024 * 1024

/** More lines than any program prints while it works; each takes its time, and no reader has as much. */
const MOST_LINES = 300_000

/** More characters than any login file prints. */
const MOST_BEFORE = 1024 * 1024

/** What the conversation needs besides a connection. */
export interface ConversationSettings extends HelperSettings {
  readonly user: string
  readonly sudoPassword: string | undefined
  /** The longest that a server may take to say its facts, in ms. */
  readonly factsMs: number
}

/** Lines that the helper says in one go, up to the last of them. */
interface Answer {
  readonly last: string
  readonly lines: string[]
  readonly take: (lines: readonly string[]) => void
  readonly fail: (error: unknown) => void
}

/** The runner's end of the one exec: facts come, frames go, events come. */
export class Conversation extends Frames {
  readonly #channel: Channel
  readonly #settings: ConversationSettings
  readonly #stderr: string[] = []
  #answer: Answer | undefined
  #ready = false
  /** Characters of what is not an event. */
  #characters = 0
  #lines = 0
  #offset = 0
  /** The server has the kit. */
  #kitKept = false
  /** A shell has read our command. */
  #shell = false
  /** What was said before that: by a login file, or by what took the shell's place. */
  readonly #before: string[] = []
  #promptsSeen = 0
  #failure: { readonly error: unknown } | undefined
  #onLost: ((error: unknown) => void) | undefined
  #onEvent: (event: ServerEvent) => void = () => undefined

  private constructor(channel: Channel, settings: ConversationSettings) {
    super(channel)
    this.#channel = channel
    this.#settings = settings
  }

  /**
   * Starts the helper on the server and gets its facts.
   * @throws DeployError where it does not become root (`sudo-...`), or says nothing
   */
  static async start(
    connection: Connection,
    settings: ConversationSettings,
    signal: AbortSignal,
  ): Promise<{ readonly conversation: Conversation; readonly facts: Facts }> {
    const channel = await orAborted(connection.exec(helperCommand(settings)), signal)
    const conversation = new Conversation(channel, settings)
    const facts = conversation.#next('facts-end', signal)
    const lines = new Lines((line, bytes) => conversation.#line(line, bytes))
    channel.onData((chunk) => lines.push(chunk))
    let tail = ''
    const errors = new Lines((line) => conversation.#stderrLine(line))
    channel.onError((chunk) => {
      errors.push(chunk)
      // A prompt ends without a newline.
      tail = (tail + chunk.toString('latin1')).slice(-4096)
      const seen = tail.split(settings.nonce).length - 1
      tail = tail.slice(tail.lastIndexOf(settings.nonce) + 1)
      for (let prompt = 0; prompt < seen; prompt += 1) conversation.#prompt()
    })
    void channel.closed.then(
      ({ status }) => conversation.#closed(connection, status),
      (error: unknown) => conversation.#lose(error),
    )
    return { conversation, facts: conversation.#learn(await facts) }
  }

  /** Asks for the facts anew. */
  async facts(signal: AbortSignal): Promise<Facts> {
    const facts = this.#next('facts-end', signal)
    // A server that does not take the question does not answer it either.
    this.frame('facts\n').catch(() => undefined)
    return this.#learn(await facts)
  }

  #learn(lines: readonly string[]): Facts {
    const facts = parseFacts(lines)
    this.#kitKept = facts.kit
    return facts
  }

  /** A program's files, behind the kit that it works with. */
  override async sendFiles(files: ReadonlyMap<string, string>): Promise<void> {
    const { kit } = this.#settings
    if (kit !== undefined) void this.sendKit(kit, this.#kitKept).catch(() => undefined)
    await super.sendFiles(files)
  }

  /** Who hears the program's events from now on; a connection that ends, or has ended, is told to `onLost`. */
  listen(onEvent: (event: ServerEvent) => void, onLost: (error: unknown) => void): void {
    this.#onEvent = onEvent
    this.#onLost = onLost
    if (this.#failure !== undefined) onLost(this.#failure.error)
  }

  /**
   * Goes on with a run that an earlier connection began; of its own run, it is the helper that speaks from now on.
   * @param offset bytes of its events that are known
   * @returns what the server has of what was sent
   */
  async attach(run: string, offset: number, signal: AbortSignal): Promise<Held> {
    this.#offset = offset
    const held = this.#next('held-end', signal)
    this.frame(`attach ${run} ${offset}\n`).catch(() => undefined)
    const found = parseHeld(await held)
    // Where there are no events, the first one to come is at their beginning.
    if (found.starts === 0) this.#offset = 0
    return found
  }

  /** Bytes of the events that have come as whole lines. */
  get offset(): number {
    return this.#offset
  }

  /** Ends the helper; a program that runs goes on. */
  end(): void {
    this.#onLost = undefined
    // With the end of its input alone it could not tell this from a connection that is lost.
    this.last('bye\n')
    this.#channel.end()
  }

  /** The next lines up to a certain one. */
  #next(last: string, signal: AbortSignal): Promise<readonly string[]> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => fail(this.#silent()), this.#settings.factsMs)
      const abort = () => fail(signal.reason)
      const settle = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', abort)
        this.#answer = undefined
      }
      const fail = (error: unknown) => {
        settle()
        reject(error)
      }
      const take = (lines: readonly string[]) => {
        settle()
        resolve(lines)
      }
      signal.addEventListener('abort', abort)
      this.#characters = 0
      this.#answer = { last, lines: [], take, fail }
      if (signal.aborted) abort()
      else if (this.#failure !== undefined) fail(this.#failure.error)
    })
  }

  #silent(): DeployError {
    return new DeployError('server-silent', {
      cause: `The server did not say all of its facts within ${this.#settings.factsMs / 1000} s.`,
      cure: 'Log in yourself and look whether a login file (such as .bashrc) waits for something, then run the job again.',
      input: 'host',
    })
  }

  /** Nothing more will come. */
  #lose(error: unknown): void {
    this.#failure ??= { error }
    this.#answer?.fail(error)
    this.#onLost?.(error)
  }

  #line(line: string, bytes: number): void {
    const answer = this.#answer
    if (!this.#ready) {
      if (this.#isTooMuch(line, MOST_BEFORE)) return
      // Whatever a login file printed before is ignored.
      this.#ready = line === `ready ${this.#settings.nonce}`
      if (this.#ready) this.#characters = 0
      if (line === `shell ${this.#settings.nonce}`) this.#shell = true
      else if (this.#before.length < 10) this.#before.push(line)
      if (line === `no-sudo ${this.#settings.nonce}`) this.#fail('sudo-absent')
      return
    }
    if (answer !== undefined) {
      if (line === answer.last) answer.take(answer.lines)
      else if (!this.#isTooMuch(line, MOST_FACT_CHARACTERS)) answer.lines.push(line)
      return
    }
    this.#offset += bytes
    this.#lines += 1
    if (this.#lines === MOST_LINES) this.#drown('prints lines without end')
    if (this.#lines >= MOST_LINES) return
    const event = parseEvent(line)
    if (event !== undefined) this.#onEvent(event)
  }

  /** A server that does not come to an end with its facts, or with what a login file prints. */
  #isTooMuch(line: string, most: number): boolean {
    this.#characters += line.length + 1
    if (this.#characters <= most && (this.#answer?.lines.length ?? 0) < MOST_FACTS) return false
    this.#drown('says more of itself than there is to say')
    return true
  }

  #drown(why: string): void {
    this.#lose(floodError(why))
    this.#channel.end()
  }

  #stderrLine(line: string): void {
    const { nonce } = this.#settings
    // sudo shows the command that it refuses, which is our whole program.
    if (this.#stderr.some((one) => one.includes('not allowed to execute'))) return
    // A prompt has no line of its own, and where it is all there is, nothing was said.
    const text = line.replaceAll(nonce, '')
    if (this.#stderr.length < 40 && text.trim() !== '') this.#stderr.push(text)
  }

  #prompt(): void {
    // Whoever asks once it is root is not sudo.
    if (this.#ready) return
    this.#promptsSeen += 1
    const { sudoPassword } = this.#settings
    if (sudoPassword === undefined) this.#fail('sudo-password-needed')
    else if (this.#promptsSeen > 1) this.#fail('sudo-password-wrong')
    else void this.#channel.write(`${sudoPassword}\n`).catch(() => undefined)
  }

  #fail(code: Parameters<typeof rootFailure>[0]): void {
    this.#lose(rootFailure(code, this.#settings.user, this.#stderr))
    this.#channel.end()
  }

  #closed(connection: Connection, status: number | undefined): void {
    const lost = connection.lost()
    if (lost !== undefined) this.#lose(lost)
    else if (!this.#ready) {
      const said = this.#shell ? this.#stderr : [...this.#before, ...this.#stderr]
      this.#lose(rootFailure(rootRefusal(said, this.#shell), this.#settings.user, said))
    } else {
      this.#lose(
        new DeployError(
          'helper-ended',
          {
            cause: `The program that talks for the server ended before its time (${status ?? 'killed'}).`,
            cure: "Run the job again; if it happens again, look at the server's memory and disk.",
            input: 'host',
          },
          this.#stderr,
        ),
      )
    }
  }
}
