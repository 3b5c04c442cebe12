import { describe, expect, test } from 'vitest'
import { DeployError } from '../../src/errors.ts'
import { neighbourWarnings } from '../../src/plan/guard-neighbours.ts'
import { makePlan } from '../../src/plan/plan.ts'
import { facts, readyLines, wish } from './sample.ts'

const id = '20261122184800-abc1234'

const deployed = [
  'home yes',
  'state generation 1',
  'state owner 4711 someone/hello',
  `state current ${id}`,
  `state previous 20261121184800-abc1233`,
  `state release ${id} b d s c`,
  'state release 20261121184800-abc1233 b d s c',
]

function refusal(lines: readonly string[], changes: Parameters<typeof wish>[0] = {}): DeployError {
  try {
    makePlan(facts([...readyLines, ...lines]), wish(changes))
  } catch (error) {
    if (error instanceof DeployError) return error
    throw error
  }
  throw new Error('was not refused')
}

describe('a port that is somebody else’s', () => {
  test.each([
    [
      'port 80 apache2.service apache2',
      'taken by `apache2` (apache2.service)',
      'disable --now apache2.service',
    ],
    ['port 80 docker.service docker-proxy', 'taken by `docker-proxy`', 'docker ps --filter publish=80'],
    ['port 80 cockpit.socket systemd', '(cockpit.socket)', 'disable --now cockpit.socket'],
    ['port 80 session-4.scope nginx', 'taken by `nginx` (session-4.scope)', 'nginx -s stop'],
    ['port 80 session-4.scope node', '(session-4.scope)', 'End it on the server'],
    ['port 80 - ', 'taken by another program', 'End it on the server'],
    ['port 80 x;y ::error::\x1b[1m', 'taken by `::error::\\x1b[1m`', 'End it on the server'],
  ])('%s', (line, cause, cure) => {
    for (const command of ['deploy', 'plan'] as const) {
      const error = refusal([line], { inputs: { command } })
      expect(error.code).toBe('port-taken')
      expect(error.explanations).toHaveLength(1)
      expect(error.explanations[0]?.cause).toContain(cause)
      expect(error.explanations[0]?.cure).toContain(cure)
    }
  })

  test('is named once, with the panel that brought it', () => {
    const error = refusal([
      'port 80 lshttpd.service litespeed',
      'panel CyberPanel',
      'port 80 lshttpd.service litespeed',
    ])
    expect(error.explanations).toHaveLength(1)
    expect(error.explanations[0]?.cause).toContain('the server is run by CyberPanel')
    expect(error.explanations[0]?.cure).toContain('without a control panel')
  })

  test('matters on 443 only where the site is to have HTTPS', () => {
    const lines = ['port 443 sslh.service sslh']
    expect(makePlan(facts([...readyLines, ...lines]), wish()).kind).toBe('deploy')
    const [only] = refusal(lines, { tls: { mode: 'auto' } }).explanations
    expect(only?.cause).toContain('Port 443')
    expect(only?.cure).toContain('`tls: off`')
    // It is up without, and goes on so.
    expect(
      makePlan(facts([...readyLines, ...deployed, ...lines]), wish({ tls: { mode: 'auto' } })).kind,
    ).toBe('deploy')
    const both = refusal([...lines, 'port 80 sslh.service sslh'], { tls: { mode: 'auto' } })
    expect(both.explanations.map(({ cause }) => cause)).toEqual([
      expect.stringContaining('Ports 80 and 443 of the server are'),
    ])
  })

  test('holds up a rollback too, for nobody would see it', () => {
    expect(refusal([...deployed, 'port 80 a.service a'], { inputs: { command: 'rollback' } }).code).toBe(
      'port-taken',
    )
  })
})

describe('a name that another site has', () => {
  test('is told with file and line, once for a file', () => {
    const error = refusal([
      'site 80 example.org 3 /etc/nginx/conf.d/shop.conf',
      'site 443 example.org 9 /etc/nginx/conf.d/shop.conf',
      'site 80 other.example 3 /etc/nginx/conf.d/shop.conf',
    ])
    expect(error.code).toBe('site-taken')
    expect(error.explanations.map(({ cause }) => cause)).toEqual([
      'Another site of the server has the name example.org already (/etc/nginx/conf.d/shop.conf, line 3); nginx would let only one of the two answer.',
    ])
  })

  test('over HTTPS matters where the site is to have that', () => {
    const lines = ['site 443 example.org 3 /etc/nginx/conf.d/shop.conf']
    expect(makePlan(facts([...readyLines, ...lines]), wish()).kind).toBe('deploy')
    expect(refusal(lines, { tls: { mode: 'auto' } }).code).toBe('site-taken')
  })

  test('may be that of another app', () => {
    const error = refusal(['site 80 example.org 3 /etc/nginx/sites-enabled/web-shop.conf'])
    expect(error.explanations[0]?.cause).toContain('The app shop of the server has the name example.org')
    expect(error.explanations[0]?.cure).toContain("that app's `domain`")
  })

  test('does not hold up a rollback', () => {
    const lines = [...readyLines, ...deployed, 'site 80 example.org 3 /etc/nginx/conf.d/shop.conf']
    expect(makePlan(facts(lines), wish({ inputs: { command: 'rollback' } })).kind).toBe('rollback')
  })

  test.each([
    [['example.org'], 'deploy'],
    [['_'], 'site-taken'],
  ])('the default server matters where %s is wished', (domains, expected) => {
    const lines = [...readyLines, 'default-site 80 1 /etc/nginx/conf.d/all.conf']
    const outcome = () => {
      try {
        return makePlan(facts(lines), wish({ site: { domains } })).kind
      } catch (error) {
        return error instanceof DeployError ? error.code : 'unknown'
      }
    }
    expect(outcome()).toBe(expected)
  })
})

test('a web server that waits for the next boot stops a first deploy, and is a warning later', () => {
  const waiting = ['waits apache2.service']
  expect(refusal(waiting).code).toBe('web-server-waits')
  const later = facts([...readyLines, ...deployed, ...waiting])
  expect(makePlan(later, wish()).kind).toBe('deploy')
  expect(neighbourWarnings(later)).toEqual([
    { code: 'web-server-waits', text: expect.stringContaining('`systemctl disable apache2.service`') },
  ])
})

test('all reasons are told at once', () => {
  const error = refusal([
    'port 80 a.service a',
    'nginx-unit masked',
    'site 80 example.org 1 /etc/nginx/conf.d/x.conf',
    'waits apache2.service',
  ])
  expect(error.explanations).toHaveLength(4)
})
