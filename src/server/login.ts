import type { Socket } from 'node:net'
import { NodeSSH } from 'node-ssh'
import type { AnyAuthMethod, Client, Prompt } from 'ssh2'
import type { ConnectFailure, ConnectStage } from './connect-failure.ts'
import { type FloodWatch, watchFlood } from './flood.ts'
import type { HostIdentity, HostVerdict } from './host-identity.ts'
import type { PrivateKey } from './key.ts'
import type { HostKeyAlgorithm } from './public-key.ts'

/** What one login over an open socket needs. */
export interface LoginOptions {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly key: PrivateKey | undefined
  readonly password: string | undefined
  readonly identity: HostIdentity
  /** The host key algorithms to ask for, best first. */
  readonly algorithms: readonly HostKeyAlgorithm[]
  readonly limitMs: number
  /** How often a keepalive is sent once logged in. */
  readonly keepaliveMs: number
}

/** What a login came to. */
export type LoginResult =
  | {
      readonly ok: true
      readonly client: Client
      readonly serverIdent: string
      readonly hostKey: Buffer
      readonly banner: string
      readonly flood: FloodWatch
    }
  /** The key that the server showed is not the pinned one: nothing was sent to it. */
  | { readonly ok: false; readonly verdict: Exclude<HostVerdict, 'match'>; readonly hostKey: Buffer }
  | { readonly ok: false; readonly verdict?: undefined; readonly failure: ConnectFailure }

/** Bytes of a stranger's text that are kept for a message. */
const kept = 4096

/**
 * Proves the server's identity, then the user's. The key is offered at once (ssh2 would first ask what is
 * allowed, one round trip more): ready after 6 round trips with TCP's.
 * @throws DeployError `server-floods`; the signal's reason when it is aborted.
 */
export async function logIn(
  socket: Socket,
  options: LoginOptions,
  signal: AbortSignal,
): Promise<LoginResult> {
  const { host, port, user, key, password, identity, algorithms } = options
  const greeting = watchGreeting(socket)
  const flood = watchFlood(socket, () => socket.destroy())
  const progress = { handshakeDone: false, banner: '' }
  let shown: { key: Buffer; verdict: HostVerdict } | undefined
  const methods = authMethods(user, key, password)

  const ssh = new NodeSSH()
  const connecting = ssh.connect({
    sock: socket,
    username: user,
    readyTimeout: Math.max(1, Math.round(options.limitMs)),
    keepaliveInterval: options.keepaliveMs,
    // Whether the link is dead is judged by `watchSilence`; ssh2's own count takes a busy link for a dead one.
    keepaliveCountMax: Number.POSITIVE_INFINITY,
    algorithms: {
      // ssh2's default without group exchange: it proves that a stranger's group is sound, which took half a minute for
      // 9941 bits, and nothing else runs meanwhile, no limit of time either.
      kex: [
        'curve25519-sha256@libssh.org',
        'curve25519-sha256',
        'ecdh-sha2-nistp256',
        'ecdh-sha2-nistp384',
        'ecdh-sha2-nistp521',
        'diffie-hellman-group14-sha256',
        'diffie-hellman-group15-sha512',
        'diffie-hellman-group16-sha512',
        'diffie-hellman-group17-sha512',
        'diffie-hellman-group18-sha512',
      ],
      // Compressed packets could be a thousand times larger than what came. Every sshd takes plain ones.
      compress: ['none'],
      serverHostKey: [...algorithms],
      // ssh2's default without HMAC-SHA1.
      hmac: [
        'hmac-sha2-256-etm@openssh.com',
        'hmac-sha2-512-etm@openssh.com',
        'hmac-sha2-256',
        'hmac-sha2-512',
      ],
    },
    // Anything but `false` would connect, so the answer is made here, at once, and is a boolean.
    hostVerifier: (hostKey: Buffer): boolean => {
      const copy = Buffer.from(hostKey)
      shown = { key: copy, verdict: identity.accepts(host, port, copy) }
      return shown.verdict === 'match'
    },
    authHandler: methods.next,
  })
  const client = ssh.connection
  // For its whole life: node-ssh takes its listener away, and an unheard 'error' ends the process.
  client?.on('error', () => {})
  client?.on('handshake', () => {
    progress.handshakeDone = true
  })
  client?.on('banner', (text: string) => {
    progress.banner = (progress.banner + text).slice(0, kept)
  })
  const onAbort = () => socket.destroy()
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    await connecting
    if (client === null || shown === undefined) throw new Error('No response from server')
    return {
      ok: true,
      client,
      serverIdent: greeting.ident(),
      hostKey: shown.key,
      banner: progress.banner,
      flood,
    }
  } catch (error) {
    socket.destroy()
    signal.throwIfAborted()
    const flooded = flood.flooded()
    if (flooded !== undefined) throw flooded
    if (shown !== undefined && shown.verdict !== 'match') {
      return { ok: false, verdict: shown.verdict, hostKey: shown.key }
    }
    const stage: ConnectStage = progress.handshakeDone
      ? 'authentication'
      : greeting.ident() === ''
        ? 'greeting'
        : 'handshake'
    const failure: ConnectFailure = {
      host,
      port,
      user,
      stage,
      level: textOf(error, 'level'),
      code: codeOf(error),
      message: error instanceof Error ? error.message : String(error),
      firstBytes: greeting.before(),
      serverIdent: greeting.ident(),
      banner: progress.banner,
      hostKeyTypes: algorithms,
      authentication: {
        key: key && { type: key.type, fingerprint: key.fingerprint, publicLine: key.publicLine },
        passwordGiven: password !== undefined,
        ...methods.facts(),
      },
    }
    return { ok: false, failure }
  } finally {
    signal.removeEventListener('abort', onAbort)
    greeting.stop()
  }
}

/** The ways to prove who the user is, one after the other, and what the server said to them. */
function authMethods(user: string, key: PrivateKey | undefined, password: string | undefined) {
  const tried: string[] = []
  let allowed: readonly string[] | undefined
  let partial = false
  const mayTry = (method: string) => !tried.includes(method) && (allowed?.includes(method) ?? true)

  return {
    facts: () => ({ tried, allowed, partial }),
    next: (left: readonly string[] | null, partialSuccess: boolean | null): AnyAuthMethod | false => {
      if (left !== null) allowed = left
      partial ||= partialSuccess === true
      if (key !== undefined && mayTry('publickey')) {
        tried.push('publickey')
        return { type: 'publickey', username: user, key: key.parsed }
      }
      if (password !== undefined && mayTry('password')) {
        tried.push('password')
        return { type: 'password', username: user, password }
      }
      if (password !== undefined && mayTry('keyboard-interactive')) {
        tried.push('keyboard-interactive')
        return { type: 'keyboard-interactive', username: user, prompt: passwordPrompt(password) }
      }
      return false
    },
  }
}

/** Answers the first hidden question with the password, and every other one with nothing. */
function passwordPrompt(password: string) {
  let given = false
  return (
    _name: string,
    _instructions: string,
    _lang: string,
    prompts: Prompt[],
    finish: (answers: string[]) => void,
  ) => {
    const answers = prompts.map(({ echo }) => {
      if (given || echo === true) return ''
      given = true
      return password
    })
    finish(answers)
  }
}

/**
 * Listens for the line with which an SSH server greets, and keeps what came before it. Must be called in the same
 * turn as ssh2's connect: that holds the stream until both of them listen.
 */
function watchGreeting(socket: Socket) {
  let heard = ''
  let ident = ''
  const onData = (chunk: Buffer) => {
    heard = (heard + chunk.toString('latin1')).slice(0, kept)
    const line = /^SSH-[\x20-\x7e]+(?=\r?\n)/m.exec(heard)
    if (line !== null) ident = line[0].slice(0, 255)
    if (line !== null || heard.length >= kept) stop()
  }
  const stop = () => socket.removeListener('data', onData)
  socket.on('data', onData)
  return {
    ident: () => ident,
    before: () => heard.replace(/^SSH-[\s\S]*/m, '').slice(0, 512),
    stop,
  }
}

function textOf(error: unknown, field: string): string | undefined {
  if (typeof error !== 'object' || error === null || !(field in error)) return undefined
  const value: unknown = Object.entries(error).find(([name]) => name === field)?.[1]
  return typeof value === 'string' ? value : undefined
}

function codeOf(error: unknown): string | number | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' || typeof error.code === 'number' ? error.code : undefined
}
