import { describe, expect, test } from 'vitest'
import { buildProperties, releaseProperties, sandboxProperties } from '../../src/config/sandbox.ts'
import { findingApp, renderTargetEnv } from '../../src/config/target-env.ts'
import { renderServiceUnit } from '../../src/config/units.ts'
import { releaseOf } from './sample.ts'

const lines = (properties: readonly (readonly [string, string])[]) =>
  properties.map(([key, value]) => `${key}=${value}`)

test('a transient unit meets the same walls as the web process', () => {
  const settings = releaseOf()
  const unit = renderServiceUnit(settings).split('\n')
  for (const line of lines(sandboxProperties(settings.name, settings.systemd))) expect(unit).toContain(line)
  for (const line of lines(releaseProperties(settings))) expect(unit).toContain(line)
})

test('variables of a command stand beside those of every process', () => {
  const environment = new Map([['FLASK_APP', 'wsgi:create_app("it\'s %n")']])
  expect(lines(releaseProperties({ ...releaseOf(), environment }))).toContain(
    `Environment="FLASK_APP=wsgi:create_app(\\"it's %n\\")"`,
  )
})

describe('the secret key that the server made', () => {
  const found = (env: Readonly<Record<string, string>>, systemd = 252) =>
    lines(releaseProperties({ ...releaseOf(), env: new Map(Object.entries(env)), systemd }))
  const unset = (all: readonly string[]) => all.filter((line) => line.startsWith('UnsetEnvironment'))

  test('stands before env, which therefore wins', () => {
    const files = found({}).filter((line) => line.startsWith('EnvironmentFile'))
    expect(files).toEqual([
      'EnvironmentFile=/etc/web-shop/generated.env',
      'EnvironmentFile=/etc/web-shop/20261122184800-abc1234.env',
    ])
    expect(unset(found({}))).toEqual([])
  })

  test('is seen under no name once env has a key under any', () => {
    expect(unset(found({ SECRET_KEY: 'x' }))).toEqual(['UnsetEnvironment=FLASK_SECRET_KEY'])
    expect(unset(found({ FLASK_SECRET_KEY: 'x' }))).toEqual(['UnsetEnvironment=SECRET_KEY'])
    expect(unset(found({ SECRET_KEY: 'x', FLASK_SECRET_KEY: 'y' }))).toEqual([])
    expect(unset(found({ SECRET_KEY: 'x' }, 234))).toEqual([])
  })
})

test('memory files are its own: what others fill or plant there is not in its way', () => {
  expect(lines(sandboxProperties('shop', 247))).toContain(
    'TemporaryFileSystem=/dev/shm:mode=1777,nosuid,nodev',
  )
})

describe('a build', () => {
  const build = {
    name: 'shop',
    systemd: 252,
    readable: ['/srv/web-shop/releases/x'],
    writable: ['/srv/web-shop/releases/x/.venv'],
    environment: new Map([['UV_SYSTEM_CERTS', '1']]),
  }
  const found = lines(buildProperties(build))

  test('runs as a user of its own, who can read what the release may read', () => {
    expect(found).toContain('User=web-shop-build')
    expect(found).toContain('SupplementaryGroups=web-shop')
  })

  test('sees no code but what it is given, and no state', () => {
    expect(found).not.toContain('BindReadOnlyPaths=/srv/web-shop')
    expect(found).toContain('TemporaryFileSystem=/srv:ro')
    expect(found).toContain('BindReadOnlyPaths=/srv/web-shop/releases/x')
    expect(found).toContain('BindPaths=/srv/web-shop/releases/x/.venv')
    expect(found).toContain('InaccessiblePaths=-/var/lib/web-shop')
    expect(found).toContain('InaccessiblePaths=-/etc/web-shop')
  })

  test('never meets the release’s variables', () => {
    expect(found.join('\n')).not.toContain('EnvironmentFile')
    expect(found).toContain('Environment=UV_SYSTEM_CERTS=1')
    expect(found).toContain('Environment=UV_CACHE_DIR=/var/cache/web-shop-build/uv')
  })

  test.each(['relative', '/a:b', '/a b', '/a\n', '/'])('%j is no path to bind', (path) => {
    expect(() => buildProperties({ ...build, readable: [path] })).toThrow(RangeError)
  })
})

describe('the environment of a command', () => {
  const root = '/srv/web-shop/releases/20261122184800-abc1234'

  test('names the app and its folders', () => {
    const settings = releaseOf({ source: 'backend' })
    expect(renderTargetEnv(settings, settings.target, false)).toBe(
      `FLASK_APP=wsgi:app\nPYTHONPATH=${root}/backend:${root}/.site\n`,
    )
    expect(renderTargetEnv(settings, settings.target, true)).toContain(
      `PYTHONPATH=${root}/.site:${root}/backend\n`,
    )
  })

  test('has no folder that PYTHONPATH would split', () => {
    const settings = releaseOf({ source: 'a:b' })
    expect(renderTargetEnv(settings, settings.target, false)).toBe('FLASK_APP=wsgi:app\n')
  })

  test('comes before all that is the user’s, who has the last word', () => {
    const files = releaseProperties({ ...releaseOf(), ...findingApp(releaseOf()) }).flatMap(([key, value]) =>
      key === 'EnvironmentFile' ? [value] : [],
    )
    expect(files).toEqual([
      `${root}/.deploy/target.env`,
      '/etc/web-shop/generated.env',
      '/etc/web-shop/20261122184800-abc1234.env',
    ])
  })

  test('of an app that only its own server knows is the release’s folder', () => {
    const target = { ...releaseOf().target, module: '', expression: '' }
    expect([...(findingApp(releaseOf({ target })).environment ?? [])]).toEqual([['PYTHONPATH', root]])
  })
})
