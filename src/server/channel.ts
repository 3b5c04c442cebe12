import type { Socket } from 'node:net'
import type { Client, ClientChannel } from 'ssh2'
import { DeployError } from '../errors.ts'
import { cutToBytes, visible } from '../text.ts'
import type { FloodWatch } from './flood.ts'

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

/** The smallest packet that a server may want: OpenSSH takes 32 KiB, and of none at all ssh2 would send one after another. */
const smallestPacket = 4096

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
  flood: Pick<FloodWatch, 'told'>,
): Promise<Channel> {
  return new Promise((resolve, reject) => {
    const refuse = (why: string) => reject(refused(why))
    const timer = setTimeout(() => refuse(`it did not answer within ${limitMs} ms`), limitMs)
    try {
      client.exec(command, (error, channel) => {
        clearTimeout(timer)
        if (error) refuse(cutToBytes(visible(error.message), 200))
        else if (packetSize(channel) < smallestPacket)
          refuse(`it takes packets of ${packetSize(channel)} bytes only`)
        // At once: a short program's exit comes in the same packet as the answer, and nobody tells it twice.
        else resolve(channelOf(channel, client, socket, flood))
      })
    } catch (error) {
      clearTimeout(timer)
      refuse(error instanceof Error ? error.message : String(error))
    }
  })
}

function channelOf(
  channel: ClientChannel,
  client: Client,
  socket: Socket,
  flood: Pick<FloodWatch, 'told'>,
): Channel {
  // ssh2 never answers a write to a channel that has closed, so every waiting write is settled by hand.
  const waiting: { resolve: () => void; reject: (error: DeployError) => void }[] = []
  let ended = false
  let lost = false
  let handed = 0
  let sentBefore = socket.bytesWritten
  /** Bytes that ssh2 keeps back: while keys are exchanged it does so without a word, and for as long as the server likes. */
  const heldBack = () => {
    // Each byte becomes more than one on the line, so what seems to be sent beyond what was handed over is none of ours.
    sentBefore = Math.max(sentBefore, socket.bytesWritten - handed)
    return handed - (socket.bytesWritten - sentBefore)
  }
  const hasRoom = () =>
    !channel.writableNeedDrain && socket.writableLength <= socketBacklog && heldBack() <= 2 * socketBacklog
  const release = () => {
    if (hasRoom()) for (const one of waiting.splice(0)) one.resolve()
  }
  channel.on('drain', release)
  socket.on('drain', release)
  client.on('handshake', () => setImmediate(release))

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
      handed += bytes.length
      try {
        channel.write(bytes)
      } catch {
        // ssh2 throws once it has given up on what the server sends.
        return Promise.reject(channelClosed())
      }
      if (hasRoom()) return Promise.resolve()
      return new Promise((resolve, reject) => {
        waiting.push({ resolve, reject })
      })
    },
    end() {
      try {
        channel.end()
      } catch {
        // As for a write; there is nothing left to be ended.
      }
    },
    onData(listener) {
      channel.on('data', counted(listener, flood))
    },
    onError(listener) {
      channel.stderr.on('data', counted(listener, flood))
    },
  }
}

function counted(listener: (chunk: Buffer) => void, flood: Pick<FloodWatch, 'told'>) {
  return (chunk: Buffer) => {
    flood.told(chunk.length)
    listener(chunk)
  }
}

/** Bytes of one packet as the server wants them; ssh2 keeps that in `outgoing`. */
function packetSize({ outgoing }: ClientChannel): number {
  const known = typeof outgoing === 'object' && outgoing !== null && 'packetSize' in outgoing
  return known && typeof outgoing.packetSize === 'number' ? outgoing.packetSize : 0
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
