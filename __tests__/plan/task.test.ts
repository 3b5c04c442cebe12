import { describe, expect, test } from 'vitest'
import type { DeployError } from '../../src/errors.ts'
import { guardTask, makeTask } from '../../src/plan/task.ts'
import { parseFacts } from '../../src/server/facts.ts'
import { wish } from './sample.ts'

const current = '20261126110000-abc1234'
const previous = '20261125110000-def5678'

function task(command: 'status' | 'run' | 'logs' | 'destroy', lines: readonly string[], name?: string) {
  const { inputs, project } = wish({
    inputs: { command, run: 'flask routes', lines: 30 },
    site: { domains: [] },
  })
  return makeTask(
    parseFacts(['systemd 252', ...lines]),
    inputs,
    name === undefined ? project : { ...project, name },
  )
}

const { project } = wish()
const there = [
  `state owner ${project.repository.id} ${project.repository.fullName}`,
  `state current ${current}`,
  `state previous ${previous}`,
  `link ${current}`,
  'site-names shop.example.com www.shop.example.com',
  `nonce ${current} abcd`,
]

describe('a task', () => {
  test('asks the site by the name that the server has for it, where `domain` is not given', () => {
    expect(task('status', there)).toMatchObject({
      kind: 'look',
      release: current,
      check: { host: 'shop.example.com', timeout: 10, nonces: { [current]: 'abcd' } },
    })
    expect(task('status', [])).toMatchObject({ kind: 'look', release: '', check: { host: '203.0.113.10' } })
  })

  test('passes over names that nobody can have', () => {
    expect(task('status', [...there.slice(0, 4), 'site-names a..b -x ok.example.com'])).toMatchObject({
      check: { host: 'ok.example.com' },
    })
  })

  test('runs in the release that visitors get, and shows the words of the one before, too', () => {
    const run = task('run', there)
    expect(run).toMatchObject({ kind: 'run', release: current, command: 'flask routes' })
    if (run.kind !== 'run') throw new Error(run.kind)
    expect(run.properties).toContain(`WorkingDirectory=/srv/web-${project.name}/releases/${current}`)
    expect(run.properties).toContain(`User=web-${project.name}`)
    expect(run.properties).toContain('ProtectSystem=strict')
    expect(task('logs', there)).toMatchObject({ kind: 'logs', releases: [previous, current], lines: 30 })
  })

  test.each(['run', 'logs', 'destroy'] as const)(
    '%s is refused for the app of another repository',
    (command) => {
      const others = ['state owner 1 else/thing', ...there.slice(1)]
      expect(() => task(command, others)).toThrow(expect.objectContaining({ code: 'owner' }) as DeployError)
    },
  )

  test.each(['run', 'logs'] as const)('%s needs a release', (command) => {
    expect(() => task(command, [])).toThrow(expect.objectContaining({ code: 'no-app' }) as DeployError)
  })

  test('data goes only with the very name', () => {
    const { inputs } = wish({ inputs: { command: 'destroy', destroyData: project.name } })
    expect(makeTask(parseFacts(there), inputs, project)).toMatchObject({ kind: 'destroy', data: true })
    expect(task('destroy', there)).toMatchObject({ kind: 'destroy', data: false })
    expect(() => guardTask(inputs, 'other')).toThrow(
      expect.objectContaining({ code: 'bad-inputs' }) as DeployError,
    )
    expect(() => guardTask(inputs, project.name)).not.toThrow()
  })
})
