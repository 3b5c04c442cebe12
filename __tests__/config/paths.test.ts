import { describe, expect, test } from 'vitest'
import { isAppName, isReleaseId, paths, releasePaths, sourceFolder } from '../../src/config/paths.ts'

test('everything of an app is named web-NAME', () => {
  expect(paths('shop')).toEqual({
    user: 'web-shop',
    buildUser: 'web-shop-build',
    app: '/srv/web-shop',
    releases: '/srv/web-shop/releases',
    current: '/srv/web-shop/current',
    state: '/srv/web-shop/state',
    etc: '/etc/web-shop',
    generated: '/etc/web-shop/generated.env',
    runtime: '/run/web-shop',
    stateDir: '/var/lib/web-shop',
    cacheDir: '/var/cache/web-shop',
    logDir: '/var/log/web-shop',
    buildCache: '/var/cache/web-shop-build',
    deploy: '/run/flask-deploy/shop',
    nginxSite: 'web-shop.conf',
  })
})

test('everything of a release is named by its ID', () => {
  expect(releasePaths('shop', '20261122184800-abc1234')).toEqual({
    root: '/srv/web-shop/releases/20261122184800-abc1234',
    venv: '/srv/web-shop/releases/20261122184800-abc1234/.venv',
    site: '/srv/web-shop/releases/20261122184800-abc1234/.site',
    public: '/srv/web-shop/releases/20261122184800-abc1234/.public',
    previous: '/srv/web-shop/releases/20261122184800-abc1234/.previous',
    deploy: '/srv/web-shop/releases/20261122184800-abc1234/.deploy',
    gunicorn: '/srv/web-shop/releases/20261122184800-abc1234/.deploy/gunicorn.conf.py',
    siteFirst: '/srv/web-shop/releases/20261122184800-abc1234/.deploy/site-first',
    shape: '/srv/web-shop/releases/20261122184800-abc1234/.deploy/shape.json',
    target: '/srv/web-shop/releases/20261122184800-abc1234/.deploy/target.env',
    entry: '/srv/web-shop/releases/20261122184800-abc1234/.deploy/flask_deploy_entry.py',
    socket: '/run/web-shop/20261122184800-abc1234.sock',
    socketLink: '/srv/web-shop/releases/20261122184800-abc1234/.sock',
    firstStart: '/run/web-shop/20261122184800-abc1234.first',
    env: '/etc/web-shop/20261122184800-abc1234.env',
    files: '/etc/web-shop/20261122184800-abc1234.files',
    socketUnit: 'web-shop-20261122184800-abc1234.socket',
    serviceUnit: 'web-shop-20261122184800-abc1234.service',
    socketUnitFile: '/etc/systemd/system/web-shop-20261122184800-abc1234.socket',
    serviceUnitFile: '/etc/systemd/system/web-shop-20261122184800-abc1234.service',
  })
})

test('the longest paths fit into a socket’s address of 107 bytes', () => {
  const { socket } = releasePaths('a'.repeat(21), `20261122184800-${'a'.repeat(40)}`)
  expect(socket.length).toBeLessThanOrEqual(107)
})

describe('names', () => {
  test.each(['a', 'shop', 'my-shop-2', 'a'.repeat(21), 'build'])('%s is one', (name) => {
    expect(isAppName(name)).toBe(true)
  })
  test.each(['', 'A', '1a', '-a', 'a_b', 'a.b', 'a/b', 'a\n', 'é', 'a'.repeat(22), 'shop-build'])(
    '%j is none',
    (name) => {
      expect(isAppName(name)).toBe(false)
      expect(() => paths(name)).toThrow(RangeError)
    },
  )
})

describe('release IDs', () => {
  test.each(['20261122184800-abc1234', '20261122184800-0', '20261122184800-abc1234-2'])('%s is one', (id) => {
    expect(isReleaseId(id)).toBe(true)
  })
  test.each([
    '',
    'x',
    '../20261122184800-abc1234',
    '20261122184800',
    '20261122184800-ABC',
    '20261122184800-abc1234\n',
  ])('%j is none', (id) => {
    expect(isReleaseId(id)).toBe(false)
    expect(() => releasePaths('shop', id)).toThrow(RangeError)
  })
})

describe('the source folder', () => {
  test.each([
    ['', '/r'],
    ['backend', '/r/backend'],
    ['a b/c"d', '/r/a b/c"d'],
  ])('%j is %j', (source, folder) => {
    expect(sourceFolder('/r', source)).toBe(folder)
  })
  test.each(['..', 'a/../..', '/etc', 'a//b', 'a/', '.', 'a\0'])('%j does not stay inside', (source) => {
    expect(() => sourceFolder('/r', source)).toThrow(RangeError)
  })
})
