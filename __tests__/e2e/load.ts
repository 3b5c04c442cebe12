import { Worker } from 'node:worker_threads'

/** What visitors ask for, and how. */
export type VisitKind =
  | 'page'
  | 'page-kept'
  | 'post'
  | 'post-kept'
  | 'slow'
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

/**
 * Starts the load in a thread of its own, so that the test's work does not disturb its clock.
 * @param secure over HTTPS (HTTP/1.1, chain and name verified); plain HTTP unless told
 */
export function startLoad(address: string, secure?: SecureLoad): Load {
  const worker = new Worker(new URL('./load-thread.ts', import.meta.url), {
    workerData: { address, pace, secure },
  })
  const visits = new Promise<readonly Visit[]>((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
    worker.once('exit', (code) => reject(new Error(`the load ended by itself, ${code}`)))
  })
  visits.catch(() => undefined)
  return {
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
