import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeKit } from '../../src/apply/kit.ts'
import { boot, type Server } from '../server/boot.ts'
import { startRelay } from '../server/relay.ts'
import { canBoot } from '../server/requirements.ts'
import { act } from './action.ts'
import { type First, firstDeploy, saying } from './ended-early.ts'
import { untilQuiet } from './look.ts'
import { page } from './traces.ts'

const able = canBoot()
const kits = '/var/lib/flask-deploy/kits'

/** What all programs work with, which a server keeps for the next run of the same version. */
describe.skipIf(!able.ok)(`the kit ${able.ok ? '' : able.why}`, () => {
  let server: Server
  let first: First
  let sha256 = ''
  let version = 1
  beforeAll(async () => {
    server = await boot({ suite: 'bookworm' })
    first = await firstDeploy(server)
    ;({ sha256 } = await makeKit())
  })
  afterAll(async () => server?.stop())

  /** A deploy that goes well. @returns bytes that the runner sent */
  const deploy = async (): Promise<number> => {
    version += 1
    first.project.commit({ 'app.py': saying(`version ${version}`) })
    const relay = await startRelay({ to: { host: server.address, port: 22 }, rttMs: 0 })
    const { inputs } = first.options
    const pins = (inputs['known-hosts'] ?? '').replaceAll(server.address, `[127.0.0.1]:${relay.port}`)
    const ran = await act({
      ...first.options,
      inputs: {
        ...inputs,
        host: '127.0.0.1',
        port: String(relay.port),
        'known-hosts': pins,
        'smoke-url': `http://${server.address}/`,
      },
    })
    const sent = relay.bytesUp
    await relay.close()
    expect(ran.outputs.result, ran.log).toBe('deployed')
    expect(await page(server)).toBe(`version ${version}`)
    await untilQuiet(server, 'hello')
    return sent
  }
  const kept = async () => (await server.must(`ls ${kits}`)).trim().split('\n')

  test('is sent once', async () => {
    expect(await kept()).toEqual([sha256])
    const kilobytes = (await deploy()) / 1000
    console.log(`a code change: ${kilobytes.toFixed(1)} kB to the server`)
    expect(kilobytes).toBeLessThan(45)
    expect(
      await server.must("find /run/flask-deploy/hello -name '*.py' -o -name '*.txt' -o -name 'kit*'"),
    ).toBe('')
  })

  test('comes again where it is torn', async () => {
    await server.must(`truncate -s 30000 ${kits}/${sha256}`)
    const again = await deploy()
    expect(again / 1000).toBeGreaterThan(60)
    expect(await server.must(`gzip -dc <${kits}/${sha256} | sha256sum`)).toBe(`${sha256}  -\n`)
    expect(await deploy()).toBeLessThan(again / 2)
  })

  test('of the versions that deployed here last there are four', async () => {
    await server.must(
      `for one in 1 2 3 4 5 6; do touch -d "$one hours ago" ${kits}/$one; done; rm ${kits}/${sha256}`,
    )
    await deploy()
    expect(await kept()).toEqual(['1', '2', '3', sha256].sort())
  })

  test('is used by commands, which leave none', async () => {
    await server.must(`rm -r ${kits}`)
    const status = await act({ ...first.options, inputs: { ...first.options.inputs, command: 'status' } })
    expect(status.outputs.result, status.log).toBe('done')
    expect(await server.must(`ls ${kits} 2>/dev/null || echo none`)).toBe('none\n')
    await deploy()
    const again = await act({ ...first.options, inputs: { ...first.options.inputs, command: 'status' } })
    expect(again.outputs.result, again.log).toBe('done')
    expect(await kept()).toEqual([sha256])
  })
})
