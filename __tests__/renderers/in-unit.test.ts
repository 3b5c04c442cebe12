import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { quote } from '../../src/quote.ts'
import { remoteFile } from '../../src/remote.ts'

/** The words that `in_unit` gives to systemd-run. */
function wordsOf(...given: readonly string[]): readonly string[] {
  const folder = mkdtempSync(join(tmpdir(), 'in-unit-'))
  try {
    writeFileSync(
      join(folder, 'systemd-run'),
      `#!/bin/sh\nprintf '%s\\0' "$@" >${quote(join(folder, 'words'))}\n`,
    )
    chmodSync(join(folder, 'systemd-run'), 0o755)
    // An old systemd, which knows no OOMPolicy.
    writeFileSync(join(folder, 'systemctl'), '#!/bin/sh\n')
    chmodSync(join(folder, 'systemctl'), 0o755)
    const program = `set -eu; PATH=${quote(folder)}:$PATH dir=${quote(folder)} name=shop run=abc
${remoteFile('events.sh')}
${remoteFile('memory-limit.sh')}
${remoteFile('memory.sh')}
emit() { :; }
in_unit ${given.map(quote).join(' ')}`
    execFileSync('sh', ['-c', program])
    return readFileSync(join(folder, 'words'), 'utf8').split('\0').slice(0, -1)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test.skipIf(process.platform === 'win32')(
  'a dollar in a path is doubled, for systemd would put a variable there: `a${HOME}b` became `ab`',
  () => {
    const paths = ['a${HOME}b', '$HOME', 'a$$b', '$', 'a$\nb\n', 'plain', '', '--', '-p']
    const words = wordsOf(
      'persist',
      '-p',
      'Environment="V=$x"',
      '--',
      '/bin/sh',
      '-c',
      'echo "$1"',
      'sh',
      ...paths,
    )
    expect(words.slice(0, 7)).toEqual([
      '--quiet',
      '--wait',
      '--pipe',
      '--collect',
      '--unit=flask-deploy-shop-abc-persist',
      '-p',
      'OOMScoreAdjust=1000',
    ])
    // Ours is a shell's, with no dollar that systemd would read.
    expect(words[12]).toMatch(/^"\$\$@" && exit\n/)
    expect(words[12]?.replaceAll('$$', '')).not.toContain('$')
    // systemd reads `$$` as one dollar in a command, and knows no variables in a property.
    expect(words.slice(7)).toEqual([
      ...['-p', 'Environment="V=$x"', '--', '/bin/sh', '-c', expect.any(String), 'sh'],
      ...['/bin/sh', '-c', 'echo "$$1"', 'sh'],
      ...['a$${HOME}b', '$$HOME', 'a$$$$b', '$$', 'a$$\nb\n', 'plain', '', '--', '-p'],
    ])
  },
)
