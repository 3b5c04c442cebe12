import { describe, expect, test } from 'vitest'
import { DeployError } from '../../src/errors.ts'
import { createLog, duration, type Log } from '../../src/report/log.ts'
import { runnerReads } from './runner.ts'

/** What `work` writes, with random tokens replaced. */
function written(work: (log: Log) => void): string {
  let text = ''
  work(
    createLog((part) => {
      text += part
    }),
  )
  return text
}

function tokenless(text: string): string {
  const token = /::stop-commands::(\S+)/.exec(text)?.[1]
  return token === undefined ? text : text.replaceAll(token, 'TOKEN')
}

const redactor = { redact: (text: string) => text.replaceAll('s3cret', '***') }

describe('phases', () => {
  test('are groups with their duration', () => {
    const text = written((log) => {
      log.phase('connect')
      log.info('Connected.')
      log.phaseEnd(1234)
      log.phase('facts')
      log.phase('packages')
      log.phaseEnd(85)
    })
    expect(text).toBe(
      [
        '::group::connect',
        'Connected.',
        'connect: 1.2 s',
        '::endgroup::',
        '::group::facts',
        '::endgroup::',
        '::group::packages',
        'packages: 85 ms',
        '::endgroup::',
        '',
      ].join('\n'),
    )
  })

  test('durations are for people', () => {
    expect([0, 999.6, 3210, 59_949, 59_951, 125_000].map(duration)).toEqual([
      '0 ms',
      '1000 ms',
      '3.2 s',
      '59.9 s',
      '1 min 0 s',
      '2 min 5 s',
    ])
  })
})

describe('foreign output', () => {
  test('stands between one pair of guards for as long as nothing else is said', () => {
    const text = written((log) => {
      log.foreign(['one'])
      log.foreign(['two', 'three'])
      log.info('ours')
    })
    expect(tokenless(text)).toBe('::stop-commands::TOKEN\none\ntwo\nthree\n::TOKEN::\nours\n')
  })

  test('cannot forge a command, guess the token, or break out by a carriage return', () => {
    const lines = [
      '::error file=app.py::forged',
      '##[error]forged',
      '::add-mask::e',
      'x\r::warning::forged',
      '::stop-commands::mine',
      '::mine::',
      '::endgroup::',
      'a\n::error::forged',
    ]
    const text = written((log) => {
      log.phase('dependencies')
      log.foreign(lines)
      log.phaseEnd(1)
    })
    expect(runnerReads(text).commands.map((one) => one.name)).toEqual(['group', 'stop-commands', 'endgroup'])
  })

  test('every guard has a token of its own', () => {
    const text = written((log) => {
      log.foreign(['a'])
      log.info('b')
      log.foreign(['c'])
      log.info('d')
    })
    const tokens = [...text.matchAll(/::stop-commands::(\S+)/g)].map(([, token]) => token)
    expect(new Set(tokens).size).toBe(2)
    expect(tokens.every((token) => (token?.length ?? 0) >= 32)).toBe(true)
  })

  test('shows control characters, what a terminal would show of a carriage return, and no more than 4096 bytes', () => {
    const text = written((log) => log.foreign(['\x1b[2Kx\ty\0', ' 10%\r 50%\r100%\r', 'z'.repeat(9000)]))
    const [, first, second, third = ''] = text.split('\n')
    expect(first).toBe('\\x1b[2Kx\ty\\x00')
    expect(second).toBe('100%')
    expect(Buffer.byteLength(third)).toBe(4096)
  })
})

describe('very much foreign output', () => {
  test('of a phase shows its beginning, and at the end its last lines', () => {
    const text = written((log) => {
      log.phase('dependencies')
      for (let line = 1; line <= 30_000; line += 1) log.foreign([`line ${line}`])
      log.phaseEnd(1)
      log.phase('start')
      log.foreign(['once more'])
    })
    const lines = text.split('\n')
    expect(lines).toContain('line 10000')
    expect(lines).not.toContain('line 10001')
    expect(lines).toContain('19,900 more lines are left out here; the last ones are:')
    expect(lines).not.toContain('line 29900')
    expect(lines.slice(lines.indexOf('line 29901'), lines.indexOf('line 30000') + 1)).toHaveLength(100)
    expect(lines).toContain('once more')
  })

  test('is cut by its bytes as well, and by bytes in the last lines', () => {
    const text = written((log) => {
      log.phase('dependencies')
      for (let line = 1; line <= 2_000; line += 1) log.foreign(['\u2603'.repeat(60_000)])
      log.error(new DeployError('x', { cause: 'It failed.', cure: 'Mend it.' }))
    })
    expect(Buffer.byteLength(text)).toBeLessThan(1_600_000)
    expect(text).toMatch(/[0-9,]+ more lines are left out here/)
  })

  test('a few lines more than are shown are shown all the same', () => {
    const text = written((log) => {
      log.phase('dependencies')
      for (let line = 1; line <= 10_050; line += 1) log.foreign([`line ${line}`])
      log.phaseEnd(1)
    })
    expect(text.match(/^line /gm)).toHaveLength(10_050)
    expect(text).not.toContain('left out')
  })
})

describe('text of ours', () => {
  test('is guarded too where a value in it looks like a command', () => {
    const text = written((log) => {
      log.info('files:\n::error::forged\rx')
      log.progress('##[warning]')
    })
    expect(runnerReads(text).commands.map((one) => one.name)).toEqual(['stop-commands'])
  })

  test('annotations name their file and line, and stand outside of groups', () => {
    const text = written((log) => {
      log.phase('start')
      log.foreign(['Traceback'])
      log.warning({ code: 'lfs-pointer', text: 'A pointer.', file: 'static/a,b.png' })
      log.error(
        new DeployError('app-import', {
          cause: 'It cannot start:\nreally.',
          cure: 'Correct it.',
          file: 'pkg/x.py',
          line: 42,
        }),
      )
    })
    expect(tokenless(text)).toBe(
      [
        '::group::start',
        '::stop-commands::TOKEN',
        'Traceback',
        '::TOKEN::',
        '::warning title=lfs-pointer,file=static/a%2Cb.png::A pointer.',
        '::endgroup::',
        '::error title=app-import,file=pkg/x.py,line=42::It cannot start:%0Areally. Correct it.',
        '',
      ].join('\n'),
    )
  })

  test('more faults than GitHub keeps annotations are plain lines, and none is lost', () => {
    const faults = Array.from({ length: 14 }, (_, at) => ({ cause: `Fault ${at}.`, cure: 'Cure.' }))
    const text = written((log) => log.error(new DeployError('bad-inputs', faults)))
    expect(text.match(/^::error/gm)).toHaveLength(10)
    expect(text).toContain('\nerror: Fault 13. Cure.\n')
  })

  test('masks go out one by one, blank ones never: they would mask every space', () => {
    expect(written((log) => log.mask(['s3cret', ' ', 'two\nlines']))).toBe(
      '::add-mask::s3cret\n::add-mask::two%0Alines\n',
    )
  })
})

test('no way of writing lets a secret through', () => {
  const text = written((log) => {
    log.redactWith(redactor)
    log.phase('facts')
    log.info('a s3cret')
    log.progress('b s3cret')
    log.foreign(['c s3cret', `${'x'.repeat(4093)}s3cret`])
    log.debug('d s3cret')
    log.warning({ code: 'x', text: 'e s3cret', file: 's3cret.py' })
    log.phaseEnd(1)
    log.error(new DeployError('x', { cause: 'f s3cret', cure: 'g s3cret', file: 's3cret' }))
  })
  expect(text).not.toContain('s3c')
  expect(text.match(/[a-g] \*\*\*/g)).toHaveLength(7)
})
