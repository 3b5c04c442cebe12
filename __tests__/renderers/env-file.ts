import fc from 'fast-check'
import { expect } from 'vitest'
import { formatDotenv, parseDotenv } from '../../src/config/dotenv.ts'
import { renderEnvFile, valueFault } from '../../src/config/env-file.ts'
import { renderUnit } from '../../src/config/unit-text.ts'
import { quote } from '../../src/quote.ts'
import { environment, library, readEnvironment, runProgram, runUnit, type Stage } from './on-server.ts'
import { texts } from './texts.ts'
import { batches, eachRead, expectSame, sample, sift, tell } from './trial.ts'

/** The longest text that a variable `V` and its index can hold (execve(2), MAX_ARG_STRLEN). */
const longest = 131_060

/**
 * What a user writes into `env` is what the process of a unit has: through the input's format, the env file, the sh
 * program that writes it, and systemd.
 */
export async function systemdReadsEnvFiles({ server, suite, systemd, file }: Stage) {
  const trial = { where: `${suite}, systemd ${systemd}`, renderer: 'systemd reads the env file', file }
  const long = fc
    .tuple(texts(), fc.integer({ min: longest - 2000, max: longest + 1000 }))
    .map(([text, length]) => `${text}x`.repeat(Math.ceil(length / (text.length + 1))).slice(0, length))
  const names = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,12}$/)
  const values = fc.oneof({ weight: 300, arbitrary: texts() }, { weight: 1, arbitrary: long })
  const given = sample(fc.tuple(names, values)).map(([name, value], at) => [`V${at}_${name}`, value] as const)
  const sifted = sift(given, ([name, value]) => {
    const variables = parseDotenv(written(name, value))
    renderEnvFile(variables, systemd)
    return variables.get(name) ?? ''
  })
  // Refused is what no server can hold, and nothing else.
  const holdable = given.filter(([name, value]) => isHoldable(name, value, systemd))
  expectSame(
    trial,
    holdable.map(([name]) => name),
    sifted.kept.map((one) => one.given[0]),
  )
  for (const part of batches(holdable, ([name, value]) => Buffer.byteLength(name + value) + 10)) {
    const render = (some: readonly (readonly [string, string])[]) =>
      renderEnvFile(parseDotenv(some.map(([name, value]) => written(name, value)).join('')), systemd)
    await eachRead(
      trial,
      part,
      ([, value]) => value,
      async (some) => {
        const write = `write_file /run/odd.env 0600 root:root ${quote(render(some))}\n`
        await runProgram(server, `${library('files.sh')}${write}`)
        const found = environment(
          await runUnit(server, [['EnvironmentFile', '/run/odd.env'], readEnvironment]),
        )
        return some.map(([name]) => found.get(name) ?? '(not set)')
      },
    )
    // To a shell it says the same.
    await eachRead(
      trial,
      part,
      ([, value]) => value,
      async (some) => {
        const words = some.map(([name]) => `printf '%s\\0' "$${name}" >&3\n`)
        return await runProgram(server, `${render(some)}${words.join('')}`)
      },
    )
  }
  tell(trial, sifted, 0.7)
}

/** The value in the format of `env`; what that cannot hold, in escapes. */
function written(name: string, value: string): string {
  if (valueFault(value) === undefined) return formatDotenv(new Map([[name, value]]))
  const escaped = Array.from(value, (one) => `\\u{${(one.codePointAt(0) ?? 0).toString(16)}}`)
  return `${name}="${escaped.join('')}"\n`
}

/** The rule of `env`, said a second time. */
function isHoldable(name: string, value: string, systemd: number): boolean {
  if (Array.from(value).some((one) => isImpossible(one.codePointAt(0) ?? 0))) return false
  if (Buffer.byteLength(`${name}=${value}\0`) > 32 * 4096) return false
  return (
    systemd >= 248 ||
    !Array.from(value).some((one) => (one < ' ' || one === '\x7f') && one !== '\t' && one !== '\n')
  )
}

function isImpossible(code: number): boolean {
  const isNoncharacter = (code >= 0xfdd0 && code <= 0xfdef) || (code & 0xfffe) === 0xfffe
  return code === 0 || (code >= 0xd800 && code <= 0xdfff) || isNoncharacter
}

/** Every noncharacter (The Unicode Standard, 23.7). */
const noncharacters = [
  ...Array.from({ length: 32 }, (_, at) => 0xfdd0 + at),
  ...Array.from({ length: 17 }, (_, plane) => [plane * 0x10000 + 0xfffe, plane * 0x10000 + 0xffff]).flat(),
]
/** Characters beside them. */
const neighbours = [0xfdcf, 0xfdf0, 0xfffd, 0x1fffd, 0x10fffd, 0x10ffff - 2]

/**
 * Why `env` refuses noncharacters: no unit starts with one in its env file, whether as it is or behind a backslash or
 * in quotes, nor with one in a line of the unit, nor by systemd-run.
 */
export async function systemdStartsNothingWithNoncharacters({ server }: Stage) {
  const forms: readonly ((character: string) => string)[] = [
    (character) => `a${character}b`,
    (character) => `a\\${character}b`,
    (character) => `'a${character}b'`,
    (character) => `"a${character}b"`,
  ]
  const tried = [...noncharacters, ...neighbours].flatMap((code, at) => {
    const form = forms[at % forms.length] ?? String
    return [{ name: `odd-${code.toString(16)}`, character: String.fromCodePoint(code), form }]
  })
  const script = tried.map(({ name, character, form }) => {
    const unit = renderUnit([
      [
        'Service',
        [
          ['Type', 'oneshot'],
          ['EnvironmentFile', `/run/odd/${name}.env`],
          ['ExecStart', '/bin/true'],
        ],
      ],
    ])
    return `printf %s ${quote(`V=${form(character)}\n`)} >/run/odd/${name}.env
printf %s ${quote(unit)} >/run/systemd/system/${name}.service
`
  })
  const names = tried.map(({ name }) => `${name}.service`).join(' ')
  const said = await server.must(
    `mkdir -p /run/odd; sh; systemctl daemon-reload; systemctl start ${names} 2>/dev/null || :
    systemctl show --value -p Result ${names} | grep .`,
    { stdin: script.join('') },
  )
  const expected = tried.map(({ character }) =>
    valueFault(character) === undefined ? 'success' : 'resources',
  )
  expect(said.trim().split('\n')).toEqual(expected)
  expect(expected.filter((one) => one === 'resources')).toHaveLength(66)

  const inUnit = runUnit(server, [['Environment', '"V=a\ufdd0b"'], readEnvironment])
  await expect(inUnit).rejects.toThrow(/status 1/)
  const byRun = await server.run("systemd-run --quiet --wait /bin/echo 'a\ufdd0b'")
  expect(byRun.status).not.toBe(0)
}

/** The longest environment that is rendered starts. */
export async function systemdStartsTheLongestEnvironment({ server, systemd }: Stage) {
  const variables = new Map(Array.from({ length: 15 }, (_, at) => [`V${at}`, 'x'.repeat(131_060)]))
  await server.must('cat >/run/odd.env', { stdin: renderEnvFile(variables, systemd) })
  const found = environment(await runUnit(server, [['EnvironmentFile', '/run/odd.env'], readEnvironment]))
  expect([...variables.keys()].filter((name) => found.get(name) !== variables.get(name))).toEqual([])
}
