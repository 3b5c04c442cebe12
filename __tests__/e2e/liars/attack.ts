import type { Socket } from 'node:net'
import type { Connection } from 'ssh2'
import type { Liar, Lies } from './liar.ts'
import type { Met, Pace } from './victim.ts'

/** Stands in everything that a liar would like to have done. */
export const MARK = 'PWNED'

/** One lie, and how the run has to end. */
export interface Attack {
  readonly name: string
  readonly lies: Lies
  /** `short` where a limit of time is to run out; else `long`. */
  readonly pace?: Pace
  readonly inputs?: Readonly<Record<string, string>>
  /** Bytes of the bundle, about; default: next to none. */
  readonly bundle?: number
  readonly end: {
    /** The error's code; undefined: the run has to succeed all the same. */
    readonly code: string | undefined
    readonly phase?: string
    /** Default: `failed`, or `deployed` without a code. */
    readonly result?: string
    /** Default: `unknown`, or without a code whatever release was made. */
    readonly serving?: string
  }
  /** What else has to be seen. */
  readonly also?: (met: Met, liar: Liar) => void
}

/** Every kind of text that a log, a terminal, a summary or a file name could be broken with. */
export const nasty: readonly string[] = [
  `::error::${MARK}`,
  `::error file=/etc/passwd,line=1::${MARK}`,
  `::set-output name=result::${MARK}`,
  `::set-env name=PATH::${MARK}`,
  `::add-path::${MARK}`,
  `::save-state name=run::${MARK}`,
  `::add-mask::${MARK}`,
  `::group::${MARK}`,
  '::endgroup::',
  `::stop-commands::${MARK}`,
  `::${MARK}::`,
  '::echo::on',
  `  \t::warning::${MARK}`,
  `\u00a0::warning::${MARK}`,
  `\ufeff::warning::${MARK}`,
  `\u0085::warning::${MARK}`,
  `\u2028::warning::${MARK}`,
  `\v::warning::${MARK}`,
  `x\r::error::${MARK}`,
  `\r\r::error::${MARK}\r`,
  `##[error]${MARK}`,
  `##[group]${MARK}`,
  `  ##[add-mask]${MARK}`,
  `##[command]${MARK}`,
  `\x1b]0;${MARK}\x07`,
  `\x1b]8;;https://${MARK}.example\x1b\\click\x1b]8;;\x1b\\`,
  '\x1b[2J\x1b[1;1H\x1b[8m',
  '\x9b2J\x90\x9d',
  'a\0b\x08\x7f',
  '\u202egnp.exe\u2066',
  `<img src=x onerror=${MARK}><script>${MARK}</script>`,
  `</pre></details><h1>${MARK}</h1>`,
  `[x](javascript:${MARK}) ![x](https://${MARK}.example/x.png)`,
  `| ${MARK} | \`${MARK}\` | @${MARK} #1 | $\{{ secrets.X }} |`,
  '${{ github.token }}',
  `%0A::error::${MARK}`,
]

/** As many as wanted, in one piece of about 16 KB each, so that a million are soon said. */
export async function endlessly(
  say: (piece: Buffer) => Promise<void>,
  line: string | Buffer,
  bytes: number,
): Promise<void> {
  const one = Buffer.from(line)
  const times = Math.max(1, Math.ceil(16_384 / one.length))
  const piece = Buffer.concat(Array.from({ length: times }, () => one))
  for (let sent = 0; sent < bytes; sent += piece.length) await say(piece)
}

/** Never settles. */
export function forever(): Promise<never> {
  return new Promise(() => {})
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}

interface Writer {
  readonly allocStart: number
  alloc(length: number): Buffer
  finalize(packet: Buffer): Buffer
}

interface Wire {
  readonly _packetRW: { readonly write: Writer }
  readonly _cipher: { encrypt(packet: Buffer): void }
  readonly _kexinit: unknown
  channelOpenConfirm: (remote: number, local: number, window: number, packet: number) => void
}

/** ssh2's own protocol below a client: only so can a server say what ssh2 would not. */
export function wire(client: Connection): Wire {
  return Reflect.get(client, '_protocol') as Wire
}

/** What a message is made of; `{ raw }` stands without a length in front. */
export type Part = number | string | Buffer | boolean | { readonly raw: Buffer }

/** Sends one SSH message as it is: its number (RFC 4250, section 4.1.2) and what follows. */
export function message(client: Connection, ...parts: readonly Part[]): void {
  const payload = Buffer.concat(parts.map(encoded))
  const { _packetRW, _cipher } = wire(client)
  const packet = _packetRW.write.alloc(payload.length)
  packet.set(payload, _packetRW.write.allocStart)
  _cipher.encrypt(_packetRW.write.finalize(packet))
}

/** A byte for the message's number; RFC 4251, section 5, for the rest. */
function encoded(part: Part, at: number): Buffer {
  if (at === 0) return Buffer.from([Number(part)])
  if (typeof part === 'boolean') return Buffer.from([part ? 1 : 0])
  if (typeof part === 'number') return uint32(part)
  if (typeof part === 'object' && 'raw' in part) return part.raw
  const bytes = Buffer.from(part)
  return Buffer.concat([uint32(bytes.length), bytes])
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** Says it again and again, as fast as it is heard, until the client is gone or `times` is reached. */
export function flood(client: Connection, times: number, once: () => void): void {
  const socket = Reflect.get(client, '_sock') as Socket
  let count = 0
  const some = () => {
    try {
      for (; count < times && socket.writable && socket.writableLength < 1_000_000; count += 1) once()
    } catch {
      return
    }
    if (count < times && socket.writable) setTimeout(some, 1)
  }
  some()
}
