import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { until } from '../e2e/traces.ts'
import { installTimeoutMs } from '../house/tools.ts'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { Runner } from './act.ts'
import { repositoryOf, settingsFor } from './example.ts'

const able = canBoot()

describe.skipIf(!able.ok)('the workflow of examples/shop', () => {
  let runner: Runner
  let server: Server | undefined
  beforeAll(async () => {
    runner = await Runner.start()
  }, installTimeoutMs)
  afterAll(() => runner?.stop())
  afterEach(async () => server?.stop())

  test('a push deploys it with database, queue and worker, and an order gets packed', async () => {
    server = await boot({ suite: 'bookworm' })
    const site = `http://${server.address}`

    const run = await runner.run(repositoryOf('shop').folder, { event: 'push', ...settingsFor(server) })

    expect(run, run.log).toMatchObject({ succeeded: true })
    expect(run.log).toContain('Running upgrade  -> 0001, orders')
    const body = new URLSearchParams({ thing: 'a lamp' })
    const ordered = await fetch(`${site}/orders`, { method: 'POST', body, redirect: 'manual' })
    expect(ordered.status).toBe(302)
    await until('the lamp is packed', async () =>
      (await (await fetch(site)).text()).includes('a lamp: packed'),
    )
  })
})
