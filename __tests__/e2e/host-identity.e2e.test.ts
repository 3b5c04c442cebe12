import { afterEach, describe, expect, test } from 'vitest'
import { blocks, section, textOf } from '../docs/pages.ts'
import { boot, hostKeyTypes, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { act, type Ran, reach } from './action.ts'
import { tinyProject } from './projects.ts'

const able = canBoot()

/** An ED25519 key that no server has. */
const nobody = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHZ1ZmVvbjEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2'

/** Known_hosts texts with which a server is refused though nothing speaks against it. */
const refusals: readonly {
  readonly code: string
  readonly port: string
  readonly knownHosts: (address: string) => string
}[] = [
  { code: 'host-key-unpinned', port: '22', knownHosts: () => '' },
  { code: 'host-key-unknown', port: '2222', knownHosts: () => `example.org ${nobody}` },
  { code: 'host-key-changed', port: '2222', knownHosts: (address) => `[${address}]:2222 ${nobody}` },
  { code: 'host-key-authority', port: '22', knownHosts: () => `@cert-authority * ${nobody}` },
]

describe.skipIf(!able.ok)(`host identity ${able.ok ? '' : able.why}`, () => {
  let server: Server | undefined
  afterEach(async () => server?.stop())

  test('the commands of the README give lines that work, and fingerprints that the console gives too', async () => {
    server = await boot({ suite: 'trixie', packages: 'bare' })
    await talkative(server)
    const readme = textOf('README.md').replaceAll('203.0.113.10', server.address)
    const [scan = '', console = ''] = blocks(section(readme, "## The server's identity"), 'sh')
    const scanned = await server.must(`cd /root; ${scan}`)
    const compared = await server.must(console)
    const fingerprints = (text: string) => (text.match(/SHA256:\S+/g) ?? []).toSorted()
    expect(fingerprints(scanned)).toEqual(Object.values(server.fingerprints).toSorted())
    expect(fingerprints(compared)).toEqual(fingerprints(scanned))
    await accepted(server, { 'known-hosts': await server.readFile('/root/known_hosts') })

    // The first login of the quick start, answered with yes, and then its command for the secret.
    await server.must(
      `umask 077; cat > /root/id; ssh -i /root/id -o StrictHostKeyChecking=accept-new root@${server.address} true`,
      { stdin: server.privateKey },
    )
    const [, secrets = ''] = blocks(section(readme, '## Quick start'), 'sh')
    const [, find = ''] = /^(ssh-keygen -F .+?) \| gh secret set KNOWN_HOSTS/m.exec(secrets) ?? []
    await accepted(server, { 'known-hosts': await server.must(find) })
  })

  test('a fingerprint of any of its keys is enough, alone and among others', async () => {
    server = await boot({ suite: 'bookworm', packages: 'bare' })
    await talkative(server)
    for (const type of hostKeyTypes) {
      await accepted(server, { 'known-hosts': '', 'host-fingerprint': server.fingerprints[type] })
    }
    await accepted(server, {
      'known-hosts': '',
      'host-fingerprint': `${noKey}\n${server.fingerprints.rsa}\n`,
    })
    const wrong = await stopped(server, { 'known-hosts': '', 'host-fingerprint': noKey })
    expect(wrong.code).toBe('host-key-changed')
    for (const type of hostKeyTypes) expect(wrong.cause).toContain(server.fingerprints[type])
  })

  test('a new key that was pinned beside the old one is taken when it comes', async () => {
    server = await boot({ suite: 'bookworm', packages: 'bare' })
    await talkative(server)
    const [old = ''] = server.knownHosts.split('\n')
    const made = await server.must(
      `cd /root; ssh-keygen -q -t ed25519 -N '' -f new; cut -d' ' -f1,2 new.pub; ssh-keygen -lf new.pub | cut -d' ' -f2`,
    )
    const [key = '', fingerprint = ''] = made.split('\n')
    const lines = { 'known-hosts': `${old}\n${server.address} ${key}` }
    const fingerprints = {
      'known-hosts': '',
      'host-fingerprint': `${server.fingerprints.ed25519}\n${fingerprint}`,
    }
    await accepted(server, lines)
    await accepted(server, fingerprints)
    await server.must(`for end in '' .pub; do cat /root/new$end > /etc/ssh/ssh_host_ed25519_key$end; done
      systemctl restart ssh`)
    await accepted(server, lines)
    await accepted(server, fingerprints)
    expect((await stopped(server, { 'known-hosts': old })).code).toBe('host-key-changed')
  })

  test('a certificate of an authority that is trusted is enough, and one that has expired is not', async () => {
    server = await boot({ suite: 'bookworm', packages: 'bare' })
    await talkative(server)
    const authority = await server.must(`cd /etc/ssh; ssh-keygen -q -t ed25519 -N '' -f /root/ca
      ssh-keygen -q -s /root/ca -h -I web -n ${server.address} -V +1d ssh_host_ed25519_key.pub
      echo 'HostCertificate /etc/ssh/ssh_host_ed25519_key-cert.pub' > sshd_config.d/20-certificate.conf
      systemctl restart ssh; cut -d' ' -f1,2 /root/ca.pub`)
    const lines = { 'known-hosts': `@cert-authority * ${authority}` }
    await accepted(server, lines)
    await server.must(`cd /etc/ssh
      ssh-keygen -q -s /root/ca -h -I web -n ${server.address} -V -2d:-1d ssh_host_ed25519_key.pub
      systemctl restart ssh`)
    const expired = await stopped(server, lines)
    expect(expired.code).toBe('host-key-authority')
    expect(expired.cause).toMatch(/its certificate expired on \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC;/)
    await accepted(server, { 'known-hosts': await lineToAdd(server, expired) })
  })

  test.each(refusals)(
    '$code: the line to add is printed, and what to compare on the server',
    async ({ code, port, knownHosts }) => {
      server = await boot({ suite: 'bookworm', packages: 'bare' })
      await server.must(
        `printf '%s\\n' 'Port 22' 'Port 2222' > /etc/ssh/sshd_config.d/20-port.conf; systemctl restart ssh`,
      )
      await talkative(server)
      const given = knownHosts(server.address)
      const error = await stopped(server, { port, 'known-hosts': given })
      expect(error.code).toBe(code)
      const line = await lineToAdd(server, error)
      const name = port === '22' ? server.address : `[${server.address}]:2222`
      expect(server.knownHosts.replaceAll(server.address, name)).toContain(`${line}\n`)
      // A changed key's line goes in place of the old one; the others are added.
      const kept = error.cure.includes('in place of the old line') ? [] : [given]
      await accepted(server, { port, 'known-hosts': [...kept, line].join('\n') })
    },
  )

  test('a revoked key is refused without a way to pin it', async () => {
    server = await boot({ suite: 'bookworm', packages: 'bare' })
    await talkative(server)
    const [line = ''] = server.knownHosts.split('\n')
    const revoked = await stopped(server, { 'known-hosts': `@revoked ${line}\n${line}` })
    expect(revoked.code).toBe('host-key-revoked')
    expect(revoked.cure).not.toContain('ssh-ed25519')
  })
})

/** Of no key at all. */
const noKey = `SHA256:${'A'.repeat(43)}`

/** The line that a refusal tells to add, after doing what it tells to do before: comparing on the server's console. */
async function lineToAdd(server: Server, { cause, cure }: Refused): Promise<string> {
  const [, command = ''] = /[Rr]un `([^`]+)` on the server's console/.exec(cure) ?? []
  const [, fingerprint] = (await server.must(command)).split(' ')
  expect(fingerprint).toMatch(/^SHA256:/)
  expect(cause).toContain(`showed the host key ED25519 ${fingerprint}`)
  const [, line = ''] = / line: (.+)$/.exec(cure) ?? []
  return line
}

/** Has sshd write down each attempt to log in, whatever comes of it. */
async function talkative(server: Server): Promise<void> {
  await server.must(`echo 'LogLevel DEBUG1' > /etc/ssh/sshd_config.d/10-log.conf; systemctl restart ssh`)
}

/** Who tried to log in so far, according to sshd: by any method, successful or not. */
async function attempts(server: Server): Promise<number> {
  const count = await server.must(
    `journalctl --sync; journalctl -t sshd -t sshd-session -o cat | grep -c 'userauth-request for user' || :`,
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

interface Refused {
  readonly code: string
  readonly cause: string
  readonly cure: string
}

/** The error of a run that did not get as far as logging in. */
async function stopped(server: Server, inputs: Readonly<Record<string, string>>): Promise<Refused> {
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
