import { createHmac, randomBytes } from 'node:crypto'
import type { Server } from '../server/boot.ts'

/** Ways for an sshd to identify itself: its port, its host keys, and the certificate of the first of them. */
export const identities = {
  main: { port: 22, keys: ['ed25519', 'rsa', 'ecdsa'] },
  three: { port: 2201, keys: ['rsa', 'ecdsa', 'ed25519'] },
  ed25519: { port: 2202, keys: ['ed25519'] },
  rsa: { port: 2203, keys: ['rsa'] },
  ecdsa: { port: 2204, keys: ['ecdsa'] },
  sha1: { port: 2205, keys: ['rsa'], settings: 'HostKeyAlgorithms ssh-rsa' },
  impostor: { port: 2206, keys: ['fresh'] },
  certified: { port: 2210, keys: ['ed25519', 'rsa', 'ecdsa'], sign: '-s ca_ed25519 -h -n HOST' },
  'rsa-certified': { port: 2211, keys: ['rsa'], sign: '-s ca_rsa -h -n HOST' },
  'ecdsa-certified': { port: 2212, keys: ['ecdsa'], sign: '-s ca_ecdsa -h -n HOST' },
  'sha1-certified': { port: 2213, keys: ['rsa'], sign: '-s ca_rsa -t ssh-rsa -h -n HOST' },
  expired: { port: 2214, keys: ['ed25519'], sign: '-s ca_ed25519 -h -n HOST -V -2d:-1d' },
  future: { port: 2215, keys: ['ed25519'], sign: '-s ca_ed25519 -h -n HOST -V +1d:+2d' },
  'other-host': { port: 2216, keys: ['ed25519'], sign: '-s ca_ed25519 -h -n example.org' },
  'several-hosts': { port: 2217, keys: ['ed25519'], sign: '-s ca_ed25519 -h -n example.org,HOST -V -1d:+1d' },
  pattern: { port: 2218, keys: ['ed25519'], sign: "-s ca_ed25519 -h -n '*.*.*.?*'" },
  'no-host': { port: 2219, keys: ['ed25519'], sign: '-s ca_ed25519 -h' },
  'for-users': { port: 2220, keys: ['ed25519'], sign: '-s ca_ed25519 -n HOST' },
  critical: { port: 2221, keys: ['ed25519'], sign: '-s ca_ed25519 -h -n HOST -O critical:quantum=yes' },
} as const satisfies Record<string, Identity>

type KeyType = 'ed25519' | 'rsa' | 'ecdsa'

interface Identity {
  readonly port: number
  readonly keys: readonly (KeyType | 'fresh')[]
  /** How ssh-keygen signs the first key. */
  readonly sign?: string
  /** Lines of its sshd_config besides. */
  readonly settings?: string
}

export type Sshd = keyof typeof identities

/** What a known_hosts line is made of. Keys are `type base64`. */
export interface Names {
  readonly host: string
  readonly port: number
  /** The server's keys, and one that it does not have. */
  readonly key: Readonly<Record<KeyType | 'fresh', string>>
  /** The authorities' keys. */
  readonly authority: Readonly<Record<KeyType, string>>
  /** A key of a type that neither the action nor OpenSSH knows. */
  readonly foreign: string
}

/** Starts an sshd for each identity. */
export async function prepare(server: Server): Promise<{
  readonly namesOf: (sshd: Sshd) => Names
  /** Whether the server's own ssh takes the sshd at that port for the right one, and logs in. */
  readonly ssh: (port: number, knownHosts: string) => Promise<boolean>
}> {
  await server.must('umask 077; mkdir -p /root/t; cat > /root/t/id', { stdin: server.privateKey })
  await server.must(`cd /root/t
for type in ed25519 ecdsa rsa; do
  ssh-keygen -q -t $type -N '' -C '' -f ca_$type
done
ssh-keygen -q -t ed25519 -N '' -C '' -f fresh
${Object.entries(identities)
  .filter(([, { port }]) => port !== 22)
  .map(([name, identity]) => startSshd(name, identity, server.address))
  .join('\n')}`)
  const line = async (file: string) => (await server.must(`cut -d' ' -f1,2 ${file}`)).trim()
  const hostKey = async (type: KeyType) => await line(`/etc/ssh/ssh_host_${type}_key.pub`)
  const authority = async (type: KeyType) => await line(`/root/t/ca_${type}.pub`)
  const key = {
    ed25519: await hostKey('ed25519'),
    rsa: await hostKey('rsa'),
    ecdsa: await hostKey('ecdsa'),
    fresh: await line('/root/t/fresh.pub'),
  }
  const authorities = {
    ed25519: await authority('ed25519'),
    rsa: await authority('rsa'),
    ecdsa: await authority('ecdsa'),
  }
  const foreign = foreignKey('ssh-from-tomorrow')
  let count = 0
  return {
    namesOf: (sshd) => ({
      host: server.address,
      port: identities[sshd].port,
      key,
      authority: authorities,
      foreign,
    }),
    async ssh(port, knownHosts) {
      count += 1
      const ran = await server.run(
        `cat > /root/t/known_hosts.${count}
ssh -F none -i /root/t/id -o IdentitiesOnly=yes -o BatchMode=yes -o StrictHostKeyChecking=yes -o UpdateHostKeys=no \
  -o UserKnownHostsFile=/root/t/known_hosts.${count} -o GlobalKnownHostsFile=none -p ${port} root@${server.address} true`,
        { stdin: knownHosts },
      )
      if (ran.status !== 0 && !/Host key verification failed|no matching host key type/.test(ran.stderr)) {
        throw new Error(`ssh failed for another reason: ${ran.stderr}`)
      }
      return ran.status === 0
    },
  }
}

/** The lines of sh that start one sshd, in /root/t. */
function startSshd(name: string, { port, keys, sign, settings = '' }: Identity, host: string): string {
  const lines = [
    `Port ${port}`,
    ...keys.map((type) => `HostKey ${type === 'fresh' ? '/root/t/fresh' : `/etc/ssh/ssh_host_${type}_key`}`),
    ...(sign === undefined ? [] : [`HostCertificate /root/t/${name}-cert.pub`]),
    settings,
    'PidFile none',
    'UsePAM yes',
    'PerSourcePenalties no',
    'MaxStartups 100:30:200',
  ]
  const certify =
    sign === undefined
      ? ''
      : `cp /etc/ssh/ssh_host_${keys[0]}_key.pub ${name}.pub
ssh-keygen -q ${sign.replace('HOST', host)} -I ${name} ${name}.pub`
  return `${certify}
cat > ${name}.conf <<'END'
${lines.join('\n')}
END
/usr/sbin/sshd -f ${name}.conf`
}

/** A name as `HashKnownHosts` writes it (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT). */
export function hashed(name: string): string {
  const salt = randomBytes(20)
  const hash = createHmac('sha1', salt).update(name).digest('base64')
  return `|1|${salt.toString('base64')}|${hash}`
}

/** `type base64` of a public key of any type. */
function foreignKey(type: string): string {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(type.length)
  return `${type} ${Buffer.concat([length, Buffer.from(type), randomBytes(36)]).toString('base64')}`
}
