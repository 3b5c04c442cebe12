import { type IncomingHttpHeaders, request } from 'node:http'
import { releasePaths } from '../../src/config/paths.ts'
import { quote } from '../../src/quote.ts'
import type { Server } from '../server/boot.ts'

/** What a visitor got. */
export interface Page {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/**
 * Asks a server's nginx as a visitor would, from this machine, over a connection of its own.
 * @param host the name asked for; the server's address unless told
 * @throws Error where no answer comes (`socket hang up`: the server closed the connection without a word)
 */
export function visit(server: Server, path = '/', host = server.address): Promise<Page> {
  return new Promise((resolve, reject) => {
    const asking = request(
      { host: server.address, path, headers: { host }, agent: false, timeout: 20_000 },
      (answer) => {
        let body = ''
        answer.setEncoding('utf8')
        answer.on('data', (chunk: string) => {
          body += chunk
        })
        answer.on('error', reject)
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body }))
      },
    )
    asking.on('error', reject)
    asking.on('timeout', () => asking.destroy(new Error('no answer within 20 s')))
    asking.end()
  })
}

/** A release's units: `systemctl is-active`, `is-enabled`, and the main process's ID ('0': none). */
export interface Units {
  readonly socket: { readonly active: string; readonly enabled: string }
  readonly service: { readonly active: string; readonly enabled: string; readonly pid: string }
}

/** @param name NAME @param release a release's ID */
export async function units(server: Server, name: string, release: string): Promise<Units> {
  const { socketUnit, serviceUnit } = releasePaths(name, release)
  // Not `show -p UnitFileState`, which is what systemd remembers; `is-enabled` looks at the disk, as a boot does.
  const [active = '', enabled = '', serviceActive = '', serviceEnabled = '', pid = ''] = (
    await server.must(`for unit in ${socketUnit} ${serviceUnit}; do
      systemctl is-active $unit || :
      systemctl is-enabled $unit || :
    done
    systemctl show -p MainPID --value ${serviceUnit}`)
  ).split('\n')
  return { socket: { active, enabled }, service: { active: serviceActive, enabled: serviceEnabled, pid } }
}

/** What {@link units} says of a release that visitors get. */
export const serving = {
  socket: { active: 'active', enabled: 'enabled' },
  service: { active: 'active', enabled: 'enabled' },
} as const

/** What {@link units} says of a release that is kept on the disk and no more. */
export const resting = {
  socket: { active: 'inactive', enabled: 'disabled' },
  service: { active: 'inactive', enabled: 'disabled', pid: '0' },
} as const

/** Waits until what a run goes on with after its end (the release that visitors have left) is done. */
export async function untilQuiet(server: Server, name: string): Promise<void> {
  await server.must(`for try in $(seq 600); do
    [ -n "$(systemctl list-units --plain --no-legend 'flask-deploy-${name}-*')" ] ||
      systemctl show -p ActiveState 'web-${name}-*' | grep -q =deactivating || exit 0
    sleep 0.1
  done
  systemctl list-units 'flask-deploy-*' 'web-*'
  exit 1`)
}

/** Waits until a release's processes have ended by themselves. */
export async function untilStopped(server: Server, name: string, release: string): Promise<void> {
  const { socketUnit, serviceUnit } = releasePaths(name, release)
  await server.must(`for try in $(seq 300); do
    case "$(systemctl show -p ActiveState --value ${serviceUnit}) $(systemctl show -p ActiveState --value ${socketUnit})" in
      'inactive inactive'*) exit 0 ;;
    esac
    sleep 0.1
  done
  systemctl status ${serviceUnit} ${socketUnit}
  exit 1`)
}

/** Waits until no program of ours works on the server: one goes on for a second or two when its run is told the end. */
export async function untilAtRest(server: Server): Promise<void> {
  await server.must(`for try in $(seq 300); do
    [ -n "$(systemctl list-units --plain --no-legend --state=active,activating,deactivating 'flask-deploy-*')" ] || exit 0
    sleep 0.1
  done
  systemctl list-units 'flask-deploy-*'
  exit 1`)
}

/**
 * Everything below some folders, one line each: path, kind, mode, owner, size, times of the last change of content and
 * of anything, target of a link. Two equal listings: nothing was changed, nor even written anew.
 */
export async function listing(server: Server, ...folders: readonly string[]): Promise<string> {
  const words = folders.map(quote).join(' ')
  await untilAtRest(server)
  return await server.must(`find ${words} -printf '%p %y %m %u:%g %s %T@ %C@ %l\\n' | sort`)
}

/** Modes and owners: `0751 root:web-hello` for each path. @throws Error where one does not exist */
export async function modes(server: Server, ...paths: readonly string[]): Promise<readonly string[]> {
  const words = paths.map(quote).join(' ')
  return (await server.must(`stat -c '%04a %U:%G' ${words}`)).trim().split('\n')
}

/** An app's state file as lines of words. */
export async function stateOf(server: Server, name: string): Promise<readonly (readonly string[])[]> {
  return (await server.readFile(`/srv/web-${name}/state`))
    .trim()
    .split('\n')
    .map((line) => line.split(' '))
}
