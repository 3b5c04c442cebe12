import { randomBytes } from 'node:crypto'
import { Conversation, type ConversationSettings } from './apply/conversation.ts'
import type { Line } from './apply/line.ts'
import { SteadyTalk } from './apply/steady.ts'
import { connectTo } from './connect.ts'
import { DeployError } from './errors.ts'
import type { Inputs } from './inputs.ts'
import type { Limits } from './limits.ts'
import type { Connection } from './server/connection.ts'
import type { Facts } from './server/facts.ts'

/** ms of one login, at most, where a lost connection is made again: within the whole time there is more than one try. */
const ONE_LOGIN_MS = 15_000

/** What a run needs to talk with its server. */
export interface SteadyLine {
  readonly inputs: Inputs
  readonly limits: Limits
  /** All that the helper is started with but for the nonce. */
  readonly helper: Omit<ConversationSettings, 'nonce' | 'user' | 'sudoPassword' | 'factsMs'>
  readonly signal: AbortSignal
  /** Told in words that a lost connection is made again. */
  readonly say: (text: string) => void
}

/**
 * Begins the conversation with the server over a connection that stands. Should it be lost, it is made again by itself.
 * @throws DeployError as Conversation.start does
 */
export async function steadyLine(
  connection: Connection,
  settings: SteadyLine,
): Promise<{ readonly conversation: SteadyTalk; readonly facts: Facts }> {
  const { limits, say } = settings
  const first = await begin(connection, settings, settings.signal)
  const conversation = new SteadyTalk(first, {
    run: settings.helper.run,
    again: (signal) => connectAgain(connection, settings, signal),
    limits,
    say,
  })
  return { conversation, facts: first.facts }
}

async function begin(connection: Connection, settings: SteadyLine, signal: AbortSignal): Promise<Line> {
  const { server } = settings.inputs
  const started = await Conversation.start(
    connection,
    {
      ...settings.helper,
      nonce: randomBytes(16).toString('hex'),
      user: server.user,
      sudoPassword: server.sudoPassword,
      factsMs: settings.limits.phases.facts.ms,
    },
    signal,
  )
  return { ...started, close: () => connection.close() }
}

/** The same login at the same server: pins may fit more than one, and the run has begun on this one. */
async function connectAgain(first: Connection, settings: SteadyLine, signal: AbortSignal): Promise<Line> {
  const { inputs, limits } = settings
  const connectTimeoutMs = Math.min(inputs.server.connectTimeoutMs, ONE_LOGIN_MS)
  const hurried: Inputs = { ...inputs, server: { ...inputs.server, connectTimeoutMs } }
  const connection = await connectTo(hurried, { signal, limits }, () => undefined)
  try {
    if (connection.hostKeyFingerprint !== first.hostKeyFingerprint)
      throw otherServer(inputs.server.host, first.hostKeyFingerprint, connection.hostKeyFingerprint)
    return await begin(connection, settings, signal)
  } catch (error) {
    connection.close()
    throw error
  }
}

function otherServer(host: string, before: string, now: string): DeployError {
  return new DeployError('other-server', {
    cause: `The connection to ${host} was lost, and what answers there now shows another host key (${now}) than before (${before}).`,
    cure: 'Give `host` a name or an address that leads to one server only; if it does, look who answers there before the next deploy.',
    input: 'host',
  })
}
