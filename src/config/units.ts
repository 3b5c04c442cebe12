import { ENTRY_MODULE, releasePaths } from './paths.ts'
import { releaseProperties } from './sandbox.ts'
import { serviceOrder } from './services.ts'
import type { ReleaseSettings } from './settings.ts'
import { commandWord, renderUnit } from './unit-text.ts'
import { entranceOf, proxyUnit, renderWebUnit, webStopSeconds } from './web-command.ts'

/**
 * Renders a release's socket unit. systemd makes the socket, so that nginx's group and nobody else can connect, and
 * so that requests wait in its queue while the service restarts.
 */
export function renderSocketUnit(settings: ReleaseSettings): string {
  const release = releasePaths(settings.name, settings.release)
  if (!/^[A-Za-z_][A-Za-z0-9_.-]*$/.test(settings.nginxGroup)) {
    throw new RangeError(`not a group: ${JSON.stringify(settings.nginxGroup)}`)
  }
  return renderUnit([
    ['Unit', [['Description', `${settings.name}: socket of release ${settings.release}`]]],
    [
      'Socket',
      [
        ['ListenStream', release.socket],
        ['SocketUser', 'root'],
        ['SocketGroup', settings.nginxGroup],
        ['SocketMode', '0660'],
        ['DirectoryMode', '0755'],
        ['Backlog', '2048'],
        ['RemoveOnStop', 'yes'],
        ...(settings.webCommand === undefined || entranceOf(settings.webCommand) === 'descriptor'
          ? []
          : [['Service', proxyUnit(settings)] as const]),
      ],
    ],
    ['Install', [['WantedBy', 'sockets.target']]],
  ])
}

/**
 * Renders a release's service unit: that of a web command where there is one, else of gunicorn.
 *
 * gunicorn starts in our own folder, not in the project's: `python -m` puts the working directory first on sys.path, and a
 * project's `gunicorn.py` would be taken for gunicorn. gunicorn.conf.py changes into the project afterwards.
 *
 * It does not wait for gunicorn's readiness message: that comes before the app is imported, so it proves nothing, and
 * gunicorn before 20.0 sends none. What gates a release is the health check.
 */
export function renderServiceUnit(settings: ReleaseSettings): string {
  const { systemd, webCommand } = settings
  const release = releasePaths(settings.name, settings.release)
  const services = serviceOrder(settings.name, settings.services)
  const stopSeconds = webStopSeconds(settings)
  if (webCommand !== undefined) return renderWebUnit(settings, webCommand, stopSeconds)
  const command = [
    `${release.venv}/bin/python`,
    '-m',
    'gunicorn.app.wsgiapp',
    '-c',
    release.gunicorn,
    `${ENTRY_MODULE}:application`,
  ]
  return renderUnit([
    [
      'Unit',
      [
        ['Description', `${settings.name}: web process of release ${settings.release}`],
        ['Requires', release.socketUnit],
        ['After', `${release.socketUnit} network-online.target${services.after}`],
        ['Wants', `network-online.target${services.wants}`],
        // A release that served once is tried again for ever: its database may come back.
        ['StartLimitIntervalSec', '0'],
      ],
    ],
    [
      'Service',
      [
        ['Type', systemd >= 240 ? 'exec' : 'simple'],
        ['WorkingDirectory', release.deploy],
        ['ExecStart', command.map(commandWord).join(' ')],
        ['KillMode', 'mixed'],
        ['TimeoutStartSec', '90'],
        ['TimeoutStopSec', String(stopSeconds)],
        ['Restart', 'always'],
        ['RestartSec', '1'],
        ...(systemd >= 243 ? [['OOMPolicy', 'continue'] as const] : []),
        ...releaseProperties(settings),
      ],
    ],
    ['Install', [['WantedBy', 'multi-user.target']]],
  ])
}
