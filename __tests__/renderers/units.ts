import fc from 'fast-check'
import { releasePaths } from '../../src/config/paths.ts'
import { secretFilesBy } from '../../src/config/secret-files.ts'
import { assignmentWord, commandWord, type Property } from '../../src/config/unit-text.ts'
import { table } from '../../src/inputs/table.ts'
import { quote } from '../../src/quote.ts'
import {
  environment,
  library,
  readEnvironment,
  runProgram,
  runUnit,
  type Stage,
  strings,
} from './on-server.ts'
import { texts } from './texts.ts'
import { accepted, batches, cases, eachRead, sample, sift, tell } from './trial.ts'

/** Longer words than 20,000 bytes are no input's. */
const words = texts().map((text) => text.slice(0, 20_000))

const given = (one: { readonly given: string }) => one.given

/** Every word of `ExecStart=` in a unit file. */
export async function unitsHoldCommands({ server, suite, systemd, file }: Stage) {
  const trial = {
    where: `${suite}, systemd ${systemd}`,
    renderer: 'systemd reads every word of a command',
    file,
  }
  const sifted = sift(sample(words), commandWord, true)
  for (const part of batches(sifted.kept, (one) => Buffer.byteLength(one.rendered))) {
    await eachRead(trial, part, given, async (some) => {
      const command = `/usr/bin/printf %s\\\\0 ${some.map((one) => one.rendered).join(' ')}`
      return await runUnit(server, [['ExecStart', command]])
    })
  }
  tell(trial, sifted, 0.8)
}

/** Every variable of `Environment=`, in a unit file and as a property of systemd-run. */
export async function unitsHoldVariables({ server, suite, systemd, file }: Stage) {
  const trial = {
    where: `${suite}, systemd ${systemd}`,
    renderer: 'systemd reads every variable in a unit',
    file,
  }
  const sifted = sift(sample(words), (text) => assignmentWord('V', text), true)
  for (const part of batches(sifted.kept, (one) => Buffer.byteLength(one.rendered))) {
    await eachRead(trial, part, given, async (some) =>
      variablesIn(some, await runUnit(server, [...assignments(some), readEnvironment])),
    )
    await eachRead(trial, part, given, async (some) => {
      const properties = assignments(some).map(([key, word]) => `-p ${quote(`${key}=${word}`)}`)
      const run = `systemd-run --quiet --wait ${properties.join(' ')} -p StandardOutput=file:/run/run.out /bin/cat /proc/self/environ`
      await runProgram(server, `rm -f /run/run.out; ${run}\n`)
      return variablesIn(some, await strings(server, '/run/run.out'))
    })
  }
  tell(trial, sifted, 0.5)
}

function assignments(part: readonly { readonly given: string }[]): readonly Property[] {
  return part.map((one, at) => ['Environment', assignmentWord(`V${at}`, one.given)])
}

function variablesIn(part: readonly unknown[], found: readonly string[]): readonly string[] {
  const variables = environment(found)
  return part.map((_, at) => variables.get(`V${at}`) ?? '(not set)')
}

/** Every word of a command that the program runs in a transient unit (remote/events.sh, `in_unit`). */
export async function transientUnitsHoldCommands({ server, suite, systemd, file }: Stage) {
  const trial = {
    where: `${suite}, systemd ${systemd}`,
    renderer: 'systemd-run reads every word of a command',
    file,
  }
  const sifted = sift(sample(words), transientWord, true)
  for (const part of batches(sifted.kept, (one) => Buffer.byteLength(one.rendered))) {
    await eachRead(trial, part, given, async (some) => {
      const program = `${library('events.sh', 'memory-limit.sh', 'memory.sh')}
name=shop run=abc dir=/run/odd; mkdir -p "$dir"; rm -f /run/run.out
in_unit odd -p UMask=0022 -- /bin/sh -c 'printf "%s\\0" "$@" >/run/run.out' -- ${some.map((one) => one.rendered).join(' ')}
`
      await runProgram(server, program)
      return await strings(server, '/run/run.out')
    })
  }
  tell(trial, sifted, 0.8)
}

/** What a unit file cannot hold is no argument of systemd-run's either: paths with it are refused by their inputs. */
function transientWord(text: string): string {
  commandWord(text)
  return quote(text)
}

/** Names of `secret-files`, and contents, byte for byte, as the process of a unit finds them. */
export async function unitsHandOverSecretFiles({ server, suite, systemd, file }: Stage) {
  const trial = {
    where: `${suite}, systemd ${systemd}`,
    renderer: 'systemd hands over every secret file',
    file,
  }
  const name = fc.oneof(
    fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$/),
    texts().map((text) => text.replace(/[\s:]/g, '').slice(0, 20)),
  )
  const given = sample(fc.tuple(name, words), Math.ceil(cases / 20)).map(
    ([text, content], at) => [`${text}_${at}`, content] as const,
  )
  const sifted = sift(given, ([text, content]) => {
    const [first] = accepted(
      table.app.secretFiles.kind(`${text}: ${JSON.stringify(content)}`, 'secret-files'),
    )
    if (first === undefined) throw new Error('one file was given')
    return { name: first[0], content: first[1] }
  })
  const release = releasePaths('shop', '20261122184800-abc1234')
  for (const part of batches(
    sifted.kept,
    (one) => Buffer.byteLength(one.rendered.name + one.rendered.content),
    100,
  )) {
    await eachRead(
      trial,
      part,
      (one) => one.given[1],
      async (some) => {
        const names = some.map((one) => one.rendered.name)
        const writes = some.map(
          ({ rendered }) =>
            `write_file ${quote(`${release.files}/${rendered.name}`)} 0600 root:root ${quote(rendered.content)}\n`,
        )
        const folder = `rm -rf ${release.files}; mkdir -p ${release.files}\n`
        await runProgram(server, `${library('files.sh')}${folder}${writes.join('')}`)
        const { properties } = secretFilesBy({ systemd, secretFiles: names }, release)
        const show = names.map((one) => `cat "$CREDENTIALS_DIRECTORY/${one}"; printf '\\0'`).join('; ')
        const command = ['/bin/sh', '-c', show].map(commandWord).join(' ')
        return await runUnit(server, [...properties, ['ExecStart', command]])
      },
    )
  }
  tell(trial, sifted, 0.25)
}
