import type { Facts } from '../server/facts.ts'
import type { Conversation } from './conversation.ts'
import type { ServerEvent } from './event.ts'

/** The least that is needed of a conversation. */
export type Spoken = Pick<
  Conversation,
  | 'attach'
  | 'cancel'
  | 'end'
  | 'facts'
  | 'listen'
  | 'offset'
  | 'say'
  | 'sendBundle'
  | 'sendFiles'
  | 'sendWheels'
  | 'startProgram'
>

/** One connection with its conversation. */
export interface Line {
  readonly conversation: Spoken
  readonly facts: Facts
  /** Ends the connection. */
  readonly close: () => void
}

/** Who hears what comes of a run. */
export interface Listener {
  readonly event: (event: ServerEvent) => void
  /** Nothing more will come. */
  readonly lost: (error: unknown) => void
  /** The server knows nothing of the run any more: it was restarted. What it is now, it says by its facts. */
  readonly vanished: (facts: Facts) => void
  /** Whether the connection stands; told when that changes. */
  readonly standing: (yes: boolean) => void
}

/** Who hears nothing. */
export const nobody: Listener = {
  event: () => undefined,
  lost: () => undefined,
  vanished: () => undefined,
  standing: () => undefined,
}

/** How a connection is made again. */
export interface SteadyLimits {
  /** The most that one loss may take, in ms. */
  readonly reconnectMs: number
  /** How often in one run. */
  readonly reconnects: number
}
