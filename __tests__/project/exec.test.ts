import { describe, expect, test } from 'vitest'
import { runnerExec } from '../../src/project/exec.ts'
import { folder } from './checkouts.ts'

const script = (code: string, options = {}) => runnerExec(process.execPath, ['-e', code], options)

describe('runnerExec', () => {
  test('gives back every byte of the output and the status', async () => {
    const code =
      'process.stdout.write(Buffer.from([0, 255, 10, 13, 10, 195])); process.stderr.write("é"); process.exitCode = 3'
    const { status, stdout, stderr } = await script(code)
    expect(status).toBe(3)
    expect([...stdout]).toEqual([0, 255, 10, 13, 10, 195])
    expect(stderr).toBe('é')
  })

  test('gives back megabytes', async () => {
    const { stdout } = await script('process.stdout.write(Buffer.alloc(5_000_000, "x"))')
    expect(stdout.length).toBe(5_000_000)
  })

  test('hands arguments over as they are', async () => {
    const odd = ['a b', '"', "'", '$(x)', ';', '*', 'é', '']
    const { stdout } = await runnerExec(process.execPath, [
      '-e',
      'console.log(JSON.stringify(process.argv.slice(1)))',
      '--',
      ...odd,
    ])
    expect(JSON.parse(stdout.toString())).toEqual(odd)
  })

  test('changes the environment and the folder', async () => {
    process.env.PROJECT_TEST_GONE = 'here'
    const cwd = folder()
    const { stdout } = await script(
      'console.log([process.env.PROJECT_TEST_GONE, process.env.NEW, process.cwd()].join())',
      {
        cwd,
        env: { PROJECT_TEST_GONE: undefined, NEW: '1' },
      },
    )
    delete process.env.PROJECT_TEST_GONE
    expect(stdout.toString().trim()).toBe(`,1,${cwd}`)
  })

  test('keeps the inputs of the action to itself', async () => {
    process.env['INPUT_SSH-KEY'] = 'secret'
    const { stdout } = await script('console.log(JSON.stringify(process.env))')
    delete process.env['INPUT_SSH-KEY']
    expect(stdout.toString()).not.toContain('secret')
  })

  test('says 127 where there is no such program or folder', async () => {
    expect((await runnerExec('no-such-program-here', [])).status).toBe(127)
    expect((await script('1', { cwd: '/no/such/folder' })).status).toBe(127)
  })
})
