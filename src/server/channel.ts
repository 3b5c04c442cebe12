import type { Socket } from 'node:net'
import type { Client, ClientChannel } from 'ssh2'
import { DeployError } from '../errors.ts'

/** How the one exec ended. */
export interface ChannelEnd {
  /** undefined: ended by a signal, or the connection was lost; both are failures. */
  readonly status: number | undefined
  /** e.g. `SIGTERM`; undefined where there was none. */
  readonly signal: string | undefined
}

/** The conversation with the program on the server. */
export interface Channel {
  /**
   * Sends bytes to the program's stdin. Resolves when they are accepted and more may follow: await it before the
   * next, so that no more than a few MB wait in memory however slow the server is.
   * @throws DeployError `channel-closed` where the program ended or the connection was lost; `closed` tells which.
   */
  write(data: string | Uint8Array): Promise<void>
  /** Ends the program's stdin. */
  end(): void
  /** Tells the bytes of its stdout as they come; nothing is kept. Until then the server is made to wait. */
  onData(listener: (chunk: Buffer) => void): void
  /** The same of its stderr. Listen to both: what is unread of one fills the window that they share. */
  onError(listener: (chunk: Buffer) => void): void
  /** Settles when the program ended and all its output was told, or when the connection was lost. Never rejects. */
  readonly closed: Promise<ChannelEnd>
}

/** Bytes that may wait in the socket: a server's window may be any size, the runner's memory is not. */
const socketBacklog = 2 * 1024 * 1024

/**
 * Starts a command and gives its channel.
 * @param limitMs how long the server may take to start it.
 * @throws DeployError `exec-refused` where the server does not start it in time or at all.
 */
export function openChannel(
  client: Client,
  socket: Socket,
  command: string,
  limitMs: number,
): Promise<Channel> {
  return new Promise((resolve, reject) => {
    const refuse = (why: string) => reject(refused(why))
    const timer = setTimeout(() => refuse(`it did not answer within ${limitMs} ms`), limitMs)
    try {
      client.exec(command, (error, channel) => {
        clearTimeout(timer)
        if (error) refuse(error.message)
        // At once: a short program's exit comes in the same packet as the answer, and nobody tells it twice.
        else resolve(channelOf(channel, client, socket))
      })
    } catch (error) {
      clearTimeout(timer)
      refuse(error instanceof Error ? error.message : String(error))
    }
  })
}

function channelOf(channel: ClientChannel, client: Client, socket: Socket): Channel {
  // ssh2 never answers a write to a channel that has closed, so every waiting write is settled by hand.
  const waiting: { resolve: () => void; reject: (error: DeployError) => void }[] = []
  let ended = false
  let lost = false
  const release = () => {
    if (channel.writableNeedDrain || socket.writableLength > socketBacklog) return
    for (const one of waiting.splice(0)) one.resolve()
  }
  channel.on('drain', release)
  socket.on('drain', release)

  const end: { status: number | undefined; signal: string | undefined } = {
    status: undefined,
    signal: undefined,
  }
  channel.on('exit', (status: number | null, signal?: string) => {
    end.status = status ?? undefined
    end.signal = signal
  })

  const closed = new Promise<ChannelEnd>((resolve) => {
    const finish = () => {
      if (ended) return
      ended = true
      socket.removeListener('drain', release)
      for (const one of waiting.splice(0)) one.reject(channelClosed())
      // Where the connection broke off, output may be missing, whatever status had come before.
      resolve(lost ? { status: undefined, signal: undefined } : { ...end })
    }
    channel.on('close', finish)
    client.on('error', () => {
      if (stillOpen(channel)) lost = true
    })
    // ssh2 tells that the connection is gone before it closes its channels.
    client.on('close', () => {
      if (stillOpen(channel)) lost = true
      // Unread output keeps a channel from closing; with the connection gone nobody may wait for that.
      setImmediate(() => {
        if (channel.readableFlowing !== true) finish()
      })
    })
  })

  return {
    closed,
    write(data) {
      if (ended || lost) return Promise.reject(channelClosed())
      const bytes = typeof data === 'string' ? Buffer.from(data) : data
      const room = channel.write(bytes)
      if (room && socket.writableLength <= socketBacklog) return Promise.resolve()
      return new Promise((resolve, reject) => {
        waiting.push({ resolve, reject })
      })
    },
    end() {
      channel.end()
    },
    onData(listener) {
      channel.on('data', listener)
    },
    onError(listener) {
      channel.stderr.on('data', listener)
    },
  }
}

/** Says whether the server has neither ended nor closed the channel: ssh2 keeps that in `incoming.state`. */
function stillOpen(channel: ClientChannel): boolean {
  const { incoming } = channel
  return typeof incoming === 'object' && incoming !== null && 'state' in incoming && incoming.state === 'open'
}

function channelClosed(): DeployError {
  return new DeployError('channel-closed', {
    cause: 'The program on the server ended before it had taken everything.',
    cure: 'Look at the last lines of its output, and run the job again.',
  })
}

function refused(why: string): DeployError {
  return new DeployError('exec-refused', {
    cause: `The login worked, but the server did not start a command for this user: ${why}.`,
    cure: 'Allow this user to run commands: look for ForceCommand, MaxSessions and a `command=` in authorized_keys.',
    input: 'user',
  })
}
