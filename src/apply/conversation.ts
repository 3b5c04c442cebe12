import { gzipSync } from 'node:zlib'
import { DeployError } from '../errors.ts'
import type { WheelFile } from '../plan/wheels.ts'
import type { Bundle } from '../project/project.ts'
import type { Channel, Connection } from '../server/connection.ts'
import { type Facts, parseFacts } from '../server/facts.ts'
import { floodError } from '../server/flood.ts'
import { parseEvent, type ServerEvent } from './event.ts'
import { type HelperSettings, helperCommand } from './helper-command.ts'
import { Lines } from './lines.ts'
import { orAborted } from './or-aborted.ts'
import { sendPieces, sendWheels } from './pieces.ts'
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

/** The runner's end of the one exec: facts come, frames go, events come. */
export class Conversation {
  readonly #channel: Channel
  readonly #settings: ConversationSettings
  readonly #stderr: string[] = []
  #facts: string[] = []
  #ready = false
  /** Characters of what is not an event. */
  #characters = 0
  #lines = 0
  /** A shell has read our command. */
  #shell = false
  /** What was said before that: by a login file, or by what took the shell's place. */
  readonly #before: string[] = []
  #promptsSeen = 0
  #onFacts: ((facts: Facts) => void) | undefined
  #onFailure: ((error: unknown) => void) | undefined
  #onEvent: (event: ServerEvent) => void = () => undefined
  #queue: Promise<void> = Promise.resolve()

  private constructor(channel: Channel, settings: ConversationSettings) {
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
    const facts = conversation.#nextFacts(signal)
    const lines = new Lines((line) => conversation.#line(line))
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
      (error: unknown) => conversation.#onFailure?.(error),
    )
    return { conversation, facts: await facts }
  }

  /** Asks for the facts anew. */
  async facts(signal: AbortSignal): Promise<Facts> {
    const facts = this.#nextFacts(signal)
    // A server that does not take the question does not answer it either.
    this.#frame('facts\n').catch(() => undefined)
    return await facts
  }

  /** Who hears the program's events from now on; a connection that ends is told to `onLost`. */
  listen(onEvent: (event: ServerEvent) => void, onLost: (error: unknown) => void): void {
    this.#onEvent = onEvent
    this.#onFailure = onLost
  }

  /** Sends files for the program's folder, packed: what fits a new connection's first window needs no round trip more. */
  async sendFiles(files: ReadonlyMap<string, string>): Promise<void> {
    const frames = [...files].map(([name, content]) => {
      const bytes = gzipSync(content)
      return Buffer.concat([Buffer.from(`file ${name} ${bytes.length}\n`), bytes])
    })
    await this.#frame(Buffer.concat(frames))
  }

  /** Starts the program that was sent. */
  async startProgram(): Promise<void> {
    await this.#frame('start\n')
  }

  /**
   * Sends the bundle, as fast as the channel takes it.
   * @param onProgress told the bytes handed over so far
   */
  async sendBundle(bundle: Bundle, onProgress: (sent: number) => void, signal: AbortSignal): Promise<void> {
    const frame = (text: string | Uint8Array) => this.#frame(text)
    if (await sendPieces(bundle.path, 'part', { frame, onProgress, signal })) await this.#frame('whole\n')
  }

  /** Sends wheels; `token` says that they are all there. */
  async sendWheels(
    wheels: readonly WheelFile[],
    token: string,
    onProgress: (sent: number) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const frame = (text: string | Uint8Array) => this.#frame(text)
    await sendWheels(wheels, token, { frame, onProgress, signal })
  }

  /** Says a word to the waiting program: `cutover go`, `verdict-1 keep`. */
  async say(frame: string, word: string): Promise<void> {
    await this.#frame(`say ${frame} ${word}\n`)
  }

  /** Stops a program, this run's or another's; it takes back what it did. */
  async cancel(run: string): Promise<void> {
    await this.#frame(`cancel ${run}\n`)
  }

  /** Follows the events of a program that an earlier connection started. */
  async attach(run: string, offset: number): Promise<void> {
    await this.#frame(`attach ${run} ${offset}\n`)
  }

  /** Ends the helper; a program that runs goes on. */
  end(): void {
    this.#onFailure = undefined
    this.#channel.end()
  }

  /** Frames go one after the other, each whole. */
  async #frame(frame: string | Uint8Array): Promise<void> {
    this.#queue = this.#queue.then(() => this.#channel.write(frame))
    await this.#queue
  }

  #nextFacts(signal: AbortSignal): Promise<Facts> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        settle()
        reject(
          new DeployError('server-silent', {
            cause: `The server did not say all of its facts within ${this.#settings.factsMs / 1000} s.`,
            cure: 'Log in yourself and look whether a login file (such as .bashrc) waits for something, then run the job again.',
            input: 'host',
          }),
        )
      }, this.#settings.factsMs)
      const abort = () => {
        settle()
        reject(signal.reason)
      }
      const settle = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', abort)
        this.#onFacts = undefined
        this.#onFailure = undefined
      }
      signal.addEventListener('abort', abort)
      this.#onFacts = (facts) => {
        settle()
        resolve(facts)
      }
      this.#onFailure = (error) => {
        settle()
        reject(error)
      }
      if (signal.aborted) abort()
    })
  }

  #line(line: string): void {
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
    if (this.#onFacts !== undefined) {
      if (line === 'facts-end') {
        const facts = parseFacts(this.#facts)
        this.#facts = []
        this.#characters = 0
        this.#onFacts(facts)
      } else if (!this.#isTooMuch(line, MOST_FACT_CHARACTERS)) this.#facts.push(line)
      return
    }
    this.#lines += 1
    if (this.#lines === MOST_LINES) this.#drown('prints lines without end')
    if (this.#lines >= MOST_LINES) return
    const event = parseEvent(line)
    if (event !== undefined) this.#onEvent(event)
  }

  /** A server that does not come to an end with its facts, or with what a login file prints. */
  #isTooMuch(line: string, most: number): boolean {
    this.#characters += line.length + 1
    if (this.#characters <= most && this.#facts.length < MOST_FACTS) return false
    this.#drown('says more of itself than there is to say')
    return true
  }

  #drown(why: string): void {
    this.#onFailure?.(floodError(why))
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
    this.#onFailure?.(rootFailure(code, this.#settings.user, this.#stderr))
    this.#channel.end()
  }

  #closed(connection: Connection, status: number | undefined): void {
    const lost = connection.lost()
    if (lost !== undefined) this.#onFailure?.(lost)
    else if (!this.#ready) {
      const said = this.#shell ? this.#stderr : [...this.#before, ...this.#stderr]
      this.#onFailure?.(rootFailure(rootRefusal(said, this.#shell), this.#settings.user, said))
    } else {
      this.#onFailure?.(
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
