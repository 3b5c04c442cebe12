import { expect } from 'vitest'
import { table } from '../../src/inputs/table.ts'
import { remoteFile } from '../../src/remote.ts'
import type { Stage } from './on-server.ts'
import { accepted, sift, tell } from './trial.ts'

/** Names of packages that are installed on the server, and what apt-get(8) would read as something else than a name. */
const given = [
  'curl',
  'curl+',
  'curl-',
  'nginx-',
  'cur.',
  'c.rl',
  'curl.',
  'cu+l',
  '.url',
  'curl=1',
  'curl/now',
  '?name(curl)',
]

/** A package's name is a name: nothing is removed by it, and no pattern finds others. */
export async function aptTakesNames({ server, suite, file }: Stage) {
  const trial = { where: suite, renderer: 'apt takes names as names', file }
  const sifted = sift(given, (name) => accepted(table.app.packages.kind(name, 'packages'))[0] ?? '')
  // In place of apt-get one that says what it would do, and that has nothing to update.
  const shim = '#!/bin/sh\ncase " $* " in *" update "*) exit 0 ;; esac\nexec /usr/bin/apt-get -s "$@"\n'
  await server.must('mkdir -p /run/shim; cat >/run/shim/apt-get; chmod 755 /run/shim/apt-get', {
    stdin: shim,
  })
  await server.must('cat >/run/apt.sh', { stdin: remoteFile('apt.sh') })
  const names = sifted.kept.map((one) => one.rendered)
  expect(names).toContain('curl')
  const said = await server.must(
    `for name in ${names.join(' ')}; do PATH=/run/shim:$PATH sh /run/apt.sh no no "$name" || :; done`,
  )
  expect(said).toContain('curl is already the newest version')
  expect(said).not.toMatch(/^(?:Remv|Inst) /m)
  tell(trial, sifted, 0.3)
}
