import { type ActName, acts } from '../__tests__/e2e/acts.ts'
import { figures } from '../__tests__/e2e/figures.ts'
import { newGround, secureGround, usualGround } from '../__tests__/e2e/grounds.ts'
import { type Moment, type Round, Trial } from '../__tests__/e2e/rounds.ts'
import { type Authority, startAuthority } from '../__tests__/server/authority.ts'
import { boot } from '../__tests__/server/boot.ts'
import { isReady } from './machine.ts'

/** What is tried on one server, and how often; then a fresh one. */
const turns: readonly { readonly rounds: number; readonly acts: readonly ActName[] }[] = [
  { rounds: 20, acts: ['redeploy', 'redeploy', 'rollback', 'way-back', 'settling', 'watch'] },
  { rounds: 20, acts: ['redeploy', 'rollback', 'way-back', 'settling', 'settling', 'watch'] },
  { rounds: 8, acts: ['first'] },
  { rounds: 8, acts: ['https'] },
]

/** What else a run may change, beside its code and nginx's file. */
const changes: readonly Readonly<Record<string, string>>[] = [
  {},
  { env: 'GREETING=moin' },
  { threads: '3' },
  { timeout: '45s' },
  { 'max-body-size': '16m' },
  { 'settle-time': '2s' },
]

async function chaos(args: readonly string[]): Promise<number> {
  const settings = readSettings(args)
  if (settings === undefined) {
    console.error('Say --rounds N and --seed S, both whole numbers.')
    return 2
  }
  if (!(await isReady())) return 1
  const { rounds, seed } = settings
  const random = generator(seed)
  console.log(`${rounds} rounds, seed ${seed}`)
  const done: Round[] = []
  for (let turn = 0; done.length < rounds; turn += 1) {
    const { rounds: most = 0, acts: tried = [] } = turns[turn % turns.length] ?? {}
    const authority: Authority | undefined = tried.includes('https') ? await startAuthority() : undefined
    const server = await boot({ suite: 'bookworm', disk: 'image' })
    try {
      const ground = tried.includes('first') ? newGround(server) : usualGround(server)
      const trial = await Trial.on(authority === undefined ? ground : await secureGround(server, authority))
      for (let count = 0; count < most && done.length < rounds; count += 1) {
        const round = await trial.round(await momentOf(trial, tried, random))
        done.push(round)
        console.log(lineOf(done.length, round))
        // What is wrong with its server would be found in each round that follows.
        if (isBad(round)) {
          console.log(round.faults.join('\n'))
          break
        }
      }
    } finally {
      await server.stop()
      await authority?.stop()
    }
  }
  console.log(`\n${figures(done)}`)
  const bad = done.filter(isBad)
  for (const round of bad) {
    console.log(
      `\nseed ${seed}, round ${done.indexOf(round) + 1}: ${JSON.stringify(round.moment)}\n${round.faults.join('\n')}`,
    )
  }
  console.log(
    bad.length === 0 ? '\nNo outage, and nothing that needs a hand.' : `\n${bad.length} rounds are bad.`,
  )
  return bad.length === 0 ? 0 : 1
}

function isBad({ faults, serves }: Round): boolean {
  return faults.length > 0 || serves === 'neither'
}

async function momentOf(trial: Trial, tried: readonly ActName[], random: () => number): Promise<Moment> {
  const among = (count: number) => Math.floor(random() * count)
  const act = tried[among(tried.length)] ?? 'redeploy'
  const { kinds } = acts[act]
  const kind = [...kinds, 'program' as const, 'power' as const][among(kinds.length + 2)] ?? 'program'
  const at = 1 + among((await trial.commands(act)).length)
  const wish = changes[among(changes.length)] ?? {}
  const inputs = act === 'watch' || act === 'https' ? {} : wish
  const again = (kind === 'program' || kind === 'power') && among(4) === 0 ? { again: 1 + among(15) } : {}
  return { act, kind, at, inputs, ...again }
}

function lineOf(number: number, round: Round): string {
  const { moment, command, outcome, serves, repaired } = round
  const words = [
    String(number).padStart(4),
    moment.act.padEnd(8),
    moment.kind.padEnd(7),
    (typeof moment.at === 'number' ? String(moment.at) : '').padStart(4),
    moment.again === undefined ? '     ' : `+${moment.again}`.padEnd(5),
    outcome.padEnd(9),
    serves.padEnd(7),
    repaired ? 'repaired' : '        ',
    isBad(round) ? 'BAD' : '   ',
    command.slice(0, 70),
  ]
  return words.join(' ')
}

/** Numbers from 0 up to 1, the same for the same seed (mulberry32). */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) % 0x1_0000_0000
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000
  }
}

function readSettings(args: readonly string[]): { rounds: number; seed: number } | undefined {
  let rounds = 60
  let seed = Date.now() % 1_000_000
  for (let at = 0; at < args.length; at += 2) {
    const value = Number(args[at + 1])
    if (!Number.isSafeInteger(value) || value < 0) return undefined
    if (args[at] === '--rounds') rounds = value
    else if (args[at] === '--seed') seed = value
    else return undefined
  }
  return { rounds, seed }
}

process.exitCode = await chaos(process.argv.slice(2))
