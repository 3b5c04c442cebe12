import { describe, expect, test } from 'vitest'
import { programFiles } from '../../src/apply/program-files.ts'
import { makePlan } from '../../src/plan/plan.ts'
import { bareLines, facts, readyLines, wish } from './sample.ts'

const both = ['postgresql', 'redis'] as const
const packages = (lines: readonly string[], extra: readonly string[] = []) =>
  makePlan(facts(lines), wish({ app: { services: both, packages: extra } })).operations.flatMap((one) =>
    one.kind === 'install-packages' ? one.names : [],
  )

test('a service comes with its package, unless one of its versions is there', () => {
  expect(packages(readyLines)).toEqual(['postgresql', 'redis-server'])
  expect(packages([...readyLines, 'installed postgresql-16', 'installed redis-server'])).toEqual([])
})

test('services are made once the app’s user is there, and before anything of the project runs', () => {
  const kinds = makePlan(facts(bareLines), wish({ app: { services: both } })).operations.map(
    (one) => one.kind,
  )
  expect(kinds.slice(0, 7)).toEqual([
    'install-packages',
    'claim',
    'account',
    'generated-env',
    'postgresql',
    'redis',
    'receive-bundle',
  ])
})

describe('the addresses', () => {
  const envFile = (env: ReadonlyMap<string, string>) => {
    const plan = makePlan(facts(bareLines), wish({ app: { services: both, env } }))
    const found = plan.operations.find((one) => one.kind === 'write-file' && one.what === 'env file')
    const told = plan.operations.flatMap((one) =>
      one.kind === 'postgresql' || one.kind === 'redis' ? one.variables : [],
    )
    return { content: found?.kind === 'write-file' ? found.content : '', told }
  }

  test('are in the release’s env file', () => {
    const { content, told } = envFile(new Map())
    expect(content).toContain('DATABASE_URL=postgresql://web-hello@/web-hello')
    expect(content).toContain('REDIS_URL=unix:///run/web-hello.redis/redis.sock')
    expect(told).toEqual(['DATABASE_URL', 'REDIS_URL'])
  })

  test('give way to env', () => {
    const { content, told } = envFile(new Map([['DATABASE_URL', 'sqlite:///own.db']]))
    expect(content.match(/^DATABASE_URL=.*$/gm)).toEqual(['DATABASE_URL=sqlite:///own.db'])
    expect(told).toEqual(['REDIS_URL'])
  })
})

test('the distribution’s own Redis is stopped where nobody asked for it, and kept where `packages` names it', () => {
  const stopped = (names: readonly string[]) =>
    programFiles(makePlan(facts(bareLines), wish({ app: { services: both, packages: names } }))).get(
      'apt.stop',
    )
  expect(stopped([])).toBe('redis-server redis-server.service\n')
  expect(stopped(['redis-server'])).toBe('')
})
