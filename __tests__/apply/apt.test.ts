import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { quote } from '../../src/quote.ts'
import { remoteFile } from '../../src/remote.ts'

/*
 * remote/apt.sh with programs of ours in place of the system's: nothing of this machine is looked at or changed. Time
 * goes on only when something sleeps: 20 s each time.
 */
describe.skipIf(process.platform !== 'linux')("apt's own program", () => {
  let folder = ''
  const tool = (name: string, text: string) => {
    writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`)
    chmodSync(join(folder, name), 0o755)
  }
  const run = (...words: readonly string[]) =>
    spawnSync('sh', [join(folder, 'apt.sh'), ...words], {
      env: { PATH: `${folder}:${process.env['PATH'] ?? ''}` },
      encoding: 'utf8',
    })
  const why = () => {
    const file = join(folder, 'apt.why')
    return existsSync(file) ? readFileSync(file, 'utf8') : ''
  }

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'apt-'))
    writeFileSync(join(folder, 'apt.sh'), remoteFile('apt.sh'))
    writeFileSync(join(folder, 'clock'), '100\n')
    const clock = quote(join(folder, 'clock'))
    tool('cut', `exec cat ${clock}`)
    tool('sleep', `echo "$(($(cat ${clock}) + 20))" >${clock}`)
    // (no lock of this machine's counts, and no package of its)
    for (const name of ['awk', 'ls', 'dpkg', 'dpkg-query', 'stat']) tool(name, 'exit 1')
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  test('waits for a lock for ten minutes, says so now and then, and tells why it gives up', () => {
    tool('apt-get', 'echo "E: Could not get lock /var/lib/apt/lists/lock"; exit 100')
    const { status, stdout } = run('no', 'no', 'bc')
    expect(status).toBe(1)
    expect(why()).toBe('packages-locked 600 another program\n')
    expect(readFileSync(join(folder, 'clock'), 'utf8')).toBe('700\n')
    expect(
      stdout.match(/^another program is using apt: waiting for it for [0-9]+ s at most$/gm),
    ).toHaveLength(10)
  })

  test('goes on where the lock is free in between', () => {
    const clock = quote(join(folder, 'clock'))
    tool('apt-get', `[ "$(cat ${clock})" -ge 250 ] || { echo 'E: Could not get lock'; exit 100; }; echo "$@"`)
    const { status, stdout } = run('no', 'no', 'bc')
    expect([status, why()]).toEqual([0, ''])
    expect(stdout).toMatch(/ install bc$/m)
  })

  test('never lets apt remove anything, and offline fetches first', () => {
    const log = join(folder, 'log')
    tool('apt-get', `echo "$@" >>${quote(log)}`)
    expect(run('yes', 'yes', 'bc', 'dc').status).toBe(0)
    const calls = readFileSync(log, 'utf8').trim().split('\n')
    for (const call of calls) expect(call).toContain('-o APT::Get::Remove=false')
    const plain = calls.map((call) => call.replace(/-o \S+ ?|-[yq] ?|--no-install-recommends /g, '').trim())
    expect(plain).toEqual([
      'update',
      '--download-only upgrade',
      '--download-only install bc dc',
      'upgrade',
      'install bc dc',
    ])
  })

  test('is sound for dash', () => {
    execFileSync('sh', ['-n', join(folder, 'apt.sh')])
  })
})
