import { measureFirst } from './first.ts'
import { isReady } from './machine.ts'
import { measureRedeploys } from './redeploys.ts'
import { median, roundTrips } from './sample.ts'
import { type Row, renderTable } from './table.ts'

/** The added round-trip times in ms. */
const distances = [0, 50, 100]

/** One more, at which round trips can be counted on any machine. */
const far = 1_000

/** Name -> round trips on the critical path at most. */
const goals: Readonly<Record<string, number>> = {
  unchanged: 10,
  'code change': 14,
  'unchanged, HTTPS': 11,
  'code change, HTTPS': 15,
}

/** How many times the hand-written job a first deploy may take. */
const firstAtMost = 1.3

async function bench(args: readonly string[]): Promise<number> {
  const strange = args.filter((arg) => arg !== '--quick' && arg !== '--no-first')
  if (strange.length > 0) {
    console.error(`Unknown: ${strange.join(' ')}; there are --quick and --no-first.`)
    return 2
  }
  if (!(await isReady())) return 1
  const runs = args.includes('--quick') ? 1 : 3
  const tell = (text: string) => console.error(text)
  const redeploys = await measureRedeploys(distances, far, runs, tell)
  const first = args.includes('--no-first') ? [] : await measureFirst(distances, runs, tell)
  const rows = [...redeploys, ...first]
  console.log(
    `\nSeconds of wall clock, median of ${runs}${runs > 1 ? ' (least)' : ''}, by added round-trip time\n`,
  )
  console.log(renderTable(rows, distances, far))
  console.log('')
  return judge(rows) ? 0 : 1
}

function judge(rows: readonly Row[]): boolean {
  let good = true
  const say = (what: string, value: number, limit: number) => {
    const met = value <= limit
    good &&= met
    console.log(`${met ? 'met   ' : 'MISSED'}  ${what}: ${value.toFixed(1)}, goal ${limit}`)
  }
  for (const { name, samples } of rows) {
    const goal = goals[name]
    if (goal !== undefined) say(`round trips, ${name}`, roundTrips(samples, 0, far), goal)
  }
  const near = (name: string) =>
    median((rows.find((row) => row.name === name)?.samples.get(0) ?? []).map(({ ms }) => ms))
  const ratio = near('first deploy') / near('first deploy by hand')
  if (!Number.isNaN(ratio)) say('first deploy, times the job by hand', ratio, firstAtMost)
  return good
}

process.exitCode = await bench(process.argv.slice(2))
