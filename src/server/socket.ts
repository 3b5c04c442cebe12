import { connect, type Socket } from 'node:net'

/** What an attempt at a TCP connection came to. */
export type SocketResult =
  | { readonly ok: true; readonly socket: Socket }
  /** `code` is Node's (`ECONNREFUSED`, `ENOTFOUND`, ...), or `TIMEOUT` where nothing answered in time. */
  | { readonly ok: false; readonly code: string; readonly message: string }

/**
 * Opens a TCP connection with Nagle's algorithm off: ssh2 leaves it on, which made a login take 227 ms in place
 * of 59 ms on one machine, and small frames wait for acknowledgements.
 * @throws the signal's reason when it is aborted.
 */
export async function openSocket(
  host: string,
  port: number,
  limitMs: number,
  signal: AbortSignal,
): Promise<SocketResult> {
  signal.throwIfAborted()
  const socket = connect({
    host,
    port,
    noDelay: true,
    // Node gives each address of a name 250 ms by default: less than a far server needs to answer.
    autoSelectFamilyAttemptTimeout: 2_500,
  })
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => fail('TIMEOUT', `nothing answered within ${Math.round(limitMs)} ms`),
      limitMs,
    )
    const onAbort = () => {
      settle()
      socket.destroy()
      reject(signal.reason)
    }
    const onError = (error: NodeJS.ErrnoException) => fail(error.code ?? '', error.message)
    const onConnect = () => {
      settle()
      resolve({ ok: true, socket })
    }
    function fail(code: string, message: string) {
      settle()
      socket.destroy()
      resolve({ ok: false, code, message })
    }
    function settle() {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      socket.removeListener('error', onError)
      socket.removeListener('connect', onConnect)
      // For its whole life: a socket without a listener takes the process down with its error.
      socket.on('error', () => {})
    }
    signal.addEventListener('abort', onAbort, { once: true })
    socket.on('error', onError)
    socket.on('connect', onConnect)
  })
}

/**
 * Watches that something keeps arriving. Counted in ticks, not by the clock: a process that was itself held up
 * would otherwise take its own pause for the link's. Keepalives, to which a living server answers, are sent by
 * ssh2 at the same pace; any byte counts as life, so a slow upload that delays their answers is not cut.
 * @returns a function that ends the watch.
 */
export function watchSilence(socket: Socket, limitMs: number, onSilent: () => void): () => void {
  let seen = socket.bytesRead
  let silentTicks = 0
  const timer = setInterval(() => {
    silentTicks = socket.bytesRead === seen ? silentTicks + 1 : 0
    seen = socket.bytesRead
    if (silentTicks < silentTicksAllowed) return
    clearInterval(timer)
    onSilent()
  }, limitMs / silentTicksAllowed)
  timer.unref()
  return () => clearInterval(timer)
}

/** Into how many ticks the time of silence is divided; a keepalive is sent in each. */
export const silentTicksAllowed = 5
