import { afterEach } from 'vitest'
import { DeployError } from '../../src/errors.ts'
import { type ConnectOptions, connect } from '../../src/server/connection.ts'
import { type HostPins, hostIdentity } from '../../src/server/host-identity.ts'
import { fingerprintOf } from '../../src/server/public-key.ts'
import { keyPair, type SshServer, type SshServerOptions, sshServer, userKey } from './ssh-server.ts'

export const host = '127.0.0.1'
export const hostKey = keyPair('ed25519')
export const rsaHostKey = keyPair('rsa')
export const user = userKey()
const never = new AbortController().signal

export const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
})

export async function serve(options: Partial<SshServerOptions> = {}): Promise<SshServer> {
  const server = await sshServer({ hostKeys: [hostKey.secret], authorized: user.blob, ...options })
  cleanups.push(() => server.close())
  return server
}

export type Extra = Partial<Omit<ConnectOptions, 'identity'>> & { pins?: HostPins }

export async function to(port: number, { pins, ...extra }: Extra = {}, signal = never) {
  const connection = await connect(
    {
      host,
      port,
      user: 'deploy',
      key: user.key,
      password: undefined,
      identity: hostIdentity(pins ?? { fingerprints: [fingerprintOf(hostKey.blob)] }),
      connectTimeoutMs: 10_000,
      sleep: async () => {},
      ...extra,
    },
    signal,
  )
  cleanups.push(() => connection.close())
  return connection
}

export async function failing(connecting: Promise<unknown>): Promise<DeployError> {
  const error = await connecting.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof DeployError) return error
  throw new Error(`no DeployError but ${String(error)}`)
}
