import { expect } from 'vitest'
import { type Attack, endlessly, forever, MARK, nasty, pause } from './attack.ts'
import { nastyCertificate } from './certificate.ts'
import { honestFacts, type Talk } from './liar.ts'

const MB = 1024 * 1024
const facts = 'facts'
/** Pieces of any bytes. */
const raw = (talk: Talk) => (piece: Buffer) => talk.say(piece)

/** Says the frame of honest facts with other lines in it, and goes on as an honest server. */
function withFacts(lines: readonly string[]): (talk: Talk) => Promise<void> {
  return async (talk) => {
    await talk.facts(lines)
    await talk.finish(await talk.until('cutover'))
  }
}

const state = (...lines: readonly string[]) => lines.map((line) => `state ${line}`)

/** Lies from the start of the helper to the end of its facts. */
export const conversation: readonly Attack[] = [
  {
    name: 'silence after the exec',
    pace: 'short',
    lies: { talk: forever },
    end: { code: 'server-silent', phase: facts },
  },
  {
    name: 'silence in the middle of the facts',
    pace: 'short',
    lies: { talk: ({ say, nonce }) => say(`ready ${nonce}\n${honestFacts.join('\n')}`) },
    end: { code: 'server-silent', phase: facts },
  },
  {
    name: 'a fact every 100 ms, for ever',
    pace: 'short',
    lies: {
      talk: async ({ say, nonce }) => {
        await say(`ready ${nonce}`)
        for (;;) {
          await say('cpus 2')
          await pause(100)
        }
      },
    },
    end: { code: 'server-silent', phase: facts },
  },
  {
    name: 'lines without end before the helper is ready',
    lies: { talk: (talk) => endlessly(raw(talk), `::error::${MARK}\n`, 200 * MB) },
    end: { code: 'server-floods', phase: facts },
  },
  {
    name: 'a line without end before the helper is ready',
    lies: { talk: (talk) => endlessly(raw(talk), 'x', 200 * MB) },
    end: { code: 'server-floods', phase: facts },
  },
  {
    name: 'facts without end',
    lies: {
      talk: async (talk) => {
        await talk.say(`ready ${talk.nonce}`)
        await endlessly(raw(talk), 'taken x\n', 200 * MB)
      },
    },
    end: { code: 'server-floods', phase: facts },
  },
  {
    name: 'a fact of 100 MB',
    lies: {
      talk: async (talk) => {
        await talk.say(Buffer.from(`ready ${talk.nonce}\ntaken `))
        await endlessly(raw(talk), '\u2603', 100 * MB)
      },
    },
    end: { code: 'server-floods', phase: facts },
  },
  {
    name: '4,000 facts of 64 KB',
    lies: {
      talk: async (talk) => {
        await talk.say(Buffer.from(`ready ${talk.nonce}\n`))
        await endlessly(raw(talk), `taken ${'\u2603'.repeat(21_000)}\n`, 260 * MB)
      },
    },
    end: { code: 'server-floods', phase: facts },
  },
  {
    name: 'complaints without end',
    lies: {
      talk: async ({ channel }) => {
        await endlessly(
          (piece) => new Promise((resolve) => channel.stderr.write(piece, () => resolve())),
          `##[error]${MARK}\n`,
          200 * MB,
        )
      },
    },
    end: { code: 'server-floods', phase: facts },
  },
  {
    name: "sudo's question without end, though it has been answered",
    inputs: { 'sudo-password': 'correct horse' },
    lies: {
      talk: async ({ channel, nonce }) => {
        await endlessly(
          (piece) => new Promise((resolve) => channel.stderr.write(piece, () => resolve())),
          nonce,
          MB,
        )
        await forever()
      },
    },
    end: { code: 'sudo-password-wrong', phase: facts },
  },
  {
    name: 'a complaint of workflow commands, and an end',
    lies: {
      talk: async ({ channel }) => {
        channel.stderr.write(`${nasty.join('\n')}\n`)
        channel.exit(1)
        channel.end()
      },
    },
    end: { code: 'no-shell', phase: facts },
  },
  {
    name: 'facts of workflow commands, control characters, Markdown and HTML',
    lies: {
      talk: withFacts(
        nasty.flatMap((text) => [
          `os ${text}`,
          `python ${text}`,
          `nginx ${text}`,
          `nginx-user ${text}`,
          text,
        ]),
      ),
    },
    end: { code: undefined },
  },
  {
    name: 'the same in place of all facts',
    lies: {
      talk: async (talk) => {
        await talk.say(
          [
            `ready ${talk.nonce}`,
            'systemd 252',
            'disk 20000000',
            `os ${nasty.join(' ').replaceAll('\n', ' ')}`,
            `arch ${nasty[0]}`,
            `python ${nasty[30]}`,
            `nginx ${nasty[31]} ${nasty[0]} ${nasty[16]}`,
            'facts-end',
          ].join('\n'),
        )
        await talk.finish(await talk.until('cutover'))
      },
    },
    end: { code: undefined },
  },
  {
    name: 'invalid UTF-8 in facts and events',
    lies: {
      talk: async (talk) => {
        const broken = Buffer.from([0xff, 0xfe, 0xc0, 0xaf, 0xed, 0xa0, 0x80, 0xf8])
        await talk.say(
          Buffer.concat([
            Buffer.from(`ready ${talk.nonce}\nos `),
            broken,
            Buffer.from(`\n${honestFacts.join('\n')}\nfacts-end\n`),
          ]),
        )
        const release = await talk.until('cutover')
        await talk.say(Buffer.concat([Buffer.from('1.00 log '), broken, Buffer.from('\n')]))
        await talk.finish(release)
      },
    },
    end: { code: undefined },
  },
  {
    name: 'keys that name what every object has',
    lies: {
      talk: withFacts([
        '__proto__ x',
        'constructor y',
        'installed __proto__',
        'uv __proto__',
        'file __proto__ x',
        'nonce __proto__ x',
        'nonce constructor y',
        ...state('generation 1', 'owner 4711 someone/hello', '__proto__ x', 'current __proto__'),
      ]),
    },
    end: { code: undefined },
  },
  {
    name: 'releases that are paths',
    inputs: { command: 'plan' },
    lies: {
      talk: withFacts(
        state(
          'generation 1',
          'owner 4711 someone/hello',
          `current ../../../${MARK}`,
          `previous /etc/${MARK}`,
          `release ../../${MARK} x x x x`,
        ),
      ),
    },
    end: { code: undefined, result: 'planned', serving: '' },
    also: ({ outputs, log, summary }) => {
      expect(JSON.stringify([...outputs]) + log + summary).not.toContain(MARK)
    },
  },
  {
    name: 'numbers that are none, or too large',
    lies: {
      talk: withFacts([
        ...['generation 1e308', 'generation NaN', 'owner 4711 someone/hello'].map((line) => `state ${line}`),
        `cpus ${'9'.repeat(400)}`,
        'cpus Infinity',
      ]),
    },
    end: { code: undefined },
  },
  {
    name: 'no systemd, by a number of 400 digits',
    lies: {
      talk: ({ say, nonce }) => say(`ready ${nonce}\nsystemd ${'9'.repeat(400)}\nfacts-end`),
    },
    end: { code: 'server-unfit', phase: facts, serving: '' },
  },
  {
    name: 'a nonce of 60 KB for the release that serves',
    lies: {
      talk: withFacts([
        ...state(
          'generation 1',
          'owner 4711 someone/hello',
          'current 20261101000000-0000001',
          'release 20261101000000-0000001 x x x -',
        ),
        `nonce 20261101000000-0000001 ${'\r\n'.slice(0, 1)}${'n'.repeat(60_000)}`,
      ]),
    },
    end: { code: undefined },
  },
  {
    name: 'an owner that is Markdown, HTML and a workflow command',
    lies: {
      talk: withFacts(state('generation 1', `owner 1 \`x\`<img/src=x/onerror=${MARK}>::error::${MARK}`)),
    },
    end: { code: 'owner', phase: facts, serving: '' },
  },
  {
    name: 'a thousand things that bear the name',
    lies: { talk: withFacts(Array.from({ length: 1000 }, (_, at) => `taken ${nasty[at % nasty.length]}`)) },
    end: { code: 'owner', phase: facts, serving: '' },
  },
  ...['plan', 'deploy'].map(
    (command): Attack => ({
      name: `certificates of nasty authorities and times that no calendar has, and a ${command}`,
      inputs: { command, domain: 'liar.example.com', 'smoke-from': 'server' },
      lies: {
        talk: async (talk) => {
          const path = '/etc/letsencrypt/live/liar/fullchain.pem'
          await talk.facts([
            'now 999999999999999',
            `site-certificate ${path}`,
            `certificate ${path} https://acme.example/${MARK} ${nastyCertificate}`,
            `certificate /etc/x\0::error::${MARK} - ${nastyCertificate}`,
            `certificate ${path} - ${'A'.repeat(60_000)}`,
            `address6 ${MARK}`,
            `renewal ::error::${MARK}`,
            ...state('generation 1', 'owner 4711 someone/hello', 'refused 99 999999999999999 x'),
          ])
          await talk.finish(await talk.until('cutover'))
        },
      },
      end: command === 'plan' ? { code: undefined, result: 'planned', serving: '' } : { code: undefined },
    }),
  ),
]
