import { Worker } from 'node:worker_threads'

/** What visitors ask for, and how. */
export type VisitKind =
  | 'page'
  | 'page-kept'
  | 'post'
  | 'post-kept'
  | 'slow'
  /** Longer than a deploy. */
  | 'long'
  /** An asset whose name all versions share. */
  | 'shared-asset'
  /** A page, then at once the asset that only its version has, as a browser does. */
  | 'own-asset'

/** One request; times are ms since 1970 with fractions, the same clock in all threads. */
export interface Visit {
  readonly kind: VisitKind
  readonly began: number
  readonly ended: number
  /** The version that answered; '' where none did. */
  readonly version: string
  /** What was wrong: a status, an error's code, a body; '' where nothing was. */
  readonly fault: string
  /** The server had closed the kept connection that it came on, so it was sent once more, on another. */
  readonly repeated?: boolean
}

/** Visitors that come at a steady pace, whether answers come or not. */
export interface Load {
  /** How many have been answered so far. */
  readonly made: () => number
  /** Ends it; every request that was begun is waited for. */
  readonly end: () => Promise<readonly Visit[]>
}

/** Requests a second, of each kind; `-kept` ones share a few connections that stay open. */
export const pace: Readonly<Record<VisitKind, number>> = {
  page: 60,
  'page-kept': 60,
  post: 20,
  'post-kept': 20,
  slow: 2,
  long: 0,
  'shared-asset': 20,
  'own-asset': 20,
}

/** How visitors come over HTTPS: the name that they ask for, and the only root that they trust (PEM). */
export interface SecureLoad {
  readonly name: string
  readonly rootPem: string
  /**
   * What came on a kept connection that was closed before a byte of an answer is sent once more on a new one, as browsers
   * do (RFC 9110, 9.2.2): a GET that is, no POST.
   */
  readonly repeats?: boolean
}

/** What may be other than usual. */
export interface LoadChoice {
  readonly secure?: SecureLoad
  readonly pace?: typeof pace
  /** Seconds of a long request. */
  readonly longSeconds?: number
}

/**
 * Starts the load in a thread of its own, so that the test's work does not disturb its clock.
 * @param choice.secure over HTTPS (HTTP/1.1, chain and name verified); plain HTTP unless told
 */
export function startLoad(address: string, choice: LoadChoice = {}): Load {
  const worker = new Worker(new URL('./load-thread.ts', import.meta.url), {
    workerData: { address, pace, longSeconds: 20, ...choice },
  })
  let made = 0
  const visits = new Promise<readonly Visit[]>((resolve, reject) => {
    worker.on('message', (message: number | readonly Visit[]) => {
      if (typeof message === 'number') made = message
      else resolve(message)
    })
    worker.once('error', reject)
    worker.once('exit', (code) => reject(new Error(`the load ended by itself, ${code}`)))
  })
  visits.catch(() => undefined)
  return {
    made: () => made,
    end: () => {
      worker.postMessage('end')
      return visits
    },
  }
}

/** The clock of {@link Visit}. */
export function now(): number {
  return performance.timeOrigin + performance.now()
}
