import { createReadStream } from 'node:fs'
import type { WheelFile } from '../plan/wheels.ts'
import { type Held, missingWheels } from './held.ts'

/** Bytes of a file in one frame: other frames (a cancel) get their turn between two of these. */
const READ_BYTES = 256 * 1024

/** How files are sent piece by piece. */
export interface Sending {
  /** Takes one frame; settles when there is room for the next. */
  readonly frame: (frame: string | Uint8Array) => Promise<void>
  /** Told the bytes handed over so far. */
  readonly onProgress: (sent: number) => void
  readonly signal: AbortSignal
}

/**
 * Sends a file as frames `WORDS BYTES` with their bytes.
 * @param from the first byte that is sent
 * @returns whether all of it was sent
 */
export async function sendPieces(
  path: string,
  words: string,
  { frame, onProgress, signal }: Sending,
  from = 0,
): Promise<boolean> {
  let sent = from
  const chunks: AsyncIterable<Buffer> = createReadStream(path, { highWaterMark: READ_BYTES, start: from })
  for await (const chunk of chunks) {
    if (signal.aborted) return false
    await frame(Buffer.concat([Buffer.from(`${words} ${chunk.length}\n`), chunk]))
    sent += chunk.length
    onProgress(sent)
  }
  return true
}

/**
 * Sends wheels, each under its hash, and after the last of them the token that the program waits for.
 * @param held what the server has of them; undefined: nothing was sent yet
 */
export async function sendWheels(
  wheels: readonly WheelFile[],
  token: string,
  { frame, onProgress, signal }: Sending,
  held?: Held,
): Promise<void> {
  const missing = missingWheels(wheels, held)
  const sum = (list: readonly WheelFile[]) => list.reduce((bytes, wheel) => bytes + wheel.bytes, 0)
  let before = sum(wheels) - sum(missing.map(({ wheel }) => wheel))
  for (const { wheel, from } of missing) {
    const { sha256, path, bytes } = wheel
    if (from === undefined) await frame(`wheel ${sha256}\n`)
    const progress = (sent: number) => onProgress(before + sent)
    if (!(await sendPieces(path, `piece ${sha256}`, { frame, onProgress: progress, signal }, from))) return
    before += bytes
  }
  await frame(`wheels ${token}\n`)
}
