import { expect, test } from 'vitest'
import { renderServiceUnit, renderSocketUnit } from '../../src/config/units.ts'
import { entranceOf, renderProxyUnit, renderWebDrain } from '../../src/config/web-command.ts'
import { releaseOf } from './sample.ts'

const id = '20261122184800-abc1234'
const root = `/srv/web-shop/releases/${id}`
const proxy = `web-shop-${id}.web.proxy.service`
const lines = (text: string) => text.split('\n')

test.each([
  ['waitress-serve --port=$PORT app:app', 'port'],
  ['./start.sh', 'port'],
  ['waitress-serve --unix-socket=$SOCKET app:app', 'socket'],
  ['serve "${SOCKET}"', 'socket'],
  ['serve $SOCKETS', 'port'],
  ['hypercorn --bind fd://3 app:app', 'descriptor'],
  ['uvicorn --fd 3 app:app', 'descriptor'],
  ['uvicorn --fd=3 app:app', 'descriptor'],
  ['uvicorn --fd 31 app:app', 'port'],
] as const)('%s gets its visitors by a %s', (command, entrance) => {
  expect(entranceOf(command)).toBe(entrance)
})

test('a server on a port is reached through a proxy, which comes after it and ends before it', () => {
  const settings = releaseOf({ webCommand: 'waitress-serve --port=$PORT app:app' })
  expect(lines(renderSocketUnit(settings))).toContain(`Service=${proxy}`)
  const unit = lines(renderServiceUnit(settings))
  expect(unit).toEqual(
    expect.arrayContaining([
      `WorkingDirectory=${root}`,
      `ExecStart=/bin/sh ${root}/.deploy/web-command`,
      'KillMode=mixed',
      'ProtectSystem=strict',
    ]),
  )
  // A port of the user's would be one that nobody leads to.
  const files = unit.filter((line) => line.startsWith('EnvironmentFile='))
  expect(files.at(-1)).toBe(`EnvironmentFile=${root}/.deploy/web.env`)
  // Its script may call app.run().
  expect(unit).not.toContain('Environment=FLASK_RUN_FROM_CLI=true')
  const between = lines(renderProxyUnit(settings, settings.webCommand ?? '', 75))
  expect(between).toEqual(
    expect.arrayContaining([
      `BindsTo=web-shop-${id}.service`,
      `After=web-shop-${id}.socket web-shop-${id}.service`,
      'ExecStart=/lib/systemd/systemd-socket-proxyd --connections-max=2048 127.0.0.1:${PORT}',
      `ExecStop=/bin/sh ${root}/.deploy/web-drain`,
      'User=web-shop',
      'ProtectSystem=strict',
    ]),
  )
  // Nothing of the app's variables is its to see.
  expect(between.filter((line) => line.startsWith('EnvironmentFile='))).toEqual([
    `EnvironmentFile=${root}/.deploy/web.env`,
  ])
  expect(renderWebDrain(settings)).toContain(`/run/web-shop/${id}.sock$' /proc/net/unix`)
})

test('a server on a unix socket has a folder of its own for it', () => {
  const settings = releaseOf({ webCommand: 'serve $SOCKET' })
  expect(lines(renderServiceUnit(settings))).toEqual(
    expect.arrayContaining([`RuntimeDirectory=web-shop.${id}`, 'RuntimeDirectoryMode=0750']),
  )
  expect(renderProxyUnit(settings, 'serve $SOCKET', 75)).toContain(' ${SOCKET}\n')
})

test('a server that takes the socket itself has no proxy', () => {
  const settings = releaseOf({ webCommand: 'hypercorn --bind fd://3 app:app' })
  expect(renderSocketUnit(settings)).not.toContain('Service=')
  const unit = lines(renderServiceUnit(settings))
  expect(unit).toContain(`Requires=web-shop-${id}.socket`)
  expect(unit).toContain(`ExecStop=/bin/sh ${root}/.deploy/web-drain`)
  expect(unit).not.toContain(`EnvironmentFile=${root}/.deploy/web.env`)
})
