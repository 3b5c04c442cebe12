import { releasePaths } from './paths.ts'
import { proxyProperties, releaseProperties } from './sandbox.ts'
import { serviceOrder } from './services.ts'
import type { ReleaseSettings } from './settings.ts'
import { replacing } from './shell-command.ts'
import { findingApp } from './target-env.ts'
import { commandWord, renderUnit } from './unit-text.ts'

/**
 * How a web command gets its visitors: the release's own socket is handed over as descriptor 3; or a proxy leads from
 * there to a unix socket that the command makes, or to a port of 127.0.0.1.
 */
export type WebEntrance = 'descriptor' | 'socket' | 'port'

/** Seconds that a web process has for its last requests beyond `timeout` before systemd kills it. */
const STOP_GRACE_SECONDS = 15

/** Seconds that a web process has to stop. */
export function webStopSeconds({ timeoutSeconds }: ReleaseSettings): number {
  return timeoutSeconds + STOP_GRACE_SECONDS
}

/** What the command's text says about it; a port is what every server can. */
export function entranceOf(command: string): WebEntrance {
  if (/\bfd:\/\/3\b|--fd[= ]3\b/.test(command)) return 'descriptor'
  return /\$SOCKET\b|\$\{SOCKET\b/.test(command) ? 'socket' : 'port'
}

/** Where remote/web.sh writes PORT or SOCKET for command and proxy. */
export function entranceFile({ name, release }: ReleaseSettings): string {
  return `${releasePaths(name, release).deploy}/web.env`
}

/** The file that the unit runs. */
export function webCommandFile({ name, release }: ReleaseSettings): string {
  return `${releasePaths(name, release).deploy}/web-command`
}

/** The text of that file. */
export function renderWebCommand(command: string): string {
  return `${replacing(command).text}\n`
}

/** The file that runs before the command is told to end. */
export function webDrainFile({ name, release }: ReleaseSettings): string {
  return `${releasePaths(name, release).deploy}/web-drain`
}

/**
 * The text of that file. Many servers drop what they are at when they are told to end (waitress does), so nobody tells
 * them before the last visitor of the release's socket has its answer: in state 03 of /proc/net/unix are the connections.
 */
export function renderWebDrain(settings: ReleaseSettings): string {
  const { socket } = releasePaths(settings.name, settings.release)
  return `left=${settings.timeoutSeconds * 5}
while [ "$left" -gt 0 ] && kill -0 "\${MAINPID:-none}" 2>/dev/null &&
  grep -q ' 03 *[0-9]* ${socket}$' /proc/net/unix; do
  sleep 0.2
  left=$((left - 1))
done
`
}

/** The file that the proxy runs before it begins. */
export function webWaitFile({ name, release }: ReleaseSettings): string {
  return `${releasePaths(name, release).deploy}/web-wait`
}

/**
 * The text of that file: visitors wait in the socket's queue until the command listens (state 0A of /proc/net/tcp), at the
 * first start as after a crash or a reboot.
 */
export const webWait = `if [ -n "\${SOCKET:-}" ]; then
  until [ -S "$SOCKET" ]; do sleep 0.1; done
else
  port=$(printf '%04X' "\${PORT:?}")
  until cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | grep -q ":$port [0-9A-F]*:0000 0A "; do sleep 0.1; done
fi
`

/** The unit that leads from the release's socket to the command; no process can be called so. */
export function proxyUnit({ name, release }: ReleaseSettings): string {
  return `web-${name}-${release}.web.proxy.service`
}

/**
 * Renders the service unit of a release that serves by a command of the project's own.
 * @param stopSeconds how long it may take to end
 */
export function renderWebUnit(settings: ReleaseSettings, command: string, stopSeconds: number): string {
  const { systemd } = settings
  const release = releasePaths(settings.name, settings.release)
  const entrance = entranceOf(command)
  const direct = entrance === 'descriptor'
  const services = serviceOrder(settings.name, settings.services)
  const before = direct ? `${release.socketUnit} ` : ''
  return renderUnit([
    [
      'Unit',
      [
        ['Description', `${settings.name}: web process of release ${settings.release}`],
        ...(direct ? [['Requires', release.socketUnit] as const] : []),
        ['After', `${before}network-online.target${services.after}`],
        ['Wants', `network-online.target${services.wants}`],
        ['StartLimitIntervalSec', '0'],
      ],
    ],
    [
      'Service',
      [
        ['Type', systemd >= 240 ? 'exec' : 'simple'],
        ['WorkingDirectory', release.root],
        ['ExecStart', shell(webCommandFile(settings))],
        ...(direct ? [['ExecStop', shell(webDrainFile(settings))] as const] : []),
        ['KillMode', replacing(command).replaces ? 'mixed' : 'control-group'],
        ['TimeoutStartSec', '90'],
        ['TimeoutStopSec', String(stopSeconds)],
        ['Restart', 'always'],
        ['RestartSec', '1'],
        ...(systemd >= 243 ? [['OOMPolicy', 'continue'] as const] : []),
        ...releaseProperties({ ...settings, ...findingApp(settings), ownServer: true }),
        ...(entrance === 'socket'
          ? ([
              ['RuntimeDirectory', `web-${settings.name}.${settings.release}`],
              ['RuntimeDirectoryMode', '0750'],
            ] as const)
          : []),
        // After `env`: a port of the user's would be one that nobody leads to.
        ...(direct ? [] : [['EnvironmentFile', entranceFile(settings)] as const]),
      ],
    ],
    ['Install', [['WantedBy', 'multi-user.target']]],
  ])
}

/**
 * Renders the unit between the release's socket and a command that listens elsewhere: systemd's own program, as the
 * app's user (systemd-socket-proxyd(8)). The socket stays the only way in for nginx, whatever serves a release.
 */
export function renderProxyUnit(settings: ReleaseSettings, command: string, stopSeconds: number): string {
  const release = releasePaths(settings.name, settings.release)
  const target = entranceOf(command) === 'socket' ? '${SOCKET}' : '127.0.0.1:${PORT}'
  return renderUnit([
    [
      'Unit',
      [
        ['Description', `${settings.name}: way to the web process of release ${settings.release}`],
        // It comes after the command and ends before it, with the last answers through; and it ends where the command has
        // died, so that visitors wait in the socket's queue for the next one.
        ['BindsTo', release.serviceUnit],
        ['After', `${release.socketUnit} ${release.serviceUnit}`],
        ['StartLimitIntervalSec', '0'],
      ],
    ],
    [
      'Service',
      [
        // It tells of no readiness (252), and until then systemd would pass over ExecStop=.
        ['Type', settings.systemd >= 240 ? 'exec' : 'simple'],
        ['EnvironmentFile', entranceFile(settings)],
        ['ExecStartPre', shell(webWaitFile(settings))],
        ['ExecStart', `/lib/systemd/systemd-socket-proxyd --connections-max=2048 ${target}`],
        ['ExecStop', shell(webDrainFile(settings))],
        ['TimeoutStartSec', 'infinity'],
        ['TimeoutStopSec', String(stopSeconds)],
        ...proxyProperties(settings.name, settings.systemd),
      ],
    ],
  ])
}

function shell(file: string): string {
  return ['/bin/sh', file].map(commandWord).join(' ')
}
