import { gunzipSync } from 'node:zlib'
import type { ServerChannel } from 'ssh2'

/** The runner's frames as they arrive: a line each, and as many bytes as it says. */
export class Frames {
  /** The lines so far. */
  readonly lines: string[] = []
  readonly #files = new Map<string, string>()
  readonly #waiting = new Set<() => void>()
  #rest: Buffer = Buffer.alloc(0)

  constructor(channel: ServerChannel) {
    channel.on('data', (chunk: Buffer) => {
      this.#rest = Buffer.concat([this.#rest, chunk])
      while (this.#next());
      for (const look of this.#waiting) look()
    })
  }

  /** Waits for a frame that begins so. */
  until(start: string): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!this.lines.some((line) => line.startsWith(start))) return
        this.#waiting.delete(look)
        resolve()
      }
      this.#waiting.add(look)
      look()
    })
  }

  /** The value of a variable in the program. */
  program(name: string): string {
    return new RegExp(`^${name}='([^']*)'`, 'm').exec(this.#files.get('program') ?? '')?.[1] ?? ''
  }

  /** The file `check.json`. */
  get check(): string {
    return this.#files.get('check.json') ?? ''
  }

  #next(): boolean {
    const end = this.#rest.indexOf('\n')
    if (end < 0) return false
    const line = this.#rest.subarray(0, end).toString()
    const [kind, one = '', two = ''] = line.split(' ')
    const length = kind === 'file' || kind === 'kit' ? Number(two) : kind === 'part' ? Number(one) : 0
    if (this.#rest.length < end + 1 + length) return false
    const content = this.#rest.subarray(end + 1, end + 1 + length)
    this.#rest = this.#rest.subarray(end + 1 + length)
    if (kind === 'file') this.#files.set(one, gunzipSync(content).toString())
    this.lines.push(line)
    return true
  }
}
