import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { visit } from './look.ts'
import { checkoutOf } from './projects.ts'
import { runs } from './runs.ts'

const able = canBoot()
const example = join(import.meta.dirname, '..', '..', 'examples', 'shop')

/** What the example's workflow asks for. */
const inputs = {
  name: 'shop',
  services: 'postgresql\nredis',
  'release-command': 'flask db upgrade',
  processes: 'worker: rq worker --url "$REDIS_URL"',
}

describe.skipIf(!able.ok)(`services${able.ok ? '' : ` (skipped: ${able.why})`}`, () => {
  let server: Server | undefined
  afterEach(async () => server?.stop())

  test('a shop keeps its orders in PostgreSQL, and its worker packs them', async () => {
    const booted = await boot({ suite: 'bookworm', disk: 'copy' })
    server = booted
    const project = checkoutOf(example)
    const { good } = runs(booted, project.folder, inputs)
    const packed = (thing: string) =>
      expect
        .poll(async () => (await visit(booted)).body, { timeout: 30_000 })
        .toContain(`<li>${thing}: packed</li>`)

    const first = await good()
    console.log(first.log)
    console.log(JSON.stringify(first.report, null, 2))
    await order(booted, 'a lamp')
    await packed('a lamp')
  })
})

/** Orders a thing as a browser does. */
async function order(server: Server, thing: string): Promise<void> {
  const answer = await fetch(`http://${server.address}/orders`, {
    method: 'POST',
    body: new URLSearchParams({ thing }),
    redirect: 'manual',
  })
  expect(answer.status, await answer.text()).toBe(302)
}
