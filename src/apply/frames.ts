import { gzipSync } from 'node:zlib'
import type { WheelFile } from '../plan/wheels.ts'
import type { Bundle } from '../project/project.ts'
import type { Channel } from '../server/connection.ts'
import { type Held, missingFrom } from './held.ts'
import type { Kit } from './kit.ts'
import { sendPieces, sendWheels } from './pieces.ts'

/** What the runner says to the helper: one frame after the other, each whole. */
export class Frames {
  readonly #channel: Pick<Channel, 'write'>
  #queue: Promise<void> = Promise.resolve()

  constructor(channel: Pick<Channel, 'write'>) {
    this.#channel = channel
  }

  /** Sends files for the program's folder, packed: what fits a new connection's first window needs no round trip more. */
  async sendFiles(files: ReadonlyMap<string, string>): Promise<void> {
    const frames = [...files].map(([name, content]) => {
      const bytes = gzipSync(content)
      return Buffer.concat([Buffer.from(`file ${name} ${bytes.length}\n`), bytes])
    })
    await this.frame(Buffer.concat(frames))
  }

  /** Sends what all programs work with, or, where the server has it, that this is to be used. */
  async sendKit({ sha256, tar }: Kit, kept: boolean): Promise<void> {
    const bytes = kept ? new Uint8Array() : gzipSync(tar, { level: 9 })
    await this.frame(Buffer.concat([Buffer.from(`kit ${sha256} ${bytes.length}\n`), bytes]))
  }

  /** Starts the program that was sent. */
  async startProgram(): Promise<void> {
    await this.frame('start\n')
  }

  /**
   * Sends the bundle, as fast as the channel takes it.
   * @param onProgress told the bytes handed over so far
   * @param held what the server has of it; undefined: it was not sent yet
   */
  async sendBundle(
    bundle: Bundle,
    onProgress: (sent: number) => void,
    signal: AbortSignal,
    held?: Held,
  ): Promise<void> {
    const there = held?.bundle
    if (typeof there === 'string') return
    const from = missingFrom(there, bundle.bytes)
    if (from === 0) await this.frame('bundle\n')
    const frame = (text: string | Uint8Array) => this.frame(text)
    if (await sendPieces(bundle.path, 'part', { frame, onProgress, signal }, from))
      await this.frame('whole\n')
  }

  /** Sends wheels; `token` says that they are all there. */
  async sendWheels(
    wheels: readonly WheelFile[],
    token: string,
    onProgress: (sent: number) => void,
    signal: AbortSignal,
    held?: Held,
  ): Promise<void> {
    if (held?.wheels.has(token) === true) return
    const frame = (text: string | Uint8Array) => this.frame(text)
    await sendWheels(wheels, token, { frame, onProgress, signal }, held)
  }

  /** Says a word to the waiting program: `cutover go`, `verdict-1 keep`. */
  async say(frame: string, word: string): Promise<void> {
    await this.frame(`say ${frame} ${word}\n`)
  }

  /** Stops a program, this run's or another's; it takes back what it did. */
  async cancel(run: string): Promise<void> {
    await this.frame(`cancel ${run}\n`)
  }

  /** @throws DeployError `channel-closed` */
  protected async frame(frame: string | Uint8Array): Promise<void> {
    this.#queue = this.#queue.then(() => this.#channel.write(frame))
    await this.#queue
  }

  /** A frame that goes at once, whatever waits: nobody will know whether it arrives. */
  protected last(frame: string): void {
    this.#channel.write(frame).catch(() => undefined)
  }
}
