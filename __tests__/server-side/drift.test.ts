import { expect, test } from 'vitest'
import { parseFacts } from '../../src/server/facts.ts'

const id = '20261122184800-abc1234'
const app = ['state generation 1', 'state owner 4711 someone/hello', `state current ${id}`]

test('what was changed by hand has its lines', () => {
  const { drift, moreDrift } = parseFacts([
    ...app,
    'nginx-unit stopped',
    'nginx-unit masked',
    'drift replaced edited - /etc/nginx/sites-enabled/web-hello.conf',
    'drift-line @@ -1 +1 @@',
    'drift-line -a',
    'drift-line +b c',
    'drift stays groups adm web-hello',
    'drift replaced added - /srv/web-hello/releases/x/a file.py',
    'drift-more 7',
  ])
  expect(drift).toEqual([
    { fate: 'replaced', how: 'stopped', detail: '', path: 'nginx.service', lines: [] },
    {
      fate: 'replaced',
      how: 'edited',
      detail: '',
      path: '/etc/nginx/sites-enabled/web-hello.conf',
      lines: ['@@ -1 +1 @@', '-a', '+b c'],
    },
    { fate: 'stays', how: 'groups', detail: 'adm', path: 'web-hello', lines: [] },
    { fate: 'replaced', how: 'added', detail: '', path: '/srv/web-hello/releases/x/a file.py', lines: [] },
  ])
  expect(moreDrift).toBe(7)
})

test('a server that lies about it is bounded, and makes no control character', () => {
  const { drift } = parseFacts([
    ...app,
    'drift-line of nothing',
    'drift replaced haunted - /x',
    'drift perhaps edited - /x',
    ...Array.from({ length: 1000 }, (_, at) => `drift replaced edited - /${at}\x1b[1m`),
    ...Array.from({ length: 5000 }, () => `drift-line ${'x'.repeat(10_000)}\x1b`),
  ])
  expect(drift).toHaveLength(50)
  expect(drift.flatMap(({ lines }) => lines).length).toBeLessThanOrEqual(300)
  expect(JSON.stringify(drift).length).toBeLessThan(100_000)
  expect(JSON.stringify(drift)).not.toContain('\\u001b')
})

test('an app without a release has none', () => {
  expect(parseFacts(['nginx-unit stopped', 'drift stays edited - /x']).drift).toEqual([])
})
