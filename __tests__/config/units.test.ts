import { describe, expect, test } from 'vitest'
import { renderServiceUnit, renderSocketUnit } from '../../src/config/units.ts'
import { releaseOf } from './sample.ts'

const id = '20261122184800-abc1234'
const root = `/srv/web-shop/releases/${id}`

test('the socket unit', () => {
  expect(renderSocketUnit(releaseOf())).toBe(`[Unit]
Description=shop: socket of release ${id}

[Socket]
ListenStream=/run/web-shop/${id}.sock
SocketUser=root
SocketGroup=www-data
SocketMode=0660
DirectoryMode=0755
Backlog=2048
RemoveOnStop=yes

[Install]
WantedBy=sockets.target
`)
})

test('the service unit', () => {
  expect(renderServiceUnit(releaseOf())).toBe(`[Unit]
Description=shop: web process of release ${id}
Requires=web-shop-${id}.socket
After=web-shop-${id}.socket network-online.target
Wants=network-online.target
StartLimitIntervalSec=0

[Service]
Type=exec
WorkingDirectory=${root}/.deploy
ExecStart=${root}/.venv/bin/python -m gunicorn.app.wsgiapp -c ${root}/.deploy/gunicorn.conf.py flask_deploy_entry:application
KillMode=mixed
TimeoutStartSec=90
TimeoutStopSec=75
Restart=always
RestartSec=1
OOMPolicy=continue
User=web-shop
Group=web-shop
UMask=0027
EnvironmentFile=/etc/web-shop/generated.env
EnvironmentFile=/etc/web-shop/${id}.env
Environment=HOME=/var/lib/web-shop
Environment=PATH=${root}/.venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
Environment=PYTHONDONTWRITEBYTECODE=1
Environment=PYTHONUNBUFFERED=1
Environment=FLASK_RUN_FROM_CLI=true
StateDirectory=web-shop
StateDirectoryMode=0750
CacheDirectory=web-shop
CacheDirectoryMode=0750
LogsDirectory=web-shop
LogsDirectoryMode=0750
LimitCORE=0
LimitNOFILE=65535
TasksMax=512
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
ProtectProc=invisible
RestrictSUIDSGID=yes
RestrictRealtime=yes
RestrictNamespaces=yes
LockPersonality=yes
RemoveIPC=yes
KeyringMode=private
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
CapabilityBoundingSet=
AmbientCapabilities=
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
TemporaryFileSystem=/srv:ro
TemporaryFileSystem=/dev/shm:mode=1777,nosuid,nodev
BindReadOnlyPaths=/srv/web-shop

[Install]
WantedBy=multi-user.target
`)
})

describe('secret files', () => {
  const secretFiles = ['firebase.json', 'api-token']

  test('are handed over by systemd, which names their folder to the app by itself', () => {
    const text = renderServiceUnit(releaseOf({ secretFiles }))
    expect(text).toContain(`LoadCredential=firebase.json:/etc/web-shop/${id}.files/firebase.json\n`)
    expect(text).toContain(`LoadCredential=api-token:/etc/web-shop/${id}.files/api-token\n`)
    expect(text).not.toContain('CREDENTIALS_DIRECTORY')
  })

  test('stay where they are below systemd 247, and the same variable names their folder', () => {
    const text = renderServiceUnit(releaseOf({ secretFiles, systemd: 246 }))
    expect(text).toContain(`Environment=CREDENTIALS_DIRECTORY=/etc/web-shop/${id}.files\n`)
    expect(text).not.toContain('LoadCredential')
  })
})

describe('an older systemd', () => {
  test.each([
    [238, 'SystemCallFilter', 'TemporaryFileSystem'],
    [237, 'TemporaryFileSystem', 'LockPersonality'],
    [246, 'ProtectProc', 'ProtectClock'],
    [242, 'OOMPolicy', 'ProtectHostname'],
  ])('%i gets no %s, but %s', (systemd, without, withIt) => {
    const text = renderServiceUnit(releaseOf({ systemd }))
    expect(text).not.toContain(without)
    expect(text).toContain(withIt)
  })

  test('239 has no way to know that a program ran', () => {
    expect(renderServiceUnit(releaseOf({ systemd: 239 }))).toContain('Type=simple\n')
  })
})

test('the environment of the app is in no unit', () => {
  const settings = releaseOf({ env: new Map([['SECRET', 'marker']]) })
  const text = renderServiceUnit(settings) + renderSocketUnit(settings)
  expect(text).not.toContain('marker')
  expect(text).not.toContain(settings.nonce)
})

test.each(['', 'a b', '%n', 'x\n[Service]'])('%j is no group', (nginxGroup) => {
  expect(() => renderSocketUnit(releaseOf({ nginxGroup }))).toThrow(RangeError)
})
