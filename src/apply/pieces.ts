import { createReadStream } from 'node:fs'
import type { WheelFile } from '../plan/wheels.ts'

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
 * @returns whether all of it was sent
 */
export async function sendPieces(
  path: string,
  words: string,
  { frame, onProgress, signal }: Sending,
): Promise<boolean> {
  let sent = 0
  const chunks: AsyncIterable<Buffer> = createReadStream(path, { highWaterMark: READ_BYTES })
  for await (const chunk of chunks) {
    if (signal.aborted) return false
    await frame(Buffer.concat([Buffer.from(`${words} ${chunk.length}\n`), chunk]))
    sent += chunk.length
    onProgress(sent)
  }
  return true
}

/** Sends wheels, each under its hash, and after the last of them the token that the program waits for. */
export async function sendWheels(
  wheels: readonly WheelFile[],
  token: string,
  { frame, onProgress, signal }: Sending,
): Promise<void> {
  let before = 0
  for (const { sha256, path, bytes } of wheels) {
    await frame(`wheel ${sha256}\n`)
    const progress = (sent: number) => onProgress(before + sent)
    if (!(await sendPieces(path, `piece ${sha256}`, { frame, onProgress: progress, signal }))) return
    before += bytes
  }
  await frame(`wheels ${token}\n`)
}
