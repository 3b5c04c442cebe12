import { connect as connectSocket, createServer } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DeployError } from '../../src/errors.ts'
import { knownHosts } from '../../src/inputs/hosts.ts'
import { type Connection, connect } from '../../src/server/connection.ts'
import { hostIdentity } from '../../src/server/host-identity.ts'
import { readKey } from '../../src/server/key.ts'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { prepare } from './host-identities.ts'
import { ecdsa, ed25519, names, ports, rsa, types } from './known-hosts-forms.ts'
import { authorities, revoked } from './known-hosts-markers.ts'

/*
 * One server, many sshd: each port has other host keys or another certificate. Every known_hosts text is judged twice, by
 * the action's own code and by the server's ssh(1), which connects to the same sshd with the same text.
 */

const able = canBoot()

describe.skipIf(!able.ok)(`known_hosts ${able.ok ? '' : able.why}`, () => {
  let server: Server
  let given: Awaited<ReturnType<typeof prepare>>
  beforeAll(async () => {
    server = await boot({ suite: 'trixie', packages: 'bare' })
    given = await prepare(server)
  })
  afterAll(async () => server?.stop())

  describe.each([
    ['names', names],
    ['ports', ports],
    ['types', types],
    ['revoked', revoked],
    ['authorities', authorities],
  ] as const)('%s', (_title, rows) => {
    test.each(rows)('$what: $ours', async ({ sshd, lines, ours, theirs }) => {
      const all = given.namesOf(sshd)
      const text = [lines(all)].flat().join('\n')
      const [mine, ssh] = await Promise.all([verdict(server, all.port, text), given.ssh(all.port, text)])
      expect(mine, text).toBe(ours)
      const accepted = [ed25519, rsa, ecdsa].includes(ours)
      expect({ accepts: ssh, why: theirs?.why }, text).toEqual(theirs ?? { accepts: accepted })
    })
  })

  test('a machine in the middle that passes on the server’s certificate, and not its key, is refused', async () => {
    const { host, authority } = given.namesOf('pattern')
    const ports = [given.namesOf('pattern').port, given.namesOf('impostor').port]
    const middle = createServer((socket) => {
      const onward = connectSocket({ host, port: ports.shift() ?? 0 })
      for (const end of [socket, onward]) end.on('error', () => {})
      socket.pipe(onward).pipe(socket)
    })
    await new Promise<void>((resolve) => middle.listen(0, '127.0.0.1', resolve))
    const address = middle.address()
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0
    const text = `@cert-authority * ${authority.ed25519}`
    const error = await failure({ ...server, address: '127.0.0.1' }, port, text)
    middle.close()
    expect(ports).toEqual([])
    expect(error?.code).toBe('host-key-changed')
    expect(error?.message).toContain(`has ED25519 ${server.fingerprints.ed25519} (by its certificate).`)
  })
})

/** What the action makes of a text, from the input on: the type of the key that it accepted, or the code of the error. */
async function verdict(server: Server, port: number, text: string): Promise<string> {
  const connection = await reached(server, port, text)
  if (connection instanceof DeployError) return connection.code
  connection.close()
  return connection.hostKeyType
}

async function failure(server: Server, port: number, text: string): Promise<DeployError | undefined> {
  const connection = await reached(server, port, text)
  if (connection instanceof DeployError) return connection
  connection.close()
  return undefined
}

async function reached(server: Server, port: number, text: string): Promise<Connection | DeployError> {
  const read = knownHosts(text, 'known-hosts')
  if ('faults' in read) return new DeployError('bad-inputs', read.faults)
  try {
    return await connect(
      {
        host: server.address,
        port,
        user: 'root',
        key: readKey(server.privateKey, undefined),
        password: undefined,
        identity: hostIdentity({ knownHosts: read.value }),
        connectTimeoutMs: 20_000,
      },
      new AbortController().signal,
    )
  } catch (error) {
    if (error instanceof DeployError) return error
    throw error
  }
}
