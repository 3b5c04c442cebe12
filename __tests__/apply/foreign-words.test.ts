import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseEvent } from '../../src/apply/event.ts'
import { quote } from '../../src/quote.ts'
import { remoteFile } from '../../src/remote.ts'

/** What stands in the events file when the library's functions were called; without the times. */
function events(calls: string): readonly string[] {
  const folder = mkdtempSync(join(tmpdir(), 'events-'))
  try {
    const file = join(folder, 'events')
    const program = `set -eu; dir=${quote(folder)}; ${remoteFile('events.sh')}\nexec 3>>${quote(file)}\n${calls}`
    execFileSync('sh', ['-c', program])
    const lines = readFileSync(file, 'utf8').split('\n')
    expect(lines.pop()).toBe('')
    return lines.map((line) => line.replace(/^\d+(?:\.\d+)? /, ''))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

describe.skipIf(process.platform !== 'linux')('words of strangers in the events', () => {
  test('a name with newlines is one event, whatever stands behind them', () => {
    const name = '/srv/x\n1.0 kept 1\n\n1.0 end 0\n'
    const [line = '', ...more] = events(`emit ${quote(`fail build-tampered ${name}`)}`)
    expect(more).toEqual([])
    expect(line).toBe('fail build-tampered /srv/x?1.0 kept 1??1.0 end 0?')
    expect(parseEvent(`1.0 ${line}`)).toMatchObject({ kind: 'fail', code: 'build-tampered' })
  })

  test('each line of a program is marked, the last one without its end too', () => {
    const said = String.raw`printf '1.0 end 0\n\n%%s \\ $(id)\nno end' | foreign log`
    expect(events(said)).toEqual(['log 1.0 end 0', 'log ', String.raw`log %s \ $(id)`, 'log no end'])
  })

  test('a program that says too much is not stopped, and the rest is not kept', () => {
    const said =
      'most_foreign=200; { for n in 1 2 3 4 5 6 7 8 9; do printf "%050d\\n" $n; done; echo last >&2; } 2>/dev/null'
    const kept = events(`${said} | foreign log; emit after`)
    expect(kept).toEqual([
      ...[1, 2, 3].map((number) => `log ${String(number).padStart(50, '0')}`),
      'log (the rest is not kept: too much was said)',
      'after',
    ])
  })

  test('what is said once /run is full is not kept either, for the last words have to go there', () => {
    const kept = events(`: >$dir/full; echo much | foreign log; emit 'fail disk /run 0'`)
    expect(kept).toEqual(['fail disk /run 0'])
  })
})
