import { randomBytes } from 'node:crypto'
import { afterEach, describe, expect, test } from 'vitest'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { act, reach } from './action.ts'
import { tinyProject } from './projects.ts'
import { page, traces } from './traces.ts'

const able = canBoot()

describe.skipIf(!able.ok)(`a disk that gets full ${able.ok ? '' : able.why}`, () => {
  let server: Server | undefined
  afterEach(async () => server?.stop())

  test('while the bundle arrives: the run ends at once, says so, and leaves nothing; with space, it goes on', async () => {
    server = await boot({ suite: 'bookworm' })
    const incoming = '/var/lib/flask-deploy/incoming'
    await server.must(`mkdir -p ${incoming}; mount -t tmpfs -o size=64k tmpfs ${incoming}`)
    const project = tinyProject({ 'data.bin': randomBytes(1_000_000).toString('latin1') })
    const options = { workspace: project.folder, inputs: reach(server) }
    const ran = await act(options)
    expect(ran.status, ran.log).toBe(1)
    expect(ran.outputs).toMatchObject({ result: 'failed', 'failed-phase': 'upload' })
    const { error } = JSON.parse(ran.outputs.report)
    expect(error.code, ran.log).toBe('disk')
    expect(error.cause).toMatch(/disk got full/)
    expect(await server.must(`ls ${incoming}`)).toBe('')
    await server.must(`umount ${incoming}`)
    const again = await act(options)
    expect(again.outputs, again.log).toMatchObject({ result: 'deployed' })
    expect(await page(server)).toBe('version 1')
    expect(await traces(server)).toContain(again.outputs.release)
  })
})
