import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { DeployError } from '../errors.ts'
import { cutToBytes, visible } from '../text.ts'
import { askForCertificate } from './ask-certificate.ts'
import { type Channel, openChannel } from './channel.ts'
import { diagnose } from './connect-diagnosis.ts'
import type { ConnectFailure } from './connect-failure.ts'
import type { CertificateFault } from './host-certificate.ts'
import { type HostIdentity, trusting } from './host-identity.ts'
import { refusedHostKey } from './host-key-errors.ts'
import type { PrivateKey } from './key.ts'
import { type LoginResult, logIn } from './login.ts'
import { fingerprintOf, typeOf } from './public-key.ts'
import { openSocket, silentTicksAllowed, watchSilence } from './socket.ts'

export type { Channel, ChannelEnd } from './channel.ts'

/** Whom to connect to, as whom, and how long to try. */
export interface ConnectOptions {
  /** A host name or an IP address; IPv6 without brackets. */
  readonly host: string
  readonly port: number
  readonly user: string
  readonly key: PrivateKey | undefined
  readonly password: string | undefined
  readonly identity: HostIdentity
  /** The time for everything up to the login, all tries together. */
  readonly connectTimeoutMs: number
  /** A link on which nothing arrives for so long is given up, up to a fifth later; default 15 s. */
  readonly silenceMs?: number
  /** Told before each new try. */
  readonly onRetry?: (retry: Retry) => void
  /** Waits between tries; for tests. */
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<void>
  /** 0 to 1, spreads the waits of many runners; for tests. */
  readonly random?: () => number
}

/** A try that failed in a way that may pass, and what happens now. */
export interface Retry {
  /** The try that failed, counted from 1. */
  readonly attempt: number
  /** The most tries there will be. */
  readonly of: number
  readonly waitMs: number
  readonly error: DeployError
}

/** A login on the server. */
export interface Connection {
  /**
   * Starts the one exec, with the user's login shell as sshd does. stdin is written with backpressure.
   * @throws DeployError `exec-refused`.
   */
  exec(command: string): Promise<Channel>
  /** The server's greeting, e.g. `SSH-2.0-OpenSSH_9.2p1 Debian-2`; foreign text. */
  readonly serverIdent: string
  /** The text that it showed before the login, at most 4096 characters; foreign text. */
  readonly banner: string
  /** The verified host key. */
  readonly hostKeyFingerprint: string
  readonly hostKeyType: string
  /** The IP address that was connected to. */
  readonly remoteAddress: string
  readonly timings: Timings
  /** Why the connection was lost; undefined while it stands and after `close`. */
  lost(): DeployError | undefined
  /** Ends the connection; a program that runs on the server is not stopped by it. */
  close(): void
}

/** How long the try that succeeded took, from its own beginning. */
export interface Timings {
  /** Until the TCP connection stood, name look-up included. */
  readonly tcpMs: number
  /** Until the login was done. */
  readonly readyMs: number
}

const tries = 3

/**
 * Connects and logs in. Only failures that may pass are tried again, at most twice and within
 * `connectTimeoutMs`; a wrong key, password or host key never is.
 * @throws DeployError with the codes of `diagnose`, `authenticationDiagnosis` and `refusedHostKey`; the signal's
 * reason when it is aborted (after connecting the signal is not listened to: use `close`).
 */
export async function connect(options: ConnectOptions, signal: AbortSignal): Promise<Connection> {
  const { sleep = defaultSleep, random = Math.random, connectTimeoutMs } = options
  const deadline = performance.now() + connectTimeoutMs
  for (let attempt = 1; ; attempt++) {
    const result = await connectOnce(options, deadline, signal)
    if (!('failure' in result)) return result
    const { error, passing } = diagnose(result.failure)
    const waitMs = Math.round(500 * 2 ** (attempt - 1) * (0.5 + random()))
    if (!passing || attempt === tries || performance.now() + waitMs >= deadline) throw error
    options.onRetry?.({ attempt, of: tries, waitMs, error })
    await sleep(waitMs, signal)
  }
}

/**
 * One try. A server shows one of its host keys only, so where a fingerprint is pinned, whose type is not known,
 * a key that does not fit is no answer yet: the server is asked again for its keys of other types.
 */
async function connectOnce(
  options: ConnectOptions,
  deadline: number,
  signal: AbortSignal,
): Promise<Connection | { readonly failure: ConnectFailure }> {
  const { host, port } = options
  const proof = await certified(options, deadline, signal)
  if ('failure' in proof) return proof
  const { identity, certificate } = proof
  const refused: Buffer[] = []
  for (;;) {
    const started = performance.now()
    // A third for each try's TCP, so that a packet that got lost leaves time for another try.
    const tcpLimit = Math.min(deadline - started, options.connectTimeoutMs / tries)
    const tcp = await openSocket(host, port, Math.max(1, tcpLimit), signal)
    if (!tcp.ok) return { failure: tcpFailure(options, tcp.code, tcp.message) }
    const { socket } = tcp
    const tcpMs = performance.now() - started
    const refusedTypes = refused.map(typeOf)
    const algorithms = identity
      .algorithms(host, port)
      .filter((one) => !refusedTypes.includes(one.startsWith('rsa-') ? 'ssh-rsa' : one))
    const limitMs = deadline - performance.now()
    const keepaliveMs = (options.silenceMs ?? 15_000) / silentTicksAllowed
    const login = await logIn(socket, { ...options, identity, algorithms, limitMs, keepaliveMs }, signal)
    if (login.ok) {
      const timings = { tcpMs, readyMs: performance.now() - started }
      return connectionOf(login, socket, options, timings)
    }
    if (login.verdict !== undefined) {
      refused.push(login.hostKey)
      const more = identity.byFingerprint && login.verdict === 'changed' && algorithms.length > 1
      if (!more) {
        throw refusedHostKey({ host, port, verdict: login.verdict, keys: refused, identity, certificate })
      }
      continue
    }
    // It has no key of any other type: those that it showed are all that it has.
    if (refused.length > 0 && /no matching host key format/i.test(login.failure.message)) {
      throw refusedHostKey({ host, port, verdict: 'changed', keys: refused, identity, certificate })
    }
    return { failure: login.failure }
  }
}

/** The identity to log in with, and what was wrong with the server's certificate where one was wanted. */
interface Proof {
  readonly identity: HostIdentity
  readonly certificate: CertificateFault | undefined
}

/** Where certificates matter, asks the server for its own before the login: one connection and three round trips more. */
async function certified(
  options: ConnectOptions,
  deadline: number,
  signal: AbortSignal,
): Promise<Proof | { readonly failure: ConnectFailure }> {
  const { host, port, identity, connectTimeoutMs } = options
  const wanted = identity.certificateAlgorithms(host, port)
  if (wanted.length === 0) return { identity, certificate: undefined }
  // A third, as for each try's TCP: a server that says nothing leaves time for the login, which says why.
  const limitMs = Math.max(1, Math.min(deadline - performance.now(), connectTimeoutMs / tries))
  const tcp = await openSocket(host, port, limitMs, signal)
  if (!tcp.ok) return { failure: tcpFailure(options, tcp.code, tcp.message) }
  const asked = await askForCertificate(tcp.socket, wanted, limitMs, signal)
  const blob = asked.state === 'shown' ? asked.blob : undefined
  const judged = identity.judgeCertificate(host, port, blob, Date.now() / 1000)
  if (judged.verdict === 'trusted')
    return { identity: trusting(identity, judged.key), certificate: undefined }
  if (judged.verdict === 'useless') {
    return { identity, certificate: asked.state === 'failed' ? judged.fault && notAsked : judged.fault }
  }
  const { verdict, key, authority } = judged
  throw refusedHostKey({ host, port, verdict, keys: [key], identity, authority })
}

const notAsked: CertificateFault = {
  what: 'its certificate could not be asked for',
  cure: 'Run the job again',
}

type LoggedIn = Extract<LoginResult, { ok: true }>

function connectionOf(
  login: LoggedIn,
  socket: Socket,
  options: ConnectOptions,
  timings: Timings,
): Connection {
  const { client, flood } = login
  const silenceMs = options.silenceMs ?? 15_000
  let closing = false
  let failure: DeployError | undefined
  const lose = (why: string) => {
    if (!closing) failure ??= flood.flooded() ?? lostError(options.host, why)
  }
  const stopWatch = watchSilence(socket, silenceMs, () => {
    lose(`nothing was heard from it for ${Math.round(silenceMs / 1000)} s`)
    socket.destroy()
  })
  client.on('error', (error) => {
    lose(error.message)
    // ssh2 says goodbye and waits for the server's; one that lies never says it.
    socket.destroy()
  })
  client.on('close', () => {
    stopWatch()
    lose('it closed the connection')
  })
  return {
    exec: async (command) => {
      try {
        return await openChannel(client, socket, command, options.connectTimeoutMs, flood)
      } catch (error) {
        throw flood.flooded() ?? error
      }
    },
    serverIdent: login.serverIdent,
    banner: login.banner,
    hostKeyFingerprint: fingerprintOf(login.hostKey),
    hostKeyType: typeOf(login.hostKey),
    remoteAddress: socket.remoteAddress ?? '',
    timings,
    lost: () => failure,
    close() {
      closing = true
      stopWatch()
      // No SSH_MSG_DISCONNECT: sshd goes at once when it reads that, and may not hand on what came just before it.
      // Nobody waits for the server's goodbye, one round trip away, nor for one that never says it.
      socket.destroySoon()
      setTimeout(() => socket.destroy(), 1_000).unref()
      socket.unref()
    },
  }
}

function lostError(host: string, why: string): DeployError {
  return new DeployError('connection-lost', {
    cause: `The connection to ${host} was lost: ${cutToBytes(visible(why), 200)}.`,
    cure: 'Run the job again; what had begun on the server goes on to its end or is cleaned up by the next deploy.',
    input: 'host',
  })
}

function tcpFailure(options: ConnectOptions, code: string, message: string): ConnectFailure {
  const { host, port, user, key, password } = options
  return {
    host,
    port,
    user,
    stage: 'tcp',
    level: undefined,
    code,
    message,
    firstBytes: '',
    serverIdent: '',
    banner: '',
    hostKeyTypes: [],
    authentication: {
      key: key && { type: key.type, fingerprint: key.fingerprint, publicLine: key.publicLine },
      passwordGiven: password !== undefined,
      tried: [],
      allowed: undefined,
      partial: false,
    },
  }
}

async function defaultSleep(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal })
}
