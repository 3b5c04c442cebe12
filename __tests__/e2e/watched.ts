import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import type { Server } from '../server/boot.ts'

/** What the kernel saw of a program and of all that it started. */
export interface Seen {
  /** Each program that was started, by its file's name, with its words. */
  readonly programs: readonly (readonly string[])[]
  /** Whom it turned to: `198.51.100.6:22`, or a path. */
  readonly peers: readonly string[]
  /** Every path that it wrote, made, renamed or removed, or tried to. */
  readonly written: readonly string[]
  /** Files of code that it opened: JavaScript, TypeScript, WebAssembly, machine code for Node. */
  readonly code: readonly string[]
  /** Packets to anybody but the server. None of them left. */
  readonly packets: number
}

/** A place from which nothing but one server can be reached, and in which every system call of interest is taken down. */
export interface Watch {
  /** The words to put before a program. */
  readonly under: readonly string[]
  readonly seen: () => Seen
  readonly end: () => void
}

/** System calls that start programs, that turn to others, and that name files (strace(1), `-e trace`). */
const calls = '%file,connect,sendto,sendmsg,sendmmsg,listen'

/** @throws Error where there is no strace, or network namespaces cannot be made */
export function watch(server: Server): Watch {
  const folder = mkdtempSync(join(tmpdir(), 'watch-'))
  const name = `fdw-${process.pid}`
  // A /30 with the server's own number, of the range that is set apart for tests of devices (RFC 2544).
  const first = Number(server.address.split('.')[3]) - 2
  const [gateway, own] = [`198.18.0.${first + 1}`, `198.18.0.${first + 2}`]
  const end = () => {
    sh(`ip netns del ${name} 2>/dev/null || :; ip link del ${name} 2>/dev/null || :`)
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    sh(`
      ip netns add ${name}
      ip link add ${name} type veth peer name outside netns ${name}
      ip addr add ${gateway}/30 dev ${name}
      ip link set ${name} up
      ip netns exec ${name} sh -euc '
        echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6
        ip link set lo up
        ip addr add ${own}/30 dev outside
        ip link set outside up
        ip route add default via ${gateway}
        iptables -A OUTPUT -d ${server.address} -j ACCEPT
        # Word of a refusal comes by the way that is refused.
        iptables -A OUTPUT -o lo -p icmp --icmp-type destination-unreachable -j ACCEPT
        iptables -A OUTPUT -j REJECT'`)
  } catch (error) {
    end()
    throw error
  }
  const log = join(folder, 'log')
  const strace = [
    'strace',
    '-ff',
    '-qq',
    '-y',
    '-s',
    '4096',
    '--seccomp-bpf',
    '-e',
    `trace=${calls}`,
    '-o',
    log,
  ]
  return {
    under: ['ip', 'netns', 'exec', name, ...strace],
    seen: () => {
      const counters = sh(`ip netns exec ${name} iptables -nvxL OUTPUT`)
      const packets = Number(/^\s*(\d+)\s+\d+\s+REJECT/m.exec(counters)?.[1] ?? Number.NaN)
      const texts = readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8'))
      return { ...read(texts.join('')), packets }
    },
    end,
  }
}

/** Reads strace's log: one call a line, `name(arguments) = result`. */
export function read(log: string): Omit<Seen, 'packets'> {
  const programs: (readonly string[])[] = []
  const peers = new Set<string>()
  const written = new Set<string>()
  const code = new Set<string>()
  for (const line of log.split('\n')) {
    const [, call = '', words = ''] = /^(\w+)\((.*)/.exec(line) ?? []
    if (/^execve(?:at)?$/.test(call)) {
      // Looking for a program in one folder of PATH after the other starts none.
      if (!/= 0$/.test(line)) continue
      const [file = ''] = pathsOf(words)
      programs.push([basename(file), ...strings(/\[(.*)\], 0x/.exec(words)?.[1] ?? '').slice(1)])
    } else if (/^(?:connect|sendto|sendmsg|sendmmsg)$/.test(call)) {
      const peer = peerOf(words)
      if (peer !== undefined) peers.add(peer)
    } else if (call === 'listen') peers.add('(listens)')
    else {
      const files = pathsOf(words)
      const opens = /^open(?:at2?)?$|^creat$/.test(call)
      const writes = opens
        ? call === 'creat' || /\bO_(?:WRONLY|RDWR|CREAT|TRUNC|APPEND)\b/.test(words)
        : changes.test(call)
      if (writes) for (const file of files) written.add(file)
      else if (opens && !/= -1 /.test(line))
        for (const file of files) if (/\.(?:[cm]?[jt]s|node|wasm)$/.test(file)) code.add(file)
    }
  }
  return { programs, peers: [...peers], written: [...written], code: [...code] }
}

/** System calls of `%file` that change something. */
const changes =
  /^(?:mkdir|rmdir|unlink|rename|link|symlink|mknod|chmod|fchmod|chown|lchown|fchown|truncate|utime|utimes|utimensat|futimesat|setxattr|lsetxattr|removexattr|lremovexattr|mount|umount|chroot|pivot_root|swapon|acct|quotactl)/

/** `AT_FDCWD</home>, "name"` and `"/name"`: whole paths. */
function pathsOf(words: string): readonly string[] {
  const pairs = words.matchAll(/(?:(?:AT_FDCWD|\d+)<([^>]*)>, )?("(?:[^"\\]|\\.)*")/g)
  return Array.from(pairs, ([, base = '/', text = '""']) => resolve(base, unquoted(text)))
}

function peerOf(words: string): string | undefined {
  const inet = /sin_port=htons\((\d+)\), sin_addr=inet_addr\("([^"]+)"\)/.exec(words)
  if (inet) return `${inet[2]}:${inet[1]}`
  const inet6 = /sin6_port=htons\((\d+)\).*?inet_pton\(AF_INET6, "([^"]+)"/.exec(words)
  if (inet6) return `[${inet6[2]}]:${inet6[1]}`
  return /sun_path=@?("(?:[^"\\]|\\.)*")/.exec(words)?.[1]
}

function strings(list: string): readonly string[] {
  return Array.from(list.matchAll(/"(?:[^"\\]|\\.)*"/g), ([text]) => unquoted(text))
}

/** strace writes strings as C does; octal for what is not ASCII, of which nothing here asks. */
function unquoted(text: string): string {
  return text
    .slice(1, -1)
    .replaceAll(/\\(.)/g, (_, one: string) => (one === 'n' ? '\n' : one === 't' ? '\t' : one))
}

function sh(script: string): string {
  return execFileSync('sh', ['-euc', script], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}
