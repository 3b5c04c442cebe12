import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { clientKey } from './client-key.ts'
import type { Outcome } from './command.ts'
import { type Holder, startHolder } from './holder.ts'
import { leader, letsUsersIn, type RunOptions, runInside } from './inside.ts'
import { canBoot } from './requirements.ts'
import { resolverFile } from './resolver.ts'
import { reap, release, type Slot, takeSlot } from './slots.ts'
import type { Suite } from './suites.ts'
import { ensureImage, ensureTree, type TreeChoice } from './trees.ts'

export type BootOptions = {
  suite: Suite
  /** bare: as a hoster hands it out. ready (unless told): with what a first deploy installs. authority: for `startAuthority`. */
  packages?: TreeChoice['packages']
  /**
   * overlay (unless told): in memory over the shared tree, the fastest.
   * copy: a folder of its own on the host's disk.
   * image: an ext4 image, whose power cut loses what was not synced. All outlive `reboot`, none outlives `stop`.
   */
  disk?: 'overlay' | 'copy' | 'image'
  /** uutils and sudo-rs for GNU coreutils and sudo, as on Ubuntu 26.04 (suite sid only). */
  uutils?: boolean
  /** Host name; `server-N` unless told. */
  name?: string
  /** Bytes of memory that the server and all in it may have together, without swap. Wants a disk that is none of it: `copy`. */
  memory?: number
}

export const hostKeyTypes = ['ed25519', 'rsa', 'ecdsa'] as const
export type HostKeyType = (typeof hostKeyTypes)[number]

/** A real server that is running. Users: root, deploy (sudo), asker (sudo, login: password `correct horse`). */
export type Server = {
  name: string
  suite: Suite
  /** IPv4, reachable from this machine only. */
  address: string
  port: number
  /** Of the client key that all three users let in: OpenSSH text, and its file. */
  privateKey: string
  privateKeyPath: string
  /** known_hosts lines for `address`, one for each host key. */
  knownHosts: string
  /** `SHA256:...` of each host key, as ssh-keygen -l shows it. */
  fingerprints: Record<HostKeyType, string>
  /** Runs an sh script as root inside, without ssh. @throws Error when off or too late */
  run(script: string, options?: RunOptions): Promise<Outcome>
  /** Like `run`; returns stdout. @throws Error with the output when the status is not 0 */
  must(script: string, options?: RunOptions): Promise<string>
  /** A file's text. @throws Error */
  readFile(path: string): Promise<string>
  /** A clean reboot, from `systemctl reboot` until sshd answers and all that is started at boot has started (or failed). */
  reboot(): Promise<void>
  /** Waits (60 s) until sshd answers and users may log in; `boot`, `reboot` and `powerOn` have done so. */
  untilUp(): Promise<void>
  /** Everything ends this instant, and the line falls silent: no connection is closed. See `disk` for what is lost. */
  powerCut(): Promise<void>
  powerOn(): Promise<void>
  /** Packets are lost both ways, silently, as on a cut line; nothing inside notices. */
  unplug(): Promise<void>
  plug(): Promise<void>
  /** The last lines of the console. */
  console(): string
  /** Ends the server and removes every trace of it. May be called twice. */
  stop(): Promise<void>
}

const bootTimeoutMs = 60_000
const rebootTimeoutMs = 120_000
const pollMs = 10

/**
 * Boots a real server: systemd as PID 1, sshd, a network of its own; builds its tree first where the cache has none.
 * It ends at `stop`, or with this process, however that ends.
 * @throws Error where this machine cannot (see `canBoot`), or with the console's last lines after 60 s
 */
export async function boot(options: BootOptions): Promise<Server> {
  const able = canBoot()
  if (!able.ok) throw new Error(able.why)
  const { suite, packages = 'ready', disk = 'overlay', uutils = false } = options
  const tree = await ensureTree({ suite, packages, uutils })
  const image = disk === 'image' ? await ensureImage(tree) : ''
  const key = await clientKey()
  await reap()
  const slot = takeSlot()
  const name = options.name ?? `server-${slot.number}`
  const holder = await startHolder(slot, {
    NAME: name,
    TREE: tree,
    IMAGE: image,
    DISK: disk,
    HOST_ADDRESS: slot.hostAddress,
    ADDRESS: slot.address,
    RESOLVER: resolverFile(slot.folder),
    MEMORY: options.memory === undefined ? '' : String(options.memory),
  }).catch(async (error: unknown) => {
    await release(slot.folder, slot.token)
    throw error
  })
  const server = assemble({ name, suite, slot, holder, tree, key })
  try {
    await holder.order('start')
    await server.untilUp()
  } catch (error) {
    await server.stop()
    throw error
  }
  return server
}

type Parts = {
  name: string
  suite: Suite
  slot: Slot
  holder: Holder
  tree: string
  key: { path: string; privateKey: string }
}

function assemble({ name, suite, slot, holder, tree, key }: Parts): Server {
  const { address } = slot
  const hostKeys = hostKeyTypes.map((type) =>
    readFileSync(`${tree}/etc/ssh/ssh_host_${type}_key.pub`, 'utf8'),
  )
  const [ed25519, rsa, ecdsa] = hostKeys.map(fingerprint)
  const pidOne = () => leader(holder.pid, slot.number)
  const run = (script: string, options?: RunOptions) => runInside(holder.pid, slot.number, script, options)
  const must = async (script: string, options?: RunOptions) => {
    const { status, stdout, stderr } = await run(script, options)
    if (status !== 0) throw new Error(`on ${name}, status ${status}: ${script}\n${stdout}${stderr}`)
    return stdout
  }
  const untilUp = () =>
    until(bootTimeoutMs, 'answer on its ssh port', holder, async () => {
      const pid = pidOne()
      return pid !== undefined && (await banner(address)) && letsUsersIn(pid)
    })
  let stopped: Promise<void> | undefined
  return {
    name,
    suite,
    address,
    port: 22,
    privateKey: key.privateKey,
    privateKeyPath: key.path,
    knownHosts: hostKeys.map((line) => `${address} ${line.split(' ').slice(0, 2).join(' ')}\n`).join(''),
    fingerprints: { ed25519: ed25519 ?? '', rsa: rsa ?? '', ecdsa: ecdsa ?? '' },
    run,
    must,
    readFile: (path) => must(`cat -- '${path.replaceAll("'", `'\\''`)}'`),
    async reboot() {
      const before = pidOne()
      // Its own end may be part of the reboot, so its status says nothing.
      await run('systemctl reboot')
      await until(rebootTimeoutMs, 'go down and come back', holder, async () => {
        const now = pidOne()
        return now !== undefined && now !== before
      })
      await untilUp()
      // What waits for nginx, or for a recovery before it, comes after sshd.
      await until(rebootTimeoutMs, 'bring up its units', holder, async () => {
        const { stdout } = await run('systemctl is-system-running')
        return !['initializing', 'starting'].includes(stdout.trim())
      })
    },
    untilUp,
    powerCut: () => holder.order('cut'),
    async powerOn() {
      await holder.order('on')
      await untilUp()
    },
    unplug: () => holder.order('unplug'),
    plug: () => holder.order('plug'),
    console: () => holder.console(),
    stop() {
      stopped ??= holder.end()
      return stopped
    },
  }
}

/** What `ssh-keygen -l` shows: SHA-256 of the key's bytes in base64 without padding. */
function fingerprint(publicKey: string): string {
  const bytes = Buffer.from(publicKey.split(' ')[1] ?? '', 'base64')
  return `SHA256:${createHash('sha256').update(bytes).digest('base64').replaceAll('=', '')}`
}

async function until(
  timeoutMs: number,
  what: string,
  holder: Holder,
  condition: () => Promise<boolean>,
): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!(await condition())) {
    if (performance.now() > deadline) {
      throw new Error(`the test server did not ${what} within ${timeoutMs / 1000} s\n${holder.console()}`)
    }
    await sleep(pollMs)
  }
}

/** Whether an ssh server greets on port 22 of the address within a second. */
function banner(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port: 22 })
    const answer = (yes: boolean) => {
      socket.destroy()
      resolve(yes)
    }
    socket.setTimeout(1000, () => answer(false))
    socket.on('data', (bytes) => answer(bytes.toString().startsWith('SSH-')))
    socket.on('error', () => answer(false))
    socket.on('end', () => answer(false))
  })
}
