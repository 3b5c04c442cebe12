import type { WheelFile } from '../plan/wheels.ts'

/** What the server has of what a run sent, as the helper says after `attach` (remote/reach.sh). */
export interface Held {
  /** Programs that the run has started. */
  readonly starts: number
  /** Bytes of the bundle; `whole`: all of it waits; `taken`: it is unpacked. */
  readonly bundle: number | 'whole' | 'taken'
  /** Wheels by their hash, and the token that says that they are all there -> bytes. */
  readonly wheels: ReadonlyMap<string, number>
}

/** Reads the lines `held ...`; what is malformed is not there. */
export function parseHeld(lines: readonly string[]): Held {
  let starts = 0
  let bundle: Held['bundle'] = 0
  const wheels = new Map<string, number>()
  for (const line of lines) {
    const [word, what = '', value = ''] = line.split(' ')
    if (word !== 'held') continue
    const count = /^[0-9]{1,12}$/.test(value) ? Number(value) : 0
    if (what === 'starts') starts = count
    else if (what === 'bundle') bundle = value === 'whole' || value === 'taken' ? value : count
    else if (/^[0-9a-f]{16,64}$/.test(what)) wheels.set(what, count)
  }
  return { starts, bundle, wheels }
}

/** From which byte on a file of so many bytes has to be sent: what is there was sent in order, so it is right so far. */
export function missingFrom(there: number | undefined, bytes: number): number {
  return there === undefined || there > bytes ? 0 : there
}

/** Where each wheel has to go on: those that are whole are left out, undefined begins anew. */
export function missingWheels(
  wheels: readonly WheelFile[],
  held: Held | undefined,
): readonly { readonly wheel: WheelFile; readonly from: number | undefined }[] {
  return wheels.flatMap((wheel) => {
    const there = held?.wheels.get(wheel.sha256)
    if (there === wheel.bytes) return []
    return [{ wheel, from: there === undefined || there > wheel.bytes ? undefined : there }]
  })
}
