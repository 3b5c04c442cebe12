import { type AppPaths, paths, UNIT_FOLDER } from './paths.ts'
import { serviceProperties } from './sandbox.ts'
import { commandWord, type Property, renderUnit } from './unit-text.ts'

/** A service of the server's distribution, run for one app. */
export type ServiceName = 'postgresql' | 'redis'

/** Where Debian's PostgreSQL has its socket. */
export const POSTGRESQL_SOCKETS = '/var/run/postgresql'

/** Debian packages (`a|b` is either of them). PostgreSQL from its makers has a package for each version only. */
export const servicePackages: Readonly<Record<ServiceName, string>> = {
  postgresql: ['postgresql', ...Array.from({ length: 12 }, (_, at) => `postgresql-${21 - at}`)].join('|'),
  redis: 'redis-server',
}

/** The Redis instance of an app. A dot stands in no NAME, so no release, app or process of any app is called like it. */
export interface RedisPaths {
  readonly unit: string
  readonly unitFile: string
  readonly socket: string
}

/** @param name NAME */
export function redisPaths(name: string): RedisPaths {
  const instance = instanceOf(paths(name))
  const unit = `${instance}.service`
  return { unit, unitFile: `${UNIT_FOLDER}/${unit}`, socket: `/run/${instance}/redis.sock` }
}

function instanceOf({ user }: AppPaths): string {
  return `${user}.redis`
}

/**
 * The variables by which a release finds its services. None is secret: whom the sockets let in is the kernel's word for
 * who asks. They belong to the release, since the driver that it brings decides their form; `env` wins over them.
 * @param packages the project's dependencies, by normalised names
 */
export function serviceVariables(
  name: string,
  services: readonly ServiceName[],
  packages: readonly string[],
): ReadonlyMap<string, string> {
  const { user } = paths(name)
  const { socket } = redisPaths(name)
  const variables: (readonly [string, string])[] = []
  if (services.includes('postgresql')) {
    // libpq's form (PostgreSQL manual, "Connection URIs"), which SQLAlchemy reads too: no host but the socket's folder.
    variables.push(['DATABASE_URL', `${scheme(packages)}://${user}@/${user}?host=${POSTGRESQL_SOCKETS}`])
  }
  if (services.includes('redis')) {
    variables.push(['REDIS_URL', `unix://${socket}?db=0`])
    // kombu's word for a socket; Celery takes both of these by itself, before its own settings.
    if (packages.includes('celery')) {
      for (const variable of ['CELERY_BROKER_URL', 'CELERY_RESULT_BACKEND'])
        variables.push([variable, `redis+socket://${socket}`])
    }
    // What `rq worker` reads where it is given no address.
    if (packages.includes('rq')) variables.push(['RQ_REDIS_URL', `unix://${socket}?db=0`])
  }
  return new Map(variables)
}

/**
 * SQLAlchemy takes `postgresql` for psycopg2 up to 2.0, and for psycopg since 2.1, whichever is there; which SQLAlchemy
 * it will be is known on the server only. So it is told the driver, where there is one.
 */
function scheme(packages: readonly string[]): string {
  const has = (form: RegExp) => packages.some((one) => form.test(one))
  const [two, three] = [has(/^psycopg2(-|$)/), has(/^psycopg(-|$)/)]
  if (!has(/sqlalchemy|^sqlmodel$/) || two === three) return 'postgresql'
  return two ? 'postgresql+psycopg2' : 'postgresql+psycopg'
}

/** For the `[Unit]` section of everything that uses them: after a boot they come first. */
export function serviceOrder(
  name: string,
  services: readonly ServiceName[],
): { readonly after: string; readonly wants: string } {
  const redis = services.includes('redis') ? ` ${redisPaths(name).unit}` : ''
  const postgresql = services.includes('postgresql') ? ' postgresql.service' : ''
  return { after: redis + postgresql, wants: redis }
}

/** At most this share of the memory is Redis's, in steps of 64 MB: a little more or less is no other unit. */
const MEMORY_SHARE = 8
const STEP = 64 * 1024 * 1024

/** What the unit of an app's Redis is rendered from. */
export interface RedisSettings {
  readonly name: string
  readonly systemd: number
  readonly memoryBytes: number
}

/**
 * Renders the unit of an app's own Redis: as the app's user, on a unix socket that only this user can reach. Every
 * write is in its log within a second, so that queues outlive restarts. When it is full it refuses writes: to drop what
 * is in a queue would lose tasks without a word.
 */
export function renderRedisUnit({ name, systemd, memoryBytes }: RedisSettings): string {
  const { user } = paths(name)
  const instance = instanceOf(paths(name))
  const memory = Math.max(1, Math.floor(memoryBytes / MEMORY_SHARE / STEP)) * STEP
  const settings: readonly Property[] = [
    ['port', '0'],
    ['unixsocket', redisPaths(name).socket],
    ['unixsocketperm', '700'],
    ['dir', `/var/lib/${instance}`],
    ['appendonly', 'yes'],
    ['save', ''],
    ['maxmemory', String(memory)],
    ['maxmemory-policy', 'noeviction'],
    ['daemonize', 'no'],
    ['supervised', 'systemd'],
  ]
  const words = settings.flatMap(([key, value]) => [`--${key}`, value])
  return renderUnit([
    ['Unit', [['Description', `${name}: Redis of ${user}`]]],
    [
      'Service',
      [
        ['Type', 'notify'],
        ['ExecStart', ['/usr/bin/redis-server', ...words].map(commandWord).join(' ')],
        ['Restart', 'always'],
        ['RestartSec', '1'],
        ['TimeoutStartSec', '90'],
        ['TimeoutStopSec', '60'],
        ['StateDirectory', instance],
        ['StateDirectoryMode', '0700'],
        ['RuntimeDirectory', instance],
        ['RuntimeDirectoryMode', '0700'],
        ...serviceProperties(name, systemd),
      ],
    ],
    ['Install', [['WantedBy', 'multi-user.target']]],
  ])
}
