import type { Socket } from 'node:net'
import { DeployError } from '../errors.ts'

/** Bytes that a server may send in all: no honest program prints as much. */
const mostBytes = 64 * 1024 * 1024
/** Bytes that may come beside a program's output: key exchanges, answers to keepalives, a banner. */
const mostBeside = 1024 * 1024
/** SSH's own bytes around one piece of output, its padding and its check. */
const aroundPiece = 256
/** For each so many bytes that we send the server may say one more: it says how much it takes. */
const sentForOne = 256
/** Bytes of answers that may wait because the server does not read them; ours are at most half of it. */
const mostUnread = 4 * 1024 * 1024

/** Looks on what a server sends on one connection. */
export interface FloodWatch {
  /** So many bytes of a program's output came. */
  told(bytes: number): void
  /** The failure, once there was too much. */
  flooded(): DeployError | undefined
}

/**
 * Watches that a server does not send more than any honest one does. What ssh2 keeps of it (answers that wait, requests
 * that are open) is in proportion to what came, so this bounds the memory too. Must be called in the same turn as ssh2's
 * connect, which holds the stream until both of them listen.
 * @param onFlood called once; the connection is of no use any more
 */
export function watchFlood(socket: Socket, onFlood: (error: DeployError) => void): FloodWatch {
  let output = 0
  let pieces = 0
  let failure: DeployError | undefined
  const fault = () => {
    if (socket.bytesRead > mostBytes) return `sent more than ${mostBytes / (1024 * 1024)} MB`
    if (socket.writableLength > mostUnread) return 'asks for answers without end, and reads none'
    const beside = socket.bytesRead - output - pieces * aroundPiece - socket.bytesWritten / sentForOne
    return beside > mostBeside ? 'sends messages without end that say nothing' : undefined
  }
  const look = () => {
    const why = fault()
    if (why === undefined || failure !== undefined) return
    failure = floodError(why)
    onFlood(failure)
  }
  socket.on('data', look)
  return {
    told(bytes) {
      output += bytes
      pieces += 1
    },
    flooded: () => failure,
  }
}

/** @param why what it did, after `The server ` */
export function floodError(why: string): DeployError {
  return new DeployError('server-floods', {
    cause: `The server ${why}, which no deploy needs, so the connection was ended.`,
    cure: 'Look on the server for a login file, a release command or an app that prints without end; if it is none of these, the server may have been taken over.',
    input: 'host',
  })
}
