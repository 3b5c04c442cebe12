import type { Inputs } from './inputs.ts'
import type { Limits } from './limits.ts'
import { type Connection, connect } from './server/connection.ts'
import { hostIdentity } from './server/host-identity.ts'
import { readKey } from './server/key.ts'
import { familyOf } from './server/public-key.ts'

/**
 * Logs in on the server. What is wrong with the key or the pins is thrown at once, not by the promise: it is a fault of
 * the inputs.
 * @throws DeployError as readKey, hostIdentity and connect do
 */
export function connectTo(
  inputs: Inputs,
  { signal, limits }: { readonly signal: AbortSignal; readonly limits: Limits },
  say: (text: string) => void,
): Promise<Connection> {
  const { host, port, user, sshKey, sshKeyPassphrase, password, connectTimeoutMs } = inputs.server
  const key = sshKey === undefined ? undefined : readKey(sshKey, sshKeyPassphrase)
  for (const repair of key?.repaired ?? []) say(`The key in \`ssh-key\` was repaired: ${repair}.`)
  // What `ssh-keygen -lf authorized_keys` on the server has to show as well.
  if (key !== undefined) say(`Logging in as ${user} with the key ${key.fingerprint} (${familyOf(key.type)}).`)
  const identity = hostIdentity({
    knownHosts: inputs.server.knownHosts,
    fingerprints: inputs.server.hostFingerprints,
  })
  return connect(
    {
      host,
      port,
      user,
      key,
      password,
      identity,
      connectTimeoutMs,
      silenceMs: limits.silenceMs,
      onRetry: ({ attempt, of, error }) => say(`Try ${attempt} of ${of}: ${error.message}`),
    },
    signal,
  )
}
