/** Time as the heartbeat needs it; a test brings its own. */
export interface Clock {
  /** Milliseconds from any fixed moment on, never backwards. */
  readonly now: () => number
  /** Calls back once after `ms`; the answer cancels it. */
  readonly after: (ms: number, callback: () => void) => () => void
}

/** The runner's clock. Its timers keep no process alive. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms)
    timer.unref()
    return () => clearTimeout(timer)
  },
}

/** Under the 5 s after which a silent log makes people wonder, with room for a busy runner. */
const everyMs = 4000

/** Says what is running while nothing else says anything. */
export interface Heartbeat {
  /** From now on this is running, e.g. `apt-get install nginx`. */
  readonly start: (what: string) => void
  /** Another line was printed: the next beat is a whole interval away. */
  readonly touch: () => void
  readonly stop: () => void
}

/** A heartbeat that prints lines such as `still: apt-get install nginx (12 s)`, one at least every 5 s of silence. */
export function heartbeat(clock: Clock, print: (line: string) => void): Heartbeat {
  let running: { readonly what: string; readonly since: number } | undefined
  let cancel: (() => void) | undefined

  const arm = () => {
    cancel?.()
    cancel = running === undefined ? undefined : clock.after(everyMs, beat)
  }
  const beat = () => {
    if (running === undefined) return
    print(`still: ${running.what} (${Math.round((clock.now() - running.since) / 1000)} s)`)
    arm()
  }
  return {
    start: (what) => {
      running = { what, since: clock.now() }
      arm()
    },
    touch: arm,
    stop: () => {
      running = undefined
      arm()
    },
  }
}
