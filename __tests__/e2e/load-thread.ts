/** The thread behind `startLoad`: requests and their clock only. */
import { createHash, randomBytes } from 'node:crypto'
import * as http from 'node:http'
import * as https from 'node:https'
import type { Socket } from 'node:net'
import { createSecureContext } from 'node:tls'
import { parentPort, workerData } from 'node:worker_threads'
import { now, type pace, type SecureLoad, type Visit, type VisitKind } from './load.ts'
import { assetOf } from './load-project.ts'

const settings = workerData as {
  address: string
  pace: typeof pace
  longSeconds: number
  secure?: SecureLoad
}
const { secure } = settings
const { Agent, request } = secure === undefined ? http : https
/** What all requests share: where to, and whom to trust. */
const wire =
  secure === undefined
    ? { host: settings.address }
    : {
        host: settings.address,
        servername: secure.name,
        secureContext: createSecureContext({ ca: secure.rootPem }),
      }

/** A visitor who finds so many requests under way stays away: more of them would only say how busy this machine is. */
const mostOpen = 300
const timeoutMs = 30_000 + settings.longSeconds * 1000

const kept = new Agent({ keepAlive: true, maxSockets: 8 })
const visits: Visit[] = []
let open = 0
let over = false

interface Asked {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly keep: boolean
  readonly body?: Buffer
}

/** The server closed a connection on which it had answered before, before a byte of this answer. */
class Stale extends Error {
  constructor() {
    super('closed as it came')
  }
}

/** Connections that had an answer; `reusedSocket` of Node's does not know of those that go from hand to hand. */
const proven = new WeakSet<Socket>()

/** @throws Error with a short message: a status, an error's code */
function ask({ method, path, keep, body }: Asked): Promise<string> {
  return new Promise((resolve, reject) => {
    const asking = request({
      ...wire,
      method,
      path,
      agent: keep ? kept : false,
      timeout: timeoutMs,
      headers: {
        ...(secure === undefined ? {} : { host: secure.name }),
        ...(body === undefined ? {} : { 'content-length': body.length }),
      },
    })
    let answered = false
    asking.on('response', (answer) => {
      answered = true
      const { socket } = asking
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.on('error', (error) => reject(error))
      answer.on('end', () => {
        if (socket) proven.add(socket)
        const text = Buffer.concat(chunks).toString()
        if (answer.statusCode === 200) resolve(text)
        else reject(new Error(`${path}: ${answer.statusCode}`))
      })
    })
    asking.on('timeout', () => asking.destroy(new Error('no answer in time')))
    asking.on('error', (error: NodeJS.ErrnoException) => {
      const closed = error.code === 'ECONNRESET' || error.code === 'EPIPE'
      const { socket } = asking
      reject(closed && socket && proven.has(socket) && !answered ? new Stale() : error)
    })
    asking.end(body)
  })
}

async function page(path: string, keep: boolean): Promise<string> {
  const text = await ask({ method: 'GET', path, keep })
  const [, version] = /^version (\S+)\nx{4000}$/.exec(text) ?? []
  if (version === undefined) throw new Error(`not the page: ${text.slice(0, 60)}`)
  return version
}

async function post(keep: boolean): Promise<string> {
  const body = randomBytes(500 + Math.floor(Math.random() * 40_000))
  const text = await ask({ method: 'POST', path: '/echo', keep, body })
  const answer: unknown = JSON.parse(text)
  const sha256 = createHash('sha256').update(body).digest('hex')
  if (typeof answer !== 'object' || answer === null || !('version' in answer))
    throw new Error(`not the echo: ${text}`)
  if (!('sha256' in answer) || answer.sha256 !== sha256) throw new Error('another body arrived')
  return String(answer.version)
}

async function asset(name: string): Promise<string> {
  const text = await ask({ method: 'GET', path: `/static/${name}`, keep: false })
  const [, version] = /^\/\* version (\S+) \*\/\n$/.exec(text) ?? []
  if (version === undefined) throw new Error(`not the asset: ${text.slice(0, 60)}`)
  return version
}

/** The version that answered. */
async function visit(kind: VisitKind): Promise<string> {
  switch (kind) {
    case 'page':
      return await page('/', false)
    case 'page-kept':
      return await page('/', true)
    case 'slow':
      return await page('/slow', false)
    case 'long':
      return await page(`/slow?seconds=${settings.longSeconds}`, false)
    case 'post':
      return await post(false)
    case 'post-kept':
      return await post(true)
    case 'shared-asset':
      return await asset('shared.css')
    case 'own-asset': {
      const version = await page('/', false)
      const styled = await asset(assetOf(version))
      if (styled !== version) throw new Error(`page ${version} has the style of ${styled}`)
      return version
    }
  }
}

/** The version that answered, or what went wrong. */
async function attempt(kind: VisitKind): Promise<Pick<Visit, 'version' | 'fault'> & { stale: boolean }> {
  try {
    return { version: await visit(kind), fault: '', stale: false }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? `${String(error.code)} ` : ''
    const fault = error instanceof Error ? `${code}${error.message}` : String(error)
    return { version: '', fault, stale: error instanceof Stale }
  }
}

async function record(kind: VisitKind): Promise<void> {
  open += 1
  const began = now()
  const first = await attempt(kind)
  const repeated = first.stale && kind === 'page-kept' && secure?.repeats === true
  const { version, fault } = repeated ? await attempt('page') : first
  visits.push({ kind, began, ended: now(), version, fault, repeated })
  open -= 1
}

const timers = Object.entries(settings.pace).map(([kind, perSecond]) => {
  const began = performance.now()
  let count = 0
  // Timers come late on a busy machine; what is due is made up for.
  return setInterval(() => {
    const due = Math.floor(((performance.now() - began) / 1000) * perSecond)
    for (; count < due; count += 1) if (open < mostOpen) void record(kind as VisitKind)
  }, 5)
})

const telling = setInterval(() => parentPort?.postMessage(visits.length), 250)

async function end(): Promise<void> {
  over = true
  clearInterval(telling)
  for (const timer of timers) clearInterval(timer)
  while (open > 0) await new Promise((resolve) => setTimeout(resolve, 20))
  parentPort?.postMessage(visits)
  kept.destroy()
  parentPort?.close()
}

parentPort?.on('message', () => {
  if (!over) void end()
})
