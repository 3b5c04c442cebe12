import { createHmac, randomBytes } from 'node:crypto'
import { afterEach, describe, expect, test } from 'vitest'
import { boot, hostKeyTypes, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { act, type Ran, reach } from './action.ts'
import { tinyProject } from './projects.ts'

const able = canBoot()

describe.skipIf(!able.ok)(`host identity ${able.ok ? '' : able.why}`, () => {
  let server: Server | undefined
  afterEach(async () => server?.stop())

  test('each of the server’s keys, alone and in every form, is enough', async () => {
    server = await boot({ suite: 'bookworm' })
    await talkative(server)
    const lines = server.knownHosts.trim().split('\n')
    expect(lines).toHaveLength(hostKeyTypes.length)
    for (const line of lines) {
      const [host = '', type = '', key = ''] = line.split(' ')
      await accepted(server, { 'known-hosts': line })
      await accepted(server, { 'known-hosts': `# hashed\n${hashed(host)} ${type} ${key} a comment` })
    }
    for (const type of hostKeyTypes) {
      await accepted(server, { 'known-hosts': '', 'host-fingerprint': server.fingerprints[type] })
    }
    const wrong = `SHA256:${'A'.repeat(43)}`
    await accepted(server, { 'known-hosts': '', 'host-fingerprint': `${wrong}\n${server.fingerprints.rsa}` })
  })

  test('a port of its own has lines of its own, plain and hashed', async () => {
    server = await boot({ suite: 'bookworm' })
    await server.must(
      `printf '%s\\n' 'Port 22' 'Port 2222' > /etc/ssh/sshd_config.d/20-port.conf; systemctl restart ssh`,
    )
    await talkative(server)
    const { address } = server
    const own = server.knownHosts.replaceAll(address, `[${address}]:2222`)
    await accepted(server, { port: '2222', 'known-hosts': own })
    const [, type = '', key = ''] = server.knownHosts.split('\n')[0]?.split(' ') ?? []
    await accepted(server, { port: '2222', 'known-hosts': `${hashed(`[${address}]:2222`)} ${type} ${key}` })
    // Like OpenSSH (sshconnect.c, `found matching key w/out port`): a line without a port does for every port.
    await accepted(server, { port: '2222', 'known-hosts': server.knownHosts })
    const other = await stopped(server, { port: '2222', 'known-hosts': own.replaceAll(':2222', ':2223') })
    expect(other.code).toBe('host-key-unknown')
    expect(other.cure).toContain(`[${address}]:2222 `)
  })

  test('another key than the pinned one stops the run before it says who it is', async () => {
    server = await boot({ suite: 'bookworm' })
    await talkative(server)
    const { address } = server
    const other = await boot({ suite: 'trixie' })
    const foreign = other.knownHosts.replaceAll(other.address, address)
    await other.stop()
    const changed = await stopped(server, { 'known-hosts': foreign })
    expect(changed.code).toBe('host-key-changed')
    expect(changed.cause).toContain('is not the server that is pinned')
    expect(hostKeyTypes.some((type) => changed.cause.includes(server?.fingerprints[type] ?? '-'))).toBe(true)

    const fingerprint = await stopped(server, {
      'known-hosts': '',
      'host-fingerprint': `SHA256:${'A'.repeat(43)}`,
    })
    expect(fingerprint.code).toBe('host-key-changed')

    const [line = ''] = server.knownHosts.split('\n')
    const revoked = await stopped(server, { 'known-hosts': `@revoked ${line}\n${line}` })
    expect(revoked.code).toBe('host-key-revoked')
  })

  test('a server that no line names stops the run, and the line to add is printed', async () => {
    server = await boot({ suite: 'bookworm' })
    await talkative(server)
    const unknown = await stopped(server, {
      'known-hosts': server.knownHosts.replaceAll(server.address, '192.0.2.1'),
    })
    expect(unknown.code).toBe('host-key-unknown')
    const named = await stopped(server, {
      'known-hosts':
        'example.org ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHZ1ZmVvbjEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2',
    })
    expect(named.code).toBe('host-key-unknown')
  })

  test('with nothing pinned the run stops, prints the fingerprint that it saw and the line that pins it, which then works', async () => {
    server = await boot({ suite: 'bookworm' })
    await talkative(server)
    const error = await stopped(server, { 'known-hosts': '' })
    expect(error.code).toBe('host-key-unpinned')
    const type = hostKeyTypes.find((one) => error.cause.includes(server?.fingerprints[one] ?? '-'))
    expect(type).toBeDefined()
    expect(error.cure).toContain(`ssh-keygen -lf /etc/ssh/ssh_host_${type}_key.pub`)
    const [, line = ''] = /the line: (.+)$/.exec(error.cure) ?? []
    expect(server.knownHosts).toContain(`${line}\n`)
    await accepted(server, { 'known-hosts': line })
  })
})

/** Has sshd write down each attempt to log in, whatever comes of it. */
async function talkative(server: Server): Promise<void> {
  await server.must(`echo 'LogLevel DEBUG1' > /etc/ssh/sshd_config.d/10-log.conf; systemctl restart ssh`)
}

/** Who tried to log in so far, according to sshd: by any method, successful or not. */
async function attempts(server: Server): Promise<number> {
  const count = await server.must(
    `journalctl --sync; journalctl -t sshd -o cat | grep -c 'userauth-request for user' || :`,
  )
  return Number(count)
}

async function plan(server: Server, inputs: Readonly<Record<string, string>>): Promise<Ran> {
  return await act({
    workspace: tinyProject().folder,
    inputs: { ...reach(server), ...inputs, command: 'plan' },
  })
}

async function accepted(server: Server, inputs: Readonly<Record<string, string>>): Promise<void> {
  const before = await attempts(server)
  const ran = await plan(server, inputs)
  expect(ran.status, ran.log).toBe(0)
  expect(ran.outputs.result).toBe('planned')
  expect(await attempts(server)).toBeGreaterThan(before)
}

/** The error of a run that did not get as far as logging in. */
async function stopped(
  server: Server,
  inputs: Readonly<Record<string, string>>,
): Promise<{ readonly code: string; readonly cause: string; readonly cure: string }> {
  const before = await attempts(server)
  const ran = await plan(server, inputs)
  expect(ran.status, ran.log).toBe(1)
  expect(ran.outputs).toMatchObject({ result: 'failed', 'failed-phase': 'connect', serving: 'unknown' })
  expect(await attempts(server)).toBe(before)
  const { error } = JSON.parse(ran.outputs.report)
  expect(ran.log).toContain(error.cause)
  expect(ran.summary).toContain('The server was not touched')
  return error
}

/** A name as `HashKnownHosts` writes it (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT). */
function hashed(name: string): string {
  const salt = randomBytes(20)
  const hash = createHmac('sha1', salt).update(name).digest('base64')
  return `|1|${salt.toString('base64')}|${hash}`
}
