import { expect, test } from 'vitest'
import {
  isSingle,
  type Processes,
  renderProcessList,
  renderProcessScripts,
  renderProcessUnits,
} from '../../src/config/process-units.ts'
import { releaseOf } from './sample.ts'

const id = '20261122184800-abc1234'
const root = `/srv/web-shop/releases/${id}`
const processes: Processes = {
  commands: new Map([
    ['worker', 'celery -A shop worker'],
    ['beat', 'celery -A shop beat'],
    ['both', 'a | b'],
  ]),
  jobs: [{ name: 'clean', calendar: '*-*-* 3:0:00', command: 'flask clean' }],
  stopSeconds: 90,
}
const settings = releaseOf()
const files = new Map(renderProcessUnits(settings, processes).map(({ path, content }) => [path, content]))
const unit = (end: string) => files.get(`/etc/systemd/system/web-shop-${id}.${end}`) ?? ''

test('each process has a unit of its own in the release, and each job two', () => {
  expect([...files.keys()].map((path) => path.replace(`/etc/systemd/system/web-shop-${id}.`, ''))).toEqual([
    'worker.service',
    'beat.service',
    'both.service',
    'cron.clean.timer',
    'cron.clean.service',
  ])
})

test('a process runs as the app does, in the release, and starts again for ever', () => {
  const text = unit('worker.service')
  for (const line of [
    `WorkingDirectory=${root}`,
    `ExecStart=/bin/sh ${root}/.deploy/process-worker`,
    'KillMode=mixed',
    'TimeoutStopSec=90',
    'Restart=always',
    'StartLimitIntervalSec=0',
    'User=web-shop',
    `EnvironmentFile=/etc/web-shop/${id}.env`,
    `EnvironmentFile=${root}/.deploy/target.env`,
    'NoNewPrivileges=yes',
    'ProtectSystem=strict',
    'WantedBy=multi-user.target',
  ]) {
    expect(text.split('\n')).toContain(line)
  }
})

test('a signal reaches the program behind a shell that has to stay', () => {
  expect(unit('both.service')).toContain('KillMode=control-group\n')
})

test('a job runs at its times, as long as it takes', () => {
  expect(unit('cron.clean.timer').split('\n')).toEqual(
    expect.arrayContaining(['OnCalendar=*-*-* 3:0:00', 'AccuracySec=1s', 'WantedBy=timers.target']),
  )
  const text = unit('cron.clean.service')
  expect(text.split('\n')).toEqual(
    expect.arrayContaining(['Type=oneshot', 'TimeoutStartSec=infinity', 'User=web-shop']),
  )
  // Nothing but its timer starts it.
  expect(text).not.toContain('[Install]')
})

test('commands are files, so that no argument shows them', () => {
  expect(renderProcessScripts(settings, processes).map(({ path, content }) => [path, content])).toEqual([
    [`${root}/.deploy/process-worker`, 'exec celery -A shop worker\n'],
    [`${root}/.deploy/process-beat`, 'exec celery -A shop beat\n'],
    [`${root}/.deploy/process-both`, 'a | b\n'],
    [`${root}/.deploy/cron-clean`, 'exec flask clean\n'],
  ])
})

test('the list says what may run only once', () => {
  expect(renderProcessList(processes)).toBe('process worker\nsingle beat\nprocess both\ntimer clean\n')
})

test.each([
  ['scheduler', 'python a.py', true],
  ['clock', 'python a.py', true],
  ['beat', 'x', true],
  ['cron', 'x', true],
  ['tasks', 'celery -A app.celery beat -l info', true],
  ['tasks', 'celery -A app worker -B', true],
  ['tasks', 'celery worker -A app --beat', true],
  ['tasks', 'rqscheduler --host x', true],
  ['worker', 'celery -A beatles worker', false],
  ['worker', 'celery -A app worker -Q beat-things', false],
  ['worker', 'rq worker', false],
])('%s: %s', (name, command, single) => {
  expect(isSingle(name, command)).toBe(single)
})
