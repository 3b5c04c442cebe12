import { describe, expect, test } from 'vitest'
import { renderRedisUnit, serviceVariables } from '../../src/config/services.ts'
import { renderServiceUnit } from '../../src/config/units.ts'
import { releaseOf } from './sample.ts'

const both = ['postgresql', 'redis'] as const

test('without services there are no variables', () => {
  expect([...serviceVariables('shop', [], ['sqlalchemy', 'celery', 'rq'])]).toEqual([])
})

describe('the database’s address', () => {
  const address = (packages: readonly string[]) =>
    serviceVariables('shop', ['postgresql'], packages).get('DATABASE_URL')?.split(':')[0]

  test('names user, database and the folder of the socket', () => {
    expect([...serviceVariables('shop', ['postgresql'], [])]).toEqual([
      ['DATABASE_URL', 'postgresql://web-shop@/web-shop?host=/var/run/postgresql'],
    ])
  })

  test.each([
    ['postgresql', ['psycopg2']],
    ['postgresql', ['psycopg']],
    ['postgresql+psycopg2', ['flask-sqlalchemy', 'psycopg2']],
    ['postgresql+psycopg2', ['sqlalchemy', 'psycopg2-binary']],
    ['postgresql+psycopg', ['sqlmodel', 'psycopg']],
    ['postgresql+psycopg', ['sqlalchemy', 'psycopg', 'psycopg-binary', 'psycopg-pool']],
    // Both are there: whichever SQLAlchemy takes will do.
    ['postgresql', ['sqlalchemy', 'psycopg', 'psycopg2']],
    ['postgresql', ['sqlalchemy', 'psycopg2cffi-compat']],
  ])('has the scheme %s for %j', (scheme, packages) => {
    expect(address(packages)).toBe(scheme)
  })
})

test('Celery and RQ are told of the queue by their own variables, where they are there', () => {
  const socket = '/run/web-shop.redis/redis.sock'
  expect([...serviceVariables('shop', ['redis'], ['redis'])]).toEqual([
    ['REDIS_URL', `unix://${socket}?db=0`],
  ])
  expect([...serviceVariables('shop', ['redis'], ['celery', 'rq'])]).toEqual([
    ['REDIS_URL', `unix://${socket}?db=0`],
    ['CELERY_BROKER_URL', `redis+socket://${socket}`],
    ['CELERY_RESULT_BACKEND', `redis+socket://${socket}`],
    ['RQ_REDIS_URL', `unix://${socket}?db=0`],
  ])
})

test('a release comes up after its services', () => {
  const unit = renderServiceUnit(releaseOf({ services: both }))
  expect(unit).toContain(
    'After=web-shop-20261122184800-abc1234.socket network-online.target web-shop.redis.service postgresql.service\n',
  )
  expect(unit).toContain('Wants=network-online.target web-shop.redis.service\n')
})

describe('Redis', () => {
  const mb = 1024 * 1024
  const unit = (memoryBytes: number) => renderRedisUnit({ name: 'shop', systemd: 252, memoryBytes })

  test('listens on a socket of its user alone, and to no network', () => {
    const lines = unit(2048 * mb).split('\n')
    expect(lines.find((line) => line.startsWith('ExecStart='))).toMatch(
      /--port 0 --unixsocket \/run\/web-shop\.redis\/redis\.sock --unixsocketperm 700 /,
    )
    for (const line of ['RuntimeDirectoryMode=0700', 'StateDirectoryMode=0700', 'User=web-shop'])
      expect(lines).toContain(line)
    expect(lines.filter((line) => line.startsWith('RestrictAddressFamilies'))).toEqual([
      'RestrictAddressFamilies=AF_UNIX',
    ])
    expect(lines.filter((line) => line.startsWith('BindReadOnlyPaths'))).toEqual([])
  })

  test.each([
    [256, 64],
    [1000, 64],
    [2048, 256],
    [2100, 256],
  ])('of %i MB of memory takes %i', (memory, share) => {
    expect(unit(memory * mb)).toContain(`--maxmemory ${share * mb} `)
  })
})
