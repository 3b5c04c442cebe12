import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readDomain } from '../../src/config/domain.ts'
import { renderEnvFile } from '../../src/config/env-file.ts'
import { renderCatchAll, renderSite } from '../../src/config/nginx.ts'
import { assignmentWord, commandWord, renderUnit } from '../../src/config/unit-text.ts'
import { quote } from '../../src/quote.ts'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { outcome, siteOf, values } from './sample.ts'

/** How many texts each renderer is tried with on each server. */
const cases = Number(process.env.RENDERER_CASES ?? 400)
/** Printed, so that a failure can be had again. */
const seed = Number(process.env.RENDERER_SEED ?? Date.now() % 2 ** 31)

/** How many of them one program or unit is given: all its words have to fit into 2 MiB. */
const batch = 1000

function batches<T>(all: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(all.length / batch) }, (_, index) =>
    all.slice(index * batch, (index + 1) * batch),
  )
}

/** Texts of every kind; about one in ten is what no server can hold. */
function texts(): string[] {
  const broken = fc.tuple(values(), fc.constantFrom('\0', '\ud800', '\udc00', '\ufffe', '\u{fdd0}'), values())
  const all = fc.oneof(
    { weight: 9, arbitrary: values() },
    { weight: 1, arbitrary: broken.map((parts) => parts.join('')) },
  )
  return fc.sample(all, { numRuns: cases, seed })
}

function tell(server: Server, renderer: string, accepted: number, refused: number) {
  console.log(`${server.suite}: ${renderer}: seed ${seed}, ${accepted} read back exactly, ${refused} refused`)
}

/** What the program of a unit wrote with a NUL after each. */
async function strings(server: Server, path: string): Promise<string[]> {
  const bytes = Buffer.from(await server.must(`base64 -w0 ${path}`), 'base64')
  return bytes.toString('utf8').split('\0').slice(0, -1)
}

/** Runs a oneshot unit made of these lines. @returns the strings it wrote, each ended by NUL */
async function runUnit(server: Server, service: readonly (readonly [string, string])[]): Promise<string[]> {
  const unit = renderUnit([
    ['Service', [['Type', 'oneshot'], ['StandardOutput', 'file:/run/odd.out'], ...service]],
  ])
  await server.must('rm -f /run/odd.out; cat >/run/systemd/system/odd.service; systemctl daemon-reload', {
    stdin: unit,
  })
  await server.must('systemctl start odd.service || { journalctl -u odd -n 20; exit 1; }')
  return await strings(server, '/run/odd.out')
}

const readEnvironment = ['ExecStart', '/bin/cat /proc/self/environ'] as const

function environment(found: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    found
      .filter((one) => one.startsWith('V'))
      .map((one) => [one.slice(0, one.indexOf('=')), one.slice(one.indexOf('=') + 1)]),
  )
}

describe.skipIf(!canBoot().ok).each(['bookworm', 'bullseye', 'trixie', 'sid'] as const)('on %s', (suite) => {
  let server: Server
  let systemd = 0
  beforeAll(async () => {
    server = await boot({ suite, packages: 'ready' })
    systemd = Number(/\d+/.exec(await server.must('systemctl --version'))?.[0])
  })
  afterAll(() => server?.stop())

  test.each(['dash', 'bash'])('%s reads every quoted word as it was', async (shell) => {
    const words = texts().filter((text) => !text.includes('\0') && text.isWellFormed())
    const stdin = words.map((word) => `printf '%s\\0' ${quote(word)}\n`).join('')
    await server.must(`cat >/run/words.sh; ${shell} /run/words.sh >/run/words.out`, { stdin })
    expect(await strings(server, '/run/words.out')).toEqual(words)
    tell(server, shell, words.length, cases - words.length)
  })

  test('systemd reads the env file as it was', async () => {
    const given = texts().map((text, index) => [`V${index}`, text] as const)
    const kept = given.filter(
      ([name, value]) => 'value' in outcome(() => renderEnvFile(new Map([[name, value]]), systemd)),
    )
    for (const part of batches(kept)) {
      await server.must('cat >/run/odd.env', { stdin: renderEnvFile(new Map(part), systemd) })
      const found = await runUnit(server, [['EnvironmentFile', '/run/odd.env'], readEnvironment])
      expect(environment(found)).toEqual(Object.fromEntries(part))
    }
    expect(kept.length).toBeGreaterThan(cases / 2)
    tell(server, 'env file', kept.length, given.length - kept.length)
  })

  test('a shell reads the env file as it was, too', async () => {
    const kept = texts().filter(
      (text) => 'value' in outcome(() => renderEnvFile(new Map([['V', text]]), 300)),
    )
    const files = kept.map((text) => `${renderEnvFile(new Map([['V', text]]), 300)}printf '%s\\0' "$V"\n`)
    await server.must('cat >/run/env.sh; dash /run/env.sh >/run/env.out', { stdin: files.join('') })
    expect(await strings(server, '/run/env.out')).toEqual(kept)
  })

  test('the longest environment starts', async () => {
    const variables = new Map(Array.from({ length: 15 }, (_, index) => [`V${index}`, 'x'.repeat(131_060)]))
    await server.must('cat >/run/odd.env', { stdin: renderEnvFile(variables, systemd) })
    const found = await runUnit(server, [['EnvironmentFile', '/run/odd.env'], readEnvironment])
    expect(environment(found)).toEqual(Object.fromEntries(variables))
  })

  test.each(['\u{fdd0}', '\ufffe', '\u{1ffff}'])(
    'a unit does not start with the noncharacter %j in its env file',
    async (character) => {
      expect(outcome(() => renderEnvFile(new Map([['V', character]]), systemd))).toEqual({
        refused: 'env-unusable',
      })
      await server.must('cat >/run/odd.env', { stdin: `V='a${character}b'\n` })
      const started = runUnit(server, [['EnvironmentFile', '/run/odd.env'], readEnvironment])
      await expect(started).rejects.toThrow(/Failed to load environment files/)
    },
  )

  test('systemd reads every word of a command as it was', async () => {
    const kept = texts().filter((text) => fits(() => commandWord(text)))
    for (const part of batches(kept)) {
      const command = ['/usr/bin/printf', '%s\\0', ...part].map(commandWord).join(' ')
      expect(await runUnit(server, [['ExecStart', command]])).toEqual(part)
    }
    tell(server, 'command', kept.length, cases - kept.length)
  })

  test('systemd reads every variable in a unit, and in systemd-run, as it was', async () => {
    const kept = texts().filter((text) => fits(() => assignmentWord('V', text)))
    for (const part of batches(kept)) {
      const words = part.map((text, index) => ['Environment', assignmentWord(`V${index}`, text)] as const)
      const expected = Object.fromEntries(part.map((text, index) => [`V${index}`, text]))
      expect(environment(await runUnit(server, [...words, readEnvironment]))).toEqual(expected)
      const properties = words.map(([key, word]) => `-p ${quote(`${key}=${word}`)}`).join(' ')
      await server.must('cat >/run/run.sh; rm -f /run/run.out; sh /run/run.sh', {
        stdin: `systemd-run --quiet --wait ${properties} -p StandardOutput=file:/run/run.out /bin/cat /proc/self/environ\n`,
      })
      expect(environment(await strings(server, '/run/run.out'))).toEqual(expected)
    }
    tell(server, 'Environment=', kept.length, cases - kept.length)
  })

  test('nginx takes every domain that we take, and answers to it', async () => {
    const given = [
      ...[
        'xn--bcher-kva.example',
        'bücher.example',
        '例え.テスト',
        'a_b.example',
        '2001:db8::1',
        '203.0.113.9',
      ],
      ...[
        `${'a'.repeat(38)}.example`,
        `${'b'.repeat(39)}.example`,
        `${'c'.repeat(63)}.${'d'.repeat(63)}.example`,
      ],
      ...fc.sample(fc.oneof(fc.domain(), fc.string(), fc.ipV6()), { numRuns: Math.min(cases, 200), seed }),
    ].filter((domain) => domain !== '_')
    const kept = given.filter((domain) => 'value' in outcome(() => readDomain(domain)))
    await server.must(
      'rm -f /etc/nginx/sites-enabled/default; cat >/etc/nginx/sites-enabled/00-flask-deploy-default.conf',
      {
        stdin: renderCatchAll({ ipv6: true }),
      },
    )
    // A handful at a time, as a site has them: nginx warns of a table that is not the best one for hundreds.
    for (let at = 0; at < kept.length; at += 8) {
      const domains = kept.slice(at, at + 8)
      const hosts = domains
        .map((domain) => readDomain(domain))
        .map(({ kind, text }) => (kind === 'ipv6' ? `[${text}]` : text))
      await server.must('cat >/etc/nginx/sites-enabled/web-shop.conf', {
        stdin: renderSite(siteOf({ domains })),
      })
      expect(await server.must('nginx -t 2>&1')).not.toMatch(/warn|emerg/)
      await server.must('systemctl reset-failed nginx; systemctl restart nginx')
      // Nothing runs behind the site, so it says 502; for any other name the connection ends without an answer.
      const ask = [...hosts, 'x.invalid', 'shop.invalid'].map(
        (host) =>
          `curl -s -o /dev/null -w '%{http_code}\\n' -H ${quote(`Host: ${host}`)} http://127.0.0.1/ || :\n`,
      )
      const answers = await server.must('sh', { stdin: ask.join('') })
      expect(answers.trim().split('\n')).toEqual([...hosts.map(() => '502'), '000', '000'])
    }
    tell(server, 'domains', kept.length, given.length - kept.length)
  })
})

/** Says whether a unit can hold it; NUL and the like are refused with RangeError, being a defect of ours by then. */
function fits(call: () => unknown): boolean {
  try {
    call()
    return true
  } catch (error) {
    if (error instanceof RangeError) return false
    throw error
  }
}
